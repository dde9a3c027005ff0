"""HTTP: paths, versions, caching, HEAD."""

import io
import re
from collections.abc import Iterator

import httpx
import pytest
from PIL import Image
from prometheus_client.parser import text_string_to_metric_families

from tests.contract.client import Client
from tests.live_server import Server

PICTURES = {"jpg": ("image/jpeg", "JPEG"), "png": ("image/png", "PNG"), "webp": ("image/webp", "WEBP")}
PATHS = [
    *(
        "/",
        "/history",
        "/about",
        "/canvas.jpg",
        "/canvas.png",
        "/canvas.webp",
        "/livez",
        "/readyz",
        "/metrics",
    ),
    *("/openrpc.json", "/proto/wsrpc.proto", "/proto/dreamcanvas.proto"),
]


@pytest.fixture
def web(canvas: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=canvas.url, trust_env=False, timeout=30) as web:
        yield web


def test_the_drawing_page(web: httpx.Client) -> None:
    page = web.get("/")
    assert page.status_code == 200
    assert page.headers["Content-Type"].startswith("text/html")
    assert "<html" in page.text


def test_the_page_of_the_past(web: httpx.Client) -> None:
    page = web.get("/history")
    assert page.status_code == 200
    assert page.headers["Content-Type"].startswith("text/html")
    assert "history" in page.text


def test_the_page_about_it(web: httpx.Client) -> None:
    page = web.get("/about")
    assert page.status_code == 200
    assert page.headers["Content-Type"].startswith("text/html")
    assert "DeepDream" in page.text


@pytest.mark.parametrize("ending", PICTURES)
def test_a_picture(web: httpx.Client, client: Client, ending: str) -> None:
    seq = client.dab().seq
    size = client.call("subscribe", events=["patch"])
    response = web.get(f"/canvas.{ending}")
    assert response.status_code == 200
    assert response.headers["Content-Type"] == PICTURES[ending][0]
    assert response.headers["ETag"] == f'"0-{seq}"'
    assert response.headers["X-Canvas-Dream"] == "0"
    assert response.headers["X-Canvas-Seq"] == str(seq)
    with Image.open(io.BytesIO(response.content)) as image:
        assert (image.format, image.size) == (PICTURES[ending][1], (size.width, size.height))
    assert web.get(f"/canvas.{ending}").content == response.content, "a version is a cache key"


@pytest.mark.parametrize("ending", PICTURES)
def test_304_until_the_version_changes(web: httpx.Client, client: Client, ending: str) -> None:
    path = f"/canvas.{ending}"
    tag = web.head(path).headers["ETag"]
    for held in (tag, f'"x", {tag}', f"W/{tag}", "*"):
        response = web.get(path, headers={"If-None-Match": held})
        assert response.status_code == 304, held
        assert response.content == b""
        assert response.headers["ETag"] == tag
    assert web.get(path, headers={"If-None-Match": '"0-999999"'}).status_code == 200
    seq = client.dab().seq
    response = web.get(path, headers={"If-None-Match": tag})
    assert response.status_code == 200
    assert response.headers["ETag"] == f'"0-{seq}"'


@pytest.mark.parametrize("path", PATHS)
def test_head_is_get_without_its_body(web: httpx.Client, path: str) -> None:
    get, head = web.get(path), web.head(path)
    assert get.status_code == head.status_code == 200
    assert head.content == b""
    for name in ("Content-Type", "ETag", "X-Canvas-Dream", "X-Canvas-Seq", "Cache-Control"):
        assert get.headers.get(name) == head.headers.get(name), name
    if path != "/metrics":
        assert head.headers.get("Content-Length") in (None, get.headers.get("Content-Length"))


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("verb", ["POST", "PUT", "DELETE"])
def test_other_verbs_are_405(web: httpx.Client, path: str, verb: str) -> None:
    assert web.request(verb, path).status_code == 405


def test_livez(web: httpx.Client) -> None:
    assert web.get("/livez").status_code == 200


def test_readyz_is_200_with_the_dreamer_off(web: httpx.Client) -> None:
    response = web.get("/readyz")
    assert response.status_code == 200
    body = response.json()
    assert body["dreamer"] == "OFF"
    assert body["storage"]


def test_metrics(web: httpx.Client) -> None:
    """In Prometheus' text format. `process_` and `python_` are the client library's own."""
    response = web.get("/metrics")
    assert response.headers["Content-Type"].startswith("text/plain")
    names = [family.name for family in text_string_to_metric_families(response.text)]
    ours = [name for name in names if name.startswith("dreamcanvas_")]
    assert len(ours) >= 3
    assert all(re.match(r"(process|python)_", name) for name in set(names) - set(ours))


def test_origins_matter_not_for_get(web: httpx.Client) -> None:
    """A foreign origin is refused on websockets and POST alone: pictures may be shown anywhere."""
    assert web.get("/canvas.jpg", headers={"Origin": "https://evil.example"}).status_code == 200


@pytest.mark.parametrize("path", ["/dreams/1.jpg", "/dreams/1-768.jpg", "/dreams/x.jpg", "/dreams/-1.jpg"])
def test_a_dream_that_is_not_there(web: httpx.Client, path: str) -> None:
    """404, and not for long: it may be dreamt yet."""
    response = web.get(path)
    assert response.status_code == 404
    assert "immutable" not in response.headers.get("Cache-Control", "")


@pytest.mark.parametrize(
    "path", ["/../etc/passwd", "/dreams/../../journal.db", "/dreams/%2e%2e/%2e%2e/x", "/proto/../x"]
)
def test_no_way_out(web: httpx.Client, path: str) -> None:
    assert web.get(path).status_code in (400, 404)
