"""The engine dreams, repeatably, and traces once for each kind of objective."""

from dataclasses import replace

import numpy as np
import pytest
import skimage.data
from numpy.typing import NDArray
from PIL import Image

from dreamcanvas.dream.engine import Engine, Mask, Pixels, Transition
from dreamcanvas.dream.network import Network, NetworkInfo, Tensor, Walk, load_network
from dreamcanvas.dream.settings import CLASSIC, DreamSettings
from dreamcanvas.dream.styles import Expression, Term, load_styles, parse_expression
from dreamcanvas.dream.transition import new_share
from dreamcanvas.errors import DreamError

SETTINGS = DreamSettings(octaves=3, finest=1.0)
CHANNEL = Expression.of("b3_exp_pre", 5)
SQUARE = Expression.of("b3_exp_pre", None)
SUM = Expression((Term("b1_exp_pre", 7), Term("b3_exp_pre", None, 0.5)))
GUIDE = Expression((Term("b3_exp_pre", None, guided=True),))


@pytest.fixture(scope="session")
def cat() -> Pixels:
    photograph: Pixels = skimage.data.chelsea()  # type: ignore[no-untyped-call]
    return np.ascontiguousarray(photograph[40:200, 100:300])


@pytest.fixture(scope="session")
def bricks() -> Pixels:
    photograph = skimage.data.brick()  # type: ignore[no-untyped-call]
    return np.repeat(photograph[:200, :200, None], 3, axis=2)


@pytest.fixture(scope="module")
def engine(network: Network, cat: Pixels) -> Engine:
    return Engine(network, SETTINGS, guide=cat)


@pytest.fixture
def left_half(coffee: Pixels) -> Mask:
    """Nothing on the left, a ramp, all on the right."""
    height, width, _ = coffee.shape
    ramp = np.clip(np.linspace(-255, 510, width), 0, 255)
    return np.broadcast_to(ramp.astype(np.uint8), (height, width))


@pytest.mark.parametrize("expression", [CHANNEL, SQUARE, SUM, GUIDE], ids=str)
def test_a_dream_raises_the_objective_step_by_step(
    engine: Engine, coffee: Pixels, expression: Expression
) -> None:
    pixels, values = coffee, [engine.measure(coffee, expression)]
    for seed in range(3):
        pixels = engine.dream(pixels, expression, seed)
        values.append(engine.measure(pixels, expression))
    assert values == sorted(set(values))


def test_a_guide_pulls_towards_itself(network: Network, coffee: Pixels, cat: Pixels, bricks: Pixels) -> None:
    engines = [Engine(network, SETTINGS, guide=guide) for guide in (cat, bricks)]
    dreams = [engine.dream(coffee, GUIDE, seed=1) for engine in engines]
    # Each guide's own dream is nearer to it than the other's, and than the picture was.
    for own, engine in enumerate(engines):
        value = engine.measure(dreams[own], GUIDE)
        assert value > engine.measure(dreams[1 - own], GUIDE)
        assert value > engine.measure(coffee, GUIDE)


def test_a_guide_is_looked_at_once(cat: Pixels, coffee: Pixels) -> None:
    network = _Counting()
    engine = Engine(network, SETTINGS, guide=cat)
    for seed in range(2):
        engine.dream(coffee, GUIDE, seed)
    # Then the objective's gradient, for pictures of any size
    assert network.sizes == [(160, 200), (None, None)]


def test_without_a_guide_a_guided_dream_is_an_error(network: Network, coffee: Pixels) -> None:
    engine = Engine(network, SETTINGS)
    with pytest.raises(DreamError, match="'b3_exp_pre@guide' needs a guide picture, and there is none"):
        engine.dream(coffee, GUIDE, seed=1)
    with pytest.raises(DreamError, match="needs a guide picture"):
        engine.measure(coffee, GUIDE)


def test_where_the_mask_is_black_not_a_level_changes(engine: Engine, coffee: Pixels, left_half: Mask) -> None:
    dreamt = engine.dream(coffee, CHANNEL, seed=1, mask=left_half)
    np.testing.assert_array_equal(dreamt[left_half == 0], coffee[left_half == 0])
    change = np.abs(dreamt.astype(int) - coffee)
    weak = (left_half > 30) & (left_half < 100)
    assert 0 < change[weak].mean() < 0.6 * change[left_half == 255].mean()
    nothing = engine.dream(coffee, CHANNEL, seed=1, mask=np.zeros_like(left_half))
    np.testing.assert_array_equal(nothing, coffee)


def test_a_white_mask_is_none(engine: Engine, coffee: Pixels) -> None:
    white = np.full(coffee.shape[:2], 255, np.uint8)
    masked = engine.dream(coffee, CHANNEL, seed=1, mask=white)
    assert np.abs(masked.astype(int) - engine.dream(coffee, CHANNEL, seed=1)).max() <= 1


def test_a_mask_has_the_pictures_size(engine: Engine, coffee: Pixels) -> None:
    with pytest.raises(DreamError, match="a mask of 7 × 5 px for a picture of 240 × 160 px"):
        engine.dream(coffee, CHANNEL, seed=1, mask=np.zeros((5, 7), np.uint8))


def test_a_laplacian_pyramid_gives_larger_forms_and_still_rises(network: Network, coffee: Pixels) -> None:
    settings = replace(CLASSIC, octaves=3)
    engine = Engine(network, replace(settings, laplacian=3))
    dreamt = engine.dream(coffee, CHANNEL, seed=1)
    assert engine.measure(dreamt, CHANNEL) > engine.measure(coffee, CHANNEL)

    def large_forms(pixels: Pixels) -> float:
        change = (pixels.astype(float) - coffee).reshape(10, 16, 15, 16, 3).mean(axis=(1, 3))
        return float(change.std())

    plain = Engine(network, settings).dream(coffee, CHANNEL, seed=1)
    assert large_forms(dreamt) > 1.5 * large_forms(plain)


class _Counting:
    """A network that records the (height, width) of every picture whose walk is traced."""

    def __init__(self) -> None:
        self.sizes: list[tuple[int | None, ...]] = []

    def walk(self, layer: str) -> Walk:
        def walk(pictures: Tensor, channel: Tensor | None) -> Tensor:
            self.sizes.append(tuple(pictures.shape[1:3]))
            return pictures / 128.0 - 1.0

        return walk


def test_every_style_rises_in_three_steps(network: Network, info: NetworkInfo, coffee: Pixels) -> None:
    engine = Engine(network, replace(CLASSIC, octaves=2))
    layers = {
        parse_expression(style.expression, info).terms[0].layer: style for style in load_styles(info.name)
    }
    for style in layers.values():
        expression = parse_expression(style.expression, info)
        pixels = coffee
        for seed in range(3):
            pixels = engine.dream(pixels, expression, seed)
        assert engine.measure(pixels, expression) > engine.measure(coffee, expression), style


def test_the_seed_decides_all(engine: Engine, coffee: Pixels) -> None:
    first = engine.dream(coffee, CHANNEL, seed=1)
    again = engine.dream(coffee, CHANNEL, seed=1)
    other = engine.dream(coffee, CHANNEL, seed=2)
    assert np.abs(first.astype(int) - again).max() <= 1  # threads sum in any order
    assert np.abs(first.astype(int) - other).mean() > 0.1


def test_a_dream_keeps_shape_and_leaves_its_input(engine: Engine, coffee: Pixels) -> None:
    before = coffee.copy()
    dreamt = engine.dream(coffee, CHANNEL, seed=2**40)
    assert dreamt.shape == coffee.shape
    assert dreamt.dtype == np.uint8
    np.testing.assert_array_equal(coffee, before)


def test_twenty_dreams_keep_the_mean(engine: Engine, coffee: Pixels) -> None:
    pixels = coffee
    for seed in range(20):
        pixels = engine.dream(pixels, SQUARE, seed)
    assert pixels.mean() == pytest.approx(coffee.mean(), abs=4.0)


def test_as_in_2017_a_dream_is_added_and_clipped(network: Network, coffee: Pixels) -> None:
    dreamt = Engine(network, replace(CLASSIC, octaves=1, step=60.0)).dream(coffee, CHANNEL, seed=1)
    change = dreamt.astype(int) - coffee
    inside = (dreamt > 0) & (dreamt < 255)
    assert not inside.all()
    assert np.abs(change[inside]).mean() > 30
    assert np.abs(change).max() > 120


def test_a_passage_dreams_the_old_here_and_the_new_there(engine: Engine, coffee: Pixels) -> None:
    def dream(expression: Expression, passage: Transition | None = None) -> NDArray[np.int64]:
        return engine.dream(coffee, expression, seed=1, passage=passage).astype(int)

    old, new = dream(CHANNEL), dream(SQUARE)
    half = dream(SQUARE, Transition(CHANNEL, 0.5, seed=3))
    share = np.asarray(Image.fromarray(new_share(0.5, 3)).resize((240, 160), Image.Resampling.BILINEAR))
    for place, own, other in ((share == 1, new, old), (share == 0, old, new)):
        assert np.abs(half - own)[place].mean() < 0.6 * np.abs(half - other)[place].mean()
    # The composition is held as a whole, so the ends are the same but for a little
    assert np.abs(dream(SQUARE, Transition(CHANNEL, 0.0, seed=3)) - old).mean() < 0.2
    assert np.abs(dream(SQUARE, Transition(CHANNEL, 1.0, seed=3)) - new).mean() < 0.2


@pytest.mark.parametrize("wrong", [{"progress": 1.01}, {"progress": float("nan")}, {"seed": -1}])
def test_a_passage_knows_its_bounds(wrong: dict[str, float]) -> None:
    with pytest.raises(DreamError, match=f"the {next(iter(wrong))} of a passage is .*; it must be 0–"):
        Transition(CHANNEL, **{"progress": 0.5, "seed": 1, **wrong})  # type: ignore[arg-type]


def test_a_kind_of_objective_is_traced_once(network: Network, coffee: Pixels) -> None:
    """Its gradient and, on request, its value; whatever the channel, the size, the mask."""
    engine = Engine(network, SETTINGS)
    for channel in (0, 5, 9):
        engine.dream(coffee, Expression.of("b1_exp_pre", channel), seed=channel)
    assert engine.traces == 1
    small, mask = coffee[:100], np.full((100, 240), 90, np.uint8)
    engine.dream(small, Expression.of("b1_exp_pre", 5), seed=0, mask=mask)
    engine.measure(small[:50], Expression.of("b1_exp_pre", 5))
    assert engine.traces == 2
    engine.dream(coffee, Expression.of("b1_exp_pre", None), seed=0)
    assert engine.traces == 3


@pytest.mark.parametrize(
    "expression", [Expression.of("b9_exp_pre", 5), Expression.of("b5_exp_pre", None)], ids=str
)
def test_bfloat16_gains_as_much(network: Network, coffee: Pixels, expression: Expression) -> None:
    """At least 95% of what float32 gains. Only the network is in bfloat16: a picture is not."""
    settings = replace(CLASSIC, octaves=2)
    judge = Engine(network, settings)
    gains = []
    for precision in ("float32", "bfloat16"):
        engine = Engine(load_network("efficientnet_lite0", precision), settings)
        dreamt = coffee
        for seed in range(3):
            dreamt = engine.dream(dreamt, expression, seed)
        gains.append(judge.measure(dreamt, expression) - judge.measure(coffee, expression))
    assert gains[1] >= 0.95 * gains[0] > 0


@pytest.mark.parametrize("expression", [CHANNEL, SQUARE], ids=str)
def test_compiled_by_xla_it_is_the_same_dream(
    network: Network, coffee: Pixels, expression: Expression
) -> None:
    """As on a GPU, here on the CPU."""
    pixels = coffee[:48, :56]
    plain, compiled = (
        Engine(network, DreamSettings(octaves=2, finest=1.0), compiled=compiled).dream(pixels, expression, 1)
        for compiled in (False, True)
    )
    assert np.abs(compiled.astype(int) - plain).mean() < 0.1


def test_a_sum_is_the_weighted_sum_of_its_terms(engine: Engine, coffee: Pixels) -> None:
    parts = [engine.measure(coffee, Expression((replace(term, weight=1.0),))) for term in SUM.terms]
    assert engine.measure(coffee, SUM) == pytest.approx(parts[0] + 0.5 * parts[1], rel=1e-4)
    less = Expression((SUM.terms[0], replace(SUM.terms[1], weight=-2.0)))
    assert engine.measure(coffee, less) == pytest.approx(parts[0] - 2 * parts[1], rel=1e-4)


def test_weights_of_a_sum_share_a_trace(network: Network, coffee: Pixels) -> None:
    engine = Engine(network, SETTINGS)
    for weight in (0.5, -3.0):
        engine.measure(coffee, Expression((Term("stem", 1), Term("b0_dw", None, weight))))
    assert engine.traces == 1


def test_channels_are_different_dreams(engine: Engine, coffee: Pixels) -> None:
    one, other = (engine.dream(coffee, Expression.of("b3_exp_pre", channel), 1) for channel in (5, 6))
    assert np.abs(one.astype(int) - other).mean() > 0.5


def test_the_oldest_trace_is_dropped(network: Network, coffee: Pixels) -> None:
    engine = Engine(network, SETTINGS, max_traces=2)
    for layer in ("stem_pre", "stem", "b0_dw"):
        engine.measure(coffee[:40, :40], Expression.of(layer, None))
    assert engine.traces == 2


@pytest.mark.parametrize("shape", [(33, 57), (1, 1), (20, 200)])
def test_any_size_can_be_dreamt(engine: Engine, shape: tuple[int, int]) -> None:
    pixels = np.full((*shape, 3), 120, np.uint8)
    assert engine.dream(pixels, Expression.of("b1_exp_pre", 5), seed=1).shape == (*shape, 3)
