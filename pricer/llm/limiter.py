"""How fast one key may ask: a bucket of turns that fills at the account's rate, and pauses that a provider asks for.

A key has one limiter in a process, whoever uses it; among processes, jobs of one key run one after the other.
"""

import random
import threading
import time
from functools import cache

_MOST_JITTER = 1.0  # seconds, so that those who waited do not come back all at once


class Limiter:
    """Gives out turns, to any thread."""

    def __init__(self, per_minute: int | None = None):
        self.is_trusted = False  # whether the key was accepted once
        self._lock = threading.Lock()
        self._paused_until = 0.0
        self._per_second: float | None = None
        self._turns = self._filled = 0.0
        self.set_rate(per_minute)

    def set_rate(self, per_minute: int | None) -> None:
        """Turns for a minute from now on, ten seconds' worth of them at once; None for any number."""
        per_second = per_minute and per_minute / 60
        with self._lock:
            if per_second != self._per_second:
                self._per_second, self._filled = per_second, time.monotonic()
                self._turns = self._most() if per_second else 0.0

    def pause(self, seconds: float) -> None:
        """Give no turn for so long, because the provider said so."""
        with self._lock:
            self._paused_until = max(self._paused_until, time.monotonic() + seconds)

    def take(self) -> float:
        """Take a turn, which gives 0, or say after how many seconds to try again."""
        with self._lock:
            now = time.monotonic()
            if now < self._paused_until:
                wait = self._paused_until - now
                return wait + random.uniform(0, min(_MOST_JITTER, wait / 4))
            if self._per_second is None:
                return 0.0
            self._turns = min(self._most(), self._turns + (now - self._filled) * self._per_second)
            self._filled = now
            if self._turns < 1:
                return (1 - self._turns) / self._per_second
            self._turns -= 1
            return 0.0

    def _most(self) -> float:
        return max(1.0, 10 * self._per_second)


@cache
def limiter_of(key: str) -> Limiter:
    """The limiter of a key, or of an address that asks for none."""
    return Limiter()
