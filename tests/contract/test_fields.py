"""Every field of every method, with what it cannot hold: the caller is told which, in both encodings."""

import json
from typing import Any

import pytest

from tests.contract.client import Client, Failed, json_failure
from tests.contract.schema import ENUMS, FIELDS, METHODS

NUMBERS = ("4294967296", "9007199254740992", "9223372036854775808", "18446744073709551616", "-1", "1e400")
SMALL = {"double": (), "bool": NUMBERS, "uint64": NUMBERS[3:], "int32": (*NUMBERS[:4], NUMBERS[5])}


def fields(message: str, way: tuple[str, ...] = ()) -> list[tuple[str, tuple[str, ...], str]]:
    """The fields of a message that are no messages: its type, the names that lead there, the name to tell."""
    found = []
    for field in FIELDS[message]:
        name = f"{field.name}[0]" if field.repeated else field.name
        if field.kind in FIELDS:
            found += [(kind, (name, *way), f"{name}.{place}") for kind, way, place in fields(field.kind)]
        else:
            found.append((field.kind, (name,), name))
    return found


def params(way: tuple[str, ...], value: Any) -> dict[str, Any]:
    if way[1:]:
        value = params(way[1:], value)
    name, bracket, _ = way[0].partition("[")
    return {name: [value] if bracket else value}


ALL = [(method, *field) for method, (request, _) in METHODS.items() for field in fields(request)]


def refused(client: Client, method: str, params: str) -> Failed:
    client.send(f'{{"jsonrpc": "2.0", "id": 1, "method": "{method}", "params": {params}}}')
    return json_failure(client.reply()["error"])


def test_there_are_such_fields() -> None:
    assert {("cursor", "string", ("name",), "name"), ("getCanvas", "Format", ("format",), "format")} <= {*ALL}
    assert ("paint", "int32", ("dabs[0]", "pos", "x"), "dabs[0].pos.x") in ALL


@pytest.mark.parametrize(("method", "kind", "way", "place"), ALL)
def test_a_number_in_json_that_a_field_cannot_hold(
    client: Client, method: str, kind: str, way: tuple[str, ...], place: str
) -> None:
    for number in SMALL.get(kind, NUMBERS):
        text = json.dumps(params(way, "HERE")).replace('"HERE"', number)
        error = refused(client, method, text)
        assert (error.code, error.name, error.field) == (-32602, "INVALID_PARAMS", place), number


@pytest.mark.parametrize(
    ("method", "way", "place"), [(method, way, place) for method, kind, way, place in ALL if kind == "string"]
)
def test_bytes_in_place_of_text(client: Client, method: str, way: tuple[str, ...], place: str) -> None:
    number = next(field.number for field in FIELDS[METHODS[method][0]] if way[0].startswith(field.name))
    with pytest.raises(Failed) as failed:
        client.call(method, bytes((number << 3 | 2, 2, 0xFF, 0xFE)))
    assert (failed.value.code, failed.value.name) == (-32602, "INVALID_PARAMS")
    assert failed.value.field == place


def test_bytes_in_place_of_text_beside_what_is_right(client: Client) -> None:
    """A position, and a name that is not UTF-8."""
    with pytest.raises(Failed, match="INVALID_PARAMS") as failed:
        client.call("cursor", bytes.fromhex("0a002202fffe"))
    assert failed.value.field == "name"


@pytest.mark.parametrize("value", [3, 99, 2**31, 2**64 - 1])
def test_an_enum_value_in_binary_that_is_not_listed(client: Client, value: int) -> None:
    assert value not in ENUMS["CanvasRequest", "Format"].values()
    digits = bytearray()
    while value > 0x7F:
        digits.append(value & 0x7F | 0x80)
        value >>= 7
    with pytest.raises(Failed, match="INVALID_PARAMS") as failed:
        client.call("getCanvas", b"\x10\x01\x18\x01\x50" + bytes((*digits, value)))
    assert failed.value.field == "format"
