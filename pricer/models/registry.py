"""Which models there are, and making one by name.

Importing this module imports no model: pages list models without waiting for what fits them.
"""

from pricer.errors import PricerError
from pricer.models.contract import Model, ModelKind, Setting
from pricer.models.costs import linear

MODELS: dict[str, ModelKind] = {
    "mean": ModelKind(
        name="mean",
        title="Mean price",
        family="yardstick",
        reads="nothing",
        explanation="Guesses the mean price of train, whatever the product; a model has to beat it.",
        place="pricer.models.yardsticks:Mean",
        estimate=linear(0.1, 0.004, 150, 3.3),
    ),
    "bag-of-words": ModelKind(
        name="bag-of-words",
        title="Bag of words",
        family="words",
        reads="text",
        explanation="Counts the most frequent words of the text and fits a straight line through the counts.",
        place="pricer.models.words:BagOfWords",
        settings=(Setting("words", 1000, 1, 20_000, "How many of the most frequent words are counted."),),
        estimate=linear(1.0, 0.15, 250, 4.8),
    ),
    "tfidf-ridge": ModelKind(
        name="tfidf-ridge",
        title="Words and word pairs",
        family="words",
        reads="full_text",
        explanation="Weighs every word and pair of neighbouring words of the full text, rare ones more, on log price.",
        place="pricer.models.words:TfidfRidge",
        settings=(
            Setting("alpha", 0.3, 0.001, 1000.0, "How strongly weights are held near zero: more is more cautious."),
        ),
        estimate=linear(1.0, 0.45, 360, 12.2),
    ),
}


def make_model(name: str, seed: int = 42, **settings: int | float) -> Model:
    """Make a model that has learned nothing yet.

    PricerError for a name or setting that there is not, or a value out of its range.
    """
    kind = find_kind(name)
    if not isinstance(seed, int) or isinstance(seed, bool) or not 0 <= seed < 2**63:
        raise PricerError(f"seed must be a whole number from 0 to 2^63 - 1, got {seed!r}")
    return kind.find_class()(seed=seed, **kind.check_settings(settings))


def find_kind(name: str) -> ModelKind:
    """The entry of that name; PricerError where there is none."""
    if not isinstance(name, str) or name not in MODELS:
        raise PricerError(f"there is no model {name!r}; models: {', '.join(MODELS)}")
    return MODELS[name]
