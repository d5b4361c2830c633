"""Learning curves: known answers, honest bands, refusals, the orders, the verb and the part of Compare."""

import json
import shutil
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from pricer.__main__ import main
from pricer.catalogue.store import Catalogue
from pricer.curation.dataset import Dataset, open_dataset
from pricer.errors import PricerError
from pricer.evaluation.learning import (
    FARTHEST,
    Curve,
    curve_of,
    forecast,
    look_ahead,
    measured,
    why_no_forecast,
)
from pricer.figures.learning import learning_chart, learning_table
from pricer.models import make_model, without_price
from pricer.runs import jobs
from pricer.runs.asking import Asked, guess_table
from pricer.runs.experiments_learning import halved, learning_orders, runs_of_curve
from pricer.runs.orders import read_order
from pricer.runs.store import list_runs
from pricer.runs.training import Order, keep_run, make_manifest, read_exam, read_train
from tests.grading import graded, graded_run

NAVIGATION = Path(__file__).parent.parent / "pages" / "navigation.py"
SIZES = [250, 500, 1000, 2000, 4000]


@pytest.fixture
def even(home: Path, trained_home: Path, monkeypatch: pytest.MonkeyPatch) -> Dataset:
    """The dataset even; what is launched stays queued."""
    shutil.copytree(trained_home, home)
    monkeypatch.setattr("pricer.runs.launch.ensure_worker", lambda: None)
    return open_dataset("even")


def law(size: float) -> float:
    return 20 + 300 * size**-0.5


def curve(sizes=SIZES, items: int = 1000, draw_noise: float = 0.0, seed: int = 0, of=law) -> Curve:
    """Log-normal errors whose means follow a law, each size's by a factor that its draw of train brings."""
    rng = np.random.default_rng(seed)
    hardness = rng.lognormal(-0.5, 1, items)
    factors = 1 + draw_noise * rng.standard_normal(len(sizes))
    errors = np.stack(
        [of(size) * factor * hardness / hardness.mean() for size, factor in zip(sizes, factors, strict=True)]
    )
    return Curve(np.array(sizes, dtype=float), errors.T, np.arange(items), None)


def test_a_law_without_noise_is_found():
    found = forecast(curve(), [8000, 32_000])
    assert found["error"].to_list() == pytest.approx([law(8000), law(32_000)], rel=0.01)
    assert found["gain"][0] == pytest.approx(law(4000) - law(8000), abs=0.15)


@pytest.mark.parametrize("times", [2, 8])
def test_the_band_holds_what_a_run_errs_19_times_in_20(times):
    """Curves of many trials, each size with a draw of its own: 2 % of the error."""
    held = []
    for seed in range(60):
        ahead = curve([*SIZES, SIZES[-1] * times], 300, 0.02, seed)
        known = Curve(ahead.sizes[:-1], ahead.errors[:, :-1], ahead.groups, None)
        if not why_no_forecast(known):
            [row] = forecast(known, [SIZES[-1] * times], seed).to_dicts()
            held.append(row["low"] <= ahead.errors[:, -1].mean() <= row["high"])
    assert len(held) > 40 and np.mean(held) >= 0.93


@pytest.mark.slow
def test_the_band_holds_on_items_of_a_demo(demo_home):
    """Parts of a train of generated items forecast the whole, with several draws of each."""
    items = Catalogue(demo_home / "catalogues" / "demo" / "1").items().collect().sort("key")
    train, exam = items[:1280], items[1280:1680]
    held = []
    for seed in range(3):
        order, sizes = np.random.default_rng(seed).permutation(len(train)), halved(len(train), 6)
        models = [make_model("tfidf-ridge").fit(train[np.sort(order[:size])], train[:0]) for size in sizes]
        errors = [np.abs(model.predict(without_price(exam)) - exam["price"].to_numpy()) for model in models]
        part = Curve(np.array(sizes[:-1], dtype=float), np.stack(errors[:-1], axis=1), exam["group"].to_numpy(), None)
        if not why_no_forecast(part):
            [row] = forecast(part, [sizes[-1]], seed).to_dicts()
            held.append(row["low"] <= errors[-1].mean() <= row["high"])
    assert len(held) >= 2 and all(held)


def test_the_band_widens_with_the_distance():
    found = forecast(curve(draw_noise=0.01), [8000, 16_000, 32_000])
    width = (found["high"] - found["low"]).to_numpy()
    assert (
        (np.diff(width) > 0).all()
        and (found["low"] <= found["error"]).all()
        and (found["error"] <= found["high"]).all()
    )


@pytest.mark.parametrize(
    ("known", "reason"),
    [
        (curve(SIZES[:4]), "needs 5 sizes"),
        (curve([1000, 1100, 1200, 1300, 1400]), "four times as many"),
        (curve(of=lambda size: 20 + size / 100), "do not fall steadily"),
        (curve(of=lambda size: 60 if size == 1000 else law(size)), "do not fall steadily"),
    ],
)
def test_what_cannot_be_known_is_refused(known, reason):
    assert reason in why_no_forecast(known)
    with pytest.raises(PricerError, match=reason):
        forecast(known, [8000])


def test_nothing_is_forecast_far_ahead():
    assert forecast(curve(), [SIZES[-1] * FARTHEST]).height == 1
    with pytest.raises(PricerError, match="more than 8 times"):
        forecast(curve(), [SIZES[-1] * FARTHEST + 1])


def graded_curve(reading_items: int = 200) -> list:
    price = np.linspace(5, 900, reading_items)
    return [(size, graded_run(graded(price, price + law(size)), str(size))) for size in reversed(SIZES)]


@pytest.mark.parametrize("reading", ["natural", "balanced"])
def test_runs_are_put_on_one_curve_and_measured(reading):
    found = look_ahead(graded_curve(), 6000, reading)
    assert found.measured["train_items"].to_list() == SIZES
    # Guesses above $999 are clipped, so the dearest items err less than the law says.
    assert (found.measured["error"] <= [law(size) + 1e-9 for size in SIZES]).all() and found.refused is None
    assert found.ahead["train_items"].to_list() == [6000, 8000, 16_000]


def test_resampling_keeps_groups_together_and_bands_alike():
    known = curve_of(graded_curve(), "balanced")
    assert len(known.bands) == 200
    together = Curve(known.sizes, known.errors, np.zeros(200), None)
    assert measured(together)["low"][0] is None and forecast(together, [8000]).height == 1


def test_another_exam_has_no_place_on_the_curve():
    other = graded_run(graded_curve()[0][1].table, exam="f" * 64)
    with pytest.raises(PricerError, match="different exams"):
        curve_of([*graded_curve(), (8000, other)])


def test_the_chart_draws_points_and_band_and_the_file_holds_both():
    found = look_ahead(graded_curve(), 4000)
    figure = learning_chart(found.measured, found.ahead, "words", "dark")
    assert len(figure.data) == 3 and len(learning_chart(found.measured, None, "words", "light").data) == 1
    assert learning_table(found.measured, found.ahead)["what"].to_list().count("forecast") == 2


# The orders


def test_sizes_are_halves_within_one_another(even):
    orders = [order for _, order, _ in learning_orders("mean", even)]
    most = even.manifest.train
    assert [order.first_n for order in orders] == [most // 16, most // 8, most // 4, most // 2, None]
    parts = [set(read_train(even, "mean", order.first_n)["item_id"]) for order in orders]
    assert all(small < large for small, large in pairwise(parts))


def test_a_curve_takes_every_size_that_stands(even):
    for first in ("100", "300"):
        assert main(["train", "mean", "--dataset", "even", "--first", first]) == 0
    assert main(["train", "mean", "--dataset", "even", "--first", "200", "--seed", "1"]) == 0
    found = runs_of_curve(Order("mean", "even"), even, list_runs())
    assert [size for size, _ in found] == [100, 300, even.manifest.train]


def test_orders_that_make_no_curve_are_refused(even):
    with pytest.raises(PricerError, match="stack"):
        learning_orders("stack", even)
    with pytest.raises(PricerError, match="must lie from"):
        learning_orders("mean", even, largest=even.manifest.train + 1)


# The verb and the page


def test_the_verb_forecasts_once_five_sizes_stand(even, capsys):
    wanted = ["learning-curve", "tfidf-ridge", "--dataset", "even", "--json"]
    assert main(wanted) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["forecast"] == [] and "5 sizes" in said["no_forecast"]
    for part in said["parts"]:
        assert part["state"] == "done" or main(part["command"].split()[3:]) == 0
    capsys.readouterr()
    assert main(wanted) == 0
    said = json.loads(capsys.readouterr().out)
    assert len(said["curve"]) == 5 and bool(said["forecast"]) != bool(said["no_forecast"])
    assert main(wanted[:-1]) == 0
    assert "mean error by items of train" in capsys.readouterr().out


def learning_page(even) -> AppTest:
    def script(exam_hash: str) -> None:
        from pages.shared import experiments, state

        state.start()
        experiments.show(exam_hash, "natural")

    app = AppTest.from_function(script, default_timeout=60, args=(even.manifest.exam_hash,))
    app.session_state["experiment"] = "learning"
    return app.run()


def test_the_page_launches_the_sizes_and_says_why_there_is_no_forecast(even):
    assert main(["train", "tfidf-ridge", "--dataset", "even", "--first", "100"]) == 0
    app = learning_page(even)
    assert not app.exception and "No forecast: a forecast needs 5 sizes" in app.info[0].value
    app.button(key="learning_start").click().run()
    assert not app.exception and len(jobs.list_jobs("queued")) == 4  # of the fifth there are too few


def test_the_page_trains_with_the_settings_that_are_chosen(even):
    app = learning_page(even)
    app.selectbox(key="learning_model").set_value("deep-network").run()
    for name, value in (("width", 16), ("blocks", 1)):
        app.number_input(key=f"learning_deep-network_{name}").set_value(value).run()
    app.number_input(key="learning_seed").set_value(7).run()
    assert not app.exception
    [command, *_] = [code.value for code in app.code]
    assert "learning-curve deep-network" in command and "--set=width=16 --set=blocks=1 --seed=7" in command
    app.button(key="learning_start").click().run()
    ordered = [read_order(job.arguments) for job in jobs.list_jobs("queued")]
    assert ordered and all(order.settings == {"width": 16, "blocks": 1} and order.seed == 7 for order in ordered)


def test_train_says_what_a_longer_run_would_bring(even):
    """Runs whose errors follow a law, kept as any run is."""
    most, sizes = even.manifest.train, [20, 40, 80, 160, 320]
    for size in sizes:
        order = Order("tfidf-ridge", "even", first_n=size, seed=7)
        exam = read_exam(even, order)
        asked = Asked(guess_table(exam["item_id"], exam["price"].to_numpy() + law(size), 1.0), 1.0)
        keep_run(make_manifest(order, even, read_train(even, "tfidf-ridge", size), asked, 1.0), asked, None)
    app = AppTest.from_file(str(NAVIGATION), default_timeout=60).run()
    app.switch_page("models/train.py").run()
    assert not hints(app)
    app.number_input(key="train_seed").set_value(7).run()
    [said] = hints(app)
    assert f"{most:,} items would err about" in said and "than the run on 320 (natural" in said
    app.number_input(key=f"train_first_{even.id}").set_value(160).run()
    assert not hints(app)


def hints(app: AppTest) -> list[str]:
    assert not app.exception
    bodies = [html.proto.body for html in app.get("html")]
    return [body for body in bodies if "By the learning curve" in body]
