"""Curated sets out, to a folder and to the hub, and back again with the same hashes."""

import json
import os
import shutil
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from pydantic import SecretStr

from pricer import settings
from pricer.catalogue.demo import write_demo
from pricer.catalogue.store import open_catalogue
from pricer.curation.dataset import Dataset, make_dataset, open_dataset
from pricer.curation.recipe import Recipe
from pricer.curation.recipe_file import read_recipe_file
from pricer.errors import PricerError
from pricer.items import content_hash
from pricer.keys import HUB_TOKEN, Key
from pricer.llm.prompts import without_prompt
from pricer.progress import Step, silent
from pricer.publish import folder as folders
from pricer.publish.folder import PublishedManifest, publish_to_folder, sha256_of
from pricer.publish.forms import Options
from pricer.publish.loading import load
from pricer.publish.pictures import category_picture, price_picture
from pricer.publish.places import read_place
from pricer.publish.preflight import preflight
from pricer.publish.pushing import push
from tests.hub_server import ADA, Fault, HubServer
from tests.products import raw_row, write_rows
from tests.test_command_line import run

KEY = Key(HUB_TOKEN, SecretStr(ADA), "environment")
PLACE = read_place("ada/even")


@pytest.fixture(scope="module")
def even_home(tmp_path_factory) -> Path:
    """A home with the dataset even, made once."""
    folder = tmp_path_factory.mktemp("even")
    rows = [raw_row(n, price=2.37 + n, main_category=f"C{n % 3}", title=f"Table no. {n}") for n in range(400)]
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PRICER_HOME", str(folder / "home"))
        catalogue = load([str(write_rows(folder / "shop.jsonl", rows))], "shop").catalogue
        make_dataset(catalogue, Recipe(cutoff=200, cap=1, weights={"C1": 2.0}), "even")
    return folder / "home"


@pytest.fixture
def dataset(home: Path, even_home: Path) -> Dataset:
    shutil.copytree(even_home, home)
    return open_dataset("even")


@pytest.fixture
def published(dataset: Dataset, tmp_path: Path) -> folders.PublishedFolder:
    return publish_to_folder(dataset, Options(), tmp_path / "out" / "even")


def split(folder: Path, name: str) -> pl.DataFrame:
    return pl.read_parquet(folder / "data" / f"{name}-*.parquet")


# The folder


def test_the_first_edition_has_text_and_price(dataset, published):
    train, exam = split(published.folder, "train"), split(published.folder, "test")
    item = dataset.train().collect().row(0, named=True)
    expected = (
        f"How much does this cost to the nearest dollar?\n\n{item['text']}\n\nPrice is ${round(item['price'])}.00"
    )
    assert train.columns == exam.columns == ["text", "price"]
    assert train.row(0) == (expected, item["price"]) and len(train) == dataset.manifest.train
    assert all(text.endswith("\n\nPrice is $") for text in exam["text"])
    assert set(exam["price"]) == set(dataset.exam().collect()["price"])


def test_the_second_edition_has_prompt_and_completion(dataset, tmp_path):
    options = Options(edition="prompt-completion", extras=True)
    folder = publish_to_folder(dataset, options, tmp_path / "second").folder
    train, exam = split(folder, "train"), split(folder, "test")
    item = dataset.train().collect().row(0, named=True)
    assert train.columns == ["prompt", "completion", "title", "category", "item_id"]
    prompt = f"What does this cost to the nearest dollar?\n\n{item['text']}\n\nPrice is $"
    extras = (item["title"], item["category"], item["item_id"])
    assert train.row(0) == (prompt, f"{round(item['price'])}.00", *extras)
    assert exam["completion"].to_list() == [str(price) for price in dataset.exam().collect()["price"]]


def test_withheld_prices_of_the_exam_are_nowhere(dataset, tmp_path):
    exam = dataset.exam().collect()
    for edition, column in (("text-price", "price"), ("prompt-completion", "completion")):
        options = Options(edition=edition, exam_prices=False)
        folder = publish_to_folder(dataset, options, tmp_path / edition).folder
        assert split(folder, "test")[column].is_null().all()
        items = pl.read_parquet(folder / "items.parquet")
        assert (
            items.filter(role="exam")["price"].is_null().all()
            and items.filter(role="train")["price"].is_not_null().all()
        )
        words = (folder / "README.md").read_text() + (folder / "manifest.json").read_text()
        assert "withheld" in words and f"${exam['price'].mean():,.2f}" not in words
        assert "test" not in json.loads((folder / "manifest.json").read_text())["content_hashes"]


def test_the_manifest_has_the_hash_of_every_file(published):
    files = {p.relative_to(published.folder).as_posix() for p in published.folder.rglob("*") if p.is_file()}
    assert files == {*published.manifest.files, "manifest.json"}
    assert all(sha256_of(published.folder / name) == digest for name, digest in published.manifest.files.items())


def test_the_same_set_is_written_the_same_and_another_is_not_overwritten(dataset, published, tmp_path):
    again = publish_to_folder(dataset, Options(), tmp_path / "again" / "even")
    assert again.manifest == published.manifest
    assert publish_to_folder(dataset, Options(), published.folder).manifest == published.manifest
    with pytest.raises(PricerError, match="is there already and holds something else"):
        publish_to_folder(dataset, Options(extras=True), published.folder)


def test_a_folder_that_stands_is_looked_at_before_it_is_called_published(dataset, published):
    (published.folder / "recipe.yaml").write_text("changed")
    with pytest.raises(PricerError, match=r"is damaged: recipe.yaml is not what manifest.json says"):
        publish_to_folder(dataset, Options(), published.folder)
    shutil.rmtree(published.folder / "data")
    with pytest.raises(PricerError, match=r"is damaged: .*; move it away, publish again"):
        publish_to_folder(dataset, Options(), published.folder)


def test_a_folder_where_none_can_be_is_told(dataset, tmp_path):
    (tmp_path / "file").write_text("x")
    for folder in (tmp_path / "file" / "set", tmp_path / "file" / "more" / "set", Path("/proc/set")):
        with pytest.raises(PricerError, match=f"cannot write {folder}: "):
            publish_to_folder(dataset, Options(), folder)


def test_what_a_killed_process_left_is_swept(dataset, hub, tmp_path):
    """Two processes die while they write gigabytes; the next ones leave nothing behind."""
    rows, key = tmp_path / "out" / "rows.jsonl", f"Key('HF_TOKEN', SecretStr('{ADA}'), 'typed')"
    places = {
        f"push(open_dataset('even'), Options(), read_place('ada/even'), {key}, die)": settings.cache_folder(),
        f"write_demo(Path({str(rows)!r}), 50, 1, die)": rows.parent,
    }
    script = """
import os, signal
from pathlib import Path
from pydantic import SecretStr
from pricer.catalogue.demo import write_demo
from pricer.curation.dataset import open_dataset
from pricer.keys import Key
from pricer.publish.forms import Options
from pricer.publish.places import read_place
from pricer.publish.pushing import push
def die(step):
    os.kill(os.getpid(), signal.SIGKILL)
"""
    for ends, parent in places.items():
        assert subprocess.run([sys.executable, "-c", script + ends]).returncode == -9
        assert len(list(parent.glob(".staging/*.lock"))) == 1
    push(dataset, Options(), PLACE, KEY, silent)
    write_demo(rows, 50, 1)
    assert [path for parent in places.values() for path in parent.rglob("*") if path.name != ".staging"] == [rows]


def test_a_large_split_is_written_in_several_files(dataset, tmp_path, monkeypatch):
    monkeypatch.setattr(folders, "ROWS_A_FILE", 100)
    folder = publish_to_folder(dataset, Options(), tmp_path / "many").folder
    files = sorted((folder / "data").glob("train-*"))
    assert files[0].name == f"train-00000-of-{len(files):05d}.parquet" and len(files) == -(
        -dataset.manifest.train // 100
    )
    assert len(split(folder, "train")) == dataset.manifest.train


def test_the_card_tells_all_and_its_metadata_names_every_split(dataset, published):
    card = (published.folder / "README.md").read_text()
    metadata = yaml.safe_load(card.split("---\n")[1])
    assert [each["split"] for each in metadata["configs"][0]["data_files"]] == ["train", "validation", "test"]
    assert metadata["license"] == "other" and metadata["size_categories"] == ["n<1K"]
    made, catalogue = dataset.manifest, open_catalogue("shop").manifest
    for told in (made.content_hash, made.exam_hash, made.recipe_id, f"{catalogue.rows:,}", "do not leak", "## Limits",
                 "load_dataset", "pictures/prices.svg", "at most 1 items at each whole dollar below"):  # fmt: skip
        assert told in card
    assert read_recipe_file((published.folder / "recipe.yaml").read_bytes()).recipe == made.recipe


def test_a_card_without_its_catalogue_leaves_the_funnel_out(dataset, tmp_path):
    open_catalogue("shop").folder.rename(tmp_path / "gone")
    folder = publish_to_folder(dataset, Options(), tmp_path / "alone").folder
    assert "From rows to items" not in (folder / "README.md").read_text()
    assert "pool</text>" not in (folder / "pictures" / "prices.svg").read_text()


def test_pictures_are_drawn_to_scale():
    slots = np.zeros(1000, dtype=np.int64)
    slots[[5, 15]] = (100, 10)
    picture = ElementTree.fromstring(price_picture(slots, slots))
    points = [p.get("points") for p in picture.iter("{http://www.w3.org/2000/svg}polygon")]
    heights = [272 - float(point.split(",")[1]) for point in points[0].split()]
    assert len(points) == 2 and heights[1] == pytest.approx(2 * heights[3], rel=0.01)
    names = [("A & <b>", 5, 9), ("all", 1, 0), *((f"c{n}", 1, 1) for n in range(9))]
    words = [
        text.text for text in ElementTree.fromstring(category_picture(names)).iter("{http://www.w3.org/2000/svg}text")
    ]
    assert "A & <b>" in words and "4 others" in words and "50.0%" in words


# Back again


def test_a_published_folder_loads_back_with_its_hashes_and_the_same_exam(dataset, published):
    back = load([str(published.folder)], "back")
    made = dataset.manifest
    assert back.splits["train"].content_hash == made.content_hash
    assert {name: each.content_hash for name, each in back.splits.items()} == published.manifest.content_hashes
    loaded = back.catalogue.manifest
    assert (loaded.exam_hash, loaded.natural, loaded.balanced) == (made.exam_hash, made.natural, made.balanced)
    assert (loaded.validation, loaded.rules.name) == (made.validation, "as-published")
    texts = dict(back.catalogue.items().select("item_id", "text").collect().iter_rows())
    assert all(texts[name] == text for name, text in dataset.train().select("item_id", "text").collect().iter_rows())


def test_a_set_with_withheld_prices_gets_an_exam_of_its_own(dataset, tmp_path):
    folder = publish_to_folder(dataset, Options(exam_prices=False), tmp_path / "closed").folder
    back = load([str(folder)], "back")
    assert back.splits["test"].content_hash is None and back.splits["train"].content_hash
    assert back.catalogue.manifest.rejections == {"no-price": dataset.manifest.exam}
    assert back.catalogue.manifest.exam_hash != dataset.manifest.exam_hash


def test_a_changed_items_file_is_refused(published):
    items = published.folder / "items.parquet"
    pl.read_parquet(items).with_columns(pl.col("price") + 1).write_parquet(items)
    with pytest.raises(PricerError, match="do not belong together"):
        load([str(published.folder)], "back")


@pytest.mark.parametrize("edition", ["text-price", "prompt-completion"])
def test_a_set_without_items_loses_question_and_price_line(dataset, tmp_path, edition):
    folder = publish_to_folder(dataset, Options(edition=edition), tmp_path / "foreign").folder
    for name in ("items.parquet", "manifest.json"):
        (folder / name).unlink()
    back = load([str(folder)], "back").catalogue
    texts = set(back.items().collect()["text"])
    assert texts == {
        text for part in ("train", "validation", "exam") for text in getattr(dataset, part)().collect()["text"]
    }
    assert back.manifest.items == len(texts) and not any("Price is" in text for text in texts)
    prices = sorted(back.items().collect()["price"])
    assert min(prices) >= 2 and max(prices) <= 402


def test_json_lines_of_texts_and_prices_become_a_catalogue(tmp_path):
    rows = [
        {"text": f"How much does this cost to the nearest dollar?\n\nLamp {n}\n\nPrice is ${n}.00"}
        for n in range(1, 40)
    ]
    (tmp_path / "set").mkdir()
    write_rows(tmp_path / "set" / "train.jsonl", rows)
    back = load([str(tmp_path / "set")], "lamps").catalogue
    assert sorted(back.items().collect()["price"]) == list(map(float, range(1, 40)))
    assert back.items().collect()["title"][0].startswith("Lamp ")


def test_a_set_that_cannot_be_read_says_why(tmp_path):
    folder = tmp_path / "set"
    folder.mkdir()
    with pytest.raises(PricerError, match="no Parquet or JSON-lines files"):
        load([str(folder)], "any")
    write_rows(folder / "train.jsonl", [{"name": "lamp", "cost": 3}])
    with pytest.raises(PricerError, match=r"has columns text and price.*; this has name, cost"):
        load([str(folder)], "any")
    with pytest.raises(PricerError, match="are taken as they are: rules 'notebook-1'"):
        load([str(folder)], "any", "notebook-1")
    with pytest.raises(PricerError, match="is loaded alone"):
        load([str(folder), str(tmp_path / "more.jsonl")], "any")
    (folder / "train.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(PricerError, match=r"train.parquet: not a Parquet file"):
        load([str(folder)], "any")


def test_prices_and_texts_in_parquet_s_further_types_are_read(tmp_path):
    (tmp_path / "set").mkdir()
    table = {
        "text": [f"Lamp {n}" for n in range(40)],
        "price": pa.array([Decimal(f"{n + 2}.50") for n in range(40)], pa.decimal128(10, 2)),
        "category": pa.array([b"lamps"] * 40, pa.binary()),
        "item_id": pa.array([f"L{n}".encode() for n in range(40)], pa.binary()),
    }
    pq.write_table(pa.table(table), tmp_path / "set" / "train.parquet")
    items = load([str(tmp_path / "set")], "lamps").catalogue.items().collect()
    assert sorted(items["price"]) == [n + 2.5 for n in range(40)] and set(items["category"]) == {"lamps"}
    assert "L7" in set(items["item_id"])


def test_the_price_line_is_read_whatever_its_form():
    assert without_prompt("A lamp\n\nPrice is $1,299.50\n") == ("A lamp", 1299.5)
    assert without_prompt("A lamp\nPrice is $") == ("A lamp", None)
    assert without_prompt("Its Price is $5, a lamp") == ("Its Price is $5, a lamp", None)


# The hub


def test_a_set_is_pushed_private_and_loads_back_by_name(dataset, hub, monkeypatch):
    pushed = push(dataset, Options(), PLACE, KEY, silent)
    assert pushed.url == f"{hub.url}/datasets/ada/even" and hub.head("ada/even").id == pushed.commit
    assert hub.repositories["datasets", "ada/even"].private
    with pytest.raises(PricerError, match="private and HF_TOKEN is missing"):
        load(["hub:ada/even"], "back")
    monkeypatch.setenv(HUB_TOKEN, ADA)
    back = load(["hub:ada/even"], "back")
    assert back.splits["train"].content_hash == dataset.manifest.content_hash
    assert back.catalogue.manifest.sources[0].origin == f"hub:ada/even@{pushed.commit}"


def test_a_second_push_sends_nothing_and_another_replaces_every_file(dataset, hub):
    first = push(dataset, Options(), PLACE, KEY, silent)
    assert push(dataset, Options(), PLACE, KEY, silent).commit == first.commit
    second = push(dataset, Options(edition="prompt-completion"), PLACE, KEY, silent)
    assert second.commit != first.commit and hub.head("ada/even").parent == first.commit
    assert set(hub.head("ada/even").files) == {*second.manifest.files, "manifest.json", ".gitattributes"}


def test_a_branch_and_an_organisation_can_be_named(dataset, hub):
    place = read_place("lab/even", "v2", private=False)
    pushed = push(dataset, Options(), place, KEY, silent)
    repository = hub.repositories["datasets", "lab/even"]
    assert not repository.private and set(repository.branches["main"][-1].files) == {".gitattributes"}
    assert repository.branches["v2"][-1].id == pushed.commit and pushed.url.endswith("/tree/v2")


@pytest.mark.parametrize("kind", ["status", "reset"])
@pytest.mark.parametrize("is_first", [True, False], ids=["first", "second"])
def test_whatever_request_fails_the_place_is_old_or_new_and_the_next_push_converges(dataset, hub, kind, is_first):
    old = None if is_first else push(dataset, Options(), PLACE, KEY, silent).manifest
    options = Options(edition="prompt-completion")
    for request in range(1, 60):
        hub.faults.append(Fault(kind, first=request))
        try:
            pushed = push(dataset, options, PLACE, KEY, silent)
        except PricerError:
            assert whole(hub) == old or whole(hub).options == options
        else:
            assert hub.head("ada/even").id == pushed.commit
            break
        finally:
            hub.faults.clear()
    assert request > 8
    assert whole(hub) == push(dataset, options, PLACE, KEY, silent).manifest


def whole(hub: HubServer) -> PublishedManifest | None:
    """The manifest at the head, after every file was compared with it; None where nothing was published."""
    if ("datasets", "ada/even") not in hub.repositories:
        return None
    files = hub.head("ada/even").files
    if "manifest.json" not in files:
        assert set(files) == {".gitattributes"}
        return None
    manifest = PublishedManifest.model_validate_json(hub.read("ada/even", "manifest.json"))
    assert {
        name: digest for name, digest in files.items() if name not in ("manifest.json", ".gitattributes")
    } == manifest.files
    return manifest


def test_a_push_that_lost_only_the_answer_to_its_commit_is_found_done(dataset, hub):
    hub.faults.append(Fault("cut", "POST /api/datasets/ada/even/commit", times=1, after=0))
    pushed = push(dataset, Options(), PLACE, KEY, silent)
    assert hub.head("ada/even").id == pushed.commit


def test_someone_else_s_push_in_between_is_refused_and_stays(dataset, hub):
    push(dataset, Options(), PLACE, KEY, silent)

    def meanwhile(step: Step) -> None:
        if step.stage == "Committing":
            hub.put("ada/even", {"note.txt": b"mine"})

    with pytest.raises(PricerError, match="someone else has changed it in the meantime; nothing was overwritten"):
        push(dataset, Options(extras=True), PLACE, KEY, meanwhile)
    assert hub.read("ada/even", "note.txt") == b"mine"


def test_uploaded_files_are_not_sent_again(dataset, hub):
    hub.faults.append(Fault("status", "POST /api/datasets/ada/even/commit", status=400, times=1))
    with pytest.raises(PricerError):
        push(dataset, Options(), PLACE, KEY, silent)
    sent = [request for request in hub.requests if request.startswith("PUT ")]
    push(dataset, Options(), PLACE, KEY, silent)
    assert len(sent) == 4 and [request for request in hub.requests if request.startswith("PUT ")] == sent


def stops(dataset: Dataset, place=PLACE, key: Key | None = KEY, **more) -> str:
    return "; ".join(check.words for check in preflight(dataset, Options(), place, key, **more).stops)


def test_preflight_stops_before_anything_is_sent(dataset, hub, monkeypatch):
    hub.add_user("bob", "hf_reads", role="read")
    hub.add_user("eve", "hf_scoped", role="fineGrained", scoped=("ada/even", "eve"))
    hub.put("ada/taken", {"data.csv": b"1"})
    key = {token: Key(HUB_TOKEN, SecretStr(token), "typed") for token in ("hf_reads", "hf_scoped", "hf_wrong")}
    assert stops(dataset) == ""
    assert "No token" in stops(dataset, key=None)
    assert "does not accept the token (from typed)" in stops(dataset, key=key["hf_wrong"])
    assert "may not write to ada" in stops(dataset, key=key["hf_reads"])
    assert stops(dataset, key=key["hf_scoped"]) == ""
    assert "may not write to lab" in stops(dataset, read_place("lab/x"), key["hf_scoped"])
    assert "is taken: it holds something that Pricer did not publish" in stops(dataset, read_place("ada/taken"))
    assert stops(dataset, read_place("ada/taken"), replace=True) == ""
    assert {request for request in hub.requests if request.startswith(("PUT", "POST"))} == {"POST /api/validate-yaml"}
    with pytest.raises(PricerError, match="is taken"):
        push(dataset, Options(), read_place("ada/taken"), KEY, silent)
    monkeypatch.setattr("pricer.catalogue.download.SPARE_BYTES", 10**18)
    assert "make room" in stops(dataset)


def test_a_push_follows_the_revision_that_was_looked_at(dataset, hub):
    looked = preflight(dataset, Options(), PLACE, KEY)
    push(dataset, Options(), PLACE, KEY, silent, follows=looked.follows)
    looked = preflight(dataset, Options(extras=True), PLACE, KEY)
    theirs = hub.put("ada/even", {"LICENSE": b"ours"})
    with pytest.raises(PricerError, match="someone has changed it since it was looked at; nothing was overwritten"):
        push(dataset, Options(extras=True), PLACE, KEY, silent, follows=looked.follows)
    assert hub.head("ada/even").id == theirs
    with pytest.raises(PricerError, match="is not at nothing any more"):
        push(dataset, Options(extras=True), PLACE, KEY, silent, follows="nothing")
    now = preflight(dataset, Options(extras=True), PLACE, KEY).follows
    first = push(dataset, Options(extras=True), PLACE, KEY, silent, follows=now)
    assert push(dataset, Options(extras=True), PLACE, KEY, silent, follows=now).commit == first.commit  # a second try


def test_another_set_of_the_same_name_is_not_overwritten(dataset, hub):
    push(dataset, Options(), PLACE, KEY, silent)
    manifest = json.loads(hub.read("ada/even", "manifest.json")) | {"dataset_id": "f" * 16}
    hub.put("ada/even", {"manifest.json": json.dumps(manifest).encode()})
    assert "is taken: it holds another set named even, of another recipe or catalogue" in stops(dataset)
    assert stops(dataset, replace=True) == ""


def test_files_that_pricer_did_not_put_there_stay_unless_all_is_to_be_replaced(dataset, hub):
    push(dataset, Options(), PLACE, KEY, silent)
    hub.put("ada/even", {"LICENSE": b"ours"})
    looked = preflight(dataset, Options(extras=True), PLACE, KEY)
    assert [(check.verdict, check.value) for check in looked.checks if "did not put" in check.words] == [
        ("look", "LICENSE")
    ]
    push(dataset, Options(extras=True), PLACE, KEY, silent)
    assert hub.read("ada/even", "LICENSE") == b"ours"
    hub.put("ada/even", {"data/train-theirs.parquet": b"rows"})
    assert "would be read with the set" in stops(dataset)
    looked = preflight(dataset, Options(extras=True), PLACE, KEY, replace=True)
    assert [check.value for check in looked.checks if "are removed" in check.words] == [
        "LICENSE, data/train-theirs.parquet"
    ]
    push(dataset, Options(extras=True), PLACE, KEY, silent, replace=True)
    assert "LICENSE" not in hub.head("ada/even").files and whole(hub)


def test_exam_prices_are_not_called_withheld_where_the_history_has_them(dataset, hub):
    closed = Options(exam_prices=False)
    push(dataset, closed, PLACE, KEY, silent)
    push(dataset, closed, PLACE, KEY, silent, replace=True)
    open_branch = read_place("ada/even", "open")
    priced = push(dataset, Options(), open_branch, KEY, silent)
    for place in (PLACE, open_branch, read_place("ada/even", "new")):
        words = [check.words for check in preflight(dataset, closed, place, KEY).stops]
        assert len(words) == 1 and f"stay readable at {priced.commit[:7]}: take a new repository" in words[0]
    with pytest.raises(PricerError, match="Its history has an exam's prices"):
        push(dataset, closed, open_branch, KEY, silent)
    assert preflight(dataset, closed, read_place("ada/closed"), KEY).stops == []


def test_a_licence_that_the_hub_does_not_know_is_told_before_anything_is_sent(dataset, hub, tmp_path):
    for licence, told in (("our own", "such as cc-by-4.0 or other, got 'our own'"), ("ours-1.0", "on the hub's list")):
        with pytest.raises(PricerError, match=f"Licence: .*{told}"):
            push(dataset, Options(licence=licence), PLACE, KEY, silent)
    assert ("datasets", "ada/even") not in hub.repositories
    with pytest.raises(PricerError, match="a licence is an id"):
        publish_to_folder(dataset, Options(licence="our own"), tmp_path / "even")


def test_a_name_that_cannot_be_is_told():
    for repo in ("even", "a/b/c", "ada/e ven", "ada/--", "/even"):
        with pytest.raises(PricerError, match="a set on the hub is named USER/NAME"):
            read_place(repo)
    with pytest.raises(PricerError, match="a branch is a word"):
        read_place("ada/even", "../x")


def test_a_cancelled_push_changes_nothing(dataset, hub):
    def cancelled(step: Step) -> None:
        if step.stage == "Uploading" and step.fraction > 0.5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        push(dataset, Options(), PLACE, KEY, cancelled)
    assert whole(hub) is None
    assert push(dataset, Options(), PLACE, KEY, silent).manifest == whole(hub)


@pytest.mark.slow
def test_plain_load_dataset_reads_folder_and_repository(dataset, hub, tmp_path):
    publish_to_folder(dataset, Options(), tmp_path / "even")
    push(dataset, Options(), PLACE, KEY, silent)
    script = """
import sys, json
from datasets import load_dataset
for place, token in ((sys.argv[1], None), ("ada/even", sys.argv[2])):
    splits = load_dataset(place, token=token)
    print(json.dumps({name: [len(split), split[0]] for name, split in splits.items()}))
streamed = load_dataset("ada/even", split="test", streaming=True, token=sys.argv[2])
print(json.dumps(next(iter(streamed))))
items = load_dataset("ada/even", "items", split="train", token=sys.argv[2])
print(json.dumps(items.select_columns(["role", "item_id", "price", "text"]).to_list()))
"""
    environment = os.environ | {"HF_HOME": str(tmp_path / "fresh"), "HF_HUB_DISABLE_TELEMETRY": "1"}
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "even"), ADA], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    folder, repository, first, items = (json.loads(line) for line in done.stdout.splitlines())
    made = dataset.manifest
    assert folder == repository and folder["train"][0] == made.train and folder["test"][0] == made.exam
    assert folder["test"][1] == first and first["text"].endswith("Price is $")
    of_train = [(row["item_id"], row["price"], row["text"]) for row in items if row["role"] == "train"]
    assert content_hash(of_train) == made.content_hash
    assert len(items) == made.train + made.validation + made.exam


def test_the_command_line_publishes_checks_and_loads_back(dataset, hub, tmp_path, capsys, monkeypatch):
    code, out, _ = run(capsys, "publish", "even", "--to", str(tmp_path / "set"), "--json")
    assert code == 0 and json.loads(out)["content_hashes"]["train"] == dataset.manifest.content_hash
    code, _, err = run(capsys, "publish", "even", "--to", "set")
    assert code == 2 and "./set for a folder, or USER/set on the hub" in err
    code, _, err = run(capsys, "publish", "even", "--to", "ada/even")
    assert code == 2 and "there is no HF_TOKEN" in err
    monkeypatch.setenv(HUB_TOKEN, ADA)
    code, out, _ = run(capsys, "publish", "even", "--to", "ada/even", "--check")
    assert code == 0 and "nothing stands in the way" in out and ("datasets", "ada/even") not in hub.repositories
    code, out, err = run(capsys, "publish", "even", "--to", "ada/even", "--edition", "prompt-completion", "--extras")
    assert code == 0 and f"{hub.url}/datasets/ada/even" in out and "Uploading" in err
    code, out, _ = run(capsys, "load", "hub:ada/even", "--catalogue", "back")
    assert code == 0 and dataset.manifest.content_hash in out
