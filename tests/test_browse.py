"""Looking into a catalogue: pages of rows, why a row was dropped, and the items of a slot."""

import pytest

from pricer.catalogue.browse import Wanted, count_rows, explain_row, find_item, find_row, page_of_rows, reasons_in_words
from pricer.catalogue.scrub import REASONS, RULES
from pricer.curation.index import open_index
from pricer.curation.recipe import Recipe
from pricer.curation.sampler import make_plan
from pricer.curation.slots import items_of_slot


def test_the_outcomes_of_all_rows_are_those_of_the_manifest(demo):
    manifest = demo.manifest
    assert count_rows(demo, Wanted()) == manifest.rows
    for outcome, number in {**manifest.rejections, "item": manifest.items, "duplicate": manifest.duplicates}.items():
        assert count_rows(demo, Wanted(outcome=outcome)) == number


def test_pages_hold_fifty_rows_and_every_row_once(demo):
    pages = [page_of_rows(demo, Wanted(), page)["row_number"].to_list() for page in (1, 2, 3)]
    assert [len(page) for page in pages] == [50, 50, 50]
    assert len(set().union(*pages)) == 150


def test_words_find_part_of_a_title_in_any_case_or_an_id(demo):
    row = find_row(demo, int(page_of_rows(demo, Wanted(outcome="item"), 1)["row_number"][0]))
    part = row["title"][2:14].upper()
    assert row["row_number"] in page_of_rows(demo, Wanted(words=part), 1)["row_number"].to_list()
    assert count_rows(demo, Wanted(words=row["item_id"])) >= 1
    assert count_rows(demo, Wanted(words=".*")) == 0


def test_the_first_rule_that_a_row_breaks_is_its_reason(demo):
    rejected = page_of_rows(demo, Wanted(outcome="no-price"), 1)["row_number"][0]
    checks = explain_row(demo, find_row(demo, int(rejected)))
    assert [check.passed for check in checks[:3]] == [True, False, None]


def test_a_duplicate_names_the_item_that_stands_for_it(demo):
    row = find_row(demo, int(page_of_rows(demo, Wanted(outcome="duplicate"), 1)["row_number"][0]))
    last = explain_row(demo, row)[-1]
    assert last.passed is False and row["duplicate_of"] in last.value
    assert find_item(demo, row["duplicate_of"])["item_id"] == row["duplicate_of"]
    assert find_item(demo, "nobody") is None


def test_reasons_have_the_numbers_of_the_rules():
    words = reasons_in_words(RULES["notebook-1"])
    assert list(words) == list(REASONS)
    assert words["too-few-tokens"] == "150 tokens or fewer"


@pytest.mark.parametrize("cap", [1, 3])
def test_a_slot_lists_what_the_plan_keeps_and_what_it_leaves(demo, cap):
    plan = make_plan(open_index(demo), Recipe(cutoff=500, cap=cap))
    slot = int(plan.before.sum(axis=1)[1:].argmax()) + 1
    items = items_of_slot(demo, plan, slot)
    assert len(items) == plan.before[slot].sum()
    assert items["kept"].sum() == plan.counts[slot].sum() == cap
    assert items["kept"][0] and not items["kept"][-1]
