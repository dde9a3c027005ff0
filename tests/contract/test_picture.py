"""The picture: the brush's formula on white, to the bit, and its version."""

import random

import numpy as np
import pytest
from PIL import Image

from tests.contract import picture
from tests.contract.client import Client, Dab
from tests.contract.picture import Pixels, decode, fetch, mask, operations, paint, white
from tests.live_server import Server


@pytest.fixture
def size(client: Client) -> tuple[int, int]:
    reply = client.call("subscribe", events=["patch"])
    return reply.width, reply.height


def crop(client: Client, x: int, y: int, width: int, height: int) -> Pixels:
    reply = client.call("getCanvas", offset={"x": x, "y": y}, width=width, height=height, format=1)
    return decode(reply.image)


def expected(client: Client, size: tuple[int, int]) -> tuple[Pixels, int]:
    """White and every operation there ever was, as the server replays them."""
    seq = client.call("subscribe", events=["patch"]).seq
    return paint(white(*size), operations(client, 0, seq)), seq


def test_the_formulas_are_pillows_paste() -> None:
    """The page's own remark, for every size: mask and blend as here are what `Image.paste` computes."""
    rng = random.Random(5)
    pixels = np.frombuffer(rng.randbytes(200 * 200 * 3), np.uint8).reshape(200, 200, 3)
    for n in range(1, 125):
        dab = Dab(rng.randrange(-20, 220), rng.randrange(-20, 220), n, rng.randrange(1 << 24))
        image = Image.fromarray(pixels)
        color = (dab.color >> 16, dab.color >> 8 & 255, dab.color & 255)
        corner = (dab.x - n // 2, dab.y - n // 2)
        image.paste(color, (*corner, corner[0] + n, corner[1] + n), Image.fromarray(mask(n)))
        pixels = paint(pixels, [dab])
        assert np.array_equal(np.asarray(image), pixels), n


def test_masks_by_hand() -> None:
    """r = 0 in the middle of an odd size gives 102; r ≥ 1 gives 0; size 2 is four pixels of r = √½."""
    assert mask(1).tolist() == [[102]]
    assert mask(2).tolist() == [[20, 20], [20, 20]]
    assert mask(3)[1, 1] == 102
    assert mask(4)[0, 0] == 0


@pytest.mark.parametrize(
    ("color", "after"),
    [(0x000000, (153, 153, 153)), (0xFF0000, (255, 153, 153)), (0xFFFFFF, (255, 255, 255))],
)
def test_one_pixel_by_hand(
    client: Client, size: tuple[int, int], color: int, after: tuple[int, int, int]
) -> None:
    """White under a dab of size 1: m = 102, t = 255·153 + c·102 + 128. The pixel is far from others'."""
    x = size[0] - 1 - [0x000000, 0xFF0000, 0xFFFFFF].index(color)
    client.dab(x, size[1] - 1, 1, color)
    assert tuple(crop(client, x, size[1] - 1, 1, 1)[0, 0]) == after


def test_every_size_on_the_servers_canvas(client: Client, size: tuple[int, int]) -> None:
    rng = random.Random(7)
    for first in range(1, 125, 31):
        client.dabs(
            [
                Dab(rng.randrange(size[0]), rng.randrange(size[1]), n, rng.randrange(1 << 24))
                for n in range(first, first + 31)
            ]
        )
    pixels, seq = expected(client, size)
    fetched = fetch_from(client, size)
    assert np.array_equal(fetched, pixels), seq


def fetch_from(client: Client, size: tuple[int, int]) -> Pixels:
    return crop(client, 0, 0, *size)


def test_order_and_edges(client: Client, size: tuple[int, int]) -> None:
    """Dabs that overlap, in colours that tell their order, on and beyond all four edges."""
    width, height = size
    rng = random.Random(11)
    dabs = [
        Dab(
            rng.choice((0, width)) + rng.randrange(-60, 60),
            rng.randrange(height),
            124,
            rng.randrange(1 << 24),
        )
        for _ in range(60)
    ]
    dabs += [
        Dab(
            rng.randrange(width),
            rng.choice((0, height)) + rng.randrange(-60, 60),
            123,
            rng.randrange(1 << 24),
        )
        for _ in range(60)
    ]
    dabs += [Dab(-62, -62, 124, 0), Dab(width + 61, height + 61, 124, 0), Dab(-65535, 65535, 124, 0)]
    client.dabs(dabs)
    pixels, _ = expected(client, size)
    assert np.array_equal(fetch_from(client, size), pixels)


def test_the_png_of_the_address_is_the_picture(canvas: Server, client: Client, size: tuple[int, int]) -> None:
    client.dab(700, 700, 50, 0xFF00FF)
    pixels, seq = expected(client, size)
    fetched = fetch(canvas.url)
    assert (fetched.dream, fetched.seq) == (0, seq)
    assert np.array_equal(fetched.pixels, pixels)


def test_dream_0_is_white(limited: Server) -> None:
    """A server with no dream, and nothing painted in the corner that is asked for."""
    with Client(limited.url, additional_headers={"X-Forwarded-For": "10.9.0.1"}) as client:
        reply = client.call("getCanvas", width=50, height=50, format=1)
        assert reply.dream == 0
        assert (decode(reply.image) == 255).all()


def test_masks_are_symmetric() -> None:
    """What hypot gives: the same under reflection, for every size; 102 where r is least and odd."""
    for n in range(1, 125):
        values = picture.mask(n)
        assert np.array_equal(values, values[::-1])
        assert np.array_equal(values, values.T)
