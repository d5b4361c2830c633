"""What a fit reports of its losses: kept by the job as it comes, by the run afterwards, and drawn."""

import shutil

import polars as pl
import pytest

from pages.shared import state
from pricer.figures.curves import curve_chart, loss_chart
from pricer.models import make_model
from pricer.models.tables import mean_error
from pricer.progress import TRAINING_LOSS, VALIDATION_ERROR, VALIDATION_LOSS, Point, Step
from pricer.runs.curves import SCHEMA, Curves, live_curves, read_curves
from pricer.runs.extending import extend_run
from pricer.runs.store import list_runs
from pricer.runs.training import Order, train_run
from tests.test_model_pages import opened, text

SMALL = {
    "network": {"epochs": 2},
    "deep-network": {"width": 16, "blocks": 1, "epochs": 2},
    "bins": {"bins": 8, "width": 4, "epochs": 2},
    "xgboost": {"words": 50, "trees": 20},
    "boosting": {"trees": 20, "depth": 2},
}


@pytest.mark.parametrize("name", SMALL)
def test_a_model_tells_its_losses_and_its_error_in_dollars(name, train, items):
    points: list[Point] = []
    validation = items[300:360]
    curves = Curves(lambda step: step.point and points.append(step.point))
    model = make_model(name, **SMALL[name]).fit(train, validation, curves)
    assert set(curves.table["name"]) == {TRAINING_LOSS, VALIDATION_LOSS, VALIDATION_ERROR}
    assert 2 <= len(points) <= 300 and [point.at for point in points] == sorted(point.at for point in points)
    last = next(point.figures[VALIDATION_ERROR] for point in reversed(points) if VALIDATION_ERROR in point.figures)
    assert last == pytest.approx(mean_error(model.predict(validation), validation["price"].to_numpy()), rel=1e-4)


@pytest.mark.parametrize("name", SMALL)
def test_to_be_watched_changes_no_guess(name, train, items, unseen):
    watched = make_model(name, **SMALL[name]).fit(train, items[300:360])
    alone = make_model(name, **SMALL[name]).fit(train)
    assert (watched.predict(unseen[:20]) == alone.predict(unseen[:20])).all()


def test_a_job_leaves_each_point_at_once_and_a_new_attempt_begins_anew(home, monkeypatch):
    folder = home / "jobs" / "a-job"
    folder.mkdir(parents=True)
    monkeypatch.setenv("PRICER_JOB_FOLDER", str(folder))
    for _ in range(2):
        passed: list[Step] = []
        curves = Curves(passed.append)
        curves(Step("Fitting", 1, "items", point=Point(1, "epochs", {TRAINING_LOSS: 2.0})))
        with (folder / "curves.jsonl").open("a") as live:
            live.write('{"at": 2, "unit"')  # still being written
        assert live_curves("a-job").rows() == [(1.0, "epochs", TRAINING_LOSS, 2.0)]
        assert curves.table.equals(live_curves("a-job")) and len(passed) == 1
    assert live_curves("another") is None


def test_a_run_keeps_its_curves_and_so_does_one_that_extends_it(home, trained_home):
    shutil.copytree(trained_home, home)
    run = train_run(Order("xgboost", "even", {"trees": 20, "words": 30}, asked="natural", first_k=5))
    curves = read_curves(run.folder)
    assert curves.schema == pl.Schema(SCHEMA) and set(curves["unit"]) == {"trees"}
    assert read_curves(extend_run(run.id, 10).folder).equals(curves)
    assert all(read_curves(other.folder) is None for other in list_runs() if other.manifest.model == "mean")


def test_several_runs_lie_on_one_chart_each_with_its_last_value():
    line = pl.DataFrame({"at": [1.0, 2.0], "value": [30.0, 20.5]})
    figure = curve_chart([("A <b>", line), ("B", line)], ["trees", "trees"], "%", "light", in_dollars=True)
    told = "".join(each.text for each in figure.layout.annotations)
    assert "A &lt;b&gt;" in told and told.count("$20.50") == 2
    assert [trace.line.dash for trace in figure.data] == ["solid", "dash"]
    assert len(loss_chart(line, line.clear(), "epochs", "dark").data) == 1


def test_the_page_draws_the_curves_of_a_run_and_of_another_beside_it(home, trained_home):
    shutil.copytree(trained_home, home)
    runs = [train_run(Order("xgboost", "even", {"trees": trees, "words": 20}, first_k=20)) for trees in (10, 20)]
    app = opened("runs")
    app.session_state[state.SHOWN_RUN] = runs[0].id
    app.run()
    assert "Validation error" in text(app) and len(app.get("plotly_chart")) == 3
    app.multiselect(key=f"curves_beside_{runs[0].id}").set_value([runs[1].id]).run()
    assert not app.exception and "by percent of the fit" in text(app)
    drawn = "".join(chart.proto.spec for chart in app.get("plotly_chart"))
    assert all(run.name[:12] in drawn for run in runs)
