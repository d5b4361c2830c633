import os
import shutil
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest
from hypothesis import settings as hypothesis_settings
from playwright.sync_api import Browser, Page, sync_playwright
from sqlalchemy import NullPool, create_engine

from pricer import database, settings
from pricer.__main__ import main
from pricer.catalogue.store import Catalogue, open_catalogue
from pricer.keys import KNOWN
from pricer.models import without_price
from tests import browser as chromium
from tests import postgres as postgresql
from tests.hub_server import ADA, HubServer
from tests.processes import end_processes_of
from tests.products import FEW
from tests.serving import Server, serving
from tests.tiny_llama import tiny_llama, tiny_llama_digits  # noqa: F401 fixtures

DEMO_ROWS = 4_000
settings.quieten_hub()  # before a fixture imports the hub's library

# The same examples each time, whatever the machine's speed.
hypothesis_settings.register_profile("pricer", derandomize=True, deadline=None)
hypothesis_settings.load_profile("pricer")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the slow tests last, so that what fails fast fails first; what loads a language model is slow."""
    for item in items:
        if {"tiny_llama", "tiny_llama_digits"} & set(getattr(item, "fixturenames", ())):
            item.add_marker("slow")
    items.sort(key=lambda item: any(item.get_closest_marker(name) for name in ("slow", "browser")))


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home folder of the test's own, which nobody has made yet."""
    for name in [name for name in os.environ if name.startswith("PRICER_") and name != "PRICER_CHROMIUM"]:
        monkeypatch.delenv(name)
    # AppTest leaves its script there when it is done, and the next processes that are spawned would run it.
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])
    folder = tmp_path / "home"
    monkeypatch.setenv("PRICER_HOME", str(folder))
    monkeypatch.setenv("PRICER_SECRETS", str(tmp_path / "secrets.toml"))
    elsewhere = [name for name in os.environ if name.endswith(("_API_KEY", "_BASE_URL"))]
    for name in ("HF_ENDPOINT", "HF_HUB_OFFLINE", *KNOWN, *elsewhere):
        monkeypatch.delenv(name, raising=False)
    yield folder
    if any(folder.glob("worker-*.lock")):
        end_processes_of(folder)


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """A PostgreSQL of the tests' own; where there is none, tests that need it are skipped."""
    if postgresql.find() is None:
        pytest.skip("no PostgreSQL: `python -m tests.postgres` gets one")
    with postgresql.running() as folder:
        yield folder


@pytest.fixture
def postgres_url(home: Path, postgres: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of an empty PostgreSQL database of the test's own, which Pricer uses."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    server = create_engine(postgresql.url(postgres, "postgres"), isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with server.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    monkeypatch.setenv("PRICER_DATABASE_URL", postgresql.url(postgres, name))
    yield postgresql.url(postgres, name)
    end_processes_of(home)
    database.engine().dispose()
    with server.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def each_database(request: pytest.FixtureRequest, home: Path) -> None:
    """Runs a test on an SQLite file, and on a real PostgreSQL where there is one."""
    if request.param == "postgresql":
        request.getfixturevalue("postgres_url")


@pytest.fixture(scope="session")
def demo_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home folder with a small catalogue named demo, made once; copy it before writing there."""
    folder = tmp_path_factory.mktemp("demo") / "home"
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PRICER_HOME", str(folder))
        assert main(["demo", "--rows", str(DEMO_ROWS), "--catalogue", "demo"]) == 0
    return folder


@pytest.fixture(scope="session")
def trained_home(demo_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the demo catalogue, the dataset even and three runs, made once; copy it before writing there."""
    folder = tmp_path_factory.mktemp("trained") / "home"
    shutil.copytree(demo_home, folder)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PRICER_HOME", str(folder))
        assert main(["sample", "demo", "--dataset", "even"]) == 0
        for model in ("mean", "bag-of-words", "tfidf-ridge"):
            assert main(["train", model, "--dataset", "even"]) == 0
    return folder


@pytest.fixture
def demo(home: Path, demo_home: Path) -> Catalogue:
    """The small demo catalogue, in a home of the test's own."""
    shutil.copytree(demo_home, home)
    return open_catalogue("demo")


@pytest.fixture(scope="session")
def items(demo_home: Path) -> pl.DataFrame:
    """Generated items, as a catalogue makes them."""
    demo = Catalogue(demo_home / "catalogues" / "demo" / "1")
    return demo.items().collect().sort("item_id").head(2 * FEW)


@pytest.fixture(scope="session")
def train(items: pl.DataFrame) -> pl.DataFrame:
    """Those to learn from."""
    return items[:FEW]


@pytest.fixture(scope="session")
def unseen(items: pl.DataFrame) -> pl.DataFrame:
    """The others, without prices."""
    return without_price(items[FEW:])


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    """A hub of the test's own, where ada may write, and whose client does not wait between its tries."""
    monkeypatch.setattr("huggingface_hub.utils._http.time", SimpleNamespace(**vars(time) | {"sleep": lambda _: None}))
    monkeypatch.setattr("pricer.catalogue.download.WAITS", (0,) * 6)
    with HubServer(tmp_path / "hub") as running:
        running.add_user("ada", ADA, orgs=("lab",))
        monkeypatch.setenv("HF_ENDPOINT", running.url)
        yield running


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A running server with an empty home."""
    with serving(tmp_path_factory.mktemp("server") / "home") as running:
        yield running


@pytest.fixture(scope="session")
def start_browser() -> Iterator[Callable[..., Browser]]:
    """Starts a headless Chromium with further arguments; without one the test is skipped, but on CI it fails."""
    path = chromium.find()
    if path is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("no Chromium: `python -m tests.browser` gets one")
    with sync_playwright() as playwright:
        yield lambda *more: playwright.chromium.launch(executable_path=path, args=[*chromium.ARGUMENTS, *more])


@pytest.fixture(scope="session")
def browser(start_browser: Callable[..., Browser]) -> Iterator[Browser]:
    started = start_browser()
    yield started
    started.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A fresh visitor, whose page must raise no error and want nothing that the server's policy forbids."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    visitor = context.new_page()
    complaints: list[str] = []
    visitor.on("pageerror", lambda error: complaints.append(str(error)))
    visitor.on("console", lambda line: complaints.append(line.text) if "Content Security" in line.text else None)
    yield visitor
    context.close()
    assert complaints == []
