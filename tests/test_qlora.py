"""Tuning a language model: what is learned in which order, what survives a kill, and the traps of quantised weights."""

import json
import shutil
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from pricer.checkpoints import latest_complete
from pricer.errors import PricerError
from pricer.llm.local.market import listings
from pricer.llm.tuned.arithmetic import KNOWN, plan, trained_parameters
from pricer.llm.tuned.presets import PRESETS, hyperparameters_of
from pricer.llm.tuned.rows import lay_out, make_rows, order_rows, steps_of
from pricer.models import load, make_model
from pricer.progress import TRAINING_LOSS

SMALL = replace(PRESETS["modest"], batch=4, length=96, validated=8, most_steps=6, dropout=0.1)
LITE, FULL = PRESETS["second-edition-lite"], PRESETS["second-edition-full"]


@pytest.fixture(scope="module")
def sold() -> pl.DataFrame:
    some = list(islice(listings(99), 40))
    return pl.DataFrame({"text": [each.text for each in some], "price": [each.price for each in some]})


@pytest.fixture(scope="module")
def tokenizer(tiny_llama):
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(tiny_llama)


@pytest.fixture(scope="module")
def rows(tokenizer, sold):
    return make_rows(tokenizer, sold["text"].to_list(), sold["price"].to_list(), SMALL)


def new_learner(folder: Path, tuning=SMALL, precision: str = "none", head: bool = False):
    from pricer.llm.tuned.steps import Learner
    from pricer.llm.tuned.tuner import BaseChoice, start
    from pricer.progress import silent

    tuned = start(BaseChoice(str(folder), precision), replace(tuning, head="slots" if head else "tokens"), 1, silent)
    return Learner(tuned.model, tuned.tuning, tuned.head)


# The notebooks' values, and what they come to


@pytest.mark.parametrize(
    ("base", "preset", "weights"),
    [
        ("meta-llama/Meta-Llama-3.1-8B", "first-edition", 27_262_976),
        ("meta-llama/Llama-3.2-3B", "second-edition-lite", 18_350_080),
        ("meta-llama/Llama-3.2-3B", "second-edition-full", 389_021_696),
    ],
)
def test_as_many_weights_are_learned_as_the_notebooks_print(base, preset, weights):
    assert trained_parameters(KNOWN[base], PRESETS[preset]) == weights


def test_as_many_steps_are_taken_as_the_notebooks_print():
    assert (LITE.steps(20_000), FULL.steps(800_000)) == (625, 9_375)


def test_a_base_takes_the_memory_that_the_notebooks_print():
    found = {precision: plan("meta-llama/Llama-3.2-3B", precision, LITE, 20_000) for precision in ("8bit", "4bit")}
    assert [round(each.base_bytes / 1e9, 1) for each in found.values()] == [3.6, 2.2]


def test_a_setting_is_the_presets_where_it_says_so():
    tuning = hyperparameters_of({"preset": "second-edition-lite", "r": 16, "dropout": 0.0, "targets": "every-layer"})
    assert (tuning.r, tuning.dropout, tuning.alpha, tuning.batch) == (16, 0.0, LITE.alpha, LITE.batch)
    assert tuning.targets == FULL.targets


# Rows


def test_a_row_is_what_is_asked_later_and_then_the_price_with_an_end(tokenizer, sold):
    roomy = replace(SMALL, length=400)
    row = make_rows(tokenizer, ["A desk lamp"], [56.4], roomy)[0]
    assert tokenizer.decode(row.prompt) == (
        "<|begin_of_text|>What does this cost to the nearest dollar?\n\nA desk lamp\n\nPrice is $"
    )
    assert tokenizer.decode(row.answer) == "56.00<|end_of_text|>"
    assert row.slot == 56


@pytest.mark.parametrize("length", [40, 64, 96, 400])
def test_a_long_text_loses_its_end_and_never_its_price(tokenizer, sold, length):
    made = make_rows(tokenizer, sold["text"].to_list(), sold["price"].to_list(), replace(SMALL, length=length))
    assert max(map(len, made)) <= length
    for row, price in zip(made, sold["price"], strict=True):
        assert tokenizer.decode(row.prompt).endswith("Price is $")
        assert tokenizer.decode(row.answer) == f"{round(price)}.00<|end_of_text|>"


def test_a_text_is_cut_alike_in_training_and_in_asking(tiny_llama, sold, monkeypatch):
    from pricer.llm.local.slots import Said
    from pricer.llm.tuned import tuner
    from pricer.progress import silent

    texts, asked = sold["text"].to_list(), []
    tuned = tuner.start(tuner.BaseChoice(str(tiny_llama), "none"), SMALL, 1, silent)

    def keep(model, tree, prompts, batch):
        asked.extend(prompts)
        return Said(np.zeros((len(prompts), 1000)), np.zeros(len(prompts)))

    monkeypatch.setattr(tuner, "ask_slots", keep)
    tuned.chances(texts)
    assert asked == [row.prompt for row in make_rows(tuned.tokenizer, texts, sold["price"].to_list(), SMALL)]
    assert max(map(len, asked)) == SMALL.length - 4  # "999", ".", "00", the end


def test_each_epoch_holds_every_row_once_in_an_order_of_its_own():
    lengths = np.random.default_rng(0).integers(20, 90, 50)
    first, again, second = (order_rows(lengths, SMALL, 1, epoch) for epoch in (0, 0, 1))
    assert [batch.tolist() for batch in first] == [batch.tolist() for batch in again]
    assert [batch.tolist() for batch in first] != [batch.tolist() for batch in second]
    assert sorted(np.concatenate(second)) == list(range(50))


def test_steps_from_the_middle_are_those_of_an_unbroken_run():
    lengths, tuning = np.arange(20, 70), replace(SMALL, most_steps=0, epochs=3, accumulation=2)
    whole = [[batch.tolist() for batch in step] for step in steps_of(lengths, tuning, 5)]
    assert len(whole) == tuning.steps(50) == 21
    assert [[batch.tolist() for batch in step] for step in steps_of(lengths, tuning, 5, 9)] == whole[9:]


def test_only_the_price_is_learned_and_packing_changes_the_layout_alone(tiny_llama, rows):
    import torch

    from pricer.llm.tuned.passes import summed_loss

    learner = new_learner(tiny_llama, replace(SMALL, dropout=0.0))
    some = rows[:10]
    plain, packed = lay_out(some), lay_out(some, packing=300)
    assert len(plain.target) == len(packed.target) == 4 * len(some)  # "56", ".", "00", the end
    assert packed.ids.shape[0] < plain.ids.shape[0]
    with torch.inference_mode():
        losses = [float(summed_loss(learner.model.eval(), None, batch)) for batch in (plain, packed)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


# What survives a kill


class Killed(BaseException):
    """As sudden as a kill: nothing catches it."""


def losses_of(state) -> list[float]:
    return [point["figures"][TRAINING_LOSS] for point in state.points if TRAINING_LOSS in point["figures"]]


def killed_at(step: int):
    def report(told):
        if told.count >= step:
            raise Killed

    return report


@pytest.mark.parametrize("head", [False, True], ids=["tokens", "slots"])
def test_a_killed_run_goes_on_to_the_losses_of_an_unbroken_one(tiny_llama, rows, tmp_path, head):
    from pricer.llm.tuned.steps import tune
    from pricer.progress import silent

    straight = tune(new_learner(tiny_llama, head=head), rows, 3, silent)
    with pytest.raises(Killed):
        tune(new_learner(tiny_llama, head=head), rows, 3, killed_at(4), folder=tmp_path, seconds_between_saves=0)
    learner = new_learner(tiny_llama, head=head)
    resumed = tune(learner, rows, 3, silent, folder=tmp_path)
    assert resumed.step == straight.step == 6
    assert losses_of(resumed) == pytest.approx(losses_of(straight), abs=1e-6)


def test_a_checkpoint_that_is_not_complete_is_passed_over(tiny_llama, rows, tmp_path):
    from pricer.llm.tuned.steps import tune
    from pricer.progress import silent

    tune(new_learner(tiny_llama), rows, 3, silent, folder=tmp_path, seconds_between_saves=0)
    whole = latest_complete(tmp_path)
    for number, spoil in enumerate(
        (
            lambda folder: (folder / "state.json").unlink(),
            lambda folder: (folder / "weights.safetensors").write_bytes(b"\0" * 100),
            lambda folder: (folder / "optimiser.safetensors").write_bytes(b""),
        ),
        start=100,
    ):
        shutil.copytree(whole, broken := tmp_path / f"checkpoint-{number}")
        spoil(broken)
    assert latest_complete(tmp_path) == whole
    assert tune(new_learner(tiny_llama), rows, 3, silent, folder=tmp_path).step == 6


def test_whoever_stops_a_run_keeps_what_it_has_learned(tiny_llama, rows, tmp_path, monkeypatch):
    from pricer.llm.tuned.steps import STOP, tune

    monkeypatch.setenv("PRICER_JOB_FOLDER", str(tmp_path))

    def stop_at_two(told):
        if told.count == 2:
            (tmp_path / STOP).touch()

    kept = tmp_path / "kept"
    state = tune(new_learner(tiny_llama), rows, 3, stop_at_two, folder=kept)
    assert (state.step, state.steps, state.stopped) == (2, 6, True)
    (tmp_path / STOP).unlink()  # whoever is killed afterwards has learned as much, and learns no more
    again = tune(new_learner(tiny_llama), rows, 3, lambda told: None, folder=kept)
    assert (again.step, again.stopped) == (2, True)


def test_a_slot_head_is_read_back_or_told_to_be_damaged(tmp_path):
    import torch
    from safetensors.torch import save_file

    from pricer.llm.tuned.adapter import HEAD, load_head, save_head

    head, cpu = torch.nn.Linear(8, 1000), torch.device("cpu")
    save_head(head, tmp_path)
    assert torch.equal(load_head(tmp_path, cpu).weight, head.weight)
    whole = (tmp_path / HEAD).read_bytes()
    others = ({"bias": head.bias}, {"weight": head.bias, "bias": head.bias}, {"weight": torch.ones(3, 8)})
    for damage in (*others, whole[:-4], b"", None):
        (tmp_path / HEAD).unlink()
        if isinstance(damage, dict):
            save_file({name: weight.detach().clone() for name, weight in damage.items()}, tmp_path / HEAD)
        elif damage is not None:
            (tmp_path / HEAD).write_bytes(damage)
        with pytest.raises(PricerError, match="is damaged"):
            load_head(tmp_path, cpu)


def test_losses_that_are_made_larger_for_float16_teach_the_same_and_stay_so_after_a_kill(tiny_llama, rows, tmp_path):
    import torch

    from pricer.llm.tuned.steps import Tuned

    plain, scaled, resumed = (new_learner(tiny_llama, replace(SMALL, dropout=0.0)) for _ in range(3))
    scaled.scaler, resumed.scaler = (torch.amp.GradScaler("cpu", init_scale=scale) for scale in (1024.0, 2.0))
    for learner in (plain, scaled):
        learner.learn([lay_out(rows[:4])], 0, 6, 3)
    assert any(weight.abs().sum() > 0 for name, weight in scaled.trained.items() if "lora_B" in name)
    for name, weight in plain.trained.items():
        torch.testing.assert_close(scaled.trained[name], weight)
    scaled.save(tmp_path, Tuned(step=1))
    assert resumed.restore(tmp_path).step == 1 and resumed.scaler.get_scale() == 1024


# A model like any other


@pytest.fixture(scope="module")
def settings_of(tiny_llama):
    return {"base": str(tiny_llama), "batch": 8, "length": 64, "validated": 8, "most_steps": 4}


@pytest.mark.slow
@pytest.mark.parametrize(("precision", "head"), [("none", "slots"), ("8bit", "tokens"), ("4bit", "tokens")])
def test_a_tuned_model_guesses_the_same_once_it_is_loaded_again(settings_of, sold, tmp_path, precision, head):
    seen = []
    model = make_model("qlora", 1, **settings_of, precision=precision, head=head)
    model.fit(sold[:32], sold[32:], seen.append)
    chances = model.predict_distribution(sold[32:].drop("price"))
    assert chances.shape == (8, 1000)
    assert chances.sum(axis=1) == pytest.approx(1)
    model.save(tmp_path)
    again = load(tmp_path)
    assert again.predict(sold[32:].drop("price")) == pytest.approx(model.predict(sold[32:].drop("price")), abs=1e-4)
    told = {name for step in seen if step.point for name in step.point.figures}
    assert told == {"training loss", "learning rate", "validation loss", "validation error"}
    config = json.loads((tmp_path / "adapter" / "adapter_config.json").read_bytes())
    assert config["base_model_name_or_path"] == settings_of["base"]
    assert not any(path.suffix in (".bin", ".pt", ".pkl") for path in tmp_path.rglob("*"))


def test_an_adapter_is_not_put_on_another_base(settings_of, sold, tmp_path, tiny_llama):
    base = tmp_path / "base"
    shutil.copytree(tiny_llama, base)
    model = make_model("qlora", 1, **settings_of | {"base": str(base), "most_steps": 1}, precision="none")
    model.fit(sold[:8])
    model.save(tmp_path / "model")
    config = json.loads((base / "config.json").read_bytes())
    (base / "config.json").write_text(json.dumps(config | {"rope_theta": 5.0}))
    with pytest.raises(PricerError, match="another model now than when it was tuned"):
        load(tmp_path / "model").predict(sold[:2].drop("price"))


# Traps


def test_gradients_after_an_evaluation_are_those_of_the_unquantised_layer(tiny_llama, rows):
    """On AVX512-BF16 bitsandbytes repacks 4-bit weights at the first evaluation, and gradients come out wrong."""
    import bitsandbytes as bnb
    import torch

    from pricer.llm.tuned.passes import summed_loss

    plain = replace(SMALL, dropout=0.0)
    quantised, reference = new_learner(tiny_llama, plain, "4bit"), None
    weights = {
        name: bnb.functional.dequantize_4bit(layer.weight.data, layer.weight.quant_state).float()
        for name, layer in quantised.model.named_modules()
        if isinstance(layer, bnb.nn.Linear4bit)
    }
    assert weights
    batch = lay_out(rows[:4])
    with torch.inference_mode():
        summed_loss(quantised.model.eval(), None, batch)
    found = gradients(quantised, batch)
    reference = new_learner(tiny_llama, plain, "none")
    with torch.no_grad():
        for name, weight in weights.items():
            reference.model.get_submodule(name).weight.copy_(weight)
    for name, gradient in gradients(reference, batch).items():
        assert float((found[name] - gradient).norm()) <= 0.05 * float(gradient.norm()) + 1e-6, name


def gradients(learner, batch) -> dict:
    import torch

    from pricer.llm.tuned.passes import summed_loss

    with torch.no_grad():
        for name, weight in learner.trained.items():
            torch.manual_seed(len(name))
            weight.copy_(torch.randn_like(weight) / 10)
    learner.model.train()
    summed_loss(learner.model, None, batch).backward()
    return {name: weight.grad.float() for name, weight in learner.trained.items()}


def test_an_adapter_that_would_reach_only_some_of_its_layers_is_refused(tiny_llama):
    with pytest.raises(PricerError, match="Phi-3 joins"):
        trained_parameters(KNOWN["tiny-llama"] | {"model_type": "phi3"}, SMALL)
    with pytest.raises(PricerError, match="no layers named qkv_proj"):
        new_learner(tiny_llama, replace(SMALL, targets=("o_proj", "qkv_proj")))


def test_logits_that_a_model_holds_within_bounds_are_so_when_they_are_learned_and_asked():
    import torch
    from transformers import Gemma2Config, Gemma2ForCausalLM

    from pricer.llm.local.slots import _at_the_ends, body_of, logits_of

    sizes = {"hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 1}
    more = {"num_key_value_heads": 1, "head_dim": 32, "vocab_size": 64, "final_logit_softcapping": 0.5}
    model = Gemma2ForCausalLM(Gemma2Config(**sizes, **more)).eval()
    prompts = [[3, 4, 5], [6, 7]]
    with torch.inference_mode():
        wanted = model(torch.tensor([prompts[0]])).logits[0]
        found = logits_of(model, body_of(model)(torch.tensor([prompts[0]])).last_hidden_state[0])
        asked = _at_the_ends(model, prompts)[0, 0]
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(asked, wanted[-1], rtol=1e-4, atol=1e-5)


def test_merging_keeps_what_the_adapter_says_and_merging_into_4_bit_would_not(tiny_llama, rows, tmp_path):
    import torch

    from pricer.llm.tuned.adapter import load_adapter, merge, save_adapter

    learner = new_learner(tiny_llama, replace(SMALL, dropout=0.0))
    gradients(learner, batch := lay_out(rows[:4]))  # which fills the adapter with numbers
    save_adapter(learner.model, tmp_path / "adapter", "tiny")

    def logits(model):
        with torch.inference_mode():
            return model.eval()(input_ids=batch.ids, attention_mask=batch.mask.long()).logits[batch.mask].float()

    wanted = logits(learner.model)
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from pricer.llm.local.loading import quantisation

    base = AutoModelForCausalLM.from_pretrained(tiny_llama)
    merge(base, tmp_path / "adapter", AutoTokenizer.from_pretrained(tiny_llama), tmp_path / "merged")
    merged = AutoModelForCausalLM.from_pretrained(tmp_path / "merged")
    assert logits(merged) == pytest.approx(wanted, abs=1e-3)
    small = AutoModelForCausalLM.from_pretrained(tiny_llama, quantization_config=quantisation("4bit", "float32"))
    adapted = load_adapter(small, tmp_path / "adapter")
    before = logits(adapted)
    lost = (logits(adapted.merge_and_unload()) - before).abs().mean()
    assert lost > 10 * (logits(merged) - wanted).abs().mean()


def test_an_adapter_on_a_base_that_knows_nothing_learns_next_to_nothing(tiny_llama, rows):
    from pricer.llm.tuned.steps import tune
    from pricer.progress import silent

    learner = new_learner(tiny_llama, replace(SMALL, most_steps=12))
    losses = losses_of(tune(learner, rows, 3, silent))
    assert losses[-1] > 0.85 * losses[0]
