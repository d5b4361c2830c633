"""A base model looked at closely: its memory in each precision, how it writes prices, what it says of one item."""

from dataclasses import asdict
from typing import TYPE_CHECKING

from pricer.errors import PricerError
from pricer.llm.local.bases import look_at
from pricer.llm.local.digits import plain_encoder, price_tree
from pricer.llm.local.frames import frame_of
from pricer.llm.local.loading import choose_compute, choose_device, free_bytes, load_base
from pricer.llm.local.memory import PRECISIONS, footprints
from pricer.llm.local.slots import ANSWER_TOKENS, ask_slots, fit_prompt, longest_prompt
from pricer.llm.reading import read_price
from pricer.progress import Report, Step, silent

if TYPE_CHECKING:
    from pricer.llm.local.loading import Loaded

EXAMPLES = (0, 1, 10, 100, 999, 1000)  # whose tokens are shown
AROUND = 8  # tokens of a prompt's end that are shown
_SPACES = str.maketrans({" ": "·", "\n": "⏎"})


def look_closely(
    place: str, revision: str = "", device: str = "auto", measure: bool = False, report: Report = silent
) -> dict:
    """What can be told of a base model; with `measure` it is loaded in every precision that fits, one after the other.

    PricerError as `load_base`, with `measure` where no precision can be loaded.
    """
    device = choose_device(device)
    compute, base = choose_compute(device), look_at(place, revision)
    measured: dict[str, int] = {}
    refused: dict[str, str] = {}
    if measure:
        for place_in_order, precision in enumerate(PRECISIONS):
            report(Step("Measuring", place_in_order, "precisions", place_in_order / len(PRECISIONS)))
            try:
                measured[precision] = load_base(place, precision, device, revision, report=report).bytes_measured
            except PricerError as error:
                refused[precision] = str(error)
        if not measured:
            raise PricerError(refused[PRECISIONS[0]])
    return {
        "base": base.place,
        "title": base.title,
        "revision": base.revision,
        "tiny": base.shape.is_tiny,
        "parameters": base.shape.parameters,
        "reads_tokens": base.shape.reads,
        "download_bytes": base.download_bytes,
        "device": device,
        "compute": compute,
        "free_bytes": free_bytes(device),
        "estimated_bytes": footprints(base.shape, compute),
        "measured_bytes": measured,
        "refused": refused,
    }


def try_item(loaded: "Loaded", prompt: str, text: str) -> dict:
    """One item from its prompt to its price: tokens around the price, what the model writes, and the distribution."""
    import torch

    tokenizer, model = loaded.tokenizer, loaded.model
    tree, frame = price_tree(tokenizer), frame_of(tokenizer, prompt)
    tokens = fit_prompt(tokenizer, frame, text, longest_prompt(model))
    said = ask_slots(model, tree, [tokens])
    asked = torch.tensor([tokens], device=model.device)
    with torch.inference_mode():
        written = model.generate(
            input_ids=asked,
            attention_mask=torch.ones_like(asked),
            max_new_tokens=ANSWER_TOKENS,
            do_sample=False,
            pad_token_id=tokenizer.pad_token_id,
        )[0, len(tokens) :]
    raw = tokenizer.decode(written, skip_special_tokens=True)
    encode = plain_encoder(tokenizer)
    return {
        "prompt": tokenizer.decode(tokens, skip_special_tokens=True),
        "prompt_tokens": len(tokens),
        "around": _shown(tokenizer, tokens[-AROUND:]),
        "written": _shown(tokenizer, written.tolist()),
        "raw": raw,
        "read": asdict(read_price(raw)),
        "single_token_prices": tree.single,
        "examples": {str(price): _shown(tokenizer, encode(str(price))) for price in EXAMPLES},
        "on_prices": float(said.on_prices[0]),
        "chances": [round(chance, 7) for chance in said.chances[0].tolist()],
    }


def _shown(tokenizer, tokens: list[int]) -> list[dict]:
    """Tokens as text in which spaces and line ends are seen, with their ids."""
    return [{"id": token, "text": tokenizer.decode([token]).translate(_SPACES)} for token in tokens]
