"""Styles come in turn, pass into one another, and drift."""

import random
from itertools import pairwise

import pytest

from dreamcanvas.dream.network import network_info
from dreamcanvas.dream.schedule import Plan, Programme, blend, shares
from dreamcanvas.dream.styles import MAX_TERMS, Expression, Style, load_styles, parse_expression
from dreamcanvas.errors import DreamError

INFO = network_info("efficientnet_lite0")
STYLES = (
    Style(1, "Eyes", "b7_exp^2"),
    Style(2, "Spheres", "b9_exp^2 + b10_exp^2"),
    Style(3, "Cells", "b8_exp_pre:3 + 2*b9_exp_pre^2 + b10_exp^2 + 0.5*b11_exp^2"),
    Style(4, "Waves", "b9_exp^2 - 0.25*b6_exp^2"),
)


def programme(
    *, styles: tuple[Style, ...] = STYLES, seed: int = 1, interval: float = 100, passage: int = 20
) -> Programme:
    return Programme(styles, INFO, rng=random.Random(seed), interval=interval, passage=passage)


def weights(expression: Expression) -> dict[str, float]:
    """The terms' weights by their text without weight."""
    return {str(term).partition("*")[2] or str(term): term.weight for term in expression.terms}


def parsed(text: str) -> Expression:
    return parse_expression(text, INFO)


# The order


@pytest.mark.parametrize("seed", range(30))
def test_every_round_has_each_style_once_and_none_follows_itself(seed: int) -> None:
    timetable = programme(seed=seed)
    seen = [timetable.style, *(timetable.next_style(0) for _ in range(39))]
    rounds = [seen[start : start + 4] for start in range(0, 40, 4)]
    assert all(set(each) == set(STYLES) for each in rounds)
    assert len({tuple(style.name for style in each) for each in rounds}) > 3, "not one order for ever"
    assert all(one != other for one, other in pairwise(seen))


def test_one_style_alone_stays() -> None:
    timetable = programme(styles=STYLES[:1])
    assert timetable.next_style(5) == STYLES[0]
    assert timetable.plan(5) == Plan("b7_exp^2", None, 1.0)


def test_a_style_is_due_when_it_has_had_its_time() -> None:
    timetable = programme()
    timetable.begin(1000)
    assert not timetable.due(1099)
    assert timetable.due(1100)
    timetable.next_style(1100)
    assert not timetable.due(1199)
    assert timetable.due(1200)


def test_an_expression_that_is_none_of_the_networks_is_refused() -> None:
    with pytest.raises(DreamError, match="b99"):
        programme(styles=(Style(5, "None", "b99_exp^2"),))


# Passages


def test_a_passage_takes_its_dreams_and_glides() -> None:
    timetable = programme()
    before = timetable.style
    assert timetable.plan(0).before is None
    style = timetable.next_style(0)
    plans = []
    while (plan := timetable.plan(0)).before is not None:
        plans.append(plan)
        timetable.dreamt()
    assert len(plans) == 20
    progress = [0, *(plan.progress for plan in plans), 1]
    steps = [after - before for before, after in pairwise(progress)]
    assert all(0 < step < 0.08 for step in steps)
    assert max(steps) == steps[10] or max(steps) == pytest.approx(steps[10])
    assert steps[0] < 0.01
    for plan in plans:
        assert weights(parsed(plan.expression)).keys() == weights(parsed(style.expression)).keys()
        assert plan.before is not None
        assert weights(parsed(plan.before)).keys() == weights(parsed(before.expression)).keys()
    assert timetable.plan(0).progress == 1


def test_a_plan_is_no_step() -> None:
    timetable = programme()
    timetable.next_style(0)
    assert timetable.plan(3) == timetable.plan(3)


def test_without_a_passage_a_style_begins_at_once() -> None:
    timetable = programme(passage=0)
    timetable.next_style(0)
    assert timetable.plan(0).before is None


def test_a_passage_that_is_broken_off_goes_on_from_what_is_dreamt() -> None:
    """Without a jump: the side that it leaves is what the two styles made together."""
    timetable = programme(
        styles=(Style(6, "A", "b7_exp^2"), Style(7, "B", "b9_exp^2"), Style(8, "C", "b10_exp^2"))
    )
    first, second = timetable.style, timetable.next_style(0)
    for _ in range(7):
        timetable.dreamt()
    progress = timetable.plan(0).progress
    third = timetable.next_style(0)
    plan = timetable.plan(0)
    assert plan.expression == third.expression
    assert plan.before is not None
    found = weights(parsed(plan.before))
    assert found[first.expression] == pytest.approx(1 - progress, abs=1e-4)
    assert found[second.expression] == pytest.approx(progress, abs=1e-4)


def test_however_often_it_is_broken_off_its_expressions_can_be_parsed() -> None:
    timetable = programme(styles=load_styles("efficientnet_lite0") + STYLES)
    for now in range(200):
        timetable.next_style(now)
        plan = timetable.plan(now)
        assert plan.before is not None
        assert len(parsed(plan.before).terms) <= MAX_TERMS
        parsed(plan.expression)
        timetable.dreamt()


# Drift


def test_weights_drift_slowly_and_within_bounds_and_never_repeat() -> None:
    timetable = programme(styles=STYLES[2:3])
    mean = weights(shares(parsed(STYLES[2].expression)))
    times = [2.0 * n for n in range(1800)]
    found = [weights(parsed(timetable.plan(now).expression)) for now in times]
    names = [*mean]
    ratios = [each[names[1]] / each[names[0]] / (mean[names[1]] / mean[names[0]]) for each in found]
    assert max(ratios) > 1.3
    assert min(ratios) < 0.77
    assert 2**-1.4 < min(ratios) < max(ratios) < 2**1.4
    assert all(0.88 < after / before < 1.14 for before, after in pairwise(ratios)), "slowly"
    assert all(sum(abs(weight) for weight in each.values()) == pytest.approx(1, abs=1e-3) for each in found)
    assert len({tuple(each.values()) for each in found}) > 1700
    assert all(
        max(ratios[start : start + 150]) / min(ratios[start : start + 150]) > 1.2
        for start in range(0, 1650, 150)
    )


def test_one_term_alone_has_nothing_to_drift_against() -> None:
    timetable = programme(styles=STYLES[:1])
    assert {timetable.plan(now).expression for now in range(100)} == {"b7_exp^2"}


def test_a_sign_stays() -> None:
    timetable = programme(styles=STYLES[3:])
    for now in range(0, 500, 7):
        assert [term.weight > 0 for term in parsed(timetable.plan(now).expression).terms] == [True, False]


def test_the_same_chance_gives_the_same_programme() -> None:
    plans = []
    for _ in range(2):
        timetable = programme(seed=5)
        timetable.next_style(3)
        plans.append(timetable.plan(10))
    assert plans[0] == plans[1]


# Sums


def test_shares_sum_to_one() -> None:
    assert str(shares(parsed("30*b7_exp^2 - 10*b9_exp^2"))) == "0.75*b7_exp^2 - 0.25*b9_exp^2"
    assert str(shares(parsed("1000*b7_exp^2 + 0.001*b9_exp^2"))) == "b7_exp^2 + 0.001*b9_exp^2"


@pytest.mark.parametrize(
    ("old", "new", "share", "sum_"),
    [
        ("b7_exp^2", "b9_exp^2", 0.75, "0.25*b7_exp^2 + 0.75*b9_exp^2"),
        ("100*b7_exp^2", "b9_exp^2", 0.5, "0.5*b7_exp^2 + 0.5*b9_exp^2"),
        ("b7_exp^2", "b9_exp^2", 0.0, "b7_exp^2"),
        ("b7_exp^2", "b9_exp^2", 1.0, "b9_exp^2"),
        ("b7_exp^2 + b9_exp^2", "b9_exp^2 + b9_exp:4", 0.5, "0.25*b7_exp^2 + 0.5*b9_exp^2 + 0.25*b9_exp:4"),
        ("b7_exp^2", "b7_exp:3", 0.5, "0.5*b7_exp^2 + 0.5*b7_exp:3"),
        ("b7_exp^2", "-b7_exp^2", 0.25, "b7_exp^2"),
        ("b7_exp^2", "-b7_exp^2", 0.5, "-b7_exp^2"),
        ("b7_exp^2 - b9_exp^2", "b7_exp^2 + b9_exp^2", 0.5, "b7_exp^2"),
    ],
)
def test_a_blend(old: str, new: str, share: float, sum_: str) -> None:
    assert str(blend(parsed(old), parsed(new), share)) == sum_


def test_of_too_many_terms_the_weightiest_stay() -> None:
    old = parsed(" + ".join(f"{n}*b7_exp:{n}" for n in range(1, 9)))
    new = parsed(" + ".join(f"{n}*b9_exp:{n}" for n in range(1, 9)))
    mixed = blend(old, new, 0.5)
    parsed(str(mixed))
    assert set(weights(mixed)) == {f"{layer}_exp:{n}" for layer in ("b7", "b9") for n in (5, 6, 7, 8)}
    assert sum(abs(term.weight) for term in mixed.terms) == pytest.approx(1, abs=1e-3)
