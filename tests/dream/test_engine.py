"""The engine dreams, repeatably, and traces once for each size and kind of objective."""

from dataclasses import replace

import numpy as np
import pytest

from dreamcanvas.dream.engine import Engine, Pixels
from dreamcanvas.dream.network import Network, NetworkInfo
from dreamcanvas.dream.settings import DreamSettings
from dreamcanvas.dream.styles import Expression, Term, load_styles, parse_expression

SETTINGS = DreamSettings(octaves=3)
CHANNEL = Expression.of("b3_exp_pre", 5)
SQUARE = Expression.of("b3_exp_pre", None)
SUM = Expression((Term("b1_exp_pre", 7), Term("b3_exp_pre", None, 0.5)))


@pytest.fixture(scope="module")
def engine(network: Network) -> Engine:
    return Engine(network, SETTINGS, max_traces=8)


@pytest.mark.parametrize("expression", [CHANNEL, SQUARE, SUM])
def test_a_dream_raises_the_objective(engine: Engine, coffee: Pixels, expression: Expression) -> None:
    dream = engine.dream(coffee, expression, seed=1)
    assert dream.after > dream.before
    assert engine.measure(dream.pixels, expression) > engine.measure(coffee, expression)


def test_every_style_rises_in_three_steps(network: Network, info: NetworkInfo, coffee: Pixels) -> None:
    engine = Engine(network, DreamSettings(octaves=2))
    layers = {
        parse_expression(style.expression, info).terms[0].layer: style for style in load_styles(info.name)
    }
    for style in layers.values():
        expression = parse_expression(style.expression, info)
        pixels = coffee
        for seed in range(3):
            pixels = engine.dream(pixels, expression, seed).pixels
        assert engine.measure(pixels, expression) > engine.measure(coffee, expression), style


def test_the_seed_decides_all(engine: Engine, coffee: Pixels) -> None:
    first = engine.dream(coffee, CHANNEL, seed=1).pixels
    again = engine.dream(coffee, CHANNEL, seed=1).pixels
    other = engine.dream(coffee, CHANNEL, seed=2).pixels
    assert np.abs(first.astype(int) - again).max() <= 1  # threads sum in any order
    assert np.abs(first.astype(int) - other).mean() > 0.1


def test_a_dream_keeps_shape_and_leaves_its_input(engine: Engine, coffee: Pixels) -> None:
    before = coffee.copy()
    dream = engine.dream(coffee, CHANNEL, seed=2**40)
    assert dream.pixels.shape == coffee.shape
    assert dream.pixels.dtype == np.uint8
    np.testing.assert_array_equal(coffee, before)


def test_twenty_dreams_keep_the_mean(engine: Engine, coffee: Pixels) -> None:
    pixels = coffee
    for seed in range(20):
        pixels = engine.dream(pixels, SQUARE, seed).pixels
    assert pixels.mean() == pytest.approx(coffee.mean(), abs=1.0)


def test_channels_of_a_layer_share_a_trace(network: Network, coffee: Pixels) -> None:
    engine = Engine(network, SETTINGS, max_traces=8)
    for channel in (0, 5, 9):
        engine.dream(coffee, Expression.of("b1_exp_pre", channel), seed=channel)
    assert engine.traces == 1
    engine.dream(coffee, Expression.of("b1_exp_pre", None), seed=0)
    assert engine.traces == 2
    engine.dream(coffee[:100], Expression.of("b1_exp_pre", None), seed=0)
    assert engine.traces == 3


def test_a_sum_is_the_weighted_sum_of_its_terms(engine: Engine, coffee: Pixels) -> None:
    parts = [engine.measure(coffee, Expression((replace(term, weight=1.0),))) for term in SUM.terms]
    assert engine.measure(coffee, SUM) == pytest.approx(parts[0] + 0.5 * parts[1], rel=1e-4)
    less = Expression((SUM.terms[0], replace(SUM.terms[1], weight=-2.0)))
    assert engine.measure(coffee, less) == pytest.approx(parts[0] - 2 * parts[1], rel=1e-4)


def test_weights_of_a_sum_share_a_trace(network: Network, coffee: Pixels) -> None:
    engine = Engine(network, SETTINGS, max_traces=8)
    for weight in (0.5, -3.0):
        engine.measure(coffee, Expression((Term("stem", 1), Term("b0_dw", None, weight))))
    assert engine.traces == 1


def test_channels_are_different_dreams(engine: Engine, coffee: Pixels) -> None:
    one, other = (engine.dream(coffee, Expression.of("b3_exp_pre", channel), 1).pixels for channel in (5, 6))
    assert np.abs(one.astype(int) - other).mean() > 0.5


def test_the_oldest_trace_is_dropped(network: Network, coffee: Pixels) -> None:
    engine = Engine(network, SETTINGS, max_traces=2)
    for side in (40, 48, 56):
        engine.measure(coffee[:side, :side], Expression.of("stem", None))
    assert engine.traces == 2


@pytest.mark.parametrize("shape", [(33, 57), (1, 1), (20, 200)])
def test_any_size_can_be_dreamt(engine: Engine, shape: tuple[int, int]) -> None:
    pixels = np.full((*shape, 3), 120, np.uint8)
    assert engine.dream(pixels, Expression.of("b1_exp_pre", 5), seed=1).pixels.shape == (*shape, 3)
