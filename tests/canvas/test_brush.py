"""The brush: PROTOCOL.md, "The brush, exactly", in plain integers against what is drawn."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from dreamcanvas.canvas import brush

RGB = tuple[int, int, int]


def mask(n: int, i: int, j: int) -> int:
    """m = ⌊102·(½+½·cos πr)+½⌋ where r < 1, else 0."""
    r = math.hypot(i + 0.5 - n / 2, j + 0.5 - n / 2) / (n / 2)
    return math.floor(102 * (0.5 + 0.5 * math.cos(math.pi * r)) + 0.5) if r < 1 else 0


def blend(v: int, c: int, m: int) -> int:
    """(t + (t≫8)) ≫ 8 with t = v(255−m) + c·m + 128."""
    t = v * (255 - m) + c * m + 128
    return (t + (t >> 8)) >> 8


def drawn(image: Image.Image, x: int, y: int, size: int, color: int) -> bytes:
    """The picture with a dab on it, by the formula, pixel by pixel."""
    pixels = bytearray(image.tobytes())
    for j in range(size):
        for i in range(size):
            px, py = x - size // 2 + i, y - size // 2 + j
            if 0 <= px < image.width and 0 <= py < image.height:
                for channel, shift in enumerate((16, 8, 0)):
                    at = (py * image.width + px) * 3 + channel
                    pixels[at] = blend(pixels[at], color >> shift & 255, mask(size, i, j))
    return bytes(pixels)


def noise(width: int, height: int, seed: int = 1) -> Image.Image:
    data = bytes((k * k * 31 + k * seed * 17 + seed) % 256 for k in range(width * height * 3))
    return Image.frombytes("RGB", (width, height), data)


@pytest.mark.parametrize(
    ("size", "alphas"),
    [
        (1, [102]),
        (2, [20, 20, 20, 20]),
        (3, [1, 26, 1, 26, 102, 26, 1, 26, 1]),
        (4, [0, 11, 11, 0, 11, 74, 74, 11, 11, 74, 74, 11, 0, 11, 11, 0]),
    ],
)
def test_the_smallest_masks(size: int, alphas: list[int]) -> None:
    assert list(brush.mask(size).tobytes()) == alphas


@pytest.mark.parametrize("size", range(1, 125))
def test_the_mask_of_every_size_is_the_formula_s(size: int) -> None:
    expected = bytes(mask(size, i, j) for j in range(size) for i in range(size))
    assert brush.mask(size).size == (size, size)
    assert brush.mask(size).tobytes() == expected


def test_no_mask_value_hangs_on_the_rounding_of_a_cosine() -> None:
    # Where it would, other languages' cosines could disagree. r = ⅔ alone gives an exact half: up.
    for size in range(1, 125):
        for k in range(size * size):
            r = math.hypot(k % size + 0.5 - size / 2, k // size + 0.5 - size / 2) / (size / 2)
            value = 102 * (0.5 + 0.5 * math.cos(math.pi * r)) + 0.5
            if r < 1 and abs(value - round(value)) < 1e-9:
                assert abs(r - 2 / 3) < 1e-12
                assert math.floor(value) == 26


@pytest.mark.parametrize("color", [0x000000, 0xFFFFFF, 0x12AB9F])
def test_the_blend_of_every_value_and_mask_is_the_formula_s(color: int) -> None:
    rgb = (color >> 16, color >> 8 & 255, color & 255)
    masks = sorted(set(brush.mask(124).tobytes()))
    assert masks == list(range(103))
    for v in range(256):
        image = Image.new("RGB", (124, 124), (v, v, v))
        brush.draw(image, 62, 62, 124, color)
        table = {m: tuple(blend(v, c, m) for c in rgb) for m in masks}
        colors = {pixel for _, pixel in image.getcolors(256 * 124) or ()}
        assert colors == set(table.values())
        assert image.getpixel((61, 61)) == table[mask(124, 61, 61)]


@pytest.mark.parametrize("size", range(1, 125))
def test_a_dab_of_every_size_is_the_formula_s(size: int) -> None:
    image = Image.new("RGB", (size + 2, size + 2), (200, 100, 7))
    brush.draw(image, 1 + size // 2, 1 + size // 2, size, 0x3366CC)
    for row in {0, 1, 2, size // 3, size // 2, size, size + 1}:
        for column in range(size + 2):
            inside = 1 <= row <= size and 1 <= column <= size
            m = mask(size, column - 1, row - 1) if inside else 0
            expected = (blend(200, 0x33, m), blend(100, 0x66, m), blend(7, 0xCC, m))
            assert image.getpixel((column, row)) == expected


@pytest.mark.parametrize(
    ("size", "left_top"), [(1, (20, 10)), (2, (19, 9)), (3, (19, 9)), (4, (18, 8)), (5, (18, 8))]
)
def test_the_top_left_pixel_is_the_middle_less_half_the_size_rounded_down(
    size: int, left_top: tuple[int, int]
) -> None:
    image = Image.new("RGB", (40, 20), (255, 255, 255))
    brush.draw(image, 20, 10, size, 0)
    touched = [(x, y) for y in range(20) for x in range(40) if image.getpixel((x, y)) != (255, 255, 255)]
    corner = (min(x for x, _ in touched), min(y for _, y in touched))
    assert corner == left_top


@pytest.mark.parametrize("size", [1, 2, 7, 8, 30])
@pytest.mark.parametrize(
    ("x", "y"), [(0, 0), (23, 0), (0, 17), (23, 17), (24, 18), (-3, 9), (26, 9), (12, -3), (12, 21), (12, 9)]
)
def test_a_dab_is_clipped_at_every_edge(x: int, y: int, size: int) -> None:
    image = noise(24, 18)
    expected = drawn(image, x, y, size, 0x80FF01)
    brush.draw(image, x, y, size, 0x80FF01)
    assert image.tobytes() == expected


@pytest.mark.parametrize(("x", "y"), [(-65535, 0), (65535, 65535), (-62, 9), (24 + 62, 9), (9, -62), (9, 80)])
def test_a_dab_wholly_off_the_picture_changes_nothing(x: int, y: int) -> None:
    image = noise(24, 18)
    before = image.tobytes()
    brush.draw(image, x, y, 124, 0)
    assert image.tobytes() == before


def test_the_channels_of_a_colour_are_red_green_blue() -> None:
    image = Image.new("RGB", (1, 1), (0, 0, 0))
    brush.draw(image, 0, 0, 1, 0xFF8001)
    assert image.getpixel((0, 0)) == (102, 51, 0)


@settings(deadline=None, max_examples=60)
@given(
    x=st.integers(-70, 100),
    y=st.integers(-70, 90),
    size=st.integers(1, 124),
    color=st.integers(0, 0xFFFFFF),
    seed=st.integers(0, 255),
)
def test_any_dab_on_any_picture_is_the_formula_s(x: int, y: int, size: int, color: int, seed: int) -> None:
    image = noise(32, 20, seed)
    expected = drawn(image, x, y, size, color)
    brush.draw(image, x, y, size, color)
    assert image.tobytes() == expected
