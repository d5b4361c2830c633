"""The words around a product's text, as a model that runs here is given them: a notebook's, or its own form of talk."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from pricer.errors import PricerError
from pricer.llm.prompts import CHATS, COMPLETIONS, PRICE_LINE

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

TALKS = {f"{name}-chat": prompt for name, prompt in CHATS.items()}
FRAMES = (*COMPLETIONS, *TALKS)


def frame_of(tokenizer: "PreTrainedTokenizerBase", name: str) -> Callable[[str], str]:
    """What makes a prompt of a product's text: it ends where the price is asked for, "Price is $".

    A talk has the form that the model was trained on, which its tokenizer states, without the token that begins every
    text. Words of a product's text that would be such marks are broken. PricerError where a tokenizer states no form.
    """
    frame = COMPLETIONS[name].prompt if name in COMPLETIONS else _talk(tokenizer, name)
    marks = [token.content for token in tokenizer.added_tokens_decoder.values() if token.special]
    if not marks:
        return frame
    found = re.compile("|".join(map(re.escape, marks)))
    return lambda text: frame(found.sub(lambda mark: f"{mark[0][0]} {mark[0][1:]}", text))


def answer_of(price: float) -> str:
    """What a model goes on with in training: the nearest whole dollar, half to even.

    >>> answer_of(45.5)
    '46.00'
    """
    return COMPLETIONS["notebook-1"].answer(price)


def _talk(tokenizer: "PreTrainedTokenizerBase", name: str) -> Callable[[str], str]:
    from jinja2.exceptions import TemplateError

    prompt, first = TALKS[name], tokenizer.bos_token or ""
    instead = f"choose another prompt: {', '.join(COMPLETIONS)}"
    if not tokenizer.chat_template:
        raise PricerError(
            f"this base states no form of a talk (chat template), so it cannot be asked {name}; {instead}"
        )

    def framed(text: str) -> str:
        messages = prompt.messages(text)
        if messages[-1]["role"] != "assistant":
            messages.append({"role": "assistant", "content": PRICE_LINE})
        try:
            told = tokenizer.apply_chat_template(messages, tokenize=False, continue_final_message=True)
        except (TemplateError, ValueError) as error:
            raise PricerError(f"this base's form of a talk does not take {name} ({error}); {instead}") from error
        return told.removeprefix(first)

    return framed
