"""An open-weight model is asked, kept and read again as any model is; one pass serves guess and distribution."""

import json
import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from streamlit.testing.v1 import AppTest

from pricer.__main__ import main
from pricer.errors import PricerError
from pricer.llm.local import loading, slots
from pricer.llm.local.bases import TINY, look_at, tiny_folder
from pricer.llm.local.loading import held, load_base, release
from pricer.llm.local.memory import needed_bytes
from pricer.llm.local.trying import look_closely, try_item
from pricer.models import GivesDistribution, load, make_model
from pricer.models.bins import distribution_median
from pricer.models.registry import find_kind
from pricer.runs.jobs import claim, finish
from pricer.runs.launch import list_launches
from pricer.runs.store import list_runs

NAVIGATION = Path(__file__).parent.parent / "pages" / "navigation.py"


@pytest.fixture(autouse=True)
def no_model_stays():
    yield
    if held():
        release(held())


@pytest.fixture
def base(tiny_llama, tmp_path):
    """A folder with a tiny Llama, which a test may change."""
    return shutil.copytree(tiny_llama, tmp_path / "base")


def asked(base, **settings):
    return make_model("open-weight", base=str(base), device="cpu", **settings)


def test_its_guess_is_the_median_of_its_distribution(base, train, unseen):
    model = asked(base, precision="none").fit(train)
    assert isinstance(model, GivesDistribution)
    chances = model.predict_distribution(unseen)
    assert chances.shape == (len(unseen), 1000)
    assert chances.sum(axis=1) == pytest.approx(1)
    np.testing.assert_array_equal(model.predict(unseen), distribution_median(chances))


def test_guess_and_distribution_come_from_one_pass(base, train, unseen, monkeypatch):
    model, passes, ask = asked(base).fit(train), [], slots._next_tokens
    monkeypatch.setattr(slots, "_next_tokens", lambda *given: passes.append(given) or ask(*given))
    model.predict(unseen[:20])
    model.predict_distribution(unseen[:20])
    assert len(passes) == 2  # batches of 16
    model.predict(unseen[20:30])
    assert len(passes) == 3


def test_it_keeps_its_name_and_no_weights(base, train, unseen, tmp_path):
    model = asked(base, prompt="notebook-1").fit(train)
    model.save(tmp_path / "saved")
    assert sum(path.stat().st_size for path in (tmp_path / "saved").iterdir()) < 5_000
    release(held())
    again = load(tmp_path / "saved")
    assert held() is None  # it is loaded when it is asked
    np.testing.assert_allclose(again.predict(unseen[:5]), model.predict(unseen[:5]), rtol=1e-6)
    model.about_ = {"base": object()}  # which no JSON can hold
    with pytest.raises(TypeError):
        model.save(tmp_path / "broken")
    with pytest.raises(PricerError, match="there is no model"):
        load(tmp_path / "broken")


def test_another_model_at_the_same_place_is_not_taken_for_it(base, train, tmp_path):
    asked(base).fit(train).save(tmp_path / "saved")
    config = json.loads((base / "config.json").read_text())
    (base / "config.json").write_text(json.dumps(config | {"rope_theta": 5.0}))
    with pytest.raises(PricerError, match="another model now"):
        load(tmp_path / "saved")


def test_a_base_that_is_missing_is_told_before_anything_is_read(train):
    with pytest.raises(PricerError, match="python -m pricer tiny-llama"):
        make_model("open-weight").fit(train)


def test_what_it_will_take_is_told_without_loading_it(base):
    kind = find_kind("open-weight")
    sizes = [
        kind.estimate(1000, base=str(base), precision=name, device="cpu").bytes for name in ("4bit", "8bit", "none")
    ]
    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[2]
    assert kind.estimate(1000, base="nobody/nothing").bytes == 0
    assert held() is None


@pytest.mark.parametrize("which", ["tiny_llama", "tiny_llama_digits"])
def test_one_item_is_shown_from_prompt_to_price(which, request):
    loaded = load_base(str(request.getfixturevalue(which)), "none", "cpu")
    found = try_item(loaded, "notebook-2", "A brass lamp")
    assert found["prompt"] == "What does this cost to the nearest dollar?\n\nA brass lamp\n\nPrice is $"
    assert found["around"][-1]["text"].endswith("$")
    assert found["single_token_prices"] == (which == "tiny_llama")
    assert len(found["examples"]["999"]) == (1 if which == "tiny_llama" else 3)
    assert sum(found["chances"]) == pytest.approx(1, abs=1e-3)
    assert 0 < found["on_prices"] < 1
    assert found["read"]["status"] in ("answer", "unparsable", "refusal")


def test_every_precision_is_measured_beside_its_estimate(base):
    found = look_closely(str(base), device="cpu", measure=True)
    assert found["tiny"]
    for precision, measured in found["measured_bytes"].items():
        assert found["estimated_bytes"][precision] == pytest.approx(measured, rel=0.002)
    assert len(found["measured_bytes"]) == 3


def test_a_precision_that_does_not_fit_is_told_beside_those_that_do(base, monkeypatch):
    free = needed_bytes(look_at(str(base)).shape.bytes_in("8bit", "bfloat16")) + 1
    monkeypatch.setattr(loading, "free_bytes", lambda device: free)
    monkeypatch.setattr(loading, "choose_compute", lambda device, wanted="auto": "bfloat16")
    found = look_closely(str(base), device="cpu", measure=True)
    assert list(found["measured_bytes"]) == ["4bit", "8bit"]
    assert "in 4 bit or in 8 bit it fits" in found["refused"]["none"]


@pytest.mark.slow
def test_the_verb_guess_asks_the_tiny_llama_and_keeps_a_run(demo, tiny_llama, capsys):
    assert main(["sample", "demo", "--dataset", "even"]) == 0
    shutil.copytree(tiny_llama, tiny_folder())
    asked = ["guess", TINY, "--precision", "8bit", "--device", "cpu", "--dataset", "even", "--first", "30"]
    assert main([*asked, "--exam", "natural", "--json"]) == 0
    run = list_runs()[0]
    assert run.manifest.model_settings["precision"] == "8bit"
    assert "tiny" in run.name
    guesses = run.guesses()
    assert len(guesses) == 30
    assert guesses["status"].unique().to_list() == ["answer"]
    assert run.distribution().shape == (30, 1000)
    items = run.dataset().exam().filter(pl.col("item_id").is_in(guesses["item_id"].implode())).collect()
    again = run.model().predict(guesses.select("item_id").join(items, on="item_id", how="left"))
    np.testing.assert_allclose(again, guesses["guess"].to_numpy(), rtol=0.05, atol=1)
    assert main(["base", TINY, "--device", "cpu", "--text", "A lamp", "--json"]) == 0
    assert '"single_token_prices": true' in capsys.readouterr().out


@pytest.mark.slow
def test_train_shows_a_base_without_loading_it(demo, base, monkeypatch):
    """Three footprints and a button that starts a job; the tiny Llama, not made yet, is offered."""
    assert main(["sample", "demo", "--dataset", "even"]) == 0
    monkeypatch.setattr("pricer.runs.launch.ensure_worker", lambda: None)
    page = AppTest.from_file(str(NAVIGATION), default_timeout=120).run().switch_page("models/train.py").run()
    page.button_group(key="train_family").set_value("open-weight").run()
    assert not page.exception
    assert page.button(key="make_tiny")
    page.text_input(key="train_open-weight_base").set_value(str(base)).run()
    assert not page.exception
    shown = "\n".join(block.proto.body for block in page.get("html"))
    assert all(words in shown for words in ("4 bit", "8 bit", "As published", "(tiny, made here)"))
    page.button(key="look_at_base").click().run()
    [job] = list_launches()
    assert job.arguments[:2] == ("base", str(base))
    found = look_closely(str(base), device="cpu") | {"free_bytes": 1, "base": str(base)}
    found["estimated_bytes"] = dict.fromkeys(found["estimated_bytes"], 123_000_000_000)
    finish(claim("a worker"), "done", result=found)
    page.run()
    shown = "\n".join(block.proto.body for block in page.get("html"))
    assert shown.count("123.0 GB") == 3 and shown.count("<td>no</td>") == 3, "as the job has found, not as is usual"
    assert held() is None
