"""The form of a fine-tuning: where, which base model, on how many rows, how."""

import streamlit as st

from pages.shared.widgets import plain
from pricer.curation.dataset import Dataset
from pricer.errors import PricerError
from pricer.llm.prompts import CHATS
from pricer.llm.providers import Provider, list_providers
from pricer.llm.tuning import adapter_class
from pricer.llm.tuning.prices import SUGGESTED, usual_price
from pricer.runs.experiments import dataset_label
from pricer.runs.tuning_orders import make_order
from pricer.runs.tunings import ROWS, TuneOrder

KEPT = {"persist_state": "session"}
OWN = "Own"
CHOICES = {"first": "First n, at random", "balanced": "Balanced by price"}
PROMPTS = {"notebook-1": "First notebook", "notebook-2": "Second notebook"}
USUAL_GRADE = 250
EPOCHS_HELP = (
    "How often every row is shown. One is best here: with prices, more rows have brought more than showing few of them "
    "again (20,000 rows once beat 200 rows by far), and each further epoch costs as much as the first."
)
RATE_HELP = "Multiplies the host's own learning rate. The first notebook's host chose 1.8. Empty leaves it to the host."


def tuning_providers() -> list[Provider]:
    """The providers whose models can be tuned."""
    return [provider for provider in list_providers() if provider.tunes]


def fill_form(order: TuneOrder) -> None:
    """Make every control stand as an order says: *change and run again*."""
    sizes = (order.train, order.validation)
    preset = next((name for name, rows in ROWS.items() if rows == sizes), OWN)
    values = {
        "provider": order.provider,
        f"model_{order.provider}": order.model,
        "preset": preset,
        "train": order.train,
        "validation": order.validation,
        "choice": order.choice,
        "prompt": order.prompt,
        "epochs": order.epochs,
        "batch": order.batch_size,
        "rate": order.learning_rate_multiplier,
        "seed": order.seed,
        "suffix": order.suffix,
        "wandb": order.wandb or "",
        "most_tokens": order.most_tokens,
        f"dollars_{order.provider}_{order.model}": order.dollars,
        "grade": order.grade is not None,
        "grade_k": order.grade or USUAL_GRADE,
    }
    for name, value in values.items():
        st.session_state[f"tuning_{name}"] = value


def choose_provider() -> Provider:
    providers = {provider.name: provider for provider in tuning_providers()}
    names = {name: provider.title for name, provider in providers.items()}
    _default("provider", "openai")
    name = st.selectbox("Host", list(names), format_func=names.get, key="tuning_provider", **KEPT)
    return providers[name]


def choose_order(provider: Provider, dataset: Dataset) -> TuneOrder | None:
    """What is to be tuned, as the controls stand; None, with the reason on the page, where that is no order."""
    suggested = SUGGESTED.get(provider.tunes or "", ())
    key = f"model_{provider.name}"
    _default(key, suggested[0] if suggested else None)
    stated = st.session_state[f"tuning_{key}"]
    offered = [*suggested, *([stated] if stated and stated not in suggested else [])]
    model = st.selectbox(
        "Base model", offered, key=f"tuning_{key}", accept_new_options=True, placeholder="type the host's name of it",
        help="Any other can be typed, as the host names it.", **KEPT,
    )  # fmt: skip
    facts = {"provider": provider.name, "model": model or "", "dataset": dataset_label(dataset)}
    facts |= _choose_rows(dataset)
    _default("epochs", 1)
    with st.container(gap="xsmall"):
        facts["epochs"] = st.number_input("Epochs", 1, 50, key="tuning_epochs", help=EPOCHS_HELP, **KEPT)
        st.caption("One is usual: more rows beat more epochs, and each epoch is paid.")
    with st.expander("More settings", icon=":material/tune:", key="tuning_more"):
        facts |= _choose_more(provider, model or "")
    facts |= _choose_grading()
    if not model:
        st.info("Choose a base model, or type its name.", icon=":material/info:")
        return None
    try:
        return make_order(**facts)
    except PricerError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return None


def _choose_rows(dataset: Dataset) -> dict:
    _default("preset", next(iter(ROWS)))
    preset = st.pills(
        "Rows to train on + to validate on", [*ROWS, OWN], required=True, wrap=True, key="tuning_preset", **KEPT
    )
    if preset == OWN:
        left, right = st.columns(2)
        _default("train", 2_000)
        _default("validation", 200)
        with left:
            train = st.number_input("Rows to train on", 10, 1_000_000, step=100, key="tuning_train", **KEPT)
        with right:
            validation = st.number_input("Rows to validate on", 10, 100_000, step=10, key="tuning_validation", **KEPT)
    else:
        train, validation = ROWS[preset]
    most = dataset.manifest.train
    if train > most:
        st.caption(plain(f"{dataset.name} has {most:,} rows to train on, so it will be those."))
    left, right = st.columns(2)
    _default("choice", "first")
    _default("prompt", "notebook-1")
    with left:
        choice = st.selectbox("Which rows", list(CHOICES), format_func=CHOICES.get, key="tuning_choice", **KEPT)
    with right:
        prompt = st.selectbox("Prompt", list(CHATS), format_func=_prompt_name, key="tuning_prompt", **KEPT)
    return {"train": train, "validation": validation, "choice": choice, "prompt": prompt}


def _prompt_name(name: str) -> str:
    return PROMPTS.get(name, name)


def _choose_more(provider: Provider, model: str) -> dict:
    left, right = st.columns(2)
    with left:
        batch = st.number_input("Batch size", 1, 256, None, placeholder="host's", key="tuning_batch", **KEPT)
        _default("seed", 42)
        seed = st.number_input("Seed", 0, 2**31 - 1, key="tuning_seed", **KEPT)
        usual = usual_price(provider, model)
        dollars = st.number_input(
            "Dollars a million tokens", 0.0, 10_000.0, None, 0.5, key=f"tuning_dollars_{provider.name}_{model}",
            placeholder="unknown" if usual is None else f"{usual:g}, as usual",
            help="What the host takes for training tokens. Prices age: look at its price list.", **KEPT,
        )  # fmt: skip
    with right:
        rate = st.number_input(
            "Learning-rate multiplier", 0.001, 100.0, None, 0.1, placeholder="host's", key="tuning_rate",
            help=RATE_HELP, format="%g", **KEPT,
        )  # fmt: skip
        _default("suffix", "pricer")
        suffix = st.text_input("Suffix", max_chars=18, key="tuning_suffix", help="In the model's name.", **KEPT)
        _default("most_tokens", 65_536)
        tokens = st.number_input("Most tokens in a row", 64, 10_000_000, key="tuning_most_tokens", **KEPT)
    wandb = ""
    if adapter_class(provider.tunes or "").takes_wandb:
        wandb = st.text_input(
            "Project at Weights & Biases", key="tuning_wandb", placeholder="none",
            help=f"{provider.title} sends losses there, if your account is joined to it in its settings.", **KEPT,
        )  # fmt: skip
    return {
        "batch_size": batch,
        "learning_rate_multiplier": rate,
        "seed": seed,
        "suffix": suffix.strip(),
        "wandb": wandb.strip() or None,
        "dollars": dollars,
        "most_tokens": tokens,
    }


def _choose_grading() -> dict:
    _default("grade", True)
    _default("grade_k", USUAL_GRADE)
    graded = st.toggle("Grade it beside its base when it is done", key="tuning_grade", **KEPT)
    if not graded:
        return {}
    first_k = st.number_input(
        "First k of the exam", 1, 100_000, key="tuning_grade_k", **KEPT,
        help="Both are asked the same items; that is paid too, and held by the same cap.",
    )  # fmt: skip
    return {"grade": first_k}


def _default(name: str, value: object) -> None:
    st.session_state.setdefault(f"tuning_{name}", value)
