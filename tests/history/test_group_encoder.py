"""Seconds of a movie: each begins with what was on the screen, but for what somebody has drawn."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dreamcanvas.history import movie
from dreamcanvas.history.group_encoder import BLOCK, CARRIED, Quality, add, difference
from dreamcanvas.history.windows import FPS

SIDE = 192
SHAPE = (SIDE * 3 // 2, SIDE)  # of the planes in yuv420p
COUNT = 2 * FPS + 10


def texture() -> Iterator[NDArray[np.uint8]]:
    """A dream of a kind: coarse noise that turns into other noise, a little with each frame."""
    random = np.random.default_rng(5)
    one, other = (random.normal(0, 30, (SIDE // 2, SIDE // 2, 3)).repeat(2, 0).repeat(2, 1) for _ in range(2))
    for angle in np.linspace(0, 1, COUNT):
        levels = 128 + one * np.cos(angle) + other * np.sin(angle) + random.normal(0, 2, one.shape)
        yield np.clip(levels, 0, 255).astype(np.uint8)


def jump(path: Path) -> float:
    """By how many levels pixels change on average where a second begins."""
    shown = [np.asarray(movie.to_image(frame), dtype=np.int16) for frame in movie.decode(path)]
    assert len(shown) == COUNT
    changes = [float(np.abs(after - before).mean()) for before, after in pairwise(shown)]
    return float(np.mean(changes[FPS - 1 :: FPS]))


def test_a_texture_does_not_jump_at_each_second(tmp_path: Path) -> None:
    made = {carry: tmp_path / f"{carry}.mp4" for carry in (False, True)}
    for carry, path in made.items():
        with movie.Writer(path, SIDE, Quality(26, "superfast", 1), {}, carry=carry) as writer:
            for levels in texture():
                writer.add(movie.from_image(Image.fromarray(levels)))
    assert jump(made[True]) < 0.6 * jump(made[False])
    assert made[True].stat().st_size < 1.3 * made[False].stat().st_size


def noise(levels: int) -> NDArray[np.uint8]:
    """Planes of which half of each block is so much brighter than 100, the other darker."""
    signs = np.indices(SHAPE).sum(axis=0) % 2 * 2 - 1
    return np.asarray(100 + levels * signs, dtype=np.uint8)


def test_a_small_difference_is_carried_whole_and_fades() -> None:
    shown, planes = noise(CARRIED), noise(0)
    carried = difference(shown, planes)
    assert np.array_equal(add(planes, carried, 0), shown)
    left = [np.abs(add(planes, carried, place).astype(int) - planes).max() for place in range(FPS)]
    assert left == sorted(left, reverse=True)
    assert left[-1] == 0


def test_what_somebody_has_drawn_comes_at_once() -> None:
    planes = noise(0)
    assert not difference(noise(2 * CARRIED), planes).any()
    assert not difference(noise(100), planes).any()
    assert np.abs(difference(noise(CARRIED + 6), planes)).max() == CARRIED - 6


def test_a_change_of_colour_comes_at_once() -> None:
    planes = noise(3)
    assert not difference(planes + 5, planes).any()
    planes[: BLOCK * 2, :BLOCK] += 9
    assert not difference(noise(3), planes).any()


def test_white_stays_white() -> None:
    white = np.full(SHAPE, 255, np.uint8)
    assert add(white, np.full(SHAPE, CARRIED, np.int16), 0).min() == 255
    assert add(0 * white, np.full(SHAPE, -CARRIED, np.int16), 0).max() == 0
