"""What the canvas dreams, style by style: no seams on paper, no grid; and how it takes up fresh ink."""

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from dreamcanvas.canvas.ink import CURVE, Ink
from dreamcanvas.canvas.model import Dab, Operation
from dreamcanvas.dream.engine import Engine, Mask, Pixels
from dreamcanvas.dream.network import load_network, network_info
from dreamcanvas.dream.precision import resolve
from dreamcanvas.dream.settings import CANVAS
from dreamcanvas.dream.styles import load_styles, parse_expression

STYLES = load_styles("efficientnet_lite0")
INFO = network_info("efficientnet_lite0")
SIDE = 512
SEEDS = 8

Profile = NDArray[np.float64]


@pytest.fixture(scope="module")
def engine() -> Engine:
    """The canvas' own: in the precision that this processor is fastest in."""
    return Engine(load_network("efficientnet_lite0", resolve("auto")), CANVAS, max_traces=len(STYLES))


def profiles(engine: Engine, style: str) -> tuple[Profile, Profile]:
    """Give the mean change of white paper in two dreams, by rows and by columns, over all seeds."""
    expression = parse_expression(style, INFO)
    changes = np.zeros((SIDE, SIDE))
    for seed in range(SEEDS):
        pixels: Pixels = np.full((SIDE, SIDE, 3), 255, np.uint8)
        for dream in range(2):
            pixels = engine.dream(pixels, expression, 100 * seed + dream)
        changes += np.abs(pixels.astype(int) - 255).mean(axis=2)
    return changes.mean(axis=1), changes.mean(axis=0)


def stand_out(profile: Profile) -> Profile:
    """Give how far each row, with the two on each side of it, stands out of the 65 around it."""
    smooth = np.convolve(np.pad(profile, 2, "edge"), np.ones(5) / 5, "valid")
    around = np.lib.stride_tricks.sliding_window_view(np.pad(smooth, 32, "reflect"), 65)
    return np.asarray(smooth / np.median(around, axis=1))


def test_on_white_paper_no_line_stands_out_in_any_style(engine: Engine) -> None:
    """What all styles have in common, a seam or a grid, stands out of the mean of all of them."""
    all_lines = []
    for style in STYLES:
        lines = [stand_out(profile) for profile in profiles(engine, style.expression)]
        assert max(line.max() for line in lines) < 1.35, style.name
        all_lines += lines
    common = np.mean(all_lines, axis=0)
    assert common.max() < 1.1
    assert common.min() > 0.9


def test_the_borders_of_a_photograph_look_like_the_rest(engine: Engine, coffee: Pixels) -> None:
    picture = np.asarray(Image.fromarray(coffee).resize((384, 256), Image.Resampling.BICUBIC))
    pixels = picture
    for dream in range(4):
        pixels = engine.dream(pixels, parse_expression("b12_exp_pre^2", INFO), dream)
    change = np.abs(pixels.astype(int) - picture).mean(axis=2)
    border = np.concatenate(
        [change[:6].ravel(), change[-6:].ravel(), change[:, :6].ravel(), change[:, -6:].ravel()]
    )
    assert 0.7 < border.mean() / change.mean() < 1.3


def house(width: int, box: tuple[int, int, int, int]) -> tuple[Pixels, NDArray[np.bool_], list[Operation]]:
    """Give paper with the outline of a box in black lines, where the lines are, and their operations."""
    left, top, right, bottom = box
    edges = ((left, top, right, top), (right, top, right, bottom), (left, bottom, right, bottom))
    paper = Image.new("RGB", (SIDE, SIDE), "white")
    draw = ImageDraw.Draw(paper)
    dabs = []
    for x0, y0, x1, y1 in (*edges, (left, top, left, bottom)):
        draw.line((x0, y0, x1, y1), "black", round(0.7 * width))
        steps = max(abs(x1 - x0), abs(y1 - y0)) // 2
        dabs += [
            Dab(x0 + (x1 - x0) * step // steps, y0 + (y1 - y0) * step // steps, width, 0)
            for step in range(steps + 1)
        ]
    pixels = np.asarray(paper)
    operations = [Operation(seq, 0, 1, 1, dab) for seq, dab in enumerate(dabs, start=1)]
    return pixels, pixels[..., 0] == 0, operations


@pytest.mark.parametrize("width", [7, 38])
def test_fresh_ink_is_dreamt_on_and_stays(engine: Engine, width: int) -> None:
    """Three dreams: of the same strokes less is left where they are no ink."""
    pixels, lines, operations = house(width, (150, 150, 360, 360))
    ink = Ink()
    ink.add(operations)
    expression = parse_expression("b9_exp_pre^2", INFO)
    fresh, old = pixels, pixels
    for dream in range(3):
        plane = ink.recent().plane(side=SIDE)
        assert plane is not None
        mask: Mask = np.frombuffer(plane, np.uint8).reshape(SIDE, SIDE)
        fresh = engine.dream(fresh, expression, dream, mask=mask)
        old = engine.dream(old, expression, dream)
        ink.dreamt(len(operations))
    fresh_lines, old_lines = (dreamt[lines].astype(float).mean() for dreamt in (fresh, old))
    assert 0.3 < fresh_lines < 40, "still black, and dreamt on"
    assert fresh_lines < 0.6 * old_lines
    elsewhere = ~lines & (mask == 255)
    changes = [np.abs(dreamt.astype(int) - pixels)[elsewhere].mean() for dreamt in (fresh, old)]
    assert changes[0] == pytest.approx(changes[1], rel=0.25), "the rest is dreamt as ever"


def test_the_share_grows_with_age_until_it_is_all() -> None:
    pixels, lines, operations = house(12, (150, 150, 360, 360))
    del pixels
    ink = Ink()
    ink.add(operations)
    shares = []
    for _ in range(CURVE.dreams + 1):
        plane = ink.recent().plane(side=SIDE)
        mask = np.frombuffer(plane, np.uint8).reshape(SIDE, SIDE) if plane else np.full((SIDE, SIDE), 255)
        shares.append(float(mask[lines].mean()))
        ink.dreamt(len(operations))
    assert shares == sorted(shares)
    assert shares[0] < 0.3 * 255
    assert shares[-1] == 255
