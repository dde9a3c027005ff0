"""getCanvas: crops, formats, bounds."""

import io
import time
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.contract.client import Client, Dab, Failed
from tests.contract.picture import decode, fetch
from tests.contract.schema import make
from tests.live_server import Server


def whole(client: Client) -> tuple[int, int]:
    reply = client.call("subscribe", events=["patch"])
    return reply.width, reply.height


def refused(client: Client, **fields: Any) -> Failed:
    for binary in (True, False):
        with pytest.raises(Failed) as failed:
            if binary:
                client.call("getCanvas", **fields)
            else:
                client.json("getCanvas", fields)
        assert (failed.value.code, failed.value.name) == (-32602, "INVALID_PARAMS")
        assert failed.value.field.split(".")[0] in fields
        assert failed.value.field in failed.value.error
    return failed.value


@pytest.mark.parametrize(("format_", "name"), [(None, "JPEG"), (0, "JPEG"), (1, "PNG"), (2, "WEBP")])
def test_formats(client: Client, format_: int | None, name: str) -> None:
    """JPEG where none is asked for."""
    fields = {} if format_ is None else {"format": format_}
    reply = client.call("getCanvas", offset={"x": 0, "y": 0}, width=40, height=30, **fields)
    with Image.open(io.BytesIO(reply.image)) as image:
        assert (image.format, image.size) == (name, (40, 30))


def test_an_unlisted_format(client: Client) -> None:
    """It hides among the unknown fields of a proto2 message."""
    for number in (3, 77, -1):
        raw = make("CanvasRequest", width=1, height=1).SerializeToString() + b"\x50"
        raw += bytes([number]) if number >= 0 else b"\xff" * 9 + b"\x01"
        with pytest.raises(Failed) as failed:
            client.call("getCanvas", raw)
        assert (failed.value.name, failed.value.field) == ("INVALID_PARAMS", "format")


def test_a_crop_is_that_part_of_the_picture(canvas: Server, client: Client) -> None:
    width, height = whole(client)
    client.dabs([Dab(100 + 7 * i, 200 + 5 * i, 90, 0x111111 * (i % 16)) for i in range(40)])
    pixels = fetch(canvas.url).pixels
    for x, y, w, h in (
        (0, 0, width, height),
        (100, 180, 301, 207),
        (width - 1, height - 1, 1, 1),
        (0, 5, width, 1),
    ):
        reply = client.call("getCanvas", offset={"x": x, "y": y}, width=w, height=h, format=1)
        assert np.array_equal(decode(reply.image), pixels[y : y + h, x : x + w])


def test_an_absent_offset_is_the_origin(client: Client) -> None:
    """As absent x and y are 0."""
    client.dab(0, 0, 9, 0xFF)
    corner = client.call("getCanvas", width=9, height=9, format=1).image
    assert client.call("getCanvas", offset={}, width=9, height=9, format=1).image == corner


def test_beyond_the_canvas(client: Client) -> None:
    width, height = whole(client)
    size = {"width": width, "height": height}
    assert str(width) in refused(client, offset={"x": 0}, width=width + 1, height=1).error
    assert str(height) in refused(client, width=1, height=height + 1).error
    refused(client, offset={"x": 1}, **size)
    refused(client, offset={"y": 1}, **size)
    refused(client, offset={"x": -1}, width=10, height=10)
    refused(client, offset={"y": -1}, width=10, height=10)
    refused(client, offset={"x": width}, width=1, height=1)
    refused(client, offset={"x": 2**31 - 1}, width=2**32 - 1, height=1)


def test_a_side_of_zero(client: Client) -> None:
    assert refused(client, width=0, height=5).field == "width"
    assert refused(client, width=5, height=0).field == "height"


def test_the_image_shows_every_operation_up_to_seq(canvas: Server, client: Client, other: Client) -> None:
    """At once after its acknowledgement, whoever painted it."""
    for i in range(10):
        seq = other.dab(300, 300, 31, 0xFFFFFF * (i % 2)).seq
        reply = client.call("getCanvas", offset={"x": 300, "y": 300}, width=1, height=1, format=1)
        assert reply.seq == seq
        before = decode(reply.image)[0, 0, 0]
        other.dab(300, 300, 31, 0xFFFFFF * (1 - i % 2))
        after = decode(
            client.call("getCanvas", offset={"x": 300, "y": 300}, width=1, height=1, format=1).image
        )
        assert (after[0, 0, 0] > before) == (i % 2 == 0)


def test_the_version_and_time(client: Client) -> None:
    """`time` is that of the newest operation, however much later the canvas is asked for."""
    painted = client.dab()
    for _ in range(2):
        reply = client.call("getCanvas", width=1, height=1)
        assert (reply.dream, reply.seq) == (0, painted.seq)
        assert reply.time == painted.time
        assert reply.timestamp == reply.time % 2**32
        client.ws.ping().wait(5)
    assert reply.time <= time.time_ns() // 1_000_000
