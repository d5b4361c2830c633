"""A tuned model from the command line to its adapter: killed and gone on with, dry, merged, pushed, on the page."""

import json
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from filelock import FileLock
from streamlit.testing.v1 import AppTest

from pricer.__main__ import main
from pricer.checkpoints import latest_complete
from pricer.models.qlora import ABOUT
from pricer.progress import TRAINING_LOSS
from pricer.runs.adapters import base_arguments, base_run, find_base_run, write_card
from pricer.runs.jobs import claim
from pricer.runs.launch import cancel, launch
from pricer.runs.orders import order_arguments, order_of
from pricer.runs.store import MODEL, list_runs, open_run
from tests.hub_server import ADA, Fault, HubServer
from tests.processes import eventually

ROOT = Path(__file__).resolve().parents[1]
pytestmark = pytest.mark.slow


def train(base: Path, *more: str) -> list[str]:
    wanted = {"base": base, "precision": "none", "batch": 4, "length": 64, "validated": 4, "most_steps": 3}
    stated = [
        f"--set={name}={value}" for name, value in wanted.items() if not any(f"={name}=" in each for each in more)
    ]
    return ["train", "qlora", "--dataset=even", "--first=80", "--ask=8", "--exam=natural", *stated, *more]


@pytest.fixture(scope="module")
def tuned_home(trained_home, tiny_llama, tmp_path_factory) -> Path:
    """A home with a tuned run named tuned, and the run of its base; copy it before writing there."""
    folder = tmp_path_factory.mktemp("tuned") / "home"
    shutil.copytree(trained_home, folder)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PRICER_HOME", str(folder))
        assert main(train(tiny_llama, "--name=tuned")) == 0
        asked = ["guess", str(tiny_llama), "--dataset=even", "--precision=none", "--first=8", "--exam=natural"]
        assert main(asked) == 0
    return folder


@pytest.fixture
def tuned(home, tuned_home):
    """The tuned run, in a home of the test's own."""
    shutil.copytree(tuned_home, home)
    return open_run("tuned")


def test_a_tuned_run_stands_beside_its_base_in_the_same_precision(tuned, tiny_llama):
    base = base_run(tuned)
    assert base.manifest.model == "open-weight"
    assert base.guesses()["item_id"].to_list() == tuned.guesses()["item_id"].to_list()
    for other in ({"precision": "4bit"}, {"prompt": "notebook-1"}, {"preset": "first-edition"}):
        order = order_of(tuned)
        assert find_base_run(replace(order, settings=order.settings | other), tuned.manifest.exam_hash) is None
    assert find_base_run(order, tuned.manifest.exam_hash, "0" * 16) is None  # another base at the same place


def test_a_trial_with_few_items_or_another_prompt_is_not_taken_for_its_base(tuned, tiny_llama):
    base = base_run(tuned)
    trial = ["guess", str(tiny_llama), "--dataset=even", "--precision=none", "--first=3", "--exam=natural"]
    assert main(trial) == 0
    assert main([*trial, "--first=8", "--prompt=notebook-1"]) == 0
    trials = [run for run in list_runs() if run.manifest.model == "open-weight" and run.id != base.id]
    assert len(trials) == 2 and base_run(tuned).id == base.id
    of_few = next(run for run in trials if run.manifest.first_k == 3)
    assert len(of_few.validation_guesses()) == 3, "of validation no more is asked than of the exam"


def test_the_command_for_the_base_asks_the_same_items_in_the_same_words(tuned, tiny_llama):
    asked = base_arguments(order_of(tuned))
    assert {"--precision=none", "--prompt=notebook-2", "--first=8", "--exam=natural"} <= set(asked)
    assert asked[:2] == ["guess", str(tiny_llama)]


def test_its_curves_and_its_distribution_are_kept(tuned):
    names = set(pl.read_parquet(tuned.folder / "curves.parquet")["name"])
    assert names == {"training loss", "learning rate", "validation loss", "validation error"}
    assert (tuned.folder / "distribution.npy").is_file()


def test_a_tuned_model_guesses_the_same_in_a_fresh_process(tuned, home):
    """As the leaderboard has it: the exam's items asked again."""
    script = (
        "import sys, polars as pl; from pricer.models import load\n"
        "items = pl.read_parquet(sys.argv[2])\n"
        "print(load(sys.argv[1]).predict(items).tolist())"
    )
    exam = home / "exam.parquet"
    asked = pl.read_parquet(next((home / "datasets").glob("*/exam.parquet")))
    guesses = tuned.guesses()
    guesses.select("item_id").join(asked, "item_id", how="left", maintain_order="left").write_parquet(exam)
    done = subprocess.run(
        [sys.executable, "-c", script, tuned.id, str(exam)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    said = json.loads(done.stdout.strip().splitlines()[-1])
    assert said == pytest.approx(guesses["guess"].to_list(), abs=0.01)


def test_a_killed_process_goes_on_from_its_checkpoint_to_the_same_losses(home, trained_home, tiny_llama):
    shutil.copytree(trained_home, home)
    command = train(tiny_llama, "--set=most_steps=40", "--set=epochs=4", "--set=dropout=0.1")
    kept = home / "cache" / "tuning"
    process = subprocess.Popen([sys.executable, "-m", "pricer", *command], cwd=ROOT, stderr=subprocess.DEVNULL)

    def killed_at_a_checkpoint() -> bool:
        assert process.poll() is None, "it ended before it could be killed"
        process.send_signal(signal.SIGSTOP)  # it works only while we sleep, so it cannot run ahead of us
        there = any(latest_complete(work) for work in kept.glob("*"))
        process.send_signal(signal.SIGKILL if there else signal.SIGCONT)
        return there

    eventually(killed_at_a_checkpoint, 180, pause=0.02)
    process.wait()
    assert main([*command, "--name=resumed"]) == 0
    assert not any(kept.rglob("checkpoint-*")), "nothing is left once it is done"
    assert main([*command, "--name=straight"]) == 0
    losses = {name: losses_of(name) for name in ("resumed", "straight")}
    assert len(losses["straight"]) == 40
    assert losses["resumed"] == pytest.approx(losses["straight"], abs=1e-6)


def losses_of(name: str) -> list[float]:
    curves = pl.read_parquet(open_run(name).folder / "curves.parquet")
    return curves.filter(pl.col("name") == TRAINING_LOSS)["value"].to_list()


def test_a_dry_run_measures_and_keeps_nothing(home, trained_home, tiny_llama, capsys):
    shutil.copytree(trained_home, home)
    before = len(list_runs())
    wanted = [f"--set=base={tiny_llama}", "--set=precision=none", "--set=batch=4", "--set=length=64"]
    assert main(["dry-run", "--dataset=even", *wanted, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["batch"], found["longest_row"], len(found["losses"])) == (4, 64, 20)
    assert found["bytes_peak"] >= found["bytes_before"] > 0
    assert found["seconds"] == pytest.approx(found["steps"] * found["seconds_per_step"])
    assert found["largest_batch"] >= 4
    assert len(list_runs()) == before


def test_an_adapter_is_merged_into_its_unquantised_base(tuned, tiny_llama, tmp_path):
    from pricer.llm.local.loading import load_base

    with FileLock(tmp_path / ".staging" / "another.lock"):  # of a process that is writing there
        assert main(["merge", "tuned", "--to", str(tmp_path / "merged")]) == 0
        assert (tmp_path / ".staging" / "another.lock").exists()
    merged, base = (load_base(str(place)).model.state_dict() for place in (tmp_path / "merged", tiny_llama))
    changed = [name for name in base if not base[name].equal(merged[name])]
    assert changed
    assert all("proj" in name for name in changed)
    assert main(["merge", "tuned", "--to", str(tmp_path / "merged")]) == 2
    assert main(["merge", "mean on even", "--to", str(tmp_path / "other")]) == 2


def test_an_adapter_is_pushed_with_a_card_and_private(tuned, hub: HubServer, monkeypatch, capsys):
    monkeypatch.setenv("HF_TOKEN", ADA)
    assert main(["push-adapter", "tuned", "--to", "ada/prices", "--json"]) == 0
    pushed = json.loads(capsys.readouterr().out)
    assert pushed["private"] is True
    from huggingface_hub import HfApi

    api = HfApi(endpoint=hub.url, token=ADA)
    files = set(api.list_repo_files("ada/prices", revision=pushed["revision"]))
    assert {"adapter_model.safetensors", "adapter_config.json", "README.md"} <= files
    card = Path(api.hf_hub_download("ada/prices", "README.md", revision=pushed["revision"])).read_text()
    assert "generated data" in card
    assert "tiny Llama" in card
    assert tuned.manifest.dataset_hash[:16] in card
    assert main(["push-adapter", "tuned", "--to", "ada/open", "--public"]) == 0
    assert main(["push-adapter", "tuned", "--to", "ada/open"]) == 2, "private is what nobody has to say"
    assert "ada/open is public" in capsys.readouterr().err
    assert main(["push-adapter", "tuned", "--to", "ada/open", "--public"]) == 0


def test_a_card_names_a_base_of_the_hub_and_never_where_another_lies(tuned, tiny_llama, hub: HubServer, monkeypatch):
    about = json.loads((tuned.folder / MODEL / ABOUT).read_bytes())
    card = write_card(tuned, about | {"base": "lab/llama", "base_revision": "v1", "tiny": False}, "ada/prices")
    assert 'base_model: "lab/llama"' in card and 'from_pretrained("lab/llama", revision="v1")' in card
    monkeypatch.setenv("HF_TOKEN", ADA)
    assert main(["push-adapter", "tuned", "--to", "ada/prices"]) == 0
    head = hub.repositories["models", "ada/prices"].branches["main"][-1]
    for digest in head.files.values():
        assert str(tiny_llama).encode() not in (hub.folder / digest).read_bytes()
    assert b"base_model:" not in (hub.folder / head.files["README.md"]).read_bytes()


def test_an_adapter_overwrites_nothing_else(tuned, hub: HubServer, monkeypatch, capsys):
    monkeypatch.setenv("HF_TOKEN", ADA)
    for _ in range(2):
        assert main(["push-adapter", "tuned", "--to", "ada/prices"]) == 0
    hub.put("ada/other", {"README.md": b"mine"}, kind="models")
    assert main(["push-adapter", "tuned", "--to", "ada/other"]) == 2
    assert "ada/other is taken" in capsys.readouterr().err
    hub.put("ada/gone", {}, kind="models")
    hub.faults.append(Fault("status", "POST /api/models/ada/gone/commit", status=412))
    assert main(["push-adapter", "tuned", "--to", "ada/gone", "--public"]) == 2
    assert "someone else has changed it in the meantime" in capsys.readouterr().err


def test_an_adapter_is_asked_by_its_revision_wherever_it_lies(tuned, tiny_llama, hub: HubServer, monkeypatch, capsys):
    monkeypatch.setenv("HF_TOKEN", ADA)
    assert main(["push-adapter", "tuned", "--to", "ada/prices", "--json"]) == 0
    revision = json.loads(capsys.readouterr().out)["revision"]
    short = tuned.dataset().exam().head(4).collect().with_columns(text=pl.lit("Lamp of steel"))
    own = tuned.model().predict(short)
    for place in (str(tuned.folder / "model" / "adapter"), f"ada/prices@{revision}"):
        asked = ["guess", str(tiny_llama), "--dataset=even", "--precision=none", "--first=4", f"--adapter={place}"]
        assert main([*asked, "--json"]) == 0
        run = open_run(json.loads(capsys.readouterr().out)["id"])
        np.testing.assert_allclose(run.model().predict(short), own, atol=1e-3)
        assert run.manifest.model_settings["adapter"] == place
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")  # what was downloaded is asked without the hub
    np.testing.assert_allclose(open_run(run.id).model().predict(short), own, atol=1e-3)
    base = base_run(tuned)
    assert not base.manifest.model_settings["adapter"]
    assert abs(base.model().predict(short) - own).max() > 1e-3  # the base alone says something else


@pytest.mark.parametrize("place", ["nowhere", "ada/prices", "/etc", "~nobody-at-all/x"])
def test_an_adapter_that_is_not_there_says_so(tuned, tiny_llama, hub: HubServer, monkeypatch, capsys, place):
    monkeypatch.setenv("HF_TOKEN", ADA)
    asked = ["guess", str(tiny_llama), "--dataset=even", "--precision=none", "--first=4", f"--adapter={place}"]
    assert main(asked) == 2
    assert place in capsys.readouterr().err


def shown_beside(run_id: str) -> str:
    def script(run_id: str) -> None:
        from pages.shared.kinds.beside_base import show_beside_base
        from pages.shared.runs.curves import show_curves
        from pricer.runs.store import open_run

        show_beside_base(open_run(run_id))
        show_curves(open_run(run_id), [])

    app = AppTest.from_function(script, default_timeout=60, args=(run_id,)).run()
    assert not app.exception
    said = [element.value for element in (*app.code, *app.info)]
    return " ".join([*(element.proto.body for element in app.get("html")), *said])


def test_runs_shows_what_tuning_has_brought_or_how_to_find_out(tuned, tiny_llama):
    shown = shown_beside(tuned.id)
    assert "its base alone" in shown
    assert "on the same 8 items" in shown
    assert "Learning rate" in shown
    base = base_run(tuned)
    assert main(["delete", base.id]) == 0
    shown = shown_beside(tuned.id)
    assert f"pricer guess {tiny_llama}" in shown
    assert "--precision=none" in shown


def test_a_run_that_a_person_has_stopped_says_so(tuned):
    about = tuned.folder / "model" / "tuned.json"
    about.write_text(json.dumps(json.loads(about.read_text()) | {"steps": 2, "stopped": True}))
    assert "after 2 of 3 steps" in shown_beside(tuned.id)


def test_only_a_tuning_that_runs_can_be_stopped_and_kept(tuned, capsys, monkeypatch):
    monkeypatch.setattr("pricer.runs.launch.ensure_worker", lambda: None)
    launched = launch(["train", "mean", "--dataset=even"])
    assert main(["jobs", "stop", launched.id]) == 2
    assert "no tuning that runs" in capsys.readouterr().err
    cancel(launched.id)
    tuning = launch(["train", "qlora", "--dataset=even"])
    assert f"keep_{tuning.id}" not in buttons_of(tuning.id)
    assert claim("a worker").id == tuning.id
    assert f"keep_{tuning.id}" in buttons_of(tuning.id)
    assert main(["jobs", "stop", tuning.id]) == 0


def buttons_of(entry_id: str) -> set[str]:
    """The keys of the buttons that Runs shows of an entry."""

    def script(entry_id: str) -> None:
        from pages.shared.runs.beside import show_actions
        from pricer.runs.history import history

        show_actions(next(entry for entry in history() if entry.id == entry_id))

    app = AppTest.from_function(script, default_timeout=60, args=(entry_id,)).run()
    assert not app.exception
    return {button.key for button in app.button}


def test_train_tells_what_tuning_comes_to_and_points_to_the_base(tuned, tiny_llama):
    app = AppTest.from_file(str(ROOT / "pages" / "navigation.py"), default_timeout=60).run()
    app = app.switch_page("models/train.py").run()
    app.session_state["train_family"] = "open-weight"
    app.session_state["train_model_open-weight"] = "qlora"
    app.session_state["train_qlora_base"] = str(tiny_llama)
    app.session_state["train_qlora_precision"] = "none"
    app = app.run()
    assert not app.exception
    shown = " ".join(element.proto.body for element in app.get("html"))
    assert "19,456" in shown, "weights that are learned"
    assert "The base alone, in the same precision" in shown
    app.session_state["train_qlora_precision"] = "4bit"
    app = app.run()
    assert any("guess" in code.value and "--precision=4bit" in code.value for code in app.code)
    assert "start_dry_run" in [button.key for button in app.button]
    asked = ["guess", str(tiny_llama), "--dataset=even", "--precision=none", "--first=8", "--exam=balanced"]
    assert main(asked) == 0
    app.session_state["train_qlora_precision"] = "none"
    app.session_state["train_exam"] = "balanced"
    app = app.run()
    told = [element.proto.body for element in app.get("html") if "The base alone" in element.proto.body]
    assert len(told) == 1 and "of the balanced exam" in told[0] and "NaN" not in told[0] and "–" not in told[0]


def test_fields_left_open_are_empty_on_train_and_untold_on_runs(tuned):
    app = AppTest.from_file(str(ROOT / "pages" / "navigation.py"), default_timeout=60).run()
    app = app.switch_page("models/runs.py").run()
    app.session_state["runs_shown"] = tuned.id
    app = app.run()
    shown = " ".join(element.proto.body for element in app.get("html"))
    assert "preset modest" in shown and "most_steps 3" in shown
    assert "alpha 0" not in shown and "dropout" not in shown
    app.session_state["train_draft"] = order_arguments(order_of(tuned))
    app = app.switch_page("models/train.py").run()
    assert not app.exception
    assert app.number_input(key="train_qlora_most_steps").value == 3
    empty = app.number_input(key="train_qlora_alpha")
    assert (empty.value, empty.placeholder) == (None, "16"), "what the preset says"
    assert "--first=80" in next(button.help for button in app.button if button.key == "start_dry_run")
    assert "of 4 rows, on 80 items" in " ".join(element.proto.body for element in app.get("html"))
