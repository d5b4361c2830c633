"""The whole way in a real browser, by clicking: from a catalogue's prices to the price of a product."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from pricer.figures.formats import dollars, whole_dollars
from pricer.runs.guessing import describe, guess_prices, worked_examples
from pricer.runs.launch import Launch, list_launches, open_launch
from pricer.runs.store import Run, open_run
from tests.processes import eventually
from tests.serving import Server, serving
from tests.test_browser import visit

pytestmark = [pytest.mark.slow, pytest.mark.browser]

PRODUCT = "Cordless drill driver, 18 V, two batteries\nWith charger and case, for wood and metal."


@pytest.fixture
def site(demo, home) -> Iterator[Server]:
    with serving(home) as server:
        yield server


def test_the_whole_way_from_curate_to_predict(site, browser):
    page = browser.new_page()
    make_dataset(page, site)
    turn_to(page, "Train")
    start_training(page, "Words", "tfidf-ridge")
    job = eventually(lambda: training("tfidf-ridge"))
    page.close()
    assert open_launch(job.id).alive

    page = open_again(browser, site)
    run = eventually(lambda: done("tfidf-ridge on way"), seconds=60)
    see_it_listed(page, run)
    turn_to(page, "Train")
    start_training(page, "Yardsticks", "mean")
    expect(page.get_by_test_id("stAlert")).to_contain_text("mean on way: error")

    compare(page, run, open_run("mean on way"))
    predict(page, run)
    page.close()


def turn_to(page: Page, name: str) -> None:
    page.get_by_test_id("stSidebarNavLink").filter(has_text=name).click()
    expect(page.locator("h1")).to_have_text(name)


def make_dataset(page: Page, site: Server) -> None:
    visit(page, f"{site.url}/curate")
    page.get_by_label("Name of the dataset").fill("way")
    page.get_by_role("button", name="Make the dataset").click()
    expect(page.get_by_test_id("stAlert").filter(has_text="way:")).to_be_visible()


def start_training(page: Page, family: str, model: str) -> None:
    page.get_by_test_id("stButtonGroup").get_by_text(family, exact=True).click()
    page.get_by_role("radiogroup", name="Model").get_by_text(f"({model})").click()
    page.get_by_role("button", name=f"Train {model}").click()


def training(model: str) -> Launch | None:
    jobs = [job for job in list_launches() if job.arguments[:2] == ("train", model)]
    return jobs[0] if jobs else None


def done(name: str) -> Run | None:
    runs = {job.result["name"]: job.result["id"] for job in list_launches() if job.state == "done" and job.result}
    return open_run(runs[name]) if name in runs else None


def open_again(browser: Browser, site: Server) -> Page:
    page = browser.new_page()
    visit(page, f"{site.url}/runs")
    expect(page.locator("table").first).to_contain_text("tfidf-ridge on way")
    return page


def see_it_listed(page: Page, run: Run) -> None:
    """The page that was left open turns from the job to the run by itself."""
    listed = page.locator("table").last
    expect(listed).to_contain_text("tfidf-ridge on way")
    expect(listed).to_contain_text(re.compile(r"\$\d+\.\d\d"))
    expect(page.get_by_text("In work")).to_have_count(0)
    expect(page.locator("table").first).to_contain_text(run.id)


def compare(page: Page, first: Run, second: Run) -> None:
    turn_to(page, "Compare")
    expect(page.locator(".st-key-chart_board .main-svg").first).to_be_visible()
    expect(page.get_by_text(f"{first.name} is first")).to_be_visible()
    main = page.get_by_test_id("stMain")
    main.get_by_role("radio", name="Two models").or_(main.get_by_role("button", name="Two models")).click()
    expect(page.get_by_text(re.compile(rf"{first.name} errs \$[\d.]+ less than {second.name}"))).to_be_visible()
    for name in ("chart_scatter_0", "chart_scatter_1", "chart_running"):
        expect(page.locator(f".st-key-{name} .main-svg").first).to_be_visible()


def predict(page: Page, best: Run) -> None:
    turn_to(page, "Predict")
    item = worked_examples(best.dataset().exam().collect(), 1).row(0, named=True)
    expect(page.get_by_label("Describe a product")).to_have_value(item["full_text"])
    price = page.get_by_text(f"It was sold for {dollars(item['price'])}")
    expect(price).to_have_count(0)
    page.get_by_role("button", name="Show the true price").click()
    expect(price).to_be_visible()

    page.get_by_label("Describe a product").fill(PRODUCT)
    page.get_by_role("button", name="Guess the price").click()
    [guess] = guess_prices(describe([PRODUCT]), [best])[best.id]
    expect(page.locator(".pr-tag")).to_have_text(whole_dollars(guess))
    expect(price).to_have_count(0)
