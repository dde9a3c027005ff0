"""Parses the request messages of wsrpc, and refuses what protobuf's parser lets through (pure).

For a proto2 message, the parser puts an enum value that the schema does not list among the unknown
fields, and returns a string that is not UTF-8 as bytes. A handler expects neither.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar, cast

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import DecodeError, Message
from google.protobuf.unknown_fields import UnknownFieldSet

from dreamcanvas.errors import InvalidParams
from dreamcanvas.rpc import jsonmap

M = TypeVar("M", bound=Message)


@dataclass(frozen=True, slots=True)
class _Unchecked:
    """The fields of a message type that the parser does not check enough. `inner` are messages with such."""

    texts: tuple[FieldDescriptor, ...]
    enums: dict[int, FieldDescriptor]
    inner: tuple[FieldDescriptor, ...]

    def __bool__(self) -> bool:
        return bool(self.texts or self.enums or self.inner)


@cache
def _unchecked(descriptor: Descriptor) -> _Unchecked:
    """Find the fields of a message type that need another check. The type must not contain itself."""
    fields = descriptor.fields
    return _Unchecked(
        texts=tuple(field for field in fields if field.type == FieldDescriptor.TYPE_STRING),
        enums={field.number: field for field in fields if field.enum_type is not None},
        inner=tuple(
            field for field in fields if field.message_type is not None and _unchecked(field.message_type)
        ),
    )


def from_bytes(payload: bytes, message_type: type[M]) -> M:
    """Parse a serialised message. Raises InvalidParams, which names the field where one field is wrong."""
    message = message_type()
    descriptor = cast(Descriptor, message.DESCRIPTOR)
    try:
        message.ParseFromString(payload)
    except (DecodeError, UnicodeDecodeError):
        raise InvalidParams(f"the payload is not a {descriptor.name}") from None
    unchecked = _unchecked(descriptor)
    if unchecked:  # most calls are paints, which have no such fields: they cost only this line
        _check(message, unchecked, "")
    return message


def _check(message: Message, unchecked: _Unchecked, path: str) -> None:
    for field in unchecked.texts:
        for place, text in _values(message, field, path):
            if not isinstance(text, str):
                raise jsonmap.no_text(place)
    if unchecked.enums:
        for unknown in cast(Any, UnknownFieldSet(message)):
            if unknown.field_number in unchecked.enums:
                field = unchecked.enums[unknown.field_number]
                raise jsonmap.unlisted(field, f"{path}{field.name}")
    for field in unchecked.inner:
        assert field.message_type is not None
        for place, inner in _values(message, field, path):
            _check(inner, _unchecked(field.message_type), f"{place}.")


def _values(message: Message, field: FieldDescriptor, path: str) -> list[tuple[str, Any]]:
    """Return the values of a field, each with its place in words; none where the field is not set."""
    name = f"{path}{field.name}"
    if field.is_repeated:
        return [(f"{name}[{index}]", item) for index, item in enumerate(getattr(message, field.name))]
    return [(name, getattr(message, field.name))] if message.HasField(field.name) else []
