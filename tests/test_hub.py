"""From the hub: categories downloaded, resumed, kept and loaded like files of this machine."""

import json
from pathlib import Path

import pytest

from pricer.catalogue import download
from pricer.catalogue.categories import CATEGORIES, LITE, NOTEBOOK, REPOSITORY, told_beforehand
from pricer.catalogue.download import fetch, look_up
from pricer.catalogue.hub import Address, read_address, told
from pricer.catalogue.store import open_catalogue
from pricer.curation.dataset import make_dataset
from pricer.curation.recipe import Recipe
from pricer.errors import PricerError
from pricer.progress import Step, silent
from pricer.publish.loading import load
from tests.hub_server import Fault, HubServer
from tests.products import raw_row, write_rows
from tests.test_command_line import run

FILE = "raw/meta_categories/meta_Appliances.jsonl"
WAITS = download.WAITS  # the product's; the tests' hub has none
APPLIANCES = f"hub:{REPOSITORY}/Appliances"


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    """A category's raw file on this machine."""
    made = [raw_row(number, main_category="as the row says") for number in range(300)] + [raw_row(900, price=None)]
    return write_rows(tmp_path / "meta_Appliances.jsonl", made)


@pytest.fixture
def amazon(hub: HubServer, rows: Path) -> HubServer:
    hub.put(REPOSITORY, {FILE: rows.read_bytes()})
    return hub


def downloads(hub: HubServer) -> list[str]:
    return [request for request in hub.requests if request.startswith("GET /datasets/")]


def test_an_address_says_what_it_names():
    assert read_address("hub:lab/set@v2") == Address("lab/set", "", "v2")
    assert str(read_address("hub:lab/set/a/b.jsonl")) == "hub:lab/set/a/b.jsonl"
    for wrong in ("hub:lab", "hub:lab/set/../x", "hub:lab/set//x", "lab/set", "hub:l b/set"):
        with pytest.raises(PricerError, match="hub:OWNER/NAME"):
            read_address(wrong)


def test_a_category_is_loaded_as_the_same_file_from_disk(amazon, rows):
    here = load([str(rows)], "here").catalogue.manifest
    there = load([APPLIANCES], "there").catalogue.manifest
    assert there.content_hash == here.content_hash and there.by_category[0].category == "Appliances"
    assert there.sources[0].origin.startswith(f"hub:{REPOSITORY}/{FILE}@") and not here.sources[0].origin


def test_a_category_cut_off_in_the_middle_is_resumed_with_the_same_content(amazon, rows):
    def cancelled(step: Step) -> None:
        if step.stage.startswith("Downloading") and step.fraction > 0:
            raise KeyboardInterrupt

    amazon.faults.append(Fault("cut", "GET /datasets/", times=1, after=50_000))
    with pytest.raises(KeyboardInterrupt):
        load([APPLIANCES], "there", report=cancelled)
    fetched = fetch(look_up(read_address(APPLIANCES), FILE), silent)
    assert 0 < fetched.downloaded < rows.stat().st_size
    assert downloads(amazon)[-1].endswith(f"bytes={rows.stat().st_size - fetched.downloaded}-")
    assert (
        load([APPLIANCES], "there").catalogue.manifest.content_hash
        == load([str(rows)], "here").catalogue.manifest.content_hash
    )


@pytest.mark.parametrize(
    "fault",
    [
        Fault("cut", "GET /datasets/", times=3, after=40_000),
        Fault("reset", "GET /datasets/", times=3),
        Fault("status", "GET /datasets/", times=3, status=500),
        Fault("status", "GET /datasets/", times=2, status=429, headers={"Retry-After": "0"}),
        Fault("status", "HEAD /datasets/", times=2, status=503),
    ],
    ids=["cut", "reset", "500", "429", "503 at first"],
)
def test_what_passes_is_waited_out(amazon, rows, fault):
    amazon.faults.append(fault)
    remote = look_up(read_address(APPLIANCES), FILE)
    assert fetch(remote, silent).path.read_bytes() == rows.read_bytes()


def test_a_connection_that_only_drips_is_opened_anew(amazon, rows, monkeypatch):
    monkeypatch.setattr(download, "SLOW_SECONDS", 0.1)
    amazon.faults.append(Fault("drip", "GET /datasets/", times=1, after=1000, seconds=0.02))
    assert fetch(look_up(read_address(APPLIANCES), FILE), silent).path.read_bytes() == rows.read_bytes()
    assert len(downloads(amazon)) == 2


def test_a_server_asks_to_wait_and_is_obeyed(amazon):
    waited, told = [], []
    amazon.faults.append(Fault("status", "GET /datasets/", times=1, status=429, headers={"Retry-After": "7"}))
    remote = look_up(read_address(APPLIANCES), FILE)
    remote.folder.mkdir(parents=True)
    download._with_patience(download._Part(remote, told.append), download.connect(), waited.append)
    assert waited == [7.0]
    assert "The hub does not send meta_Appliances.jsonl; asked again in 7 s" in [step.stage for step in told]


def test_an_outage_of_some_minutes_is_waited_out(amazon, rows, monkeypatch):
    monkeypatch.setattr(download, "WAITS", WAITS)
    remote = look_up(read_address(APPLIANCES), FILE)
    remote.folder.mkdir(parents=True)
    waited = []

    def pass_the_time(seconds: float) -> None:
        waited.append(seconds)
        if sum(waited) > 300:
            amazon.faults.clear()

    amazon.faults.append(Fault("reset"))
    download._with_patience(download._Part(remote, silent), download.connect(), pass_the_time)
    assert download._part_of(remote.file).read_bytes() == rows.read_bytes()


def test_a_token_goes_to_the_hub_and_to_no_host_whose_name_only_begins_alike():
    hub = "https://huggingface.co"
    assert download._is_of(hub, f"{hub}/datasets/lab/set/resolve/main/a.jsonl")
    for other in (
        "https://huggingface.co.x/a",
        "https://huggingface.co@x/a",
        "https://huggingface.co:8/a",
        "https://x/",
    ):
        assert not download._is_of(hub, other)


def test_a_file_is_downloaded_once_and_then_there_offline(amazon, monkeypatch):
    assert told_beforehand(LITE).missing_bytes == told_beforehand(LITE).bytes
    load([APPLIANCES], "first")
    assert told_beforehand(LITE).missing_bytes == 0
    load([APPLIANCES], "second")
    assert len(downloads(amazon)) == 1
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    asked = len(amazon.requests)
    assert load([APPLIANCES], "third").catalogue.manifest.items == 300
    assert len(amazon.requests) == asked
    with pytest.raises(PricerError, match="HF_HUB_OFFLINE is set, and this file was never downloaded"):
        load([f"hub:{REPOSITORY}/Software"], "fourth")


def test_a_damaged_part_is_thrown_away(amazon):
    remote = look_up(read_address(APPLIANCES), FILE)
    remote.folder.mkdir(parents=True)
    download._part_of(remote.file).write_bytes(b"x" * 5000)
    with pytest.raises(PricerError, match="arrived damaged"):
        fetch(remote, silent)
    assert fetch(remote, silent).downloaded == remote.size


def test_what_cannot_be_had_says_what_to_do(amazon, monkeypatch):
    amazon.put("lab/gated", {FILE: b"{}\n"}, gated=True)
    cases = {
        f"hub:{REPOSITORY}/Aplliances": "no category 'Aplliances'; take .*/Appliances",
        f"hub:{REPOSITORY}": "is loaded by category",
        f"hub:{REPOSITORY}/Software": "there is no such file",
        "hub:lab/gated/Appliances": "ask for access there, and give the token",
        "hub:lab/nowhere/Appliances": "no such data set, or it is private",
        f"{APPLIANCES}@v9": "no such branch or revision",
    }
    for source, expected in cases.items():
        with pytest.raises(PricerError, match=expected):
            load([source], "any")
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    with pytest.raises(PricerError, match="does not accept the token"):
        load([APPLIANCES], "any")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(PricerError, match="cannot be reached; check the connection, or HF_ENDPOINT"):
        load([APPLIANCES], "any")
    monkeypatch.setenv("HF_ENDPOINT", "hub.example")
    with pytest.raises(PricerError, match=r"'hub.example' is no address: HF_ENDPOINT is like https://"):
        load([APPLIANCES], "any")


@pytest.mark.parametrize(
    "error, words",
    [
        (
            ValueError("LFS batch API returned errors:\nStorage limit reached"),
            "publishing x: LFS batch .* limit reached",
        ),
        (json.JSONDecodeError("Expecting value", "<html>", 0), "publishing x: the hub's answer cannot be read"),
    ],
    ids=["refused file", "page of a proxy"],
)
def test_what_the_library_raises_of_its_own_is_told(error, words):
    with pytest.raises(PricerError, match=words), told("publishing x"):
        raise error


def test_too_small_a_disk_is_told_before_the_first_byte(amazon, monkeypatch):
    monkeypatch.setattr(download, "SPARE_BYTES", 10**18)
    with pytest.raises(PricerError, match=r"more on the disk of .* are free: make room"):
        load([APPLIANCES], "any")
    assert not downloads(amazon)


def test_too_small_a_disk_is_told_before_a_file_is_read_or_an_item_is_drawn(home, tmp_path, monkeypatch, rows):
    catalogue = load([str(rows)], "here").catalogue
    monkeypatch.setattr(download, "SPARE_BYTES", 10**18)
    with pytest.raises(PricerError, match="more on the disk of"):
        load([str(rows)], "again", report=lambda step: pytest.fail(step.stage))
    with pytest.raises(PricerError, match="more on the disk of"):
        make_dataset(catalogue, Recipe(cutoff=240, cap=5), "none")
    with pytest.raises(PricerError, match="there is no such file"):
        load([str(tmp_path / "none.jsonl")], "none")


def test_every_category_is_counted_in_the_load_s_table(amazon, capsys):
    more = b"\n".join(json.dumps(raw_row(number)).encode() for number in range(500, 600))
    amazon.put(REPOSITORY, {"raw/meta_categories/meta_Software.jsonl": more})
    code, out, err = run(capsys, "load", APPLIANCES, f"hub:{REPOSITORY}/Software", "--catalogue", "two", "--json")
    told = {each["category"]: each for each in json.loads(out)["categories"]}
    assert code == 0 and "Downloading meta_Appliances.jsonl" in err and "Scrubbing Software" in err
    counts = {"rows": 301, "priced": 300, "items": 300, "rejected": 1, "duplicates": 0}
    assert told["Appliances"] | counts == told["Appliances"]
    assert told["Software"]["rows"] == 100 and told["Software"]["seconds"] > 0
    assert "401" in run(capsys, "load", APPLIANCES, f"hub:{REPOSITORY}/Software", "--catalogue", "two")[1]


def test_all_categories_are_known_with_their_size():
    assert len(CATEGORIES) == 33 and set(LITE) < set(NOTEBOOK) < set(CATEGORIES)
    eight = told_beforehand(list(NOTEBOOK))
    assert round(eight.rows / 1e6, 1) == 8.3 and round(eight.bytes / 1e9) == 25 and eight.reading_seconds > 0
    assert told_beforehand(LITE).rows == 94_327


def test_an_older_catalogue_without_origins_still_opens(demo):
    file = demo.folder / "manifest.json"
    said = json.loads(file.read_bytes())
    for source in said["sources"]:
        del source["origin"], source["download_seconds"]
    for category in said["by_category"]:
        del category["seconds"]
    del said["rules"]["verbatim"]
    file.write_text(json.dumps(said))
    assert open_catalogue("demo").manifest.items == said["items"]
