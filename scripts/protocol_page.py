"""Makes docs/protocol.md, to stdout, of a template, the .proto files' comments, and the errors."""

import argparse
from collections.abc import Iterator
from pathlib import Path

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
)
from grpc_tools import protoc

from dreamcanvas.client.wire import ERRORS

ROOT = Path(__file__).parents[1]
EVENTS = {
    "paint": "PaintEvent",
    "paints": "PaintsEvent",
    "patch": "PatchEvent",
    "canvas": "CanvasEvent",
    "status": "StatusEvent",
    "cursor": "CursorEvent",
}
MESSAGE, SERVICE, FIELD, NESTED, ENUM, METHOD = 4, 6, 2, 3, 4, 2  # of descriptor.proto


class File:
    """A .proto file with its comments."""

    def __init__(self, name: str, folder: Path) -> None:
        out = folder / "set.binpb"
        status = protoc.main(
            ["protoc", f"-I{ROOT / 'proto'}", "--include_source_info", f"--descriptor_set_out={out}", name]
        )
        if status:
            raise SystemExit(status)
        self.proto: FileDescriptorProto = FileDescriptorSet.FromString(out.read_bytes()).file[0]
        self._comments = {
            tuple(place.path): " ".join(place.leading_comments.split())
            for place in self.proto.source_code_info.location
        }

    def comment(self, *path: int) -> str:
        """What stands above a declaration."""
        return self._comments.get(path, "").replace("|", "\\|")

    def methods(self) -> Iterator[str]:
        """A table of the service's methods."""
        yield "| method | takes | gives | |\n|---|---|---|---|"
        for number, method in enumerate(self.proto.service[0].method):
            takes, gives = (_link(name) for name in (method.input_type, method.output_type))
            yield f"| `{method.name}` | {takes} | {gives} | {self.comment(SERVICE, 0, METHOD, number)} |"

    def messages(self) -> Iterator[str]:
        """A section for each message."""
        for number, message in enumerate(self.proto.message_type):
            yield from self._message(message, (MESSAGE, number))

    def about(self, name: str) -> str:
        """The comment on a message."""
        names = [message.name for message in self.proto.message_type]
        return self.comment(MESSAGE, names.index(name))

    def _message(self, message: DescriptorProto, path: tuple[int, ...]) -> Iterator[str]:
        yield f"\n### {message.name}\n"
        if self.comment(*path):
            yield f"{self.comment(*path)}\n"
        if not message.field:
            yield "Without fields.\n"
            return
        yield "| field | type | | |\n|---:|---|---|---|"
        for number, field in enumerate(message.field):
            comment = self.comment(*path, FIELD, number)
            yield f"| {field.number} | `{field.name}` | {_type(field)} | {comment} |"
        for enum in message.enum_type:
            yield f"\n{_enum(enum)}"


def _type(field: FieldDescriptorProto) -> str:
    scalar = FieldDescriptorProto.Type.Name(field.type).removeprefix("TYPE_").lower()
    if scalar == "message":
        scalar = _link(field.type_name)
    elif scalar == "enum":
        scalar = field.type_name.rpartition(".")[2]
    return f"{scalar} …" if field.label == FieldDescriptorProto.LABEL_REPEATED else scalar


def _link(name: str) -> str:
    name = name.rpartition(".")[2]
    return f"[{name}](#{name.lower()})"


def _enum(enum: EnumDescriptorProto) -> str:
    return f"{enum.name}: " + ", ".join(f"{value.name} = {value.number}" for value in enum.value) + "."


def _errors() -> Iterator[str]:
    yield "| code | name | when | of `dreamcanvas.errors` |\n|---:|---|---|---|"
    for code, error in sorted(ERRORS.items(), key=lambda item: (item[0] > -32100, item[0])):
        yield f"| {code} | {error.name} | {(error.__doc__ or '').strip()} | `{error.__name__}` |"
    yield "\n`field` names the field at fault; `retry_after_ms` is there where waiting helps."


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("template", type=Path)
    parser.add_argument("scratch", type=Path, help="a folder for temporary files")
    options = parser.parse_args()
    service, envelope = File("dreamcanvas.proto", options.scratch), File("wsrpc.proto", options.scratch)
    parts = {
        "methods": service.methods(),
        "events": iter(
            [
                "| event | message | |\n|---|---|---|",
                *(f"| `{event}` | {_link(name)} | {service.about(name)} |" for event, name in EVENTS.items()),
            ]
        ),
        "errors": _errors(),
        "messages": service.messages(),
        "envelope": envelope.messages(),
    }
    text = options.template.read_text(encoding="utf-8")
    for name, lines in parts.items():
        text = text.replace("{" + name + "}", "\n".join(lines).strip())
    print(text.strip())


if __name__ == "__main__":
    main()
