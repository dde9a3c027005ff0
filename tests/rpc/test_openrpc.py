"""The OpenRPC document: valid by the specification's own schema, true to the .proto."""

import json
import subprocess
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from jsonschema import Draft7Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT7

from dreamcanvas.api.validation import NAME_LENGTH
from dreamcanvas.rpc import openrpc

INTEROP = Path(__file__).parent.parent / "interop"
JSON_SCHEMA = "https://meta.json-schema.tools"


def meta_schema(package: str) -> dict[str, Any]:
    """A schema that an npm package exports."""
    script = f"const m = require('{package}'); console.log(JSON.stringify(m.default || m))"
    printed = subprocess.run(["node", "-e", script], cwd=INTEROP, capture_output=True, text=True, check=True)
    schema: dict[str, Any] = json.loads(printed.stdout)
    return schema


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    schema = resources.files("dreamcanvas.proto").joinpath("dreamcanvas.binpb").read_bytes()
    return openrpc.document(
        FileDescriptorSet.FromString(schema),
        service="DreamPainter",
        methods=("paint", "getCanvas", "subscribe"),
        title="Test",
        version="1",
        limits={"dabs_per_call": 256},
    )


def test_it_is_valid(document: dict[str, Any]) -> None:
    open_rpc, json_schema = (
        meta_schema("@open-rpc/meta-schema"),
        meta_schema("@json-schema-tools/meta-schema"),
    )
    open_rpc["$schema"] = json_schema["$schema"] = "http://json-schema.org/draft-07/schema#"
    resource = Resource.from_contents(json_schema, default_specification=DRAFT7)
    registry: Registry[Any] = Registry().with_resources(
        [(JSON_SCHEMA, resource), (JSON_SCHEMA + "/", resource)]
    )
    validator = Draft7Validator(open_rpc, registry=registry)
    assert [error.message for error in validator.iter_errors(document)] == []
    assert list(validator.iter_errors({**document, "openrpc": "9"}))


def test_only_the_methods_that_are_there(document: dict[str, Any]) -> None:
    assert [method["name"] for method in document["methods"]] == ["paint", "getCanvas", "subscribe"]


def test_descriptions_and_bounds_come_from_the_comments(document: dict[str, Any]) -> None:
    params = {param["name"]: param for param in document["methods"][0]["params"]}
    assert params["size"]["schema"]["minimum"] == 1
    assert params["size"]["schema"]["maximum"] == 124
    assert params["color"]["schema"]["maximum"] == 0xFFFFFF
    assert "diameter" in params["size"]["description"]
    position = document["components"]["schemas"]["Position"]["properties"]["x"]
    assert (position["minimum"], position["maximum"]) == (-65535, 65535)


def test_counts_colours_and_secrets_have_bounds(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    dabs = schemas["PaintRequest"]["properties"]["dabs"]
    assert (dabs["type"], dabs["minItems"], dabs["maxItems"]) == ("array", 1, 256)
    colours = [
        schema["properties"]["color"] for schema in schemas.values() if "color" in schema["properties"]
    ]
    assert len(colours) >= 4
    assert {(colour["minimum"], colour["maximum"]) for colour in colours} == {(0, 0xFFFFFF)}
    session = schemas["SubscribeRequest"]["properties"]["session"]
    assert (session["minLength"], session["maxLength"]) == (22, 44)
    assert schemas["CursorRequest"]["properties"]["name"] == {
        "type": "string",
        "maxLength": NAME_LENGTH,
        "description": "The name that the visitor chose, at most 40 characters; absent or empty is none.",
    }


def test_types(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    assert schemas["CanvasResponse"]["properties"]["image"]["contentEncoding"] == "base64"
    assert schemas["CanvasRequest"]["properties"]["format"]["enum"] == ["JPEG", "PNG", "WEBP"]
    assert schemas["SubscribeRequest"]["properties"]["batch"]["type"] == "boolean"
    assert schemas["PaintsEvent"]["properties"]["paints"]["items"] == {
        "$ref": "#/components/schemas/PaintEvent"
    }
    assert schemas["CanvasEvent"]["properties"]["dreamSeq"]["type"] == "integer"


def test_errors(document: dict[str, Any]) -> None:
    errors = {name: error["code"] for name, error in document["components"]["errors"].items()}
    assert errors == {
        "PARSE_ERROR": -32700,
        "INVALID_REQUEST": -32600,
        "METHOD_NOT_FOUND": -32601,
        "INVALID_PARAMS": -32602,
        "INTERNAL": -32603,
        "RATE_LIMITED": -32001,
        "UNAUTHENTICATED": -32002,
        "FORBIDDEN": -32003,
        "UNAVAILABLE": -32004,
        "TOO_LATE": -32005,
    }
