"""`rpc.discover` and `/openrpc.json`: an OpenRPC document made from the messages."""

import json
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from tests.contract.client import Client
from tests.contract.schema import FIELDS, METHODS
from tests.live_server import Server

Document = dict[str, Any]


@pytest.fixture(scope="module")
def document(canvas: Server) -> Iterator[Document]:
    yield json.loads(canvas.get("/openrpc.json"))


def camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.title() for word in rest)


def resolved(document: Document, node: Any) -> Any:
    """The schema with the document's definitions at hand."""
    return {**node, "components": document.get("components", {})}


def method(document: Document, name: str) -> Document:
    return next(m for m in document["methods"] if m["name"] == name)


def test_rpc_discover_is_the_document(document: Document, client: Client) -> None:
    assert client.json("rpc.discover") == document
    assert client.json("rpc.discover", {}) == document


def test_its_head(document: Document, client: Client) -> None:
    assert document["openrpc"].startswith("1.3.")
    assert document["info"]["title"]
    assert document["info"]["version"] == client.call("getInfo").version


def test_it_has_the_methods_with_their_fields_by_name(document: Document) -> None:
    names = [m["name"] for m in document["methods"]]
    assert len(names) == len(set(names))
    assert {"paint", "getCanvas", "subscribe", "getInfo"} <= set(names) <= {*METHODS, "rpc.discover"}
    for name in set(names) & set(METHODS):
        request, _ = METHODS[name]
        described = method(document, name)
        assert described["paramStructure"] == "by-name"
        assert [p["name"] for p in described["params"]] == [camel(f.name) for f in FIELDS[request]], name


def test_its_shape_is_that_of_openrpc(document: Document) -> None:
    """What 1.3 requires: methods with name and params; descriptors with name and schema."""
    for described in document["methods"]:
        assert {"name", "params"} <= set(described)
        for descriptor in [*described["params"], *([described["result"]] if "result" in described else [])]:
            assert descriptor["name"]
            assert "schema" in descriptor


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def test_its_references_lead_somewhere(document: Document) -> None:
    for reference in references(document):
        assert reference.startswith("#/")
        node = document
        for part in reference[2:].split("/"):
            node = node[part]


def test_its_schemas_hold_for_what_the_server_says(document: Document, client: Client) -> None:
    """Results of calls against the result's schema; params that were taken against those of the params."""
    calls: dict[str, Document] = {
        "paint": {"pos": {"x": 1, "y": 2}, "size": 3, "color": 4},
        "getCanvas": {"width": 1, "height": 1, "format": "PNG"},
        "subscribe": {"events": ["paint"], "batch": True, "since": 0},
        "getInfo": {},
    }
    for name, params in calls.items():
        described = method(document, name)
        schema = resolved(document, described["result"]["schema"])
        jsonschema.Draft7Validator.check_schema(schema)
        jsonschema.validate(client.json(name, params), schema, jsonschema.Draft7Validator)
        for descriptor in described["params"]:
            if descriptor["name"] in params:
                schema = resolved(document, descriptor["schema"])
                jsonschema.validate(params[descriptor["name"]], schema, jsonschema.Draft7Validator)
