"""How far boosting is, and how good: what XGBoost calls after each tree."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from pricer.progress import TRAINING_LOSS, VALIDATION_ERROR, VALIDATION_LOSS, Point, Report, Step

if TYPE_CHECKING:
    from xgboost import Booster
    from xgboost.callback import TrainingCallback

ROUNDS_BETWEEN_REPORTS = 10
ERRORS_MEASURED = 40  # on validation, in dollars, which asks all trees that there are
VALIDATED = 1000  # items of validation that are guessed for it
_LOSSES = (TRAINING_LOSS, VALIDATION_LOSS)  # of train and of validation, in the order of `eval_set`


def rounds_told(total: int, report: Report, error: Callable[["Booster"], float] | None = None) -> "TrainingCallback":
    """Reports every tenth tree with the losses so far, and now and then the validation error that `error` measures."""
    from xgboost.callback import TrainingCallback

    between_errors = ROUNDS_BETWEEN_REPORTS * max(1, total // (ROUNDS_BETWEEN_REPORTS * ERRORS_MEASURED))

    class RoundsTold(TrainingCallback):
        def after_iteration(self, model: "Booster", epoch: int, evals_log: dict) -> bool:
            done = epoch + 1
            if done % ROUNDS_BETWEEN_REPORTS == 0 or done == total:
                figures = {
                    name: float(next(iter(log.values()))[-1])
                    for name, log in zip(_LOSSES, evals_log.values(), strict=False)
                }
                if error and (done % between_errors == 0 or done == total):
                    figures[VALIDATION_ERROR] = error(model)
                report(Step("Growing trees", done, "trees", done / total, Point(done, "trees", figures)))
            return False

    return RoundsTold()
