"""Requests in both encodings, field by field: what no handler may be given, by the descriptors."""

import json
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from dreamcanvas.errors import InvalidParams
from dreamcanvas.proto import admin_pb2, dreamcanvas_pb2
from dreamcanvas.proto import dreamcanvas_pb2 as pb
from dreamcanvas.rpc.jsonmap import from_json
from dreamcanvas.rpc.payloads import from_bytes
from dreamcanvas.rpc.wsrpc import varint

FILES = (dreamcanvas_pb2.DESCRIPTOR, admin_pb2.DESCRIPTOR)
REQUESTS = {
    method.input_type.full_name: method.input_type
    for file in FILES
    for service in file.services_by_name.values()
    for method in service.methods
}
# Answers and events have kinds of fields that no request has yet: numbers with a fraction, nested enums
MESSAGES = REQUESTS | {
    message.full_name: message for file in FILES for message in file.message_types_by_name.values()
}
NO_TEXT = b"\xff\xfe"
VALUES: tuple[Any, ...] = (
    *(-1, 0, 1, 2**31 - 1, 2**31, 2**32, 2**53, 2**63, 2**64, -(2**31) - 1, -(2**63) - 1, 10**400),
    *(0.5, 1e300, float("inf"), float("-inf"), float("nan"), "1e400", "9" * 400, "-1", "", "\ud800"),
    *(True, [], {}, [1], {"x": 1}),
)


class Place(NamedTuple):
    """A field that is no message, however deep in one: the way to it, and its name as errors tell it."""

    message: Descriptor
    way: tuple[FieldDescriptor, ...]
    name: str

    def __str__(self) -> str:
        return f"{self.message.name}.{self.name}"

    @property
    def message_class(self) -> type[Message]:
        return GetMessageClass(self.message)


def places(message: Descriptor, at: Descriptor, way: tuple[FieldDescriptor, ...] = ()) -> Iterator[Place]:
    """The places of a message below the field to which a way leads."""
    for field in at.fields:
        if field.message_type is None:
            names = [f"{step.name}[0]" if step.is_repeated else step.name for step in (*way, field)]
            yield Place(message, (*way, field), ".".join(names))
        else:
            yield from places(message, field.message_type, (*way, field))


PLACES = [place for message in MESSAGES.values() for place in places(message, message)]
TEXTS = [place for place in PLACES if place.way[-1].type == FieldDescriptor.TYPE_STRING]
ENUMS = [place for place in PLACES if place.way[-1].enum_type is not None]


def serialised(way: Sequence[FieldDescriptor], value: bytes | None) -> bytes:
    """A message in which one field is set: to bytes with their length, or, where there are none, to 99."""
    field, *inner = way
    if inner:
        value = serialised(inner, value)
    if value is None:
        return varint(field.number << 3) + varint(99)
    return varint(field.number << 3 | 2) + varint(len(value)) + value


def params(way: Sequence[FieldDescriptor], value: Any) -> dict[str, Any]:
    """The same in JSON, by the names of the .proto files."""
    field, *inner = way
    if inner:
        value = params(inner, value)
    return {field.name: [value] if field.is_repeated else value}


def test_there_are_fields_of_every_kind() -> None:
    assert {"dreamcanvas.CursorRequest", "dreamcanvas.admin.BanRequest"} <= REQUESTS.keys()
    names = {str(place) for place in PLACES}
    assert {"PaintRequest.dabs[0].pos.x", "SubscribeRequest.events[0]", "Costs.today"} <= names
    assert {str(place) for place in TEXTS} >= {"CursorRequest.name", "HistoryResponse.windows[0].poster"}
    assert {str(place) for place in ENUMS} >= {"CanvasRequest.format", "HistoryResponse.windows[0].state"}


@pytest.mark.parametrize("place", TEXTS, ids=str)
def test_a_string_that_is_not_utf8_is_named(place: Place) -> None:
    with pytest.raises(InvalidParams, match="Unicode text") as caught:
        from_bytes(serialised(place.way, NO_TEXT), place.message_class)
    assert caught.value.field == place.name
    whole = serialised(place.way, "é".encode())
    assert from_bytes(whole, place.message_class).SerializeToString() == whole


@pytest.mark.parametrize("place", ENUMS, ids=str)
def test_an_enum_value_that_is_not_listed_is_named(place: Place) -> None:
    with pytest.raises(InvalidParams, match="is one of") as caught:
        from_bytes(serialised(place.way, None), place.message_class)
    assert caught.value.field == place.name


@pytest.mark.parametrize("place", PLACES, ids=str)
def test_a_field_takes_a_json_value_or_is_named(place: Place) -> None:
    refused = 0
    for value in VALUES:
        try:
            made = from_json(params(place.way, value), place.message_class)
        except InvalidParams as error:
            refused += 1
            assert error.field is not None
            assert error.field.startswith(place.name)
        else:
            assert made.ByteSize()
    assert refused


def test_json_s_own_numbers_beyond_all_bounds() -> None:
    for text in ("4294967296", "9007199254740992", "18446744073709551616", "-1", "1e400", "-1e400"):
        with pytest.raises(InvalidParams, match=r"format is one of JPEG \(0\)") as caught:
            from_json(json.loads(f'{{"format": {text}}}'), pb.CanvasRequest)
        assert caught.value.field == "format"


def test_the_second_text_of_a_list_is_named_by_its_number() -> None:
    with pytest.raises(InvalidParams) as caught:
        from_bytes(b"\x0a\x05paint\x0a\x02\xff\xfe", pb.SubscribeRequest)
    assert caught.value.field == "events[1]"


def test_what_is_whole_is_given_as_it_is() -> None:
    request = pb.SubscribeRequest(events=["paint", "é"], batch=True, since=2**60, session=NO_TEXT * 8)
    assert from_bytes(request.SerializeToString(), pb.SubscribeRequest) == request
