"""What can be said of hosted models without importing them."""

from pricer.models.contract import ModelKind, Setting
from pricer.models.costs import linear

HOSTED = ModelKind(
    name="hosted",
    title="Hosted language model",
    family="hosted",
    reads="text",
    explanation="Asks a language model at a provider, or one that another program serves here, by a prompt.",
    place="pricer.models.hosted:Hosted",
    settings=(
        Setting("provider", "openai", explanation="Who is asked: python -m pricer providers lists them."),
        Setting("model", "", explanation="As the provider names it."),
        Setting("prompt", "plain", explanation="A preset, or a saved prompt: NAME, NAME@2 or its id."),
        Setting("concurrency", 8, 1, 256, "How many questions are under way at once."),
        Setting("seconds", 120.0, 1.0, 3600.0, "How long one answer may take, to its last letter."),
        Setting(
            "batch",
            "no",
            choices=("no", "yes"),
            explanation="One file, answered within a day, usually at half the price, where the provider has that.",
        ),
    ),
    estimate=linear(1.0, 0.01, 250, 4.8),
    quotes=True,
    learns=False,
    asks_validation=False,
)
