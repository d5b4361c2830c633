"""What fitting will take, told before it starts: measured once, as functions of the number of items and of settings."""

from collections.abc import Callable

from pricer.models.contract import Estimate

MIB = 1 << 20


def linear(seconds: float, seconds_per_1000: float, mib: float, mib_per_1000: float) -> Callable[..., Estimate]:
    """A start, and so much for each 1,000 items, whatever the settings.

    Measured by `benchmarks/models.py --costs` on two cores at 1,000 to 158,000 generated items, whose full texts have
    1,600 characters; shorter ones take less. Times moved by half with what else the machine did.
    """

    def estimate(train_items: int, **settings: float) -> Estimate:
        thousands = train_items / 1000
        return Estimate(seconds + seconds_per_1000 * thousands, int((mib + mib_per_1000 * thousands) * MIB))

    return estimate
