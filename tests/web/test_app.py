"""The paths, over real HTTP."""

import asyncio
import http.client
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from PIL import Image

from dreamcanvas.store.dreams import Dream, Dreams
from dreamcanvas.store.journal import Journal
from dreamcanvas.web.app import Web
from tests.live_server import Server
from tests.socket_client import Socket, dab


class Answer:
    """A response, read."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        self.body = response.read()

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def ask(server: Server, path: str, method: str = "GET", body: bytes | None = None, **headers: str) -> Answer:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    renamed = {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        connection.request(method, path, body, renamed)
        return Answer(connection.getresponse())
    finally:
        connection.close()


def post(server: Server, value: Any, **headers: str) -> Answer:
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return ask(server, "/rpc", "POST", body, **headers)


def call(method: str, params: Any = None, **more: Any) -> dict[str, Any]:
    return {
        "jsonrpc": "2.0",
        "id": 1,
        "method": method,
        **({"params": params} if params is not None else {}),
        **more,
    }


DAB = {"pos": {"x": 5, "y": 5}, "size": 3, "color": 255}


# The picture


@pytest.mark.parametrize(
    ("format_", "media_type"), [("jpg", "image/jpeg"), ("png", "image/png"), ("webp", "image/webp")]
)
def test_the_picture_in_each_format(quiet_server: Server, format_: str, media_type: str) -> None:
    answer = ask(quiet_server, f"/canvas.{format_}")
    assert (answer.status, answer.headers["content-type"]) == (200, media_type)
    assert Image.open(io.BytesIO(answer.body)).size == (1536, 1536)
    assert answer.headers["x-canvas-dream"] == "0"
    assert answer.headers["etag"] == f'"0-{answer.headers["x-canvas-seq"]}"'
    assert answer.headers["cache-control"] == "no-cache"


def test_other_formats_are_not_found(quiet_server: Server) -> None:
    assert ask(quiet_server, "/canvas.gif").status == 404
    assert ask(quiet_server, "/canvas").status == 404


@pytest.mark.parametrize("pattern", ["{}", "W/{}", '"x", {}', "*"])
def test_who_has_the_picture_gets_304(quiet_server: Server, pattern: str) -> None:
    etag = ask(quiet_server, "/canvas.jpg").headers["etag"]
    answer = ask(quiet_server, "/canvas.jpg", If_None_Match=pattern.format(etag))
    assert (answer.status, answer.body, answer.headers["etag"]) == (304, b"", etag)


def test_a_dab_changes_the_picture_and_its_version(quiet_server: Server) -> None:
    before = ask(quiet_server, "/canvas.png")
    with Socket(quiet_server.ws_url) as socket:
        seq = socket.paint(dabs=[dab(300, 300, 100, 0x00AA00)]).seq
    after = ask(quiet_server, "/canvas.png", If_None_Match=before.headers["etag"])
    assert (after.status, after.headers["x-canvas-seq"]) == (200, str(seq))
    assert after.body != before.body


@pytest.mark.parametrize("path", ["/canvas.jpg", "/livez", "/readyz", "/metrics", "/proto/wsrpc.proto"])
def test_head_is_get_without_a_body(quiet_server: Server, path: str) -> None:
    answer = ask(quiet_server, path, "HEAD")
    assert (answer.status, answer.body) == (200, b"")
    assert int(answer.headers["content-length"]) > 0


@pytest.mark.parametrize("path", ["/canvas.jpg", "/livez", "/metrics"])
def test_other_methods_are_not_allowed(quiet_server: Server, path: str) -> None:
    assert ask(quiet_server, path, "POST", b"").status == 405


# Dreams


@pytest.fixture(scope="module")
def dreamt(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose canvas was dreamt once, and that dreams no more."""
    directory = tmp_path_factory.mktemp("dreamt")

    async def dream() -> None:
        journal = Journal(directory / "dreamcanvas.db", clock=lambda: 0)
        buffer = io.BytesIO()
        Image.new("RGB", (1536, 1536), (0, 120, 0)).save(buffer, "JPEG", quality=95, subsampling=0)
        data = buffer.getvalue()
        row = Dream(1, 0, 1234, "Eyes", "b9_exp^2", "efficientnet_lite0", 900, 0, len(data))
        await Dreams(directory / "frames", journal).record(row, data)
        journal.close()

    asyncio.run(dream())
    with Server(directory, "--no-dream") as server:
        yield server


@pytest.mark.parametrize(("path", "side"), [("/dreams/1.jpg", 1536), ("/dreams/1-768.jpg", 768)])
def test_a_dream_in_delivery_quality_for_ever(dreamt: Server, path: str, side: int) -> None:
    answer = ask(dreamt, path)
    assert (answer.status, answer.headers["content-type"]) == (200, "image/jpeg")
    image = Image.open(io.BytesIO(answer.body))
    assert image.size == (side, side)
    assert "progressive" not in image.info
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert ask(dreamt, path, If_None_Match=answer.headers["etag"]).status == 304
    assert ask(dreamt, path, "HEAD").status == 200


def test_the_dream_is_the_picture_until_somebody_draws(dreamt: Server) -> None:
    answer = ask(dreamt, "/canvas.png")
    assert (answer.headers["etag"], answer.headers["x-canvas-dream"]) == ('"1-0"', "1")
    assert ask(dreamt, "/readyz").json["dream"] == 1


@pytest.mark.parametrize(
    "name",
    [
        "0",
        "2",
        "01",
        "-1",
        "1-",
        "1-1536",
        "1-769",
        "1.0",
        "a",
        "٣",
        "9" * 30,
        "",
        "1-768-",
        "../1",
        "%2e%2e/1",
    ],
)
def test_a_dream_that_there_is_not_is_not_found(dreamt: Server, name: str) -> None:
    path = f"/dreams/{quote(name, safe='/%')}.jpg"
    assert ask(dreamt, path).status == 404
    answer = ask(dreamt, path, If_None_Match="*")
    assert answer.status == 404, "nobody can have what there is not"
    assert "immutable" not in answer.headers.get("cache-control", "")


# Health, metrics, schema


def test_livez_and_readyz(quiet_server: Server) -> None:
    assert ask(quiet_server, "/livez").body == b"ok\n"
    answer = ask(quiet_server, "/readyz")
    assert answer.status == 200
    assert (answer.json["ready"], answer.json["storage"], answer.json["dreamer"]) == (True, "ok", "OFF")


def test_metrics_count_calls_by_socket_and_by_post(quiet_server: Server) -> None:
    def calls() -> float:
        text = ask(quiet_server, "/metrics").body.decode()
        assert all(line.startswith(("dreamcanvas_", "process_", "#")) for line in text.splitlines())
        return sum(
            float(line.split()[-1])
            for line in text.splitlines()
            if line.startswith('dreamcanvas_calls_total{method="getInfo",result="OK"}')
        )

    before = calls()
    post(quiet_server, call("getInfo"))
    with Socket(quiet_server.ws_url) as socket:
        socket.json(call("getInfo"))
    assert calls() == before + 2


@pytest.mark.parametrize("name", ["wsrpc", "dreamcanvas"])
def test_the_schema_is_the_repository_s(quiet_server: Server, name: str) -> None:
    file = Path(__file__).parents[2] / "proto" / f"{name}.proto"
    answer = ask(quiet_server, f"/proto/{name}.proto")
    assert answer.body == file.read_bytes()
    assert answer.headers["content-type"].startswith("text/plain")


@pytest.mark.parametrize(
    "path", ["/nothing", "/proto/x.proto", "/proto/..%2fx.proto", "/assets/none.js", "/../x", "/rpc/"]
)
def test_what_there_is_not_is_not_found(quiet_server: Server, path: str) -> None:
    assert ask(quiet_server, path).status == 404


@pytest.mark.parametrize("path", ["/livez", "/canvas.jpg", "/nothing", "/"])
def test_every_answer_has_the_headers_that_browsers_mind(quiet_server: Server, path: str) -> None:
    headers = ask(quiet_server, path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert "default-src 'self'" in headers["content-security-policy"]
    assert "server" not in headers


# POST /rpc


def test_a_call(quiet_server: Server) -> None:
    answer = post(quiet_server, call("paint", DAB))
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    result = answer.json["result"]
    assert answer.json == {"jsonrpc": "2.0", "id": 1, "result": result}
    assert ask(quiet_server, "/canvas.png", "HEAD").headers["x-canvas-seq"] == str(result["seq"])


@pytest.mark.parametrize(
    "content_type", ["application/json", "application/x-www-form-urlencoded", "text/plain", ""]
)
def test_any_content_type_is_fine(quiet_server: Server, content_type: str) -> None:
    assert "result" in post(quiet_server, call("getInfo"), Content_Type=content_type).json


def test_everybody_hears_of_what_was_posted(quiet_server: Server) -> None:
    with Socket(quiet_server.ws_url) as socket:
        socket.subscribe(events=["paint"])
        seq = post(quiet_server, call("paint", DAB)).json["result"]["seq"]
        event = socket.event("paint")
        assert (event.seq, event.size) == (seq, 3)
        assert event.author > 0


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (b"", -32700),
        (b"{", -32700),
        (b'{"jsonrpc":"2.0","id":1,"method":"getInfo","x":"\xff"}', -32700),
        (b'{"jsonrpc":"2.0","id":1,"method":"getInfo","x":NaN}', -32700),
        (b"[]", -32600),
        ({"id": 1}, -32600),
        (call("draw"), -32601),
        (call("paint", {**DAB, "size": 0}), -32602),
        (call("paint", {**DAB, "call": 1}), -32602),
        (call("subscribe"), -32600),
        ([call("getInfo")] * 51, -32600),
    ],
)
def test_errors_are_200_with_the_error_in_the_body(quiet_server: Server, value: Any, code: int) -> None:
    answer = post(quiet_server, value)
    assert answer.status == 200
    assert answer.json["error"]["code"] == code


def test_a_batch(quiet_server: Server) -> None:
    notification = {"jsonrpc": "2.0", "method": "getInfo"}
    answer = post(quiet_server, [call("paint", DAB), notification, 5, call("paint", DAB, id="b")])
    found = {item["id"]: item for item in answer.json}
    assert found.keys() == {1, "b", None}
    assert found["b"]["result"]["seq"] == found[1]["result"]["seq"] + 1
    assert found[None]["error"]["code"] == -32600


@pytest.mark.parametrize("count", [0, 2])
def test_notifications_alone_are_204_and_are_carried_out(quiet_server: Server, count: int) -> None:
    before = int(ask(quiet_server, "/canvas.png", "HEAD").headers["x-canvas-seq"])
    notification = {"jsonrpc": "2.0", "method": "paint", "params": DAB}
    answer = post(quiet_server, [notification] * count if count else notification)
    assert (answer.status, answer.body) == (204, b"")
    after = int(ask(quiet_server, "/canvas.png", "HEAD").headers["x-canvas-seq"])
    assert after == before + max(count, 1)


def test_a_message_of_the_limit_is_taken_and_a_larger_one_is_413(quiet_server: Server) -> None:
    body = json.dumps(call("getInfo")).encode()
    assert "result" in post(quiet_server, body + b" " * (65536 - len(body))).json
    assert post(quiet_server, body + b" " * (65537 - len(body))).status == 413


@pytest.mark.parametrize(
    ("origin", "status"),
    [("http://elsewhere.example", 403), ("null", 403), ("http://[", 403), ("http://127.0.0.1", 403)],
)
def test_a_foreign_origin_is_403(quiet_server: Server, origin: str, status: int) -> None:
    assert post(quiet_server, call("getInfo"), Origin=origin).status == status


def test_our_own_origin_is_fine(quiet_server: Server) -> None:
    assert post(quiet_server, call("getInfo"), Origin=quiet_server.url).status == 200


# The page


def browser(page: Path) -> httpx.AsyncClient:
    """Asks an application of which these tests need the files alone."""
    none: Any = None
    parts = dict.fromkeys(
        (
            *("connections", "posters", "status", "document", "painter", "journal", "dreams", "pictures"),
            *("snapshots", "metrics"),
        ),
        none,
    )
    app = Web(**parts, page=page, message_bytes=1, batch_calls=1).app()
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x")


async def test_without_a_built_page_all_else_is_as_ever(tmp_path: Path) -> None:
    async with browser(tmp_path / "page") as client:
        assert (await client.get("/nothing")).status_code == 404
        assert (await client.get("/assets/x.js")).status_code == 404
        assert (await client.get("/livez")).status_code == 200
        answer = await client.get("/")
    assert answer.status_code == 503
    assert "scripts/serve" in answer.text


async def test_a_built_page(tmp_path: Path) -> None:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<!doctype html>")
    (tmp_path / "icon.svg").write_text("<svg/>")
    (tmp_path / "assets" / "main-abc.js").write_text("1")
    async with browser(tmp_path) as client:
        index = await client.get("/")
        script = await client.get("/assets/main-abc.js")
        missing = await client.get("/assets/none.js")
        icon = await client.get("/icon.svg")
    assert (index.status_code, index.headers["cache-control"]) == (200, "no-cache")
    assert index.text == "<!doctype html>"
    assert script.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert (missing.status_code, "cache-control" in missing.headers) == (404, False)
    assert icon.status_code == 200


async def test_the_page_comes_packed_and_names_the_picture_of_its_preview_in_full(tmp_path: Path) -> None:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text(
        '<meta property="og:image" content="{{ preview }}" />' + "<p></p>" * 500
    )
    (tmp_path / "assets" / "main-abc.js").write_text("let a;" * 500)
    async with browser(tmp_path) as client:
        index = await client.get("/", headers={"host": 'canvas.example"><b:8080'})
        plain = await client.get("/", headers={"accept-encoding": "identity", "host": "canvas.example:8080"})
        script = await client.get("/assets/main-abc.js")
    assert (index.headers["content-encoding"], "<b" in index.text) == ("gzip", False)
    assert "content-encoding" not in plain.headers
    assert 'content="http://canvas.example:8080/og.jpg"' in plain.text
    assert (script.headers["content-encoding"], script.text[:6]) == ("gzip", "let a;")
