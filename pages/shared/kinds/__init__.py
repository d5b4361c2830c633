"""What Train shows of single models beside their settings, by the name of the model.

A panel gets the model's kind, the dataset in use, and the settings that were stated; it draws, and gives nothing back.
"""

from collections.abc import Callable

from pages.shared.kinds.qlora import show_tuning
from pricer.curation.dataset import Dataset
from pricer.models import ModelKind, Value

PANELS: dict[str, Callable[[ModelKind, Dataset, dict[str, Value]], None]] = {"qlora": show_tuning}
