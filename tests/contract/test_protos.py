"""/proto/*: the files that clients compile, compared to the page field by field."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import descriptor_pb2

from tests.contract.schema import ENUMS, FIELDS, METHODS, SCALARS
from tests.live_server import Server

WSRPC = {"Message", "Request", "Response", "Event", "Error"}
Files = dict[str, descriptor_pb2.FileDescriptorProto]


@pytest.fixture(scope="module")
def files(canvas: Server, tmp_path_factory: pytest.TempPathFactory) -> Files:
    """Both files as protoc reads them."""
    folder: Path = tmp_path_factory.mktemp("proto")
    names = ["wsrpc.proto", "dreamcanvas.proto"]
    for name in names:
        (folder / name).write_bytes(canvas.get(f"/proto/{name}"))
    out = folder / "set.binpb"
    command = [
        sys.executable,
        "-m",
        "grpc_tools.protoc",
        f"-I{folder}",
        f"--descriptor_set_out={out}",
        *names,
    ]
    subprocess.run(command, check=True, cwd=folder)
    found = descriptor_pb2.FileDescriptorSet.FromString(out.read_bytes())
    return {file.name: file for file in found.file}


def messages(files: Files, name: str) -> dict[str, Any]:
    return {message.name: message for message in files[name].message_type}


def everything(files: Files) -> dict[str, Any]:
    return messages(files, "wsrpc.proto") | messages(files, "dreamcanvas.proto")


def test_they_are_proto2(files: Files, canvas: Server) -> None:
    for name, file in files.items():
        assert file.syntax in ("", "proto2")
        assert 'syntax = "proto2";' in canvas.get(f"/proto/{name}").decode()


def test_every_message_field_by_field(files: Files) -> None:
    found = everything(files)
    scalars = {type_: name for name, type_ in SCALARS.items()}
    for name, fields in FIELDS.items():
        assert name in found, name
        told = {
            field.number: (
                field.name,
                scalars.get(field.type, field.type_name.rpartition(".")[2]),
                field.label == field.LABEL_REPEATED,
            )
            for field in found[name].field
        }
        assert told == {field.number: (field.name, field.kind, field.repeated) for field in fields}, name


def test_the_envelope_and_its_error_stand_in_wsrpc_proto(files: Files) -> None:
    assert set(messages(files, "wsrpc.proto")) >= WSRPC
    assert not set(messages(files, "dreamcanvas.proto")) & WSRPC


def test_enums_are_nested(files: Files) -> None:
    found = everything(files)
    for (name, enum), values in ENUMS.items():
        nested = {e.name: {v.name: v.number for v in e.value} for e in found[name].enum_type}
        assert nested[enum] == values
    assert not any(file.enum_type for file in files.values())


def test_the_service(files: Files) -> None:
    (service,) = files["dreamcanvas.proto"].service
    assert service.name == "DreamPainter"
    told = {
        method.name[0].lower() + method.name[1:]: tuple(
            t.rpartition(".")[2] for t in (method.input_type, method.output_type)
        )
        for method in service.method
    }
    assert told == METHODS


def test_no_64_bits_where_stock_clients_read(files: Files) -> None:
    """Numbers 1–9 of the five messages of 2017."""
    wide = (SCALARS["uint64"], descriptor_pb2.FieldDescriptorProto.TYPE_INT64)
    found = messages(files, "dreamcanvas.proto")
    for name in ("PaintResponse", "CanvasResponse", "PaintEvent", "CanvasEvent", "StatusEvent"):
        assert not [field.name for field in found[name].field if field.number < 10 and field.type in wide]
