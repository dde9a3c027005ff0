"""Messages in JSON: protobuf's mapping, but 64-bit integers are numbers."""

import base64
from typing import Any

import pytest

from tests.contract.client import Client, Dab, Failed
from tests.contract.schema import FIELDS

POS = {"x": 5, "y": 6}
SESSION = bytes(range(200, 222))


def refused(client: Client, method: str, params: dict[str, Any]) -> Failed:
    with pytest.raises(Failed) as failed:
        client.json(method, params)
    assert (failed.value.code, failed.value.name) == (-32602, "INVALID_PARAMS")
    return failed.value


def painted(client: Client, other: Client, params: dict[str, Any]) -> Dab:
    other.call("subscribe", events=["paint"])
    client.json("paint", params)
    return Dab.of(other.event("paint").message)


def test_results_have_camel_case_names(client: Client) -> None:
    result = client.json("subscribe")
    camel = {
        f.name.split("_")[0] + "".join(w.title() for w in f.name.split("_")[1:])
        for f in FIELDS["SubscribeResponse"]
    }
    assert set(result) <= camel
    assert {
        "brushSize",
        "dreamSeq",
        "seq",
        "width",
        "height",
        "resync",
        "version",
        "author",
        "limits",
    } <= set(result)
    assert set(result["limits"]) >= {
        "messageBytes",
        "dabsPerCall",
        "dabsBurst",
        "canvasPerMinute",
        "replayOperations",
    }


def test_results_say_what_wsrpc_says(client: Client) -> None:
    result, message = (
        client.json("subscribe", {"events": ["patch"]}),
        client.call("subscribe", events=["patch"]),
    )
    for name, value in result.items():
        if name not in ("limits", "status"):
            field = {"brushSize": "brush_size", "dreamSeq": "dream_seq", "lastCall": "last_call"}.get(
                name, name
            )
            assert value == getattr(message, field), name
    assert result["status"]["users"] == message.status.users
    assert result["limits"]["dabsPerCall"] == message.limits.dabs_per_call


def test_64_bit_integers_are_numbers(client: Client, other: Client) -> None:
    assert type(other.json("subscribe", {"events": ["paint"]})["seq"]) is int
    result = client.json("paint", {"pos": POS, "size": 3})
    assert type(result["seq"]) is int
    assert type(result["time"]) is int
    event = other.event("paint")
    assert not event.binary
    assert type(event.message["seq"]) is int
    assert type(event.message["time"]) is int
    assert type(client.json("getInfo")["started"]) is int
    image = client.json("getCanvas", {"width": 1, "height": 1})
    assert type(image["dream"]) is int


def test_zero_fields_are_written(client: Client, other: Client) -> None:
    other.json("subscribe", {"events": ["paint"]})
    client.json("paint", {"pos": {"x": 0, "y": 0}, "size": 1, "color": 0})
    params = other.event("paint").message
    assert params["pos"] == {"x": 0, "y": 0}
    assert params["color"] == 0


@pytest.mark.parametrize("size", ["9", 9.0, "9.0", 0.9e1, "9e0"])
def test_numbers_may_be_strings(client: Client, other: Client, size: Any) -> None:
    """As the mapping allows: a string, or with a fraction of zero, or an exponent."""
    assert painted(client, other, {"pos": {"x": "-5", "y": "6"}, "size": size}) == Dab(-5, 6, 9, 0)


def test_64_bit_integers_may_be_strings(client: Client) -> None:
    seq = client.json("subscribe")["seq"]
    assert client.json("subscribe", {"since": str(seq)})["resync"] is False
    assert client.json("subscribe", {"since": seq})["resync"] is False
    assert client.json("subscribe", {"since": str(seq + 1)})["resync"] is True


@pytest.mark.parametrize("since", [-1, 2**64, "18446744073709551616", "-1", 1.5, True, "0x1"])
def test_a_value_that_is_no_64_bit_number(client: Client, since: Any) -> None:
    assert refused(client, "subscribe", {"since": since}).field == "since"


@pytest.mark.parametrize("size", [9.5, "9.5", "x", "", " 9", True, [9], {}, -1, 2**32, "1e99", 1e99])
def test_a_value_that_is_no_such_number(client: Client, size: Any) -> None:
    assert refused(client, "paint", {"pos": POS, "size": size}).field == "size"


def test_a_nested_value_that_is_no_such_number(client: Client) -> None:
    assert refused(client, "paint", {"pos": {"x": 2**31}, "size": 1}).field == "pos.x"
    dabs = [{"pos": POS, "size": 1}, {"pos": {"y": "a"}, "size": 1}]
    assert refused(client, "paint", {"dabs": dabs}).field == "dabs[1].pos.y"


@pytest.mark.parametrize("params", [{"pos": 5}, {"pos": []}, {"dabs": {}}, {"dabs": [5]}, {"dabs": [None]}])
def test_a_value_of_another_shape(client: Client, params: dict[str, Any]) -> None:
    name = next(iter(params))
    assert refused(client, "paint", {"size": 3, **params}).field.startswith(name)


def test_null_is_absent(client: Client, other: Client) -> None:
    assert painted(client, other, {"pos": POS, "size": 2, "color": None, "dabs": None, "call": None}) == Dab(
        5, 6, 2, 0
    )
    assert refused(client, "paint", {"pos": None, "size": 2}).field == "pos"
    assert refused(client, "paint", {"pos": POS, "size": None}).field == "size"


def test_unknown_fields_are_refused(client: Client) -> None:
    assert "colour" in refused(client, "paint", {"pos": POS, "size": 2, "colour": 5}).error
    assert "z" in refused(client, "paint", {"pos": {"x": 1, "z": 2}, "size": 2}).error
    assert "frobnicate" in refused(client, "getInfo", {"frobnicate": None}).error


@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
@pytest.mark.parametrize("padded", [True, False])
def test_bytes_are_base64(client: Client, encode: Any, padded: bool) -> None:
    """Standard or URL-safe, with padding or without."""
    author = client.call("subscribe", session=SESSION).author
    text = encode(SESSION).decode()
    assert client.json("subscribe", {"session": text if padded else text.rstrip("=")})["author"] == author


@pytest.mark.parametrize("session", ["A", "!" * 24, 5, ["a"], "AAAAAAAAAAAAAAAAAAAAAA é"])
def test_bytes_that_are_not_base64(client: Client, session: Any) -> None:
    assert refused(client, "subscribe", {"session": session}).field == "session"


def test_an_image_is_base64(client: Client) -> None:
    image = client.json("getCanvas", {"width": 2, "height": 2, "format": "PNG"})["image"]
    assert base64.b64decode(image, validate=True).startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("format_", "magic"),
    [("JPEG", b"\xff\xd8"), (0, b"\xff\xd8"), ("PNG", b"\x89PNG"), (1, b"\x89PNG"), (2, b"RIFF")],
)
def test_an_enum_is_a_name_or_a_number(client: Client, format_: Any, magic: bytes) -> None:
    image = client.json("getCanvas", {"width": 2, "height": 2, "format": format_})["image"]
    assert base64.b64decode(image).startswith(magic)


@pytest.mark.parametrize("format_", ["GIF", "png", 3, -1, 2**31, 1.5, ""])
def test_an_enum_value_that_is_not_listed(client: Client, format_: Any) -> None:
    assert refused(client, "getCanvas", {"width": 2, "height": 2, "format": format_}).field == "format"


def test_an_enum_is_written_as_its_name(client: Client) -> None:
    assert client.json("subscribe")["status"]["dreamer"] == "OFF"
