"""The grammar of styles, and the curated styles."""

import subprocess
import sys
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dreamcanvas.dream.network import NETWORKS, network_info
from dreamcanvas.dream.styles import (
    MAX_TERMS,
    MAX_WEIGHT,
    MIN_WEIGHT,
    Expression,
    Term,
    find_style,
    load_styles,
    parse_expression,
    parse_styles,
)
from dreamcanvas.errors import DreamError

INFO = network_info("efficientnet_lite0")


@st.composite
def terms(draw: st.DrawFn) -> Term:
    layer = draw(st.sampled_from(INFO.layers))
    channel = draw(st.none() | st.integers(0, layer.channels - 1))
    weight = draw(st.just(1.0) | st.floats(MIN_WEIGHT, MAX_WEIGHT))
    kind = "" if channel is not None else draw(st.sampled_from(("", "guide", "places")))
    return Term(
        layer.name,
        channel,
        weight * draw(st.sampled_from((1, -1))),
        guided=kind == "guide",
        places=kind == "places",
    )


expressions = st.lists(terms(), min_size=1, max_size=MAX_TERMS).map(tuple).map(Expression)


@given(expressions)
def test_the_grammar_round_trips(expression: Expression) -> None:
    assert parse_expression(str(expression), INFO, guide=True) == expression


@pytest.mark.parametrize(
    "text",
    [
        "b9_exp:3",
        "b9_exp^2",
        "b9_exp:3 + 0.5*b7_exp^2",
        "-b9_exp:3 - 12*stem:1",
        "0.001*stem^2 + 1000*stem:0",
        "b9_exp@guide",
        "b11_exp@places",
        "0.5*b11_exp@places - b11_exp^2",
        "-b9_exp@guide + 0.5*stem:3",
    ],
)
def test_text_round_trips(text: str) -> None:
    assert str(parse_expression(text, INFO, guide=True)) == text


@pytest.mark.parametrize("text", ["b7_exp_pre:183", "b9_exp_pre^2", "b11_exp_pre:542", "b5_exp_pre^2"])
def test_what_recordings_of_before_name_still_parses(text: str) -> None:
    """Layers of the first styles, which stand in databases and in movies' titles."""
    assert str(parse_expression(text, INFO)) == text


def test_a_channel_a_square_and_a_sum() -> None:
    assert parse_expression("b7_exp_pre:41", INFO) == Expression.of("b7_exp_pre", 41)
    assert parse_expression("b9_exp^2", INFO) == Expression.of("b9_exp", None)
    expected = Expression((Term("b9_exp", 3), Term("b7_exp", None, -0.5)))
    assert parse_expression("b9_exp:3 - 0.5*b7_exp^2", INFO) == expected
    assert parse_expression("b9_exp:3-0.50 * b7_exp^2", INFO) == expected


def test_a_term_can_ask_for_the_guide() -> None:
    expression = parse_expression("b9_exp@guide - 2*b7_exp:5", INFO, guide=True)
    assert expression == Expression((Term("b9_exp", None, guided=True), Term("b7_exp", 5, -2.0)))
    assert expression.guided
    assert not parse_expression("b9_exp^2", INFO, guide=True).guided


def test_without_a_guide_none_can_be_asked_for() -> None:
    with pytest.raises(DreamError, match=r"'0\.5\*b9_exp@guide' needs a guide picture, and there is none"):
        parse_expression("b7_exp:5 + 0.5*b9_exp@guide", INFO)
    with pytest.raises(DreamError, match="the nearest is 'b9_exp"):
        parse_expression("b9_expand@guide", INFO, guide=True)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("stem:1 + b9_expand:3", "no layer 'b9_expand'; the nearest is 'b9_exp"),
        ("stem:1 + stem", "'stem' is neither"),
        ("stem:1 + ", "'' is neither"),
        ("stem:1 + + stem:2", "'' is neither"),
        ("stem:1 stem:2", "'stem:1 stem:2' is neither"),
        ("1e3*stem:1", "is neither"),
        ("0*stem:1", "the weight of '0\\*stem:1' must be 0.001–1000"),
        (f"{'9' * 400}*stem:1", "must be 0.001–1000"),
        (" + ".join(["stem:1"] * 9), "a sum of 9 terms; it must have 1–8"),
    ],
)
def test_a_wrong_sum_names_the_term_at_fault(text: str, sentence: str) -> None:
    with pytest.raises(DreamError, match=sentence):
        parse_expression(text, INFO)


@pytest.mark.parametrize(
    "text",
    [
        *("", "b9_exp", "b9_exp^3", "b9_exp:", "b9_exp:-1", " b9_exp:1", "b9_exp:1\n", "b9 exp:1"),
        *("b9_exp@", "b9_exp@other", "b9_exp:1@guide", "@guide"),
    ],
)
def test_anything_else_is_an_error(text: str) -> None:
    with pytest.raises(DreamError, match="neither layer:channel nor layer"):
        parse_expression(text, INFO)


@given(st.text())
def test_no_text_raises_anything_else(text: str) -> None:
    with suppress(DreamError):
        parse_expression(text, INFO)


def test_an_unknown_layer_names_the_nearest() -> None:
    with pytest.raises(DreamError, match="no layer 'b9_expand'; the nearest is 'b9_exp"):
        parse_expression("b9_expand:3", INFO)


def test_a_channel_beyond_the_layer_names_its_channels() -> None:
    with pytest.raises(DreamError, match="b9_exp has channels 0–671, no 672"):
        parse_expression("b9_exp:672", INFO)


@pytest.mark.parametrize("network", NETWORKS)
def test_every_network_has_styles_that_can_be_dreamt(network: str) -> None:
    styles = load_styles(network)
    assert len(styles) >= 14
    for style in styles:
        assert parse_expression(style.expression, NETWORKS[network])
    assert len({style.expression for style in styles}) == len(styles)


def test_names_are_words_for_visitors() -> None:
    for style in load_styles("efficientnet_lite0"):
        assert 3 <= len(style.name) <= 24
        assert style.name[0].isupper()
        assert not any(character.isdigit() or character in "_:^" for character in style.name)


def test_ids_are_for_ever() -> None:
    """Canvases hold them. A new style takes a number that none had, of whatever network."""
    ids = {style.id: style.name for network in NETWORKS for style in load_styles(network)}
    assert len(ids) == sum(len(load_styles(network)) for network in NETWORKS)


def table(id_: object, name: str, expression: str) -> str:
    """Give a style as TOML."""
    number = str(id_).lower() if isinstance(id_, bool) else repr(id_)
    return f"[[style]]\nid = {number}\nname = '{name}'\nexpression = '{expression}'\n"


def test_a_style_is_found_by_its_name_in_any_case() -> None:
    styles = load_styles("efficientnet_lite0")
    assert find_style(styles[1].name.upper(), styles) == styles[1]
    with pytest.raises(DreamError, match=f"no style 'x'; there are {styles[0].name}, "):
        find_style("x", styles)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("style = 3", "cannot be read"),
        ("[[style", "cannot be read"),
        ("[[style]]\nname = 'A'", "cannot be read: 'id'"),
        ("[[style]]\nid = 1\nname = 'A'", "cannot be read: 'expression'"),
        (table(1, "A", "b77_exp:1"), "style 'A': .*the nearest"),
        (table(1, "A", "b9_exp@guide"), "style 'A': .* needs a guide picture"),
        (table(1, "A", "stem:1") + table(2, "A", "stem:2"), "a name twice"),
        (table(1, "A", "stem:1") + table(1, "B", "stem:2"), "an id twice"),
        (table(0, "A", "stem:1"), "style 'A': the id is 0; it must be 1–254"),
        (table(255, "A", "stem:1"), "style 'A': the id is 255; it must be 1–254"),
        (table("7", "A", "stem:1"), "style 'A': the id is '7'; it must be 1–254"),
        (table(True, "A", "stem:1"), "style 'A': the id is True; it must be 1–254"),
    ],
)
def test_a_wrong_styles_file_says_what_is_wrong(text: str, sentence: str) -> None:
    with pytest.raises(DreamError, match=sentence):
        parse_styles(text, INFO)


def test_an_unknown_network_has_no_styles() -> None:
    with pytest.raises(DreamError, match="no network 'vgg'"):
        load_styles("vgg")


def test_the_server_reads_styles_without_tensorflow() -> None:
    script = (
        "import sys; import dreamcanvas.dream.dreamer; from dreamcanvas.dream.styles import load_styles;"
        "load_styles('efficientnet_lite0'); sys.exit(bool({'tensorflow', 'numpy'} & set(sys.modules)))"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
