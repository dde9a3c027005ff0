"""The messages of the wire contract, typed in from its page and compiled here, without the project's classes.

The notation is that of the page, `Name { type field = number; … }`, with nested enums spelled out. `CLASSES`
and `FIELDS` have the message's name, without a package, as key; `make("Dab", size=3)` gives a message.
"""

import re
from dataclasses import dataclass
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

WSRPC = """
message Message { enum Type { REQUEST = 1; RESPONSE = 2; EVENT = 3; }
                  Type type = 1; Request request = 2; Response response = 3; Event event = 4; }
message Request { string method = 1; uint32 seq = 2; bytes payload = 3; }
message Response { uint32 seq = 1; bool ok = 2; bytes payload = 3; string error = 4; }
message Event { string name = 1; bytes payload = 2; }
message Error { int32 code = 1; string name = 2; string field = 3; uint32 retry_after_ms = 4; }
"""

DREAMCANVAS = """
message Position { int32 x = 1; int32 y = 2; }
message Dab { Position pos = 1; uint32 size = 2; uint32 color = 3; }
message PaintRequest { Position pos = 1; uint32 size = 2; uint32 color = 3; repeated Dab dabs = 10;
                       uint32 stroke = 11; uint32 call = 12; }
message PaintResponse { uint32 timestamp = 1; uint64 seq = 10; bool duplicate = 11; uint64 time = 12; }
message CanvasRequest { enum Format { JPEG = 0; PNG = 1; WEBP = 2; }
                        Position offset = 1; uint32 width = 2; uint32 height = 3; Format format = 10; }
message CanvasResponse { uint32 timestamp = 1; bytes image = 2; uint64 seq = 10; uint64 dream = 11;
                         uint64 time = 12; }
message SubscribeRequest { repeated string events = 1; bool batch = 2; uint64 since = 3; bytes session = 4; }
message SubscribeResponse { uint64 seq = 1; uint32 width = 2; uint32 height = 3; uint32 brush_size = 4;
                            StatusEvent status = 5; bool resync = 6; Limits limits = 7; string version = 8;
                            uint32 author = 9; uint64 dream = 10; uint64 dream_seq = 11;
                            uint32 last_call = 12; }
message UndoRequest { uint32 stroke = 1; uint32 call = 2; }
message UndoResponse { uint64 seq = 1; }
message CursorRequest { Position pos = 1; bool down = 2; uint32 color = 3; string name = 4; }
message CursorResponse { }
message InfoRequest { }
message InfoResponse { string version = 1; uint64 started = 2; string network = 3; Limits limits = 4;
                       Costs costs = 5; repeated Link donations = 6; bool read_only = 7; }
message HistoryRequest { uint64 before = 1; uint32 limit = 2; }
message HistoryResponse { repeated Window windows = 1; }
message FrameRequest { uint64 dream = 1; uint64 time = 2; }
message FrameResponse { uint64 dream = 1; uint64 time = 2; uint64 seq = 3; string style = 4; string url = 5;
                        uint32 users = 6; }
message Limits { uint32 message_bytes = 1; uint32 dabs_per_call = 2; uint32 dabs_per_second = 3;
                 uint32 dabs_burst = 4; uint32 canvas_per_minute = 5; uint32 connections_per_address = 6;
                 uint32 batch_calls = 7; uint32 replay_operations = 8; uint32 undo_seconds = 9;
                 uint32 cursors_per_second = 10; }
message Window { enum State { RECORDING = 0; WAITING = 1; ENCODED = 2; EXPIRED = 3; }
                 uint64 start = 1; uint64 end = 2; State state = 3; uint32 frames = 4; double seconds = 5;
                 repeated Rendition renditions = 6; string poster = 7; string sprite = 8;
                 repeated StyleSpan styles = 9; uint32 dabs = 10; }
message Rendition { uint32 width = 1; string url = 2; uint64 bytes = 3; }
message StyleSpan { uint64 start = 1; string style = 2; }
message Costs { string currency = 1; double today = 2; double month = 3; double total = 4;
                double dreaming_hours = 5; double up_hours = 6; }
message Link { string label = 1; string url = 2; }
message PaintEvent { Position pos = 1; uint32 size = 2; uint32 color = 3; uint32 timestamp = 4;
                     uint64 seq = 10; uint32 author = 11; uint32 stroke = 12; uint64 time = 13; }
message PaintsEvent { repeated PaintEvent paints = 1; }
message PatchEvent { uint64 time = 1; uint64 seq = 2; Position offset = 3; bytes image = 4;
                     uint32 author = 5; }
message CanvasEvent { uint32 timestamp = 1; uint64 seq = 10; uint64 dream = 11; uint64 dream_seq = 12;
                      string url = 13; string style = 14; bool resync = 15; uint64 time = 16; }
message StatusEvent { enum Dreamer { OFF = 0; STARTING = 1; WAITING = 2; DREAMING = 3; RESTING = 4;
                                     FAILED = 5; }
                      uint32 users = 1; string layer = 2; string style = 10; string network = 11;
                      Dreamer dreamer = 12; uint64 next_dream = 13; uint32 dream_ms = 14;
                      bool read_only = 15; string announcement = 16; }
message CursorEvent { uint32 author = 1; Position pos = 2; bool down = 3; uint32 color = 4; string name = 5; }
"""

METHODS = {
    "paint": ("PaintRequest", "PaintResponse"),
    "getCanvas": ("CanvasRequest", "CanvasResponse"),
    "subscribe": ("SubscribeRequest", "SubscribeResponse"),
    "undo": ("UndoRequest", "UndoResponse"),
    "cursor": ("CursorRequest", "CursorResponse"),
    "getInfo": ("InfoRequest", "InfoResponse"),
    "getHistory": ("HistoryRequest", "HistoryResponse"),
    "getFrame": ("FrameRequest", "FrameResponse"),
}
EVENTS = {
    "paint": "PaintEvent",
    "paints": "PaintsEvent",
    "patch": "PatchEvent",
    "canvas": "CanvasEvent",
    "status": "StatusEvent",
    "cursor": "CursorEvent",
}
_PROTO = descriptor_pb2.FieldDescriptorProto
SCALARS = {
    "double": _PROTO.TYPE_DOUBLE,
    "uint64": _PROTO.TYPE_UINT64,
    "int32": _PROTO.TYPE_INT32,
    "bool": _PROTO.TYPE_BOOL,
    "string": _PROTO.TYPE_STRING,
    "bytes": _PROTO.TYPE_BYTES,
    "uint32": _PROTO.TYPE_UINT32,
}


@dataclass(frozen=True, slots=True)
class Field:
    """A field as the page writes it; `kind` is the scalar, enum or message type's name."""

    name: str
    number: int
    kind: str
    repeated: bool


def _blocks(text: str) -> dict[str, tuple[list[Field], dict[str, dict[str, int]]]]:
    """Each message's fields and nested enums."""
    blocks = {}
    for name, body in re.findall(r"message (\w+) \{((?:[^{}]|\{[^{}]*\})*)\}", text):
        enums = {
            enum: {value: int(number) for value, number in re.findall(r"(\w+) = (\d+)", values)}
            for enum, values in re.findall(r"enum (\w+) \{([^{}]*)\}", body)
        }
        fields = [
            Field(field, int(number), kind, bool(repeated))
            for repeated, kind, field, number in re.findall(
                r"(repeated )?(\w+) (\w+) = (\d+);", re.sub(r"enum \w+ \{[^{}]*\}", "", body)
            )
        ]
        blocks[name] = (fields, enums)
    return blocks


BLOCKS = {**_blocks(WSRPC), **_blocks(DREAMCANVAS)}
FIELDS: dict[str, list[Field]] = {name: fields for name, (fields, _) in BLOCKS.items()}
ENUMS = {(name, enum): values for name, (_, enums) in BLOCKS.items() for enum, values in enums.items()}


def _compile() -> dict[str, Any]:
    file = descriptor_pb2.FileDescriptorProto(name="contract.proto", package="contract", syntax="proto2")
    for name, (fields, enums) in BLOCKS.items():
        message = file.message_type.add(name=name)
        for enum, values in enums.items():
            nested = message.enum_type.add(name=enum)
            for value, number in values.items():
                nested.value.add(name=value, number=number)
        for field in fields:
            made = message.field.add(name=field.name, number=field.number)
            made.label = made.LABEL_REPEATED if field.repeated else made.LABEL_OPTIONAL
            if field.kind in SCALARS:
                made.type = SCALARS[field.kind]
            elif field.kind in enums:
                made.type, made.type_name = made.TYPE_ENUM, f".contract.{name}.{field.kind}"
            else:
                made.type, made.type_name = made.TYPE_MESSAGE, f".contract.{field.kind}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"contract.{name}"))
        for name in BLOCKS
    }


CLASSES = _compile()


def make(name: str, /, **fields: Any) -> Any:
    """A message; members that are messages may be given as dicts."""
    return CLASSES[name](**fields)


def parse(name: str, data: bytes) -> Any:
    message = CLASSES[name]()
    message.ParseFromString(data)
    return message


def absent(message: Any, below: int = 10) -> list[str]:
    """The scalar fields with numbers under `below` that are not on the wire, nested messages included."""
    missing = []
    for field in FIELDS[message.DESCRIPTOR.name]:
        if field.repeated:
            if field.kind in FIELDS:
                for i, item in enumerate(getattr(message, field.name)):
                    missing += [f"{field.name}[{i}].{name}" for name in absent(item, below)]
        elif field.kind in FIELDS:
            if message.HasField(field.name):
                nested = absent(getattr(message, field.name), below)
                missing += [f"{field.name}.{name}" for name in nested]
        elif field.number < below and not message.HasField(field.name):
            missing.append(field.name)
    return missing
