"""Makes an OpenRPC 1.3 document (https://spec.open-rpc.org) of protobuf descriptors and comments (pure)."""

import re
from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Final

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
)

from dreamcanvas.errors import DreamcanvasError, RpcError
from dreamcanvas.rpc.jsonrpc import Json

_RANGE: Final = re.compile(r"(-?[0-9]+) to (0x[0-9A-Fa-f]+|[0-9]+)(?=[;,.:]| |$)")
_COUNT: Final = re.compile(r"\b([0-9]+) to limits\.(\w+)")
_BYTES: Final = re.compile(r"\b([0-9]+) to ([0-9]+) (?:random )?bytes\b")
_CHARACTERS: Final = re.compile(r"\bat most ([0-9]+) characters\b")
_COLOUR: Final = "0xRRGGBB"
_FROM: Final = re.compile(r"\bfrom ([0-9]+)\b")
_INTEGERS: Final = {
    FieldDescriptorProto.TYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptorProto.TYPE_UINT32: (0, 2**32 - 1),
    FieldDescriptorProto.TYPE_INT64: (-(2**53), 2**53),
    FieldDescriptorProto.TYPE_UINT64: (0, 2**53),
}
_MESSAGE_FIELD, _NESTED, _SERVICE, _METHOD, _MESSAGE = 2, 3, 6, 2, 4


def document(
    descriptors: FileDescriptorSet,
    *,
    service: str,
    methods: Collection[str],
    title: str,
    version: str,
    limits: Mapping[str, int] = MappingProxyType({}),
) -> dict[str, Json]:
    """Return the OpenRPC document that describes some methods of a service.

    `descriptors` holds one file, with its source information: bounds are read from its comments.
    `limits` has the bounds that comments name as `limits.NAME`; 0 is no bound.
    """
    return _Writer(descriptors.file[0], limits).document(service, methods, title, version)


class _Writer:
    def __init__(self, file: FileDescriptorProto, limits: Mapping[str, int]) -> None:
        self._file = file
        self._limits = limits
        self._comments = {
            tuple(location.path): " ".join(location.leading_comments.split())
            for location in file.source_code_info.location
        }
        self._messages: dict[str, tuple[DescriptorProto, tuple[int, ...]]] = {}
        self._enums: dict[str, EnumDescriptorProto] = {}
        for index, message in enumerate(file.message_type):
            self._index(message, f".{file.package}", (_MESSAGE, index))

    def _index(self, message: DescriptorProto, scope: str, path: tuple[int, ...]) -> None:
        name = f"{scope}.{message.name}"
        self._messages[name] = (message, path)
        for enum in message.enum_type:
            self._enums[f"{name}.{enum.name}"] = enum
        for index, nested in enumerate(message.nested_type):
            self._index(nested, name, (*path, _NESTED, index))

    def document(
        self, service_name: str, methods: Collection[str], title: str, version: str
    ) -> dict[str, Json]:
        index, service = next(
            (index, service)
            for index, service in enumerate(self._file.service)
            if service.name == service_name
        )
        return {
            "openrpc": "1.3.2",
            "info": {
                "title": title,
                "version": version,
                "description": self._comments.get((12,), "") or title,
            },
            "methods": [
                self._method(
                    method.name, method.input_type, method.output_type, (_SERVICE, index, _METHOD, number)
                )
                for number, method in enumerate(service.method)
                if method.name in methods
            ],
            "components": {
                "schemas": {_short(name): self._schema(name) for name in self._messages},
                "errors": {error.name: {"code": error.code, "message": _doc(error)} for error in _errors()},
            },
        }

    def _method(self, name: str, request: str, response: str, path: tuple[int, ...]) -> Json:
        message, place = self._messages[request]
        return {
            "name": name,
            "description": self._comments.get(path, ""),
            "paramStructure": "by-name",
            "params": [
                {
                    "name": field.json_name,
                    "description": self._comments.get((*place, _MESSAGE_FIELD, index), ""),
                    "required": False,
                    "schema": self._field(field, (*place, _MESSAGE_FIELD, index)),
                }
                for index, field in enumerate(message.field)
            ],
            "result": {
                "name": _short(response),
                "schema": {"$ref": f"#/components/schemas/{_short(response)}"},
            },
            "errors": [{"$ref": f"#/components/errors/{error.name}"} for error in _errors()],
        }

    def _schema(self, name: str) -> Json:
        message, path = self._messages[name]
        schema: dict[str, Json] = {
            "type": "object",
            "properties": {
                field.json_name: self._field(field, (*path, _MESSAGE_FIELD, index))
                for index, field in enumerate(message.field)
            },
            "additionalProperties": False,
        }
        if self._comments.get(path):
            schema["description"] = self._comments[path]
        return schema

    def _field(self, field: FieldDescriptorProto, path: tuple[int, ...]) -> Json:
        comment = self._comments.get(path, "")
        schema = self._type(field, comment)
        if field.label == FieldDescriptorProto.LABEL_REPEATED:
            schema = {"type": "array", "items": schema, **self._count(comment)}
        if comment and "$ref" not in schema:
            schema["description"] = comment
        return schema

    def _count(self, comment: str) -> dict[str, Json]:
        """Return the schema's bounds on the number of items, empty where the comment says nothing of it."""
        found = _COUNT.search(comment)
        if found is None:
            return {}
        most = self._limits.get(found[2], 0)
        return {"minItems": int(found[1]), **({"maxItems": most} if most else {})}

    def _type(self, field: FieldDescriptorProto, comment: str) -> dict[str, Json]:
        if field.type in _INTEGERS:
            low, high = _INTEGERS[field.type]
            found, begins = _RANGE.search(comment), _FROM.search(comment)
            if found:
                low, high = int(found[1]), int(found[2], 0)
            elif _COLOUR in comment:
                low, high = 0, 0xFFFFFF
            elif begins:
                low = int(begins[1])
            return {"type": "integer", "minimum": low, "maximum": high}
        if field.type == FieldDescriptorProto.TYPE_MESSAGE:
            return {"$ref": f"#/components/schemas/{_short(field.type_name)}"}
        if field.type == FieldDescriptorProto.TYPE_ENUM:
            return {"type": "string", "enum": [value.name for value in self._enums[field.type_name].value]}
        if field.type == FieldDescriptorProto.TYPE_BYTES:
            length = _BYTES.search(comment)
            bounds: dict[str, Json] = {}
            if length is not None:  # base64, with or without `=` at its end
                least, most = int(length[1]), int(length[2])
                bounds = {"minLength": -(-4 * least // 3), "maxLength": 4 * -(-most // 3)}
            return {"type": "string", "contentEncoding": "base64", **bounds}
        if field.type == FieldDescriptorProto.TYPE_STRING:
            longest = _CHARACTERS.search(comment)
            return {"type": "string", **({} if longest is None else {"maxLength": int(longest[1])})}
        return {"type": "boolean" if field.type == FieldDescriptorProto.TYPE_BOOL else "number"}


def _short(name: str) -> str:
    return name.rpartition(".")[2]


def _errors() -> list[type[RpcError]]:
    return sorted(RpcError.__subclasses__(), key=lambda error: -error.code)


def _doc(error: type[DreamcanvasError]) -> str:
    return (error.__doc__ or error.__name__).strip()
