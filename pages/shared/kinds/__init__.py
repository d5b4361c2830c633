"""What Train shows of single models beside their settings, by the name of the model.

A panel gets the dataset in use and the order as it stands; it draws, and gives nothing back.
"""

from collections.abc import Callable

from pages.shared.kinds.hosted import hosted_choices, show_hosted
from pages.shared.kinds.open_weight import show_base
from pages.shared.kinds.qlora import show_tuning
from pricer.curation.dataset import Dataset
from pricer.runs.training import Order

PANELS: dict[str, Callable[[Dataset, Order], None]] = {
    "hosted": show_hosted,
    "open-weight": show_base,
    "qlora": show_tuning,
}
# What may be picked for a setting that is text, by the setting's name; None where it is only typed.
OFFERS: dict[str, Callable[[str], list[str] | None]] = {"hosted": hosted_choices}
