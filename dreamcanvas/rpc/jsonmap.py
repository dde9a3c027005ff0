"""The protobuf JSON mapping of messages (https://protobuf.dev/programming-guides/json/), pure.

`google.protobuf.json_format` is not used, because it writes 64-bit integers as strings, and its
errors name neither the bounds of a value nor its place inside a list. The wire contract asks for
numbers, bounds and places.
"""

import base64
import binascii
import math
import re
from collections.abc import Callable
from decimal import Decimal
from functools import cache
from typing import Final, TypeVar, cast

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message

from dreamcanvas.errors import InvalidParams
from dreamcanvas.rpc.jsonrpc import Json

M = TypeVar("M", bound=Message)

_BOUNDS: Final = {
    FieldDescriptor.CPPTYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.CPPTYPE_UINT32: (0, 2**32 - 1),
    FieldDescriptor.CPPTYPE_INT64: (-(2**63), 2**63 - 1),
    FieldDescriptor.CPPTYPE_UINT64: (0, 2**64 - 1),
}
_NUMBER: Final = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,2})?")


def to_json(message: Message) -> Json:
    """Return the fields that are set, as JSON values: lowerCamelCase names, base64 bytes, enums by name."""
    values: dict[str, Json] = {}
    for field, value in message.ListFields():
        if field.is_repeated:
            values[field.json_name] = [_value_to_json(field, item) for item in value]
        else:
            values[field.json_name] = _value_to_json(field, value)
    return values


def _value_to_json(field: FieldDescriptor, value: Json) -> Json:
    if field.message_type is not None:
        return to_json(value)
    if field.type == FieldDescriptor.TYPE_BYTES:
        return base64.b64encode(value).decode()
    if field.enum_type is not None:
        return field.enum_type.values_by_number[value].name
    return value


def from_json(params: Json, message_type: type[M], most_items: int = 0) -> M:
    """Return the message that JSON params stand for. Raises InvalidParams, naming the field and its bounds.

    Absent params (None) are the empty message. A field that is null is absent. A field has its
    lowerCamelCase or its .proto name. Integers may be numbers or strings. Unknown fields are
    errors.

    `most_items` is how many items a list among the params may have, 0 for any number; lists further
    inside are not counted. It is checked first, so that no time is spent on a list that is too
    long.
    """
    message = message_type()
    if params is not None:
        if not isinstance(params, dict):
            # An array is valid JSON-RPC (section 4.2), but the methods here take params by name
            # only
            raise InvalidParams("params are given by name, in an object", field="params")
        if most_items:
            _check_lists(params, most_items)
        _fill(message, params, "")
    return message


def _check_lists(params: dict[str, Json], most: int) -> None:
    for name, value in params.items():
        if isinstance(value, list) and len(value) > most:
            place = shown(name)
            raise InvalidParams(f"{place} has {len(value)} items, at most {most} are allowed", field=place)


@cache
def _fields(descriptor: Descriptor) -> dict[str, FieldDescriptor]:
    return {name: field for field in descriptor.fields for name in (field.json_name, field.name)}


def _fill(message: Message, params: dict[str, Json], path: str) -> None:
    fields = _fields(cast(Descriptor, message.DESCRIPTOR))
    seen: set[str] = set()
    for key, value in params.items():
        place = f"{path}{key}"
        field = fields.get(key)
        if field is None:
            known = ", ".join(field.json_name for field in message.DESCRIPTOR.fields) or "none"
            name = shown(place)
            raise InvalidParams(f"{name} is not a field here; the fields are: {known}", field=name)
        if value is None:
            continue
        if field.name in seen:
            raise InvalidParams(f"{place} is given twice", field=place)
        seen.add(field.name)
        _set(message, field, value, place)


def _set(message: Message, field: FieldDescriptor, value: Json, place: str) -> None:
    if field.is_repeated:
        if not isinstance(value, list):
            raise InvalidParams(f"{place} is an array", field=place)
        items = getattr(message, field.name)
        for index, item in enumerate(value):
            where = f"{place}[{index}]"
            if field.message_type is not None:
                _fill(items.add(), _object(item, where), f"{where}.")
            else:
                items.append(_scalar(field, item, where))
    elif field.message_type is not None:
        inner = getattr(message, field.name)
        inner.SetInParent()
        _fill(inner, _object(value, place), f"{place}.")
    else:
        setattr(message, field.name, _scalar(field, value, place))


def _object(value: Json, place: str) -> dict[str, Json]:
    if not isinstance(value, dict):
        raise InvalidParams(f"{place} is an object", field=place)
    return value


def _scalar(field: FieldDescriptor, value: Json, place: str) -> Json:
    return _READERS[field.cpp_type](field, value, place)


def _integer(field: FieldDescriptor, value: Json, place: str) -> int:
    low, high = _BOUNDS[field.cpp_type]
    number: int | None = None
    if isinstance(value, int) and not isinstance(value, bool):
        number = value
    elif isinstance(value, float) and math.isfinite(value) and value.is_integer():
        number = int(value)
    elif isinstance(value, str) and _NUMBER.fullmatch(value):
        decimal = Decimal(value)
        number = int(decimal) if decimal == decimal.to_integral_value() else None
    if number is None or not low <= number <= high:
        raise InvalidParams(f"{place} is an integer, {low} to {high}", field=place)
    return number


def _boolean(_field: FieldDescriptor, value: Json, place: str) -> bool:
    if not isinstance(value, bool):
        raise InvalidParams(f"{place} is true or false", field=place)
    return value


def _double(_field: FieldDescriptor, value: Json, place: str) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            number = float(value)
        except OverflowError:  # an integer of hundreds of digits
            number = math.inf
        if math.isfinite(number):
            return number
    raise InvalidParams(f"{place} is a number", field=place)


def _text(field: FieldDescriptor, value: Json, place: str) -> str | bytes:
    if not isinstance(value, str):
        raise InvalidParams(f"{place} is a string", field=place)
    if field.type == FieldDescriptor.TYPE_STRING:
        try:
            value.encode()
        except UnicodeEncodeError:
            raise no_text(place) from None
        return value
    standard = value.replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return base64.b64decode(standard + "=" * (-len(standard) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise InvalidParams(f"{place} is bytes in base64", field=place) from None


def _enum(field: FieldDescriptor, value: Json, place: str) -> int:
    assert field.enum_type is not None
    if isinstance(value, str | int) and not isinstance(value, bool):
        number = _listed(field.enum_type).get(value)
        if number is not None:
            return number
    raise unlisted(field, place)


@cache
def _listed(enum: EnumDescriptor) -> dict[str | int, int]:
    """Return the numbers of an enum, by name and by number.

    Protobuf's own `values_by_number` raises ValueError when it is asked for an integer beyond 32
    bits.
    """
    return {key: value.number for value in enum.values for key in (value.name, value.number)}


def no_text(place: str) -> InvalidParams:
    """Return the error for a string that cannot be UTF-8."""
    return InvalidParams(f"{place} is Unicode text", field=place)


def unlisted(field: FieldDescriptor, place: str) -> InvalidParams:
    """Return the error for an enum value that the schema does not list."""
    assert field.enum_type is not None
    listed = ", ".join(f"{value.name} ({value.number})" for value in field.enum_type.values)
    return InvalidParams(f"{place} is one of {listed}", field=place)


def shown(place: str) -> str:
    """Return a name that the caller chose, cut to 80 characters for an error message."""
    return place if len(place) <= 80 else place[:79] + "…"


_READERS: Final[dict[int, Callable[[FieldDescriptor, Json, str], Json]]] = {
    **dict.fromkeys(_BOUNDS, _integer),
    FieldDescriptor.CPPTYPE_BOOL: _boolean,
    FieldDescriptor.CPPTYPE_DOUBLE: _double,
    FieldDescriptor.CPPTYPE_STRING: _text,
    FieldDescriptor.CPPTYPE_ENUM: _enum,
}
