"""The pages in a real browser, on a real server: what a person does, and whom the browser contacts meanwhile."""

import json
import re
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Locator, Page, expect

from pricer.catalogue.store import open_catalogue
from pricer.curation.dataset import list_datasets
from pricer.curation.index import open_index
from pricer.curation.recipe import Recipe, preset
from pricer.curation.sampler import make_plan
from pricer.runs import jobs
from pricer.runs.recipes import open_recipe
from tests.serving import Server, serving

pytestmark = [pytest.mark.slow, pytest.mark.browser]

PAGES = {
    "/": "Home", "/catalogue": "Catalogue", "/curate": "Curate", "/publish": "Publish", "/train": "Train",
    "/tune": "Tune", "/runs": "Runs", "/compare": "Compare", "/predict": "Predict",
}  # fmt: skip
SETTLED = "[data-testid=stApp][data-test-script-state=notRunning]"
expect.set_options(timeout=30_000)


@pytest.fixture
def site(demo, home: Path) -> Iterator[Server]:
    """A cold server: nobody has opened a page of it."""
    with serving(home) as server:
        yield server


def visit(page: Page, url: str) -> None:
    page.goto(url)
    expect(page.locator(SETTLED)).to_be_visible()
    expect(page.get_by_test_id("stException")).to_have_count(0)


def curate(page: Page, site: Server) -> None:
    visit(page, f"{site.url}/curate")
    expect(exact(page)).to_be_visible()
    expect(page.locator(".st-key-chart_shares .main-svg").first).to_be_visible()
    page.wait_for_load_state("networkidle")


def exact(page: Page) -> Locator:
    """The balancer, while it shows the exact plan of what is set."""
    return page.locator(".balancer[data-exact=true]")


def slider(page: Page, name: str) -> Locator:
    return page.locator(f".balancer input[type=range][data-name={name}]")


def press(page: Page, name: str, key: str, times: int) -> None:
    """Move a slider by keyboard, faster than the server answers."""
    for _ in range(times):
        slider(page, name).press(key)


def charts(page: Page) -> list[str]:
    """What each chart draws, as the elements of its picture."""
    own = [page.locator(f".balancer {name}").inner_html() for name in (".plot svg", ".bars", ".donut svg")]
    return [*own, page.locator(".st-key-chart_shares .main-svg").first.inner_html()]


def figures(page: Page) -> Locator:
    return exact(page).locator(".figures")


def recipe_with(**changes) -> Recipe:
    """The recipe that the page starts with, changed."""
    index = open_index(open_catalogue("demo"))
    return preset("scaled", index.counts, index.categories).model_copy(update=changes)


def shown_figures(recipe: Recipe) -> re.Pattern:
    """What the page must say of a recipe, from the library that it stands on."""
    plan = make_plan(open_index(open_catalogue("demo"), recipe.seed), recipe)
    return re.compile(
        rf"Items\s*{plan.size:,}.*Mean price\s*\${plan.price_mean:,.2f}.*Median price\s*\${plan.price_median:,}"
    )


@pytest.mark.parametrize("path", PAGES)
def test_each_page_opens_by_its_link_on_a_cold_server(site, page, path):
    visit(page, site.url + path)
    expect(page.locator("h1")).to_be_visible()
    expect(page.get_by_test_id("stSidebarNavLink")).to_have_text([re.compile(name) for name in PAGES.values()])
    expect(page.get_by_text("Page not found")).to_have_count(0)


def test_a_slider_moved_by_keyboard_changes_figures_charts_and_link(site, page):
    curate(page, site)
    cap, before = recipe_with().cap, charts(page)
    expect(figures(page)).to_contain_text(shown_figures(recipe_with()))
    press(page, "cap", "ArrowRight", 3)
    expect(figures(page)).to_contain_text(shown_figures(recipe_with(cap=cap + 3)))
    expect(slider(page, "cap")).to_have_value(str(cap + 3))
    until(lambda: all(now != was for now, was in zip(charts(page), before, strict=True)))
    until(lambda: parse_qs(urlsplit(page.url).query)["cap"] == [str(cap + 3)])


def test_a_link_shows_another_visitor_the_same(site, page):
    recipe = recipe_with(cutoff=100, cap=2, seed=7, weights={})
    visit(page, f"{site.url}/curate?catalogue=demo&cutoff=100&cap=2&others=1&seed=7&scale=linear&low=1&high=500")
    expect(figures(page)).to_contain_text(shown_figures(recipe))


def test_a_recipe_is_saved_and_a_dataset_carried_out_and_listed(site, page, browser):
    curate(page, site)
    press(page, "cutoff", "ArrowLeft", 5)
    recipe = recipe_with(cutoff=235)
    expect(figures(page)).to_contain_text(shown_figures(recipe))

    page.locator(".st-key-shelf summary").click()
    page.locator(".st-key-shelf").get_by_label("Name", exact=True).fill("Even")
    page.get_by_role("button", name="Save recipe").click()
    expect(page.get_by_text("Saved as Even@1")).to_be_visible()
    assert open_recipe("Even@1").recipe == recipe
    expect(page.get_by_label("Name of the dataset")).to_have_count(1)  # the old one goes as the page is drawn
    expect(page.get_by_label("Name of the dataset")).to_have_value("demo-Even")

    page.get_by_label("Name of the dataset").fill("first")
    page.get_by_role("button", name="Make the dataset").click()  # at once: the click itself hands the name over
    expect(page.locator(".st-key-chart_roles .main-svg").first).to_be_visible()
    [dataset] = list_datasets()
    assert (dataset.name, dataset.manifest.recipe) == ("first", recipe)

    later = browser.new_page()
    curate(later, site)
    expect(later.get_by_test_id("stSidebar")).to_contain_text("first")
    later.get_by_role("combobox", name="Recipe").click()
    expect(later.get_by_role("option", name="Even")).to_be_visible()
    later.close()


def test_the_log_of_a_job_moves_while_one_looks(site, page, home, monkeypatch):
    monkeypatch.setattr(jobs, "LEASE", timedelta(hours=1))  # it is claimed by a worker elsewhere
    job = jobs.submit(["load", "rows.jsonl", "--catalogue", "shop"], "heavy")
    jobs.claim("elsewhere")
    log = home / "jobs" / job.id / "log.txt"
    log.parent.mkdir(parents=True)
    log.write_text("Reading 5 rows\n")
    visit(page, f"{site.url}/runs")
    page.get_by_role("tab", name="Log").click()
    expect(page.get_by_text("Reading 5 rows")).to_be_visible()
    log.write_text("Reading 5 rows\nReading 6 rows\n")
    expect(page.get_by_text("Reading 6 rows")).to_be_visible()


def test_the_pages_contact_no_other_host(site, start_browser, tmp_path):
    log = tmp_path / "network.json"
    observed = start_browser(f"--log-net-log={log}")
    visitor = observed.new_page()
    for path in PAGES:
        visit(visitor, site.url + path)
        visitor.wait_for_load_state("networkidle")
    observed.close()
    requests = begun_by_pages(json.loads(log.read_text()), site.url)
    assert len(requests) > 50
    assert {urlsplit(url).hostname for url in requests} == {"127.0.0.1"}


def begun_by_pages(log: dict, origin: str) -> list[str]:
    """The addresses in a browser's network log that pages of this origin asked for, not the browser on its own."""
    begin = log["constants"]["logEventTypes"]["URL_REQUEST_START_JOB"]
    parameters = [event.get("params", {}) for event in log["events"] if event["type"] == begin]
    return [each["url"] for each in parameters if each.get("initiator") == origin]


def until(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "nothing changed"
        time.sleep(0.1)
