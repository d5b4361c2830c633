"""What is asked of a language model, to the letter: the notebooks' presets, for asking and for tuning."""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Completion:
    """A prompt that a model continues with the price."""

    name: str
    question: str

    def prompt(self, text: str) -> str:
        """What the model is given: it shows no price."""
        return f"{self.question}\n\n{text}\n\n{PRICE_LINE}"

    def answer(self, price: float) -> str:
        """What the model should go on with in training: the nearest whole dollar, half to even.

        >>> COMPLETIONS["notebook-2"].answer(45.5)
        '46.00'
        """
        return f"{round(price)}.00"


@dataclass(frozen=True)
class Chat:
    """A question to a model that talks, and the form of its answer."""

    name: str
    system: str  # empty: there is no such message
    question: str
    prefill: str  # how the answer begins; a tuned model writes this itself
    price: str  # how the answer goes on

    def messages(self, text: str) -> list[dict[str, str]]:
        """What the model is asked about a product; it shows no price."""
        asked = [{"role": "user", "content": f"{self.question}\n\n{text}"}]
        return ([{"role": "system", "content": self.system}] if self.system else []) + asked

    def answer(self, price: float) -> str:
        """The whole answer: "Price is $226.95" or "$12.34"."""
        return f"{self.prefill}{self.price.format(price)}"


PRICE_LINE = "Price is $"
COMPLETIONS = {
    "notebook-1": Completion("notebook-1", "How much does this cost to the nearest dollar?"),
    "notebook-2": Completion("notebook-2", "What does this cost to the nearest dollar?"),
}
CHATS = {
    "notebook-1": Chat(
        name="notebook-1",
        system="You estimate prices of items. Reply only with the price, no explanation",
        question="How much does this cost?",
        prefill=PRICE_LINE,
        price="{:.2f}",
    ),
    "notebook-2": Chat(
        name="notebook-2",
        system="",
        question="Estimate the price of this product. Respond with the price, no explanation",
        prefill="",
        price="${:.2f}",
    ),
}

_LAST_PRICE = re.compile(r"\n\n?Price is \$ ?([0-9][0-9,]*(?:\.[0-9]+)?)?\s*\Z")


def without_prompt(text: str) -> tuple[str, float | None]:
    """A product's text out of a notebook's prompt, and the price that stood at its end, if one did.

    >>> without_prompt("How much does this cost to the nearest dollar?\\n\\nA lamp\\n\\nPrice is $45.00")
    ('A lamp', 45.0)
    >>> without_prompt("A lamp")
    ('A lamp', None)
    """
    for completion in COMPLETIONS.values():
        text = text.removeprefix(f"{completion.question}\n\n")
    match = _LAST_PRICE.search(text)
    if not match:
        return text, None
    return text[: match.start()], float(match[1].replace(",", "")) if match[1] else None
