"""Rates, by the generic cell rate algorithm (ITU-T I.371, Annex A). Pure: no clock."""

from collections.abc import Hashable
from typing import Final

SWEEP: Final = 1024  # buckets from which on those that are full again are looked for and dropped


class Bucket:
    """A limit of `rate` units a second in the long run, and `burst` at once. A rate of 0 is no limit.

    It stores one number: the time at which it is full again if nothing more is taken.
    """

    __slots__ = ("_burst", "_full_at", "_rate")

    def __init__(self, rate: float, burst: float) -> None:
        self._rate = rate
        self._burst = burst
        self._full_at = 0.0

    def wait(self, now: float, cost: float) -> float:
        """Return the seconds until `cost` units may be taken; 0 is now. `now` is in seconds on any clock.

        A cost of more than the burst may be taken when the bucket is full; else it would wait for ever.
        """
        if not self._rate:
            return 0.0
        spare = (self._burst - min(cost, self._burst)) / self._rate
        return max(0.0, self._full_at - now - spare)

    def take(self, now: float, cost: float) -> None:
        """Take `cost` units, also where that is more than there is: what follows waits longer."""
        if self._rate:
            self._full_at = max(self._full_at, now) + cost / self._rate

    def full(self, now: float) -> bool:
        """Return whether the bucket is full, and so the same as a new one."""
        return self._full_at <= now


class Buckets:
    """A bucket for each key. Full ones are dropped from time to time: a new one would be the same."""

    def __init__(self, rate: float, burst: float) -> None:
        self._rate = rate
        self._burst = burst
        self._buckets: dict[Hashable, Bucket] = {}
        self._sweep_at = SWEEP

    def __len__(self) -> int:
        return len(self._buckets)

    def get(self, key: Hashable, now: float) -> Bucket:
        """Return the bucket of a key, a new one where there is none."""
        bucket = self._buckets.get(key)
        if bucket is None:
            if len(self._buckets) >= self._sweep_at:
                self._buckets = {key: kept for key, kept in self._buckets.items() if not kept.full(now)}
                # Twice as many as were kept, so that a sweep costs each new bucket the same on average
                self._sweep_at = max(SWEEP, 2 * len(self._buckets))
            bucket = self._buckets[key] = Bucket(self._rate, self._burst)
        return bucket
