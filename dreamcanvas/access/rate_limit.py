"""Rates, by the generic cell rate algorithm (ITU-T I.371, Annex A). Pure: no clock."""

from collections.abc import Hashable
from typing import Final

SWEEP: Final = 1024


class Bucket:
    """`rate` units a second in the long run, and up to `burst` at once. A rate of 0 is no limit."""

    __slots__ = ("_burst", "_full_at", "_rate")

    def __init__(self, rate: float, burst: float) -> None:
        self._rate = rate
        self._burst = burst
        self._full_at = 0.0

    def wait(self, now: float, cost: float) -> float:
        """Seconds until `cost` units may be taken, 0 where now. `now` is in seconds on any clock.

        More than the burst at once is taken when the bucket is full.
        """
        if not self._rate:
            return 0.0
        spare = (self._burst - min(cost, self._burst)) / self._rate
        return max(0.0, self._full_at - now - spare)

    def take(self, now: float, cost: float) -> None:
        """Takes `cost` units."""
        if self._rate:
            self._full_at = max(self._full_at, now) + cost / self._rate

    def full(self, now: float) -> bool:
        """Whether nothing is owed: a bucket like new."""
        return self._full_at <= now


class Buckets:
    """A bucket for each key; those that are like new are forgotten."""

    def __init__(self, rate: float, burst: float) -> None:
        self._rate = rate
        self._burst = burst
        self._buckets: dict[Hashable, Bucket] = {}
        self._sweep_at = SWEEP

    def __len__(self) -> int:
        return len(self._buckets)

    def get(self, key: Hashable, now: float) -> Bucket:
        """The bucket of a key."""
        bucket = self._buckets.get(key)
        if bucket is None:
            if len(self._buckets) >= self._sweep_at:
                self._buckets = {key: kept for key, kept in self._buckets.items() if not kept.full(now)}
                self._sweep_at = max(SWEEP, 2 * len(self._buckets))
            bucket = self._buckets[key] = Bucket(self._rate, self._burst)
        return bucket
