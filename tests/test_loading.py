"""Base models are looked at before a byte is downloaded, and loaded in every precision."""

import json
import shutil
from pathlib import Path

import pytest

from pricer.errors import PricerError
from pricer.llm.local import loading
from pricer.llm.local.bases import TINY, full_place, known_base, look_at, tiny_folder
from pricer.llm.local.loading import held, load_base, release
from pricer.llm.local.memory import PRECISIONS, footprints, shape_of
from pricer.llm.tuned.arithmetic import plan, trained_parameters
from pricer.llm.tuned.presets import PRESETS
from pricer.models.registry import find_kind
from tests.hub_server import ADA, HubServer

LLAMA_8B = {
    "model_type": "llama", "hidden_size": 4096, "num_hidden_layers": 32, "num_attention_heads": 32,
    "num_key_value_heads": 8, "head_dim": 128, "intermediate_size": 14336, "vocab_size": 128256,
    "dtype": "bfloat16", "tie_word_embeddings": False, "max_position_embeddings": 131072,
}  # fmt: skip


@pytest.fixture(autouse=True)
def no_model_stays():
    yield
    if held():
        release(held())


@pytest.fixture
def hub_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the hub's library of the test's own."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub-cache"))
    return tmp_path / "hub-cache"


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_the_footprints_are_those_of_the_course():
    sizes = footprints(shape_of(LLAMA_8B | {"dtype": "float32"}), "bfloat16")
    assert [round(sizes[name] / 1e9, 2) for name in PRECISIONS] == [5.59, 9.08, 32.12]


@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_footprint_is_told_before_and_measured_after(precision, tiny_llama):
    loaded = load_base(str(tiny_llama), precision, "cpu")
    assert loaded.bytes_estimated == pytest.approx(loaded.bytes_measured, rel=0.002)
    assert loaded.is_tiny
    assert loaded.tokenizer.pad_token == loaded.tokenizer.eos_token


def test_lower_precisions_are_smaller(tiny_llama):
    measured = [load_base(str(tiny_llama), precision, "cpu").bytes_measured for precision in PRECISIONS]
    assert measured == sorted(measured)


def test_one_model_at_a_time_is_in_memory(tiny_llama):
    first = load_base(str(tiny_llama), "none", "cpu")
    assert load_base(str(tiny_llama), "none", "cpu") is first
    second = load_base(str(tiny_llama), "8bit", "cpu")
    assert first.model is None
    assert held() is second
    release(second)
    assert held() is None


def test_gradients_of_4_bit_layers_stay_right_after_an_evaluation(tiny_llama):
    """Compared with the same layer, unquantised: what the product's gradient must be."""
    import bitsandbytes as bnb
    import torch

    model = load_base(str(tiny_llama), "4bit", "cpu").model
    layer = next(module for module in model.modules() if isinstance(module, bnb.nn.Linear4bit))
    weights = bnb.functional.dequantize_4bit(layer.weight.data, layer.weight.quant_state).float()
    plain = torch.nn.Linear(layer.in_features, layer.out_features, bias=False)
    plain.weight.data = weights.reshape(plain.weight.shape)
    with torch.inference_mode():
        model(torch.tensor([[1, 2, 3]]))  # the evaluation in between
    model.train()
    torch.manual_seed(0)
    given = torch.randn(5, layer.in_features)
    wanted = torch.randn(5, layer.out_features)
    gradients = []
    for product in (layer, plain):
        entry = given.clone().to(torch.bfloat16 if product is layer else torch.float32).requires_grad_()
        (product(entry).float() * wanted).sum().backward()
        gradients.append(entry.grad.float())
    error = (gradients[0] - gradients[1]).norm() / gradients[1].norm()
    assert error < 0.02


def test_a_base_that_is_not_there_says_what_to_do():
    with pytest.raises(PricerError, match="python -m pricer tiny-llama"):
        look_at(TINY)
    with pytest.raises(PricerError, match="no OWNER/NAME of the hub"):
        look_at("/nowhere/at/all")


@pytest.mark.parametrize("place", ["", ".", "~nobody-at-all/x", "x" * 290, "a/b/c", "a\0b", "../..", "a/" + "b" * 250])
def test_no_name_breaks_what_the_page_asks(place, hub):
    assert known_base(place) is None
    with pytest.raises(PricerError):
        look_at(place)


def test_the_tiny_llama_is_found_by_its_name(tiny_llama):
    shutil.copytree(tiny_llama, tiny_folder())
    base = look_at(TINY)
    assert base.shape.is_tiny
    assert "tiny" in base.title
    assert base.revision == look_at(str(tiny_llama)).revision


def test_other_weights_are_another_revision_though_the_files_are_as_large(tiny_llama, tmp_path):
    shutil.copytree(tiny_llama, tmp_path / "model")
    weights = tmp_path / "model" / "model.safetensors"
    written = bytearray(weights.read_bytes())
    written[-1] ^= 1
    weights.write_bytes(written)
    assert look_at(str(tmp_path / "model")).revision != look_at(str(tiny_llama)).revision


def test_a_folder_is_meant_wherever_it_is_read(tiny_llama, monkeypatch):
    monkeypatch.chdir(tiny_llama.parent)
    assert full_place(f"./{tiny_llama.name}") == str(tiny_llama)
    assert [full_place(place) for place in ("", TINY, "lab/llama")] == ["", TINY, "lab/llama"]


def test_weights_that_may_hold_code_are_not_read(tiny_llama, tmp_path):
    shutil.copytree(tiny_llama, tmp_path / "model")
    (tmp_path / "model" / "model.safetensors").rename(tmp_path / "model" / "pytorch_model.bin")
    with pytest.raises(PricerError, match="may hold code"):
        look_at(str(tmp_path / "model"))


def test_a_mixture_of_experts_is_not_guessed_at():
    with pytest.raises(PricerError, match="mixtures of experts"):
        shape_of(LLAMA_8B | {"num_local_experts": 8})


def test_a_base_that_is_quantised_already_is_refused(tiny_llama, tmp_path):
    saved = loading.quantisation("4bit", "float32").to_dict()
    shutil.copytree(tiny_llama, tmp_path / "model")
    config = json.loads((tiny_llama / "config.json").read_text()) | {"quantization_config": saved}
    (tmp_path / "model" / "config.json").write_text(json.dumps(config, default=str))
    with pytest.raises(PricerError, match="give the unquantised one"):
        load_base(str(tmp_path / "model"), "8bit", "cpu")


def test_weights_are_downloaded_once_though_the_repository_has_them_twice(hub, hub_cache, tiny_llama):
    copies = {"consolidated.safetensors": b"0" * 100_000, "model-1.safetensors": b"1" * 50}
    hub.put("lab/twice", files_of(tiny_llama) | copies, kind="models")
    base = look_at("lab/twice")
    assert base.download_bytes == (tiny_llama / "model.safetensors").stat().st_size
    load_base("lab/twice", "none", "cpu")
    assert not (look_at("lab/twice").folder / "consolidated.safetensors").exists()
    index = json.dumps({"weight_map": {"a": "model-1.safetensors", "b": "model-1.safetensors"}}).encode()
    hub.put("lab/parts", files_of(tiny_llama) | copies | {"model.safetensors.index.json": index}, kind="models")
    assert look_at("lab/parts").download_bytes == 50


def test_the_newest_is_asked_of_the_hub_and_else_said_to_be_as_downloaded(hub, hub_cache, tiny_llama, monkeypatch):
    hub.put("lab/llama", files_of(tiny_llama), kind="models")
    first = load_base("lab/llama", "none", "cpu").revision
    newer = hub.put("lab/llama", {"README.md": b"newer"}, kind="models")
    assert newer != first and look_at("lab/llama").revision == newer
    load_base("lab/llama", "none", "cpu")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert "as downloaded" in look_at("lab/llama").title and "as downloaded" not in look_at("lab/llama", newer).title


def test_a_model_comes_from_the_hub_by_its_name_and_revision(hub, hub_cache, tiny_llama):
    first = hub.put("lab/llama", files_of(tiny_llama), kind="models")
    hub.put("lab/llama", {"README.md": b"newer"}, kind="models")
    loaded = load_base("lab/llama", "none", "cpu", revision=first)
    assert loaded.revision == first
    assert loaded.bytes_measured == loaded.model.get_memory_footprint()
    requests = len(hub.requests)
    assert look_at("lab/llama", first).folder
    assert len(hub.requests) == requests  # a commit is looked at once


def test_what_tuning_takes_is_told_once_a_base_was_looked_at_and_before_its_weights_are_here(hub, hub_cache):
    larger = LLAMA_8B | {"num_hidden_layers": 40}
    weights = {"model.safetensors": b"0" * 100}
    first = hub.put("lab/large", weights | {"config.json": json.dumps(LLAMA_8B).encode()}, kind="models")
    hub.put("lab/large", {"config.json": json.dumps(larger).encode()}, kind="models")
    with pytest.raises(PricerError, match="python -m pricer base lab/large --revision=main"):
        plan("lab/large", "4bit", PRESETS["modest"], 1000, revision="main")
    assert look_at("lab/large").folder is None and look_at("lab/large", first).folder is None
    newest = plan("lab/large", "4bit", PRESETS["modest"], 1000)
    assert newest.trained_parameters == trained_parameters(larger, PRESETS["modest"])
    stated = plan("lab/large", "4bit", PRESETS["modest"], 1000, revision=first)
    assert stated.trained_parameters == trained_parameters(LLAMA_8B, PRESETS["modest"])
    kind = find_kind("qlora")
    assert kind.estimate(1000, base="lab/large", revision=first).bytes < kind.estimate(1000, base="lab/large").bytes
    assert not downloaded(hub)


def test_nothing_is_downloaded_where_access_is_not_granted(hub, hub_cache, tiny_llama, monkeypatch):
    hub.put("meta/llama", files_of(tiny_llama), kind="models", gated=True)
    with pytest.raises(PricerError, match="ask for access there"):
        load_base("meta/llama", "none", "cpu")
    monkeypatch.setenv("HF_TOKEN", ADA)  # of someone who has not asked
    with pytest.raises(PricerError, match="ask for access there"):
        load_base("meta/llama", "none", "cpu")
    assert not downloaded(hub)


def test_a_model_that_is_missing_is_called_so(hub, hub_cache):
    with pytest.raises(PricerError, match="no such model"):
        look_at("lab/nothing")


def test_nothing_is_downloaded_of_what_does_not_fit(hub, hub_cache, tiny_llama, monkeypatch):
    config = json.loads((tiny_llama / "config.json").read_text()) | LLAMA_8B
    hub.put("lab/large", files_of(tiny_llama) | {"config.json": json.dumps(config).encode()}, kind="models")
    monkeypatch.setattr(loading, "free_bytes", lambda device: 10_000_000_000)
    with pytest.raises(PricerError, match=r"about 18\.1 GB of memory and 10\.0 GB are free; in 4 bit it fits"):
        load_base("lab/large", "none", "cpu")
    assert not downloaded(hub)


def test_offline_uses_what_is_here_and_says_so_otherwise(hub, hub_cache, tiny_llama, monkeypatch):
    hub.put("lab/llama", files_of(tiny_llama), kind="models")
    load_base("lab/llama", "none", "cpu")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert known_base("lab/llama").folder
    assert look_at("lab/llama").revision == hub.repositories["models", "lab/llama"].branches["main"][-1].id
    with pytest.raises(PricerError, match="never downloaded here"):
        look_at("lab/other")


def test_a_broken_file_ends_in_words(tiny_llama, tmp_path):
    shutil.copytree(tiny_llama, tmp_path / "model")
    (tmp_path / "model" / "config.json").write_text("{")
    with pytest.raises(PricerError, match="no JSON"):
        look_at(str(tmp_path / "model"))


def test_a_device_that_is_not_there_is_told():
    import torch

    if not torch.cuda.is_available():
        with pytest.raises(PricerError, match="no graphics card"):
            loading.choose_device("cuda")
    assert loading.choose_device("cpu") == "cpu"


def test_a_card_that_only_imitates_bfloat16_computes_in_float16(monkeypatch):
    import torch

    def supported(including_emulation: bool = True) -> bool:
        return including_emulation  # as a T4 says

    monkeypatch.setattr(torch.cuda, "is_bf16_supported", supported)
    assert loading.choose_compute("cuda") == "float16"


def downloaded(hub: HubServer) -> list[str]:
    """The weights that were asked for."""
    return [request for request in hub.requests if request.startswith("GET") and "safetensors" in request]
