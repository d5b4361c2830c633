"""What the model of a recorded run has learned, with the names that its train gives."""

import polars as pl

from pricer.models import Learned, Model, TellsWhatItLearned
from pricer.runs.store import Run, list_runs
from pricer.runs.training import read_train

MOST_ITEMS = 20_000  # of train that are looked through


def what_it_learned(run: Run, model: Model) -> list[Learned]:
    """The tables of a run's model, which is loaded already; none where its kind has nothing that a person could read.

    PricerError where the run's dataset is gone.
    """
    if not isinstance(model, TellsWhatItLearned):
        return []
    some = min(run.manifest.first_n or MOST_ITEMS, MOST_ITEMS)
    told = model.learned(read_train(run.dataset(), run.manifest.model, some))
    return [Learned(part.title, part.note, _with_names(part.table)) for part in told]


def _with_names(table: pl.DataFrame) -> pl.DataFrame:
    """Runs by name instead of id, where the table is of runs."""
    if "run" not in table.columns:
        return table
    return table.with_columns(pl.col("run").replace({run.id: run.name for run in list_runs()}))
