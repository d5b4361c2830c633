"""Ways to guess a price, behind one contract.

    from pricer.models import MODELS, load, make_model

    model = make_model("tfidf-ridge", alpha=0.3).fit(train, validation)
    model.save(folder)
    guesses = load(folder).predict(items)

A model is a module of its family here, a line in `pricer.models.registry.MODELS`, and passes `tests/test_models.py`.
"""

from pricer.models.contract import (
    Answers,
    Estimate,
    GivesDistribution,
    Model,
    ModelKind,
    Setting,
    Value,
    in_words,
    without_price,
)
from pricer.models.learned import Learned, TellsWhatItLearned
from pricer.models.registry import LANGUAGE_MODELS, MODELS, make_model, settings_in_words
from pricer.models.saving import load

__all__ = [
    "LANGUAGE_MODELS",
    "MODELS",
    "Answers",
    "Estimate",
    "GivesDistribution",
    "Learned",
    "Model",
    "ModelKind",
    "Setting",
    "TellsWhatItLearned",
    "Value",
    "in_words",
    "load",
    "make_model",
    "settings_in_words",
    "without_price",
]
