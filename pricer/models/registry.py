"""Which models there are, and making one by name.

Importing this module imports no model: pages list models without waiting for what fits them.
"""

from collections.abc import Mapping

from pricer.errors import PricerError
from pricer.models.contract import Model, ModelKind, Setting, Value, in_words
from pricer.models.costs import boosted, deep_network, everything, forest, linear, network, sparse_network, word2vec
from pricer.models.hosted_kind import HOSTED
from pricer.models.open_weight_kind import OPEN_WEIGHT
from pricer.models.qlora_kind import QLORA

DIMENSIONS = Setting("dimensions", 400, 2, 2000, "How many numbers stand for a word.")

MODELS: dict[str, ModelKind] = {
    "random": ModelKind(
        name="random",
        title="Random dollars",
        family="yardstick",
        reads="nothing",
        explanation="Draws any whole dollar from $1 to $999, each as likely: the worst that one can do.",
        place="pricer.models.yardsticks:Random",
        estimate=linear(0.1, 0.004, 150, 3.3),
    ),
    "mean": ModelKind(
        name="mean",
        title="Mean price",
        family="yardstick",
        reads="nothing",
        explanation="Guesses the mean price of train, whatever the product; a model has to beat it.",
        place="pricer.models.yardsticks:Mean",
        estimate=linear(0.1, 0.004, 150, 3.3),
    ),
    "median": ModelKind(
        name="median",
        title="Median price",
        family="yardstick",
        reads="nothing",
        explanation="Guesses the median price of train: of all constants the one with the least error on train.",
        place="pricer.models.yardsticks:Median",
        estimate=linear(0.1, 0.004, 150, 3.3),
    ),
    "category-median": ModelKind(
        name="category-median",
        title="Median of the category",
        family="yardstick",
        reads="nothing",
        explanation="Guesses the median price of the product's category in train, and reads no word.",
        place="pricer.models.yardsticks:CategoryMedian",
        estimate=linear(0.1, 0.004, 150, 3.3),
    ),
    "features": ModelKind(
        name="features",
        title="Four features",
        family="words",
        reads="text",
        explanation="Fits a straight line through weight, best-seller rank, length of text and top electronics brand.",
        place="pricer.models.features:Features",
        estimate=linear(1.0, 0.03, 250, 4.8),
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
    "word2vec-linear": ModelKind(
        name="word2vec-linear",
        title="Word vectors, straight line",
        family="words",
        reads="text",
        explanation="Learns a vector for every word, averages those of the text and fits a straight line.",
        place="pricer.models.word2vec:Word2VecLinear",
        settings=(DIMENSIONS,),
        estimate=word2vec(6),
    ),
    "word2vec-svr": ModelKind(
        name="word2vec-svr",
        title="Word vectors, support vectors",
        family="words",
        reads="text",
        explanation="The same vectors, and a line that minds absolute errors: linear support vector regression.",
        place="pricer.models.word2vec:Word2VecSvr",
        settings=(DIMENSIONS,),
        estimate=word2vec(12),
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
    "neighbours": ModelKind(
        name="neighbours",
        title="Nearest neighbours",
        family="words",
        reads="full_text",
        explanation="Finds the items of train whose full texts are most alike, and guesses the middle of their prices.",
        place="pricer.models.neighbours:Neighbours",
        settings=(
            Setting("neighbours", 10, 1, 1000, "How many of the most alike items have a say; nearer ones say more."),
            Setting("among", 50_000, 1, 1_000_000, "How many random items of train are looked at; more is slower."),
        ),
        estimate=linear(1.0, 0.4, 360, 12.2),
    ),
    "boosting": ModelKind(
        name="boosting",
        title="Boosted trees on everything",
        family="trees",
        reads="full_text",
        explanation="Grows trees on what words, neighbours, stated numbers and shops say of the price.",
        place="pricer.models.boosting:Boosting",
        settings=(
            Setting("trees", 600, 1, 10_000, "How many trees are grown; more fit train more closely."),
            Setting("depth", 6, 1, 12, "How many questions a tree asks of an item."),
            Setting("learning_rate", 0.05, 0.001, 1.0, "How much of each tree counts: less is more cautious."),
        ),
        estimate=everything,
    ),
    "word2vec-forest": ModelKind(
        name="word2vec-forest",
        title="Word vectors, random forest",
        family="trees",
        reads="text",
        explanation="The same vectors, and the mean of many trees, each grown on a random draw of the items.",
        place="pricer.models.word2vec:Word2VecForest",
        settings=(DIMENSIONS, Setting("trees", 100, 1, 2000, "How many trees are averaged; more take longer.")),
        estimate=forest,
    ),
    "xgboost": ModelKind(
        name="xgboost",
        title="Boosted trees on words",
        family="trees",
        reads="text",
        explanation="Counts words and grows small trees one after the other, each on what those before it missed.",
        place="pricer.models.xgboosted:XGBoost",
        settings=(
            Setting("words", 2000, 1, 20_000, "How many of the most frequent words are counted."),
            Setting("trees", 1000, 1, 10_000, "How many trees are grown; more fit train more closely."),
        ),
        estimate=boosted,
    ),
    "bins": ModelKind(
        name="bins",
        title="Words to a distribution",
        family="networks",
        reads="full_text",
        explanation="A network on all words that says how likely every whole dollar is; the guess is the median.",
        place="pricer.models.bins:Bins",
        settings=(
            Setting("bins", 64, 2, 500, "Into how many equal shares the prices of train are cut."),
            Setting("width", 128, 1, 2048, "How many numbers stand for a word."),
            Setting("epochs", 6, 1, 100, "How often train is gone through."),
        ),
        estimate=sparse_network,
    ),
    "network": ModelKind(
        name="network",
        title="Small network",
        family="networks",
        reads="text",
        explanation="Eight layers on hashed words, 669,249 weights, fitted to the price in dollars.",
        place="pricer.models.networks:Network",
        settings=(Setting("epochs", 2, 1, 100, "How often train is gone through."),),
        estimate=network,
    ),
    "deep-network": ModelKind(
        name="deep-network",
        title="Deep residual network",
        family="networks",
        reads="text",
        explanation="A wide layer and residual blocks on hashed words, fitted to the logarithm of the price.",
        place="pricer.models.networks:DeepNetwork",
        settings=(
            Setting("width", 4096, 1, 8192, "Units of each layer; twice as many take four times as long."),
            Setting("blocks", 8, 0, 64, "Residual blocks of two layers each."),
            Setting("epochs", 5, 1, 100, "How often train is gone through."),
        ),
        estimate=deep_network,
    ),
}

# Language models, asked in words: they come fitted from elsewhere, and some are tuned on train.
LANGUAGE_MODELS: dict[str, ModelKind] = {"hosted": HOSTED, "open-weight": OPEN_WEIGHT, "qlora": QLORA}

# What is made of runs, or of answers from elsewhere: no model of its own can be trained.
STACK = ModelKind(
    name="stack",
    title="Stack of runs",
    family="stack",
    reads="full_text",
    explanation="Adds up what other runs' models guess, each weighed by what it is worth on validation.",
    place="pricer.models.stack:Stack",
    estimate=linear(2.0, 0.1, 600, 15),
)


def make_model(name: str, seed: int = 42, **settings: Value) -> Model:
    """Make a model that has learned nothing yet.

    PricerError for a name or setting that there is not, or a value out of its range.
    """
    kind = find_kind(name)
    if not isinstance(seed, int) or isinstance(seed, bool) or not 0 <= seed < 2**63:
        raise PricerError(f"seed must be a whole number from 0 to 2^63 - 1, got {seed!r}")
    return kind.find_class()(seed=seed, **kind.check_settings(settings))


def find_kind(name: str) -> ModelKind:
    """The entry of that name, a language model's and the stack's too; PricerError where there is none."""
    kinds = trainable_kinds()
    if name == STACK.name:
        return STACK
    if not isinstance(name, str) or name not in kinds:
        raise PricerError(f"there is no model {name!r}; models: {', '.join(kinds)}")
    return kinds[name]


def settings_in_words(model: str, settings: Mapping[str, Value]) -> str:
    """Settings as tables have them, those left open not told; empty where none is left.

    >>> settings_in_words("tfidf-ridge", {"alpha": 0.3}), settings_in_words("qlora", {"r": 0, "preset": "modest"})
    ('alpha 0.3', 'preset modest')
    """
    left_open = {each.name: each.default for each in find_kind(model).settings if each.unset} if settings else {}
    return ", ".join(in_words(name, value) for name, value in settings.items() if left_open.get(name) != value)


def trainable_kinds() -> dict[str, ModelKind]:
    """Every model that `train` takes, by name: those that learn here alone, then the language models."""
    return MODELS | LANGUAGE_MODELS
