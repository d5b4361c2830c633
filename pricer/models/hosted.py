"""A language model that a provider runs, asked what each product costs: nothing is learned, only shown."""

from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
import polars as pl
from pydantic import ValidationError

from pricer.errors import PricerError
from pricer.files import write_whole
from pricer.keys import wait_for_key
from pricer.llm.batches import ask_batch
from pricer.llm.calling import CONCURRENCY, DEADLINE_SECONDS, ask_all
from pricer.llm.calls import FAILED, Call, most_tokens_of, price_of
from pricer.llm.prompts import PRICE_NAME, Prompt, find_prompt
from pricer.llm.providers import Provider, check_model_id, find_provider
from pricer.llm.reading import read_price
from pricer.llm.replies import Reply
from pricer.llm.similar import Similar, SimilarProducts
from pricer.models.contract import USUAL_TOKENS, Quote
from pricer.models.saving import SavedArrays, make_saved, save_model
from pricer.models.tables import texts_of, train_prices
from pricer.progress import Report, Step, silent

PROMPT_FILE = "prompt.json"
EXAMPLES_FILE = "examples.parquet"  # items of train that every question shows with their prices
SIMILAR_FILE = "similar.parquet"  # those among which similar ones are looked for
_JSON_FORM = {
    "type": "json_schema",
    "json_schema": {
        "name": PRICE_NAME,
        "strict": True,
        "schema": {
            "type": "object",
            "properties": {PRICE_NAME: {"type": "number"}},
            "required": [PRICE_NAME],
            "additionalProperties": False,
        },
    },
}


class Shown(NamedTuple):
    """An item of train as a prompt shows it."""

    text: str
    price: float


class Hosted:
    """Asks one model of one provider, by one prompt.

    Every answer is kept by its question, so that another run with the same question costs nothing; another seed asks
    again. `most_dollars` is what all answers of a run may cost together: nothing, until somebody says more.
    """

    name = "hosted"

    def __init__(
        self,
        seed: int = 42,
        provider: str = "openai",
        model: str = "",
        prompt: str = "plain",
        concurrency: int = CONCURRENCY,
        seconds: float = DEADLINE_SECONDS,
        batch: str = "no",
    ):
        self.seed, self.provider, self.model, self.prompt = seed, provider, model, prompt
        self.concurrency, self.seconds, self.batch = concurrency, seconds, batch
        self.most_dollars = 0.0
        self._spent = 0.0

    @property
    def items_at_once(self) -> int | None:
        """How many items are to be asked together: all, where they make one batch."""
        return None if self.batch == "yes" else 32 * self.concurrency

    @classmethod
    def quote(cls, settings: dict, items: int, tokens: float = USUAL_TOKENS) -> Quote:
        """What asking so many items may cost at most, of so many tokens each.

        PricerError where it cannot be asked, or nobody has stated what the model costs.
        """
        asked = cls(**settings)
        provider, prompt = find_provider(asked.provider), find_prompt(asked.prompt)
        price = price_of(provider, check_model_id(asked.model), most_dollars=0.0)
        words = most_tokens_of("".join(message["content"] for message in prompt.messages("")))
        tokens_in = words + tokens * (1 + prompt.examples + prompt.neighbours)
        share = provider.batch_share if asked.batch == "yes" else 1.0
        dollars = share * items * price.dollars(tokens_in, prompt.max_tokens)
        return Quote(dollars, provider.key)

    def fit(self, train: pl.DataFrame, validation: pl.DataFrame | None = None, report: Report = silent) -> Self:
        """Keep the prompt as it stands now, and what it shows of train."""
        check_model_id(self.model)
        find_provider(self.provider)
        self.prompt_ = find_prompt(self.prompt)
        prices = train_prices(train)
        self.median_ = float(np.median(prices))
        self.examples_ = draw_examples(train, self.prompt_.examples, self.seed)
        self.similar_ = SimilarProducts.of(train, self.seed) if self.prompt_.neighbours else None
        return self

    def answers(self, items: pl.DataFrame, report: Report = silent) -> pl.DataFrame:
        """A row for each item, as `pricer.models.contract.Answers` says.

        Stopped where nothing more can or may be asked: the key, the quota, the cap; what was answered is kept.
        """
        provider = find_provider(self.provider)
        price_of(provider, self.model, self.most_dollars)
        calls, done = self.calls(items), 0

        def count(call: Call, reply: Reply) -> None:
            nonlocal done
            done += 1
            report(Step("Asking", done, "items", min(1.0, done / len(calls))))

        key, most = wait_for_key(provider.key, report), max(0.0, self.most_dollars - self._spent)
        if self.batch == "yes":
            replies = ask_batch(calls, provider, key, most_dollars=most, report=report)
        else:
            replies = ask_all(
                calls, provider, key, concurrency=self.concurrency, deadline_seconds=self.seconds, most_dollars=most,
                on_reply=count,
            )  # fmt: skip
        self._spent += sum({call.key: reply.cost_dollars for call, reply in zip(calls, replies, strict=True)}.values())
        return _table(calls, replies)

    def calls(self, items: pl.DataFrame) -> list[Call]:
        """What is asked about each item."""
        provider, neighbours = find_provider(self.provider), self.neighbours(items)
        examples = as_shown(self.examples_)
        return [
            Call(
                provider.identity,
                self.model,
                self.prompt_.messages(text, examples, similar),
                parameters_of(self.prompt_, provider),
                repeat=self.seed,
            )
            for text, similar in zip(texts_of(items, "text"), neighbours, strict=True)
        ]

    def neighbours(self, items: pl.DataFrame) -> list[list[Similar]]:
        """The products of train that are shown beside each item, none of the item's own near-duplicates."""
        if self.similar_ is None:
            return [[] for _ in range(len(items))]
        if "group" not in items.columns:  # somebody described it
            items = items.with_columns(group=pl.lit(-1))
        return self.similar_.find(items, self.prompt_.neighbours)

    def predict(self, items: pl.DataFrame) -> np.ndarray:
        """Prices, the median of train where there was no answer; it asks, and so it may cost money, as `answers`."""
        return self.answers(items)["guess"].fill_null(self.median_).to_numpy().astype(np.float64)

    def save(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / PROMPT_FILE, self.prompt_.model_dump_json())
        self.examples_.write_parquet(folder / EXAMPLES_FILE)
        if self.similar_:
            self.similar_.save(folder / SIMILAR_FILE)
        save_model(self, folder, {"median": self.median_})

    @classmethod
    def load(cls, folder: Path) -> Self:
        model, arrays = make_saved(folder, cls.name), SavedArrays(folder)
        model.median_ = arrays.number("median")
        try:
            model.prompt_ = Prompt.model_validate_json((folder / PROMPT_FILE).read_bytes())
            model.examples_ = pl.read_parquet(folder / EXAMPLES_FILE)
            model.similar_ = SimilarProducts.load(folder / SIMILAR_FILE) if model.prompt_.neighbours else None
        except (PricerError, ValidationError, OSError, pl.exceptions.PolarsError):
            arrays.require(False)
        arrays.require(model.examples_.schema == {"text": pl.String, "price": pl.Float64})
        return model


def draw_examples(train: pl.DataFrame, number: int, seed: int) -> pl.DataFrame:
    """Random items of train that every question shows, in train's order: text, price."""
    places = np.sort(np.random.default_rng(seed).permutation(len(train))[:number])
    return train[places].select("text", "price")


def as_shown(examples: pl.DataFrame) -> list[Shown]:
    return [Shown(text, price) for text, price in examples.iter_rows()]


def parameters_of(prompt: Prompt, provider: Provider) -> dict:
    """What is sent beside the messages, in the provider's own words; what it would refuse is left out."""
    parameters = {
        provider.token_limit: prompt.max_tokens,
        "temperature": prompt.temperature,
        "seed": prompt.seed,
        "reasoning_effort": prompt.effort,
        "response_format": _JSON_FORM if prompt.answer == "json" else None,
    }
    return {name: value for name, value in parameters.items() if value is not None and name not in provider.leaves_out}


def _table(calls: list[Call], replies: list[Reply]) -> pl.DataFrame:
    """Replies as a run keeps them; a question that two items share is paid for once."""
    rows, paid = [], set()
    for call, reply in zip(calls, replies, strict=True):
        guess, status = read_reply(reply)
        dollars = 0.0 if call.key in paid else reply.cost_dollars
        paid.add(call.key)
        rows.append((guess, status, reply.seconds, dollars, reply.text if reply.finish != FAILED else reply.error))
    schema = {
        "guess": pl.Float64,
        "status": pl.String,
        "seconds": pl.Float64,
        "cost_dollars": pl.Float64,
        "raw_answer": pl.String,
    }
    return pl.DataFrame(rows, schema=schema, orient="row")


def read_reply(reply: Reply) -> tuple[float | None, str]:
    """The price in a reply and its status: answer, refusal, unparsable or failed."""
    if reply.finish == FAILED or reply.text is None:
        return None, "failed"
    if reply.finish in ("refusal", "content_filter"):
        return None, "refusal"
    read = read_price(reply.text, is_cut=reply.finish == "length")
    return read.price, read.status
