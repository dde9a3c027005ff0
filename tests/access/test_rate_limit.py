"""Rates."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dreamcanvas.access.rate_limit import SWEEP, Bucket, Buckets


def test_a_burst_at_once_then_the_rate() -> None:
    bucket = Bucket(rate=10, burst=5)
    for _ in range(5):
        assert bucket.wait(0.0, 1) == 0
        bucket.take(0.0, 1)
    assert bucket.wait(0.0, 1) == pytest.approx(0.1)
    assert bucket.wait(0.1, 1) == 0


def test_waiting_as_long_as_it_says_is_enough() -> None:
    bucket = Bucket(rate=3, burst=7)
    bucket.take(5.0, 7)
    wait = bucket.wait(5.0, 4)
    assert bucket.wait(5.0 + wait, 4) == pytest.approx(0, abs=1e-9)


def test_more_than_the_burst_is_taken_from_a_full_bucket() -> None:
    bucket = Bucket(rate=1, burst=2)
    assert bucket.wait(0.0, 100) == 0
    bucket.take(0.0, 100)
    assert bucket.wait(0.0, 1) == pytest.approx(99)


def test_a_rate_of_0_is_no_limit() -> None:
    bucket = Bucket(rate=0, burst=0)
    bucket.take(0.0, 10**9)
    assert bucket.wait(0.0, 10**9) == 0


@given(st.lists(st.tuples(st.floats(0, 2), st.integers(1, 20)), max_size=60))
def test_never_more_than_burst_and_rate(steps: list[tuple[float, int]]) -> None:
    bucket = Bucket(rate=10, burst=30)
    now, taken = 0.0, 0
    for pause, cost in steps:
        now += pause
        if bucket.wait(now, cost) == 0:
            bucket.take(now, cost)
            taken += cost
    assert taken <= 30 + 10 * now + 1e-6


def test_keys_have_buckets_of_their_own() -> None:
    buckets = Buckets(rate=1, burst=1)
    buckets.get("a", 0.0).take(0.0, 1)
    assert buckets.get("a", 0.0).wait(0.0, 1) > 0
    assert buckets.get("b", 0.0).wait(0.0, 1) == 0


def test_full_buckets_are_forgotten() -> None:
    buckets = Buckets(rate=1, burst=1)
    for key in range(10 * SWEEP):
        buckets.get(key, float(key)).take(float(key), 1)
    assert len(buckets) <= SWEEP + 1
