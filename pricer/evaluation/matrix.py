"""Every two runs on the items that both were asked, all at once: differences, intervals, ties."""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from pricer.evaluation.comparison import NORMAL, Paired, compare, error_matrix, ranked, require_same_exam
from pricer.evaluation.errors import GradedRun, Reading, asked, point_metrics, price_bands
from pricer.evaluation.intervals import CONFIDENCE, estimates
from pricer.evaluation.scoring import DEFAULT, Scoring, scored


@dataclass(frozen=True)
class Matrix:
    """Runs as `comparison.ranked` orders them, best first, and how each compares with each other one."""

    runs: tuple[str, ...]  # ids
    pairs: dict[tuple[str, str], Paired]  # of every run with each that stands before it: its error less the other's
    joint: bool  # whether the intervals hold together, not each for itself

    def pair(self, run: str, other: str) -> Paired:
        """How many dollars more a run errs than the other, whichever stands first."""
        if (run, other) in self.pairs:
            return self.pairs[run, other]
        found = self.pairs[other, run]
        if found.difference is None:
            return found
        low, high = (None, None) if found.low is None else (-found.high, -found.low)
        return Paired(-found.difference, low, high, found.items, found.tied, found.items_to_settle)

    @property
    def ties(self) -> int:
        return sum(pair.tied for pair in self.pairs.values())


def paired_matrix(
    runs: list[GradedRun],
    reading: Reading = "natural",
    scoring: Scoring = DEFAULT,
    joint: bool = False,
    seed: int = 0,
    k: int | None = None,
) -> Matrix:
    """Compare every two runs item by item, or by the first k, as `comparison.paired` does, from one set of resamples.

    Of thirty runs' 435 pairs about 22 would differ by chance alone, each at 95 %. With `joint` all intervals hold
    together with 95 %, so that any difference that is found stands; they are wider for it. Raises PricerError where
    runs were graded on different exams.
    """
    require_same_exam(runs)
    tables = [scored(asked(run.table, reading, k), run.train_median, scoring) for run in runs]
    items, errors = error_matrix(tables)
    order, _ = ranked(runs, [point_metrics(table, reading) for table in tables], reading)
    groups = items["group"].to_numpy()
    bands = price_bands(items) if reading == "balanced" else None
    places = [(order[row], order[column]) for row in range(len(order)) for column in range(row)]
    pairs: dict[tuple[str, str], Paired] = {}
    alike = _by_items(~np.isnan(errors), places)
    # Each lot of pairs with the same items holds together; all lots do if none of them fails (Bonferroni).
    confidence = 1 - (1 - CONFIDENCE) / max(1, len(alike)) if joint else CONFIDENCE
    for members in alike.values():
        common = ~np.isnan(errors[:, members[0][0]]) & ~np.isnan(errors[:, members[0][1]])
        values = np.column_stack([errors[common, run] - errors[common, other] for run, other in members])
        own_bands = None if bands is None else bands[common]
        found = estimates(values, groups[common], own_bands, seed, confidence, joint)
        for (run, other), interval, quantile in zip(members, found.intervals(), found.quantile, strict=True):
            reached = float(quantile) if joint and np.isfinite(quantile) and quantile > 0 else NORMAL
            pairs[runs[run].id, runs[other].id] = compare(interval, int(common.sum()), reached)
    return Matrix(tuple(runs[place].id for place in order), pairs, joint)


def _by_items(known: np.ndarray, places: list[tuple[int, int]]) -> dict[bytes, list[tuple[int, int]]]:
    """The pairs that have the same items in common, which can share their resamples."""
    alike = defaultdict(list)
    for run, other in places:
        alike[np.packbits(known[:, run] & known[:, other]).tobytes()].append((run, other))
    return alike
