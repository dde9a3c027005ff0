"""Settings know their bounds and the sizes of the octaves."""

import pytest

from dreamcanvas.dream.settings import CANVAS, CLASSIC, DreamSettings
from dreamcanvas.errors import DreamError


def test_classic_is_the_dream_of_2017() -> None:
    assert (CLASSIC.octaves, CLASSIC.octave_scale, CLASSIC.iterations, CLASSIC.step) == (6, 1.31415, 1, 1.5)
    assert (CLASSIC.finest, CLASSIC.laplacian, CLASSIC.tilt) == (1.0, 0, 0.0)
    assert (CLASSIC.detail, CLASSIC.grain) == (1.0, 1.0)
    assert not CLASSIC.settled


def test_the_default_is_the_dream_of_the_canvas() -> None:
    assert DreamSettings() == CANVAS
    assert CANVAS.settled


def test_octaves_shrink_from_the_pictures_own_size() -> None:
    sizes = CLASSIC.sizes(1536, 768)
    assert sizes == ((1536, 768), (1169, 584), (889, 445), (677, 338), (515, 258), (392, 196))


def test_octaves_too_small_to_see_anything_are_left_out() -> None:
    assert CLASSIC.sizes(60, 60) == ((60, 60), (46, 46), (35, 35))


def test_the_largest_is_always_an_octave() -> None:
    assert CLASSIC.sizes(8, 500) == ((8, 500),)
    assert DreamSettings(finest=0.1).sizes(8, 3) == ((1, 1),)


def test_the_canvas_dreams_forms_of_a_third_of_it() -> None:
    """A network sees forms of about its 224 px at once: more than the smallest octave's side."""
    sizes = [height for height, _ in CANVAS.sizes(1536, 1536)]
    assert sizes == [829, 592, 423, 302, 216, 154, 110]


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"octaves": 0}, "octaves is 0; it must be 1–16"),
        ({"octave_scale": 1.0}, "octave-scale is 1.0; it must be more than 1 and at most 4"),
        ({"octave_scale": float("nan")}, "octave-scale is nan"),
        ({"iterations": 1001}, "iterations is 1001; it must be 1–1000"),
        ({"step": 0.0}, "step is 0.0; it must be more than 0 and at most 255"),
        ({"step": float("inf")}, "step is inf"),
        ({"finest": 0.05}, "finest is 0.05; it must be 0.1–1"),
        ({"finest": 1.5}, "finest is 1.5; it must be 0.1–1"),
        ({"laplacian": -1}, "laplacian is -1; it must be 0–8"),
        ({"laplacian": 9}, "laplacian is 9; it must be 0–8"),
        ({"tilt": -0.1}, "tilt is -0.1; it must be 0–10"),
        ({"tilt": float("nan")}, "tilt is nan; it must be 0–10"),
        ({"detail": 0.0}, "detail is 0.0; it must be 0.1–10"),
        ({"grain": 2.5}, "grain is 2.5; it must be 0–2"),
    ],
)
def test_what_is_out_of_bounds_is_named_with_its_bounds(wrong: dict[str, float], sentence: str) -> None:
    with pytest.raises(DreamError, match=sentence):
        DreamSettings(**wrong)  # type: ignore[arg-type]
