"""A passage takes the canvas region after region, and all of it in the end."""

from itertools import pairwise

import numpy as np

from dreamcanvas.dream.transition import SHORE, new_share


def test_it_begins_with_nothing_new_and_ends_with_nothing_old() -> None:
    assert not new_share(0.0, 1).any()
    assert (new_share(1.0, 1) == 1).all()


def test_the_tide_rises_everywhere_and_evenly() -> None:
    shares = [new_share(step / 20, 3) for step in range(21)]
    for before, after in pairwise(shares):
        assert (after >= before).all()
        assert after.mean() - before.mean() < 0.09
    assert abs(float(shares[10].mean()) - 0.5) < 0.05


def test_halfway_some_regions_have_changed_and_some_have_not() -> None:
    half = new_share(0.5, 5)
    assert (half == 1).mean() > 0.2
    assert (half == 0).mean() > 0.2
    assert ((half > 0) & (half < 1)).mean() < 1.05 * SHORE
    assert np.abs(np.diff(half, axis=1)).max() < 0.25  # no edge


def test_the_seed_decides_which_region_comes_first() -> None:
    np.testing.assert_array_equal(new_share(0.4, 1), new_share(0.4, 1))
    assert np.abs(new_share(0.4, 1) - new_share(0.4, 2)).mean() > 0.1
