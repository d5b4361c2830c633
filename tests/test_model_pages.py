"""Train, Runs, Compare, Predict, and Home with runs: each opens empty and full and shows what the library says."""

import json
import shutil
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pages.shared import jobs as page_jobs
from pages.shared import state
from pricer.__main__ import main
from pricer.evaluation.comparison import paired
from pricer.evaluation.leaderboard import leaderboard
from pricer.figures.formats import count, dollars, duration, percent, short_hash, whole_dollars
from pricer.models import MODELS
from pricer.runs import jobs
from pricer.runs.guessing import describe, guess_prices, worked_examples
from pricer.runs.orders import order_arguments, read_order
from pricer.runs.store import Run, list_runs, open_run
from pricer.runs.training import Order
from tests.products import raw_row, write_rows

NAVIGATION = Path(__file__).parent.parent / "pages" / "navigation.py"
PAGES = {
    "home": "home.py",
    "train": "models/train.py",
    "runs": "models/runs.py",
    "compare": "results/compare.py",
    "predict": "results/predict.py",
}


@pytest.fixture
def runs(home: Path, trained_home: Path) -> dict[str, Run]:
    """The three runs by model, in a home of the test's own."""
    shutil.copytree(trained_home, home)
    return {run.manifest.model: run for run in list_runs()}


@pytest.fixture
def no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """What pages launch stays queued."""
    monkeypatch.setattr("pricer.runs.launch.ensure_worker", lambda: None)
    monkeypatch.setattr("pricer.runs.launch.SECONDS_TO_CANCEL", 0.1)


def opened(page: str) -> AppTest:
    app = AppTest.from_file(str(NAVIGATION), default_timeout=60)
    app.run()
    if page != "home":
        app.switch_page(PAGES[page]).run()
    assert not app.exception
    return app


def text(app: AppTest) -> str:
    """All HTML of Pricer's own elements, and every message."""
    own = [element.proto.body for element in app.get("html")]
    said = [*app.info, *app.error, *app.warning, *app.success, *app.code]
    return "\n".join([*own, *(str(element.value) for element in said)])


def board_of(runs: dict[str, Run], reading: str = "natural"):
    return leaderboard([run.graded() for run in runs.values()], reading)


@pytest.mark.parametrize(
    ("page", "missing"),
    [
        ("train", "No dataset yet."),
        ("runs", "No run yet."),
        ("compare", "No run yet."),
        ("predict", "No trained model"),
    ],
)
def test_a_page_says_what_to_do_where_nothing_stands(page, missing):
    assert missing in text(opened(page))


@pytest.mark.parametrize("page", ["train", "runs", "compare", "predict"])
def test_a_page_opens_with_a_catalogue_alone(page, demo):
    assert "yet." in text(opened(page))


@pytest.mark.parametrize("page", PAGES)
def test_a_page_opens_with_runs(page, runs):
    assert "generated" in text(opened(page)) or page == "train"


# Train


def choose_model(app: AppTest, name: str) -> None:
    family = MODELS[name].family
    app.button_group(key="train_family").set_value(family).run()
    app.radio(key=f"train_model_{family}").set_value(name).run()


def test_every_model_can_be_chosen_and_says_what_it_takes(runs):
    app = opened("train")
    for name, kind in MODELS.items():
        choose_model(app, name)
        assert not app.exception and f"pricer train {name} " in app.code[0].value
        assert duration(kind.estimate(runs["mean"].manifest.train_items).seconds) in text(app)
        shown = {element.key for element in app.number_input}
        assert {f"train_{name}_{setting.name}" for setting in kind.settings} <= shown


def test_a_setting_moves_the_estimate(runs):
    app = opened("train")
    choose_model(app, "deep-network")
    before = text(app)
    app.number_input(key="train_deep-network_width").set_value(64).run()
    estimate = MODELS["deep-network"].estimate(runs["mean"].manifest.train_items, width=64)
    assert f"about {duration(estimate.seconds)}" in text(app)
    assert f"about {duration(estimate.seconds)}" not in before


def test_each_family_keeps_its_choice(runs):
    app = opened("train")
    choose_model(app, "features")
    choose_model(app, "xgboost")
    app.button_group(key="train_family").set_value("words").run()
    assert app.radio(key="train_model_words").value == "features"


def test_train_shows_the_command_and_queues_it_once(runs, no_worker):
    app = opened("train")
    choose_model(app, "bag-of-words")
    app.number_input(key="train_bag-of-words_words").set_value(50)
    app.number_input(key=f"train_first_{runs['mean'].manifest.dataset_id}").set_value(200)
    app.segmented_control(key="train_exam").set_value("natural").run()
    order = Order("bag-of-words", "even", {"words": 50}, first_n=200, asked="natural")
    assert page_jobs.command_of(order_arguments(order)) in text(app)
    app.button(key="start_train").click().run()
    [job] = jobs.list_jobs()
    assert read_order(job.arguments) == order
    assert "Waiting for its turn" in "".join(str(element.proto) for element in app.get("progress"))


def test_what_was_chosen_on_train_outlives_a_visit_to_another_page(runs):
    app = opened("train")
    choose_model(app, "tfidf-ridge")
    app.number_input(key="train_tfidf-ridge_alpha").set_value(2.0)
    app.segmented_control(key="train_exam").set_value("balanced").run()
    shown = app.code[0].value
    for page in ("runs", "compare", "train"):
        app.switch_page(PAGES[page]).run()
        app.run()
    assert app.code[0].value == shown and "--set=alpha=2.0 --exam=balanced" in shown
    assert not app.exception and not app.warning


def test_train_warns_that_the_same_was_run_before(runs):
    app = opened("train")
    choose_model(app, "mean")
    assert "The same was run before" in text(app)
    app.number_input(key="train_seed").set_value(7).run()
    assert "The same was run before" not in text(app)


def test_train_does_not_start_what_memory_cannot_hold(runs, monkeypatch):
    monkeypatch.setattr("pricer.runs.preflight.psutil.virtual_memory", lambda: type("Memory", (), {"available": 1})())
    app = opened("train")
    assert "✕ stop" in text(app) and app.button(key="start_train").disabled


# Runs


@pytest.fixture
def running(runs, home) -> jobs.Job:
    """A job that is guessing, by its record and its folder, and another that waits for it."""
    for seed in (1, 2):
        jobs.submit(order_arguments(Order("tfidf-ridge", "even", seed=seed)), "heavy")
    job = jobs.claim("a worker")
    folder = home / "jobs" / job.id
    folder.mkdir(parents=True)
    row = {"title": "Lamp <b>", "price": 20.0, "guess": 90.0, "error": 70.0, "colour": "fair"}
    (folder / "guesses.jsonl").write_text(f"{json.dumps(row)}\n" * 30)
    progress = {"stage": "Guessing", "count": 30, "unit": "items", "fraction": 0.5, "rate_per_second": 2.0}
    times = {"elapsed_seconds": 15.0, "remaining_seconds": 15.0, "updated": 0}
    (folder / "progress.json").write_text(json.dumps(progress | times))
    (folder / "log.txt").write_text("Guessing 30 items\n")
    return job


def test_runs_shows_each_guess_of_a_running_job_as_it_arrives(running):
    app = opened("runs")
    shown = text(app)
    assert shown.count("◆ fair") == 12 and "Lamp &lt;b&gt;" in shown
    assert dollars(70.0) in shown and "queued, 1st" in shown and "2 items/s" in shown
    assert len(app.get("plotly_chart")) == 1 and "Guessing 30 items" in shown


def test_runs_cancels_a_job(running, no_worker):
    app = opened("runs")
    app.button(key=f"cancel_{running.id}").click().run()
    assert not app.exception and jobs.open_job(running.id).cancel_requested_at


def test_a_crashed_job_is_listed_and_has_no_row_on_the_leaderboard(running):
    jobs.finish(running, "crashed", "it ended without a result")
    app = opened("runs")
    app.selectbox(key="runs_shown").set_value(running.id).run()
    assert "it ended without a result" in "".join(error.value for error in app.error)
    assert "crashed" in text(app) and "seed 1" not in text(opened("compare"))


def test_runs_shows_the_exact_settings_and_the_error_of_a_run(runs):
    app = opened("runs")
    run = runs["bag-of-words"]
    app.selectbox(key="runs_shown").set_value(run.id).run()
    board = board_of(runs)
    for value in (run.id, run.manifest.code_version, "words 1,000", *map(dollars, board["error"])):
        assert value in text(app)


# Compare


@pytest.mark.parametrize("reading", ["natural", "balanced"])
def test_compare_shows_the_leaderboard_of_the_library(runs, reading):
    app = opened("compare")
    app.segmented_control(key="compare_reading").set_value(reading).run()
    assert not app.exception
    for row in board_of(runs, reading).iter_rows(named=True):
        for value in (
            dollars(row["error_low"]),
            percent(row["within_20"]),
            percent(row["hits"]),
            f"{row['rmsle']:.2f}",
        ):
            assert value in text(app)


def test_compare_says_how_much_less_one_run_errs_than_another(runs):
    app = opened("compare")
    app.segmented_control(key="compare_section").set_value("versus").run()
    app.selectbox(key="compare_run").set_value(runs["mean"].id).run()
    app.selectbox(key="compare_against").set_value(runs["tfidf-ridge"].id).run()
    found = paired(runs["mean"].graded(), runs["tfidf-ridge"].graded())
    assert f"tfidf-ridge on even errs {dollars(found.difference)} less than mean on even" in text(app)
    assert len(app.get("plotly_chart")) == 3


def test_compare_calls_a_tie_a_tie(runs, home):
    assert main(["train", "mean", "--dataset", "even", "--seed", "5"]) == 0
    app = opened("compare")
    app.segmented_control(key="compare_section").set_value("versus").run()
    app.selectbox(key="compare_run").set_value(runs["mean"].id).run()
    app.selectbox(key="compare_against").set_value(open_run("mean (seed 5) on even").id).run()
    assert "mean on even and mean (seed 5) on even are tied" in text(app)


def test_two_runs_of_one_name_can_both_be_chosen(runs):
    assert main(["train", "mean", "--dataset", "even"]) == 0
    app = opened("compare")
    app.segmented_control(key="compare_section").set_value("versus").run()
    ids = [run.id for run in list_runs() if run.name == "mean on even"]
    labels = {f"mean on even, {run_id[-4:]}" for run_id in ids}
    assert labels < set(app.selectbox(key="compare_run").options)
    for section in ("leaderboard", "failures", "costs"):
        app.segmented_control(key="compare_section").set_value(section).run()
        assert all(label in text(app) for label in labels), section


def test_compare_opens_with_a_single_run_that_was_asked_one_exam(demo):
    assert main(["sample", "demo", "--dataset", "even"]) == 0
    assert main(["train", "mean", "--dataset", "even", "--exam", "balanced", "--ask", "1"]) == 0
    for reading in ("natural", "balanced"):
        app = opened("compare")
        app.segmented_control(key="compare_reading").set_value(reading).run()
        assert not app.exception
    assert not opened("home").exception and not opened("runs").exception and not opened("predict").exception


def test_compare_ranks_runs_of_one_exam_only(runs, tmp_path):
    rows = [raw_row(number, price=5 + number * 7 % 900) for number in range(300)]
    assert main(["load", str(write_rows(tmp_path / "rows.jsonl", rows)), "--catalogue", "other"]) == 0
    assert main(["sample", "other", "--dataset", "elsewhere"]) == 0
    assert main(["train", "mean", "--dataset", "elsewhere"]) == 0
    app = opened("compare")
    assert "on even" not in text(app)
    app.selectbox(key="compare_exam").set_value(runs["mean"].manifest.exam_hash).run()
    assert not app.exception
    assert "on elsewhere" not in text(app) and "tfidf-ridge on even" in text(app)
    [shelf] = [block.body for block in app.get("html") if '<dl class="pr-shelf">' in block.body]
    assert short_hash(runs["mean"].manifest.exam_hash) in shelf and "other" not in shelf


# Predict


def example(run: Run, number: int) -> dict:
    """A worked example that Predict offers; it opens on the first."""
    return worked_examples(run.dataset().exam().collect(), 4).row(number, named=True)


def test_predict_opens_on_an_item_of_the_exam_and_hides_its_price(runs):
    app = opened("predict")
    item = example(runs["mean"], 0)
    assert app.text_area[0].value == item["full_text"]
    assert f"sold for <b>{dollars(item['price'])}" not in text(app)
    assert dollars(item["price"]) not in "".join(chart.proto.spec for chart in app.get("plotly_chart"))
    app.button(key="reveal").click().run()
    assert f"sold for <b>{dollars(item['price'])}" in text(app)


def test_predict_prices_what_is_typed_by_every_model(runs):
    app = opened("predict")
    product = "Cordless drill, 18 V, two batteries\nwith a charger and a case"
    app.text_area[0].set_value(product)
    app.button(key="guess").click().run()
    guesses = guess_prices(describe([product]), list(runs.values()))
    best = runs["tfidf-ridge"]
    assert f'class="pr-tag">{whole_dollars(guesses[best.id][0])}<' in text(app)
    drawn = app.get("plotly_chart")[0].proto.spec
    assert all(whole_dollars(price) in drawn for [price] in guesses.values())
    assert all(button.key != "reveal" for button in app.button)


def test_predict_asks_for_words_where_there_are_none(runs):
    app = opened("predict")
    app.text_area[0].set_value("  ")
    app.button(key="guess").click().run()
    assert not app.exception and "describe the product" in app.info[0].value


def test_predict_hides_the_price_of_another_example_again(runs):
    app = opened("predict")
    app.button(key="reveal").click().run()
    other = example(runs["mean"], 1)
    app.button_group(key="example").set_value(other["item_id"]).run()
    assert app.text_area[0].value == other["full_text"]
    assert "It was sold for" not in text(app) and app.button(key="reveal")
    assert text(app).count('class="pr-tag"') == 1


# Home


def test_home_shows_the_best_run_and_the_one_next_step(runs):
    app = opened("home")
    board = board_of(runs)
    assert dollars(board["error"][0]) in text(app) and count(3) in text(app)
    assert "<b>Next:</b>" in text(app) and text(app).count('class="pr-tag"') == 1
    assert len(app.get("plotly_chart")) == 2


def test_home_hands_a_product_to_predict(runs):
    app = opened("home")
    app.text_input(key="home_product").set_value("Electric kettle")
    app.button(key="home_guess").click().run()
    assert not app.exception and app.text_area[0].value == "Electric kettle"


def test_the_next_step_follows_the_state(demo):
    assert "make a dataset" in text(opened("home"))
    assert main(["sample", "demo", "--dataset", "even"]) == 0
    assert "Train a first model" in text(opened("home"))
    assert main(["train", "mean", "--dataset", "even"]) == 0
    assert "Train a second model" in text(opened("home"))
    jobs.submit(["train", "mean", "--dataset=even"], "heavy")
    assert "1 job is in work" in text(opened("home"))


@pytest.mark.parametrize("page", PAGES)
def test_mark_up_in_names_stays_text(page, demo):
    hostile = "<img src=x onerror=alert(1)> $x^2$"
    assert main(["sample", "demo", "--dataset", "even"]) == 0
    assert main(["train", "mean", "--dataset", "even", "--name", hostile]) == 0
    app = opened(page)
    own = "".join(element.proto.body for element in app.get("html"))
    charts = "".join(chart.proto.spec for chart in app.get("plotly_chart"))
    assert "<img" not in own + charts


def test_runs_tells_what_a_model_has_learned_once_its_tab_is_opened(runs):
    run = runs["bag-of-words"]
    [dearer, _] = run.model().learned(run.dataset().train().collect())
    app = opened("runs")
    app.session_state[state.SHOWN_RUN] = run.id
    assert dearer.title not in text(app.run())
    app.session_state[f"views_{run.id}"] = "What it learned"
    told = text(app.run())
    assert dearer.title in told
    assert all(word in told for word in dearer.table["word"])
    assert dollars(dearer.table["dollars"][0]) in told


def test_the_command_line_tells_what_a_model_has_learned(runs, capsys):
    assert main(["learned", "bag-of-words on even", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [table["title"] for table in told["tables"]] == ["Words that make it dearer", "Words that make it cheaper"]
    assert main(["learned", "bag-of-words on even"]) == 0
    assert told["tables"][0]["rows"][0]["word"] in capsys.readouterr().out
    assert main(["learned", "mean on even"]) == 0
    assert "has no names" in capsys.readouterr().out
