"""What a person chose on one page holds on the others, and is there when they come back: in a real browser."""

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from pricer.__main__ import main
from tests.serving import Server, serving
from tests.test_browser import visit
from tests.test_whole_way import turn_to

pytestmark = [pytest.mark.slow, pytest.mark.browser]


@pytest.fixture
def site(demo, home) -> Iterator[Server]:
    """Two catalogues, each with a dataset."""
    twin = home / "catalogues" / "twin" / "1"
    shutil.copytree(home / "catalogues" / "demo" / "1", twin)
    manifest = twin / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"demo"', '"twin"', 1))
    for name in ("demo", "twin"):
        assert main(["sample", name, "--dataset", f"{name}-even"]) == 0
    with serving(home) as server:
        yield server


def choose_catalogue(page: Page, name: str) -> None:
    page.get_by_test_id("stSelectbox").filter(has_text="Catalogue").locator("input").click()
    page.get_by_role("option", name=name).click()


@pytest.mark.parametrize("name", ["demo", "twin"])  # one of them is what a page shows that was asked for nothing
def test_the_chosen_catalogue_holds_on_every_page(site, page, name):
    visit(page, f"{site.url}/catalogue")
    choose_catalogue(page, name)
    shelf = page.locator(".pr-shelf")
    expect(shelf).to_contain_text(f"{name}-even")
    for other_page in ("Curate", "Runs", "Train", "Predict", "Catalogue"):
        turn_to(page, other_page)
        expect(shelf).to_contain_text(f"{name}-even")


def test_settings_are_there_when_one_comes_back(site, page):
    visit(page, f"{site.url}/train")
    page.get_by_role("radiogroup", name="Model").get_by_text("(tfidf-ridge)").click()
    page.get_by_label("Seed").fill("7")
    page.get_by_label("Seed").press("Enter")
    command = page.get_by_test_id("stCode")
    expect(command).to_contain_text("--seed=7")
    turn_to(page, "Runs")
    turn_to(page, "Train")
    expect(command).to_contain_text("train tfidf-ridge")
    expect(command).to_contain_text("--seed=7")
