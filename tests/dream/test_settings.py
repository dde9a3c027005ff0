"""Settings know their bounds and the sizes of the octaves."""

import pytest

from dreamcanvas.dream.settings import CANVAS, DreamSettings
from dreamcanvas.errors import DreamError


def test_the_defaults_are_those_of_2017() -> None:
    settings = DreamSettings()
    assert (settings.octaves, settings.octave_scale, settings.iterations, settings.step) == (
        6,
        1.31415,
        1,
        1.5,
    )
    assert settings.laplacian == 0


def test_octaves_shrink_from_the_pictures_own_size() -> None:
    sizes = DreamSettings().sizes(1536, 768)
    assert sizes == ((1536, 768), (1169, 584), (889, 445), (677, 338), (515, 258), (392, 196))


def test_octaves_too_small_to_see_anything_are_left_out() -> None:
    assert DreamSettings().sizes(60, 60) == ((60, 60), (46, 46), (35, 35))


def test_the_largest_is_always_an_octave() -> None:
    assert DreamSettings().sizes(8, 500) == ((8, 500),)
    assert DreamSettings(finest=0.1).sizes(8, 3) == ((1, 1),)


def test_the_finest_octave_may_be_smaller_than_the_picture() -> None:
    assert CANVAS.sizes(1536, 1536) == ((1014, 1014), (771, 771), (587, 587), (447, 447), (340, 340))


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
    ],
)
def test_what_is_out_of_bounds_is_named_with_its_bounds(wrong: dict[str, float], sentence: str) -> None:
    with pytest.raises(DreamError, match=sentence):
        DreamSettings(**wrong)  # type: ignore[arg-type]
