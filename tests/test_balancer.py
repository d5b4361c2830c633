"""The balancer in a real browser: charts follow the hand, and what it leaves is exact."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from playwright.sync_api import Locator, Page, expect

from pricer.__main__ import main
from pricer.catalogue.store import open_catalogue
from pricer.curation.index import open_index
from pricer.curation.recipe import Recipe, Target, preset
from pricer.curation.sampler import Plan, make_plan
from tests.products import raw_row, write_rows
from tests.serving import Server, serving
from tests.test_browser import curate, exact, figures, recipe_with, shown_figures, slider, until, visit

pytestmark = [pytest.mark.slow, pytest.mark.browser]
HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def server_of_demo(demo_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = shutil.copytree(demo_home, tmp_path_factory.mktemp("site") / "home")
    with serving(home) as server:
        yield server


@pytest.fixture
def site(demo, server_of_demo: Server) -> Server:
    """A server with the small demo catalogue, which the test reads in a home of its own."""
    return server_of_demo


def plan_of(recipe: Recipe) -> Plan:
    return make_plan(open_index(open_catalogue("demo"), recipe.seed), recipe)


def number(page: Page, name: str) -> Locator:
    return page.locator(f".balancer input[type=number][data-name={name}]")


def drawn(page: Page) -> str:
    """The outline of the sample in the histogram."""
    return page.locator(".balancer .plot .after").get_attribute("d")


def take(page: Page, name: str) -> tuple[float, float]:
    """Press the mouse on a slider's thumb, and tell where that is."""
    handle = slider(page, name)
    handle.scroll_into_view_if_needed()
    box = handle.bounding_box()
    low, high, value = (float(handle.evaluate(f"input => input.{each}")) for each in ("min", "max", "value"))
    x = box["x"] + 7.5 + (value - low) / (high - low) * (box["width"] - 15)
    y = box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    return x, y


def address(page: Page) -> dict[str, list[str]]:
    return parse_qs(page.evaluate("location.search.slice(1)"))


def test_the_histogram_follows_the_mouse_before_it_is_released(site, page):
    curate(page, site)
    cap, before, link = recipe_with().cap, drawn(page), address(page)
    x, y = take(page, "cap")
    outlines = [before]
    for step in range(1, 6):
        page.mouse.move(x + 12 * step, y)
        until(lambda: drawn(page) != outlines[-1])  # while the button is down
        outlines.append(drawn(page))
    held = int(slider(page, "cap").input_value())
    assert held > cap and address(page) == link
    expect(page.locator(".balancer[data-exact=false]")).to_be_visible()
    assert number(page, "cap").input_value() == str(held)
    size = plan_of(recipe_with(cap=held)).size
    expect(page.locator(".balancer .figures")).to_contain_text(f"Items{size:,}")  # exact already
    expect(page.locator(".balancer .figures")).to_contain_text("about")

    page.mouse.up()
    expect(figures(page)).to_contain_text(shown_figures(recipe_with(cap=held)))
    expect(figures(page)).not_to_contain_text("about")
    until(lambda: address(page)["cap"] == [str(held)])
    expect(page.locator(".balancer .summary")).to_contain_text(f"The sample has {size:,} items")


def test_bars_and_donut_follow_a_weight_and_are_then_exact(site, page):
    curate(page, site)
    bars = page.locator(".balancer .bars")
    before = bars.inner_text()
    x, y = take(page, "weight-0")
    page.mouse.move(x + 40, y, steps=4)
    until(lambda: bars.inner_text() != before)
    page.mouse.up()
    expect(exact(page)).to_be_visible()
    weight = float(slider(page, "weight-0").input_value())
    plan = plan_of(recipe_with(weights={"Automotive": weight}))
    for after in plan.shares()["after"]:
        expect(bars).to_contain_text(f"{after:,} of")
    expect(page.locator(".balancer .donut .total")).to_have_text(f"{plan.size:,}")


def test_a_hand_that_comes_back_finds_the_exact_plan_again(site, page):
    curate(page, site)
    x, y = take(page, "cutoff")
    page.mouse.move(x + 30, y, steps=3)
    expect(page.locator(".balancer[data-exact=false]")).to_be_visible()
    page.mouse.move(x, y, steps=3)
    page.mouse.up()
    expect(figures(page)).to_contain_text(shown_figures(recipe_with()))


def test_an_exact_number_moves_the_slider_and_goes_beyond_it(site, page):
    curate(page, site)
    number(page, "cap").fill("5")
    expect(slider(page, "cap")).to_have_value("5")
    expect(page.locator(".balancer[data-exact=false]")).to_be_visible()  # while it is typed
    number(page, "cap").press("Enter")
    expect(figures(page)).to_contain_text(shown_figures(recipe_with(cap=5)))
    number(page, "cap").fill("70000")
    number(page, "cap").press("Enter")
    expect(page.get_by_text("The cap changes nothing")).to_be_visible()
    assert slider(page, "cap").input_value() == slider(page, "cap").get_attribute("max")


def test_a_key_held_down_is_one_move(site, page):
    curate(page, site)
    cap = recipe_with().cap
    slider(page, "cap").focus()
    for _ in range(5):
        page.keyboard.down("ArrowRight")
    page.keyboard.up("ArrowRight")
    expect(figures(page)).to_contain_text(shown_figures(recipe_with(cap=cap + 5)))
    assert slider(page, "cap").get_attribute("aria-valuetext") == f"{cap + 5} items"
    page.get_by_role("button", name="Undo").click()
    expect(figures(page)).to_contain_text(shown_figures(recipe_with()))
    expect(page.get_by_role("button", name="Undo")).to_be_disabled()


def test_settings_are_undone_and_redone_by_key_and_button(site, page):
    curate(page, site)
    cap = recipe_with().cap
    undo, redo = (page.get_by_role("button", name=name) for name in ("Undo", "Redo"))
    expect(undo).to_be_disabled()
    for _ in range(3):
        slider(page, "cap").press("ArrowRight")
        expect(exact(page)).to_be_visible()
    expect(undo).to_be_enabled()
    for _ in range(3):
        page.keyboard.press("Control+z")  # faster than the server answers
    expect(slider(page, "cap")).to_have_value(str(cap))
    expect(figures(page)).to_contain_text(shown_figures(recipe_with()))
    expect(page.get_by_role("combobox", name="Recipe")).to_have_value("Scaled")
    page.keyboard.press("Control+Shift+Z")
    expect(slider(page, "cap")).to_have_value(str(cap + 1))
    redo.click()
    expect(slider(page, "cap")).to_have_value(str(cap + 2))
    expect(figures(page)).to_contain_text(shown_figures(recipe_with(cap=cap + 2)))


def test_a_preset_moves_the_sliders_and_a_slider_makes_it_ones_own(site, page):
    curate(page, site)
    page.get_by_role("combobox", name="Recipe").click()
    page.get_by_role("option", name="First notebook").click()
    expect(slider(page, "cap")).to_have_value(slider(page, "cap").get_attribute("max"))
    expect(number(page, "cap")).to_have_value("1200")
    expect(number(page, "weight-1")).to_have_value("5")
    slider(page, "cutoff").press("ArrowLeft")
    expect(page.get_by_role("combobox", name="Recipe")).to_have_value("Your own settings")
    recipe = Recipe(cutoff=239, cap=1200, weights={"Automotive": 1.0}, default_weight=5.0)
    expect(figures(page)).to_contain_text(shown_figures(recipe))


def test_a_shape_stands_in_the_place_of_the_cap(site, page):
    curate(page, site)
    size = plan_of(recipe_with()).size
    page.get_by_role("radio", name="Flat").check()
    flat = recipe_with(cutoff=1000, cap=None, target=Target(shape="flat", size=size))
    expect(figures(page)).to_contain_text(shown_figures(flat))
    expect(page.locator(".balancer .controls .words")).to_have_text(
        f"Slots lack {plan_of(flat).shortfall:,} items for this shape; others give them."
    )
    assert page.locator(".balancer .plot .wished").get_attribute("d")
    expect(slider(page, "cap")).to_be_hidden()

    page.get_by_role("radio", name="By price").check()
    expect(slider(page, "cutoff")).to_be_hidden()
    number(page, "size").fill("700")
    number(page, "size").press("Enter")
    slider(page, "exponent").press("ArrowLeft")
    by_price = recipe_with(cutoff=1000, cap=None, target=Target(shape="by-price", size=700, exponent=1.9))
    expect(figures(page)).to_contain_text(shown_figures(by_price))
    until(lambda: address(page).get("exponent") == ["1.9"])

    page.get_by_role("radio", name="Cap", exact=True).check()
    expect(figures(page)).to_contain_text(shown_figures(recipe_with()))


def test_a_link_with_a_target_shows_another_visitor_the_same(site, page):
    recipe = Recipe(cutoff=400, target=Target(shape="power", size=800, exponent=0.5), default_weight=2.0, seed=7)
    visit(page, f"{site.url}/curate?catalogue=demo&cutoff=400&target=power&size=800&exponent=0.5&others=2&seed=7")
    expect(figures(page)).to_contain_text(shown_figures(recipe))
    expect(page.get_by_role("radio", name="Power")).to_be_checked()


def test_a_click_on_a_price_lists_its_items(site, page):
    curate(page, site)
    plan = plan_of(recipe_with())
    page.locator(".balancer .picker").focus()
    page.locator(".balancer .picker").fill("49")
    held = int(plan.counts[49].sum())
    expect(page.locator(".balancer .plate")).to_contain_text(f"after {held}")
    page.locator(".balancer .picker").press("Enter")
    listed = page.locator(".st-key-slot_items h3")
    expect(listed).to_have_text("Items at $49")
    box = page.locator(".balancer .plot svg").bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + 200)
    expect(listed).to_have_text(re.compile(r"Items at \$\d{3}"))
    page.locator(".balancer .picker").press("Escape")
    expect(listed).to_have_count(0)


def test_prices_and_scale_are_for_looking_only(site, page):
    curate(page, site)
    before = drawn(page)
    page.get_by_role("radio", name="Linear").check()
    until(lambda: drawn(page) != before)
    page.get_by_label("Highest price shown").fill("300")
    until(lambda: (address(page)["scale"], address(page)["high"]) == (["linear"], ["300"]))
    expect(page.get_by_role("img", name=re.compile(r"Histogram of price, \$1 to \$300"))).to_be_visible()
    expect(page.get_by_role("button", name="Undo")).to_be_disabled()
    expect(figures(page)).to_contain_text(shown_figures(recipe_with()))


def test_on_a_phone_the_histogram_comes_first_and_stays_in_view(site, page):
    page.set_viewport_size({"width": 400, "height": 800})
    curate(page, site)
    plot, first = page.locator(".balancer .plot"), slider(page, "cutoff")
    assert plot.bounding_box()["y"] < first.bounding_box()["y"]
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    last = slider(page, "weight-7")
    last.scroll_into_view_if_needed()
    expect(plot).to_be_in_viewport(ratio=1)
    before = drawn(page)
    x, y = take(page, "weight-7")
    page.mouse.move(x + 60, y, steps=3)
    expect(plot).to_be_in_viewport(ratio=1)
    page.mouse.up()
    expect(exact(page)).to_be_visible()
    assert before


def test_light_and_dark_follow_the_system_without_another_run(site, page):
    curate(page, site)
    fill = (
        "getComputedStyle(document.querySelector('.st-key-balancer [data-testid=stBidiComponentIsolated]')"
        ".shadowRoot.querySelector('.plot .after')).fill"
    )
    page.emulate_media(color_scheme="light")
    until(lambda: page.evaluate(fill) == "rgb(15, 95, 133)")
    page.emulate_media(color_scheme="dark")
    until(lambda: page.evaluate(fill) == "rgb(79, 172, 219)")


def test_the_settings_are_there_when_one_comes_back(site, page):
    curate(page, site)
    slider(page, "cutoff").press("ArrowLeft")
    expect(figures(page)).to_contain_text(shown_figures(recipe_with(cutoff=239)))
    for name in ("Catalogue", "Curate"):
        page.get_by_test_id("stSidebarNavLink").filter(has_text=name).click()
        expect(page.locator("h1")).to_have_text(name)
    expect(figures(page)).to_contain_text(shown_figures(recipe_with(cutoff=239)))
    slider(page, "cutoff").press("ArrowLeft")
    expect(figures(page)).to_contain_text(shown_figures(recipe_with(cutoff=238)))


def test_categories_that_try_to_be_mark_up_stay_text(home, tmp_path, page):
    rows = [raw_row(number, main_category=f"{HOSTILE} {number % 30}") for number in range(90)]
    assert main(["load", str(write_rows(tmp_path / "hostile.jsonl", rows)), "--catalogue", "demo"]) == 0
    page.on("dialog", lambda dialog: pytest.fail("a name was run"))
    with serving(home) as server:
        curate(page, server)
        expect(page.locator(".balancer .bars")).to_contain_text(HOSTILE)
        assert page.locator(".balancer img").count() == 0
        page.locator(".balancer summary").click()
        last = number(page, "weight-29")
        expect(last).to_have_attribute("placeholder", "1")
        last.fill("0")
        last.press("Enter")
        index = open_index(open_catalogue("demo"))
        recipe = preset("scaled", index.counts, index.categories)
        recipe = recipe.model_copy(update={"weights": {**recipe.weights, index.categories[29]: 0.0}})
        expect(figures(page)).to_contain_text(shown_figures(recipe))
