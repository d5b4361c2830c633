"""What preflight says of a language model that runs here: whether it is there, fits, and how long asking it takes."""

import json
import shutil

import psutil
import pytest

from pricer.curation.dataset import open_dataset
from pricer.errors import PricerError
from pricer.llm.local.bases import tiny_folder
from pricer.runs.preflight import preflight
from pricer.runs.training import Order, train_run


@pytest.fixture(autouse=True)
def even(home, trained_home):
    shutil.copytree(trained_home, home)


@pytest.mark.parametrize("model", ["open-weight", "qlora"])
def test_preflight_tells_whether_a_base_is_here_and_what_asking_it_takes(tiny_llama, model):
    dataset = open_dataset("even")
    missing = preflight(Order(model, "even"), dataset)
    assert not missing.may_start
    assert any("python -m pricer tiny-llama" in check.words for check in missing.checks if check.verdict == "stop")
    shutil.copytree(tiny_llama, tiny_folder())
    found = preflight(Order(model, "even", first_k=5, asked="natural"), dataset)
    assert found.may_start
    assert {check.words for check in found.checks} >= {"Base", "Time to ask 10 items, validation included"}
    unknown = preflight(Order(model, "even", {"base": "lab/large"}), dataset)
    assert unknown.may_start
    assert {"Base", "Memory"} <= {check.words.partition(":")[0] for check in unknown.checks if check.verdict == "look"}


@pytest.mark.parametrize("model", ["open-weight", "qlora"])
def test_where_a_base_is_too_large_the_way_out_is_another_precision(tiny_llama, tmp_path, monkeypatch, model):
    shutil.copytree(tiny_llama, base := tmp_path / "large")
    layers = {"hidden_size": 8192, "num_hidden_layers": 80, "intermediate_size": 28672, "num_attention_heads": 64}
    config = json.loads((base / "config.json").read_text()) | layers | {"head_dim": 128, "num_key_value_heads": 8}
    (base / "config.json").write_text(json.dumps(config))
    memory = psutil.virtual_memory()._replace(available=60_000_000_000)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: memory)
    of_tuning = {"batch": 1, "length": 64} if model == "qlora" else {}
    order = Order(model, "even", {"base": str(base), "precision": "none"} | of_tuning)
    stops = [check.words for check in preflight(order, open_dataset("even")).checks if check.verdict == "stop"]
    assert "Memory: too little; in 4 bit it fits" in stops
    with pytest.raises(PricerError, match="GB are free; in 4 bit it fits"):
        train_run(order)
