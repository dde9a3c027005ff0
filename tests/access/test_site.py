"""Who is who, and from where one may call: the same by HTTP, by POST and by websocket."""

import http.client
import json
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from websockets.sync.client import connect

from dreamcanvas.net.origins import Origins, below, parse_origin
from tests.api.test_admin_service import Refused, host
from tests.live_server import Server

DAB = {"pos": {"x": 5, "y": 5}, "size": 3, "color": 255}
FORGED = (
    "203.0.113.9",
    "203.0.113.9:51234",
    "[2001:db8::1]:51234",
    "::ffff:203.0.113.9",
    "127.0.0.1",
    "junk",
)


class Answer:
    """A response, read."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status = response.status
        self.lines = [(name.lower(), value) for name, value in response.getheaders()]
        self.headers = dict(self.lines)
        self.body = response.read()


def ask(
    server: Server, path: str, method: str = "GET", body: bytes = b"", **headers: str | list[str]
) -> Answer:
    """A request with headers, some of several lines; Host is ours unless given."""
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)) as connection:
        connection.putrequest(method, path, skip_host="Host" in headers)
        for name, values in headers.items():
            for value in [values] if isinstance(values, str) else values:
                connection.putheader(name.replace("_", "-"), value)
        if method == "POST":
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body or None)
        return Answer(connection.getresponse())


def call(server: Server, method: str, params: Any = None, **headers: Any) -> Any:
    """The answer to a POST, by its result or the name of its error."""
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params or {}}).encode()
    answer = ask(server, "/rpc", "POST", body, **headers)
    assert answer.status == 200, answer.body
    found = json.loads(answer.body)
    return found["error"]["data"]["name"] if "error" in found else found["result"]


def handshake(server: Server, path: str = "/rpc", **headers: Any) -> int:
    """The status of a websocket's handshake."""
    upgrade: dict[str, Any] = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec_WebSocket_Version": "13"}
    return ask(server, path, Sec_WebSocket_Key="AAAAAAAAAAAAAAAAAAAAAA==", **upgrade, **headers).status


def paint_by_socket(server: Server, *forwarded: str) -> str:
    """OK, or the name of the error."""
    headers = [("X-Forwarded-For", value) for value in forwarded]
    with connect(server.ws_url, additional_headers=headers, compression=None, proxy=None) as websocket:
        websocket.send(json.dumps({"jsonrpc": "2.0", "id": 1, "method": "paint", "params": DAB}))
        answer = json.loads(websocket.recv(10))
        return answer["error"]["data"]["name"] if "error" in answer else "OK"


def paint_by_post(server: Server, *forwarded: str) -> str:
    found = call(server, "paint", DAB, X_Forwarded_For=list(forwarded))
    return found if isinstance(found, str) else "OK"


PAINTS = pytest.mark.parametrize("paint", [paint_by_post, paint_by_socket])


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Without proxies."""
    with Server(tmp_path_factory.mktemp("alone"), "--no-dream", "--dabs-burst", "600") as server:
        yield server


@pytest.fixture(scope="module")
def behind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Behind a proxy that the tests are, and one before it."""
    flags = ("--no-dream", "--trusted-proxies", "127.0.0.1,10.0.0.0/8")
    origins = ("--allowed-origins", "https://Friends.example/, http://[2001:DB8::1]:80")
    with Server(tmp_path_factory.mktemp("behind"), *flags, *origins) as server:
        yield server


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """With names, below a path."""
    flags = ("--no-dream", "--trusted-proxies", "127.0.0.1", "--root-path", "/canvas/")
    names = ("--public-host", "Canvas.example,canvas.example:8443,2001:db8::1")
    with Server(tmp_path_factory.mktemp("named"), *flags, *names) as server:
        yield server


# Who calls


@PAINTS
@pytest.mark.parametrize("forged", FORGED)
def test_a_banned_caller_is_not_helped_by_a_header(alone: Server, paint: Any, forged: str) -> None:
    ban = host(alone, "ban", address="127.0.0.1", seconds=60, reason="test")
    try:
        assert paint(alone) == "FORBIDDEN"
        assert paint(alone, forged) == "FORBIDDEN"
        assert paint(alone, forged, "198.51.100.1") == "FORBIDDEN"
    finally:
        host(alone, "unban", ban=ban["ban"])
    assert paint(alone, forged) == "OK"


def test_limits_hold_whatever_header_is_sent(tmp_path: Any) -> None:
    flags = ("--no-dream", "--dabs-burst", "256", "--dabs-per-second", "1")
    with Server(tmp_path / "data", *flags) as server:
        dabs = {"dabs": [DAB] * 256}
        answers = [call(server, "paint", dabs, X_Forwarded_For=f"203.0.113.{n}") for n in range(5)]
    assert [isinstance(answer, dict) for answer in answers] == [True, False, False, False, False]
    assert set(answers[1:]) == {"RATE_LIMITED"}


@PAINTS
@pytest.mark.parametrize(
    ("banned", "forwarded"),
    [
        ("203.0.113.66", ["203.0.113.66"]),
        ("203.0.113.66", ["203.0.113.66:51234"]),
        ("203.0.113.66", ["::ffff:203.0.113.66"]),
        ("203.0.113.66", ["198.51.100.1", "203.0.113.66"]),  # two lines are one list
        ("203.0.113.66", ["203.0.113.66", "10.1.2.3"]),
        ("203.0.113.66", ["198.51.100.1, 203.0.113.66:1, 10.1.2.3:2", "10.3.2.1"]),
        ("2001:db8:7::1", ["[2001:db8:7::1]:51234"]),
        ("2001:db8:7::1", ["2001:db8:7::ffff"]),  # of the same /64
        ("203.0.113.0/24", ["203.0.113.66"]),
        ("10.0.0.0/8", ["10.9.9.9"]),
        ("2001:db8::/32", ["2001:db8:9::1"]),
    ],
)
def test_a_ban_meets_the_caller_behind_proxies(
    behind: Server, paint: Any, banned: str, forwarded: list[str]
) -> None:
    ban = host(behind, "ban", address=banned, seconds=60, reason="test")
    try:
        assert paint(behind, *forwarded) == "FORBIDDEN"
        assert paint(behind, "203.0.114.1") == "OK"
        assert paint(behind, banned.partition("/")[0], "198.51.100.77") == "OK"  # made up by the caller
    finally:
        host(behind, "unban", ban=ban["ban"])
    assert paint(behind, *forwarded) == "OK"


@pytest.mark.parametrize("nonsense", ["not-an-ip", "10.0.0.0/33", "0.0.0.0/0", "1.2.3", "#abc", "# "])
def test_a_ban_of_nonsense_is_refused(behind: Server, nonsense: str) -> None:
    for method, more in (("ban", {"seconds": 60, "reason": "test"}), ("restore", {})):
        with pytest.raises(Refused, match="address is") as refused:
            host(behind, method, address=nonsense, **more)
        assert (refused.value.name, refused.value.field) == ("INVALID_PARAMS", "address")
    assert "bans" not in host(behind, "bans")


# What one is reached by


def test_links_have_the_scheme_and_the_host_that_the_caller_has(behind: Server, alone: Server) -> None:
    told: dict[str, Any] = {
        "Host": "inner",
        "X_Forwarded_Proto": "https",
        "X_Forwarded_Host": "canvas.example:8443",
    }
    for path, link in (("/", "og.jpg"), ("/history", "og.jpg"), ("/history.atom", "history.atom")):
        assert f'"https://canvas.example:8443/{link}"' in ask(behind, path, **told).body.decode()
        assert f'"http://inner/{link}"' in ask(alone, path, **told).body.decode()
        assert (
            f'"https://x.example/{link}"'
            in ask(behind, path, Host="x.example", X_Forwarded_Proto="https").body.decode()
        )


def ours(server: Server, **headers: Any) -> bool:
    """Whether a page's origin may call, which POST and websocket have to answer alike."""
    body = b'{"jsonrpc":"2.0","id":1,"method":"getInfo"}'
    answers = (ask(server, "/rpc", "POST", body, **headers).status, handshake(server, **headers))
    assert answers in ((200, 101), (403, 403)), answers
    return answers == (200, 101)


@pytest.mark.parametrize(
    ("host_", "origin", "fine"),
    [
        ("name.example:443", "https://name.example", True),
        ("name.example", "https://name.example:443", True),
        ("name.example:80", "http://name.example", True),
        ("NAME.example", "https://name.EXAMPLE", True),
        ("name.example.", "https://name.example", True),
        ("name.example:8443", "https://name.example:8443", True),
        ("[2001:DB8:0::1]:4242", "http://[2001:db8::1]:4242", True),
        ("name.example:443", "http://name.example", False),
        ("name.example", "https://name.example:8443", False),
        ("name.example", "https://name.example.evil.example", False),
        ("name.example", "https://evil.example", False),
        ("name.example", "null", False),
        ("name.example", "", False),
        ("name.example", "name.example", False),
        ("name.example", "https://name.example@evil.example", False),
        ("name.example", "https://friends.example", True),
        ("name.example", "https://friends.example:443", True),
        ("name.example", "http://friends.example", False),
        ("name.example", "https://www.friends.example", False),
        ("name.example", "http://[2001:db8::1]", True),
    ],
)
def test_origins(behind: Server, host_: str, origin: str, fine: bool) -> None:
    assert ours(behind, Host=host_, Origin=origin) is fine


def test_the_host_may_be_the_proxys_to_tell(behind: Server, alone: Server) -> None:
    told: dict[str, Any] = {"X_Forwarded_Host": "canvas.example", "Origin": "https://canvas.example"}
    assert ours(behind, **told)
    assert not ours(alone, **told)


@pytest.mark.parametrize(
    ("host_", "known"),
    [
        ("canvas.example", True),
        ("CANVAS.example:8443", True),
        ("canvas.example:1234", True),
        ("canvas.example.", True),
        ("canvas.example:", True),  # RFC 3986, 3.2.3: a port may be empty
        ("canvas.example:99999", False),
        ("canvas.example@evil.example", False),
        ("canvas.example, evil.example", False),
        ("[::ffff:127.0.0.1]", True),
        ("[2001:db8::1]:80", True),
        ("127.0.0.1", True),
        ("localhost:4242", True),
        ("evil.example", False),
        ("canvas.example.evil.example", False),
        ("203.0.113.1", False),
        ("::1", False),
        ('">', False),
    ],
)
def test_a_stranger_s_name_is_refused_where_names_are_given(named: Server, host_: str, known: bool) -> None:
    origin: dict[str, Any] = {"Host": host_, "Origin": f"http://{host_}"} if known else {"Host": host_}
    assert ours(named, **origin) is known
    assert ask(named, "/canvas/canvas.png", "HEAD", Host=host_).status == (200 if known else 403)


def test_names_with_a_port_are_of_that_port() -> None:
    origins = Origins((), ("canvas.example:8443",))
    assert origins.knows("canvas.example:8443")
    assert not origins.knows("canvas.example")


def test_names_in_other_scripts_are_as_browsers_write_them() -> None:
    origins = Origins(("https://B\u00dcCHER.example",), ("b\u00fccher.example",))
    assert str(parse_origin("https://b\u00fccher.example")) == "https://xn--bcher-kva.example"
    assert origins.is_ours("https://xn--bcher-kva.example", "other.example")
    assert origins.knows("xn--bcher-kva.example:443")


# Pages of other origins


@pytest.mark.parametrize(
    "path",
    ["/rpc", "/canvas.png", "/history.json", "/history.atom", "/openrpc.json", "/dreams/1.jpg", "/nothing"],
)
def test_pages_of_allowed_origins_may_read_the_answers(behind: Server, alone: Server, path: str) -> None:
    method, body = ("POST", b"{}") if path == "/rpc" else ("GET", b"")
    for origin in ("https://friends.example", "https://evil.example", None):
        headers: dict[str, Any] = {"Origin": origin} if origin else {}
        answer = ask(behind, path, method, body, **headers)
        allowed = origin == "https://friends.example"
        assert answer.headers.get("access-control-allow-origin") == (origin if allowed else None)
        assert "Origin" in answer.headers["vary"], "a cache may not give one's answer to the other"
        assert ("access-control-expose-headers" in answer.headers) is allowed
    unset = ask(alone, path, method, body, Origin="https://friends.example").headers
    assert "access-control-allow-origin" not in unset


@pytest.mark.parametrize(
    ("path", "method", "methods"),
    [
        ("/rpc", "POST", "OPTIONS, POST"),
        ("/canvas.png", "GET", "GET, HEAD, OPTIONS"),
        ("/movies/x.mp4", "GET", "GET, HEAD, OPTIONS"),
        ("/icon.svg", "GET", "GET, HEAD, OPTIONS"),
    ],
)
def test_a_preflight(behind: Server, path: str, method: str, methods: str) -> None:
    asked: dict[str, Any] = {
        "Access_Control_Request_Method": method,
        "Access_Control_Request_Headers": "authorization",
    }
    answer = ask(behind, path, "OPTIONS", Origin="https://friends.example", **asked)
    assert (answer.status, answer.headers["access-control-allow-origin"]) == (204, "https://friends.example")
    assert answer.headers["access-control-allow-methods"] == methods
    assert "Authorization" in answer.headers["access-control-allow-headers"]
    stranger = ask(behind, path, "OPTIONS", Origin="https://evil.example", **asked)
    assert (stranger.status, "access-control-allow-origin" in stranger.headers) == (403, False)
    asked["Access_Control_Request_Method"] = "DELETE"
    wrong = ask(behind, path, "OPTIONS", Origin="https://friends.example", **asked)
    assert (wrong.status, wrong.headers["allow"]) == (405, methods)


@pytest.mark.parametrize(
    ("path", "method", "methods"),
    [
        ("/rpc", "GET", "OPTIONS, POST"),
        ("/rpc", "HEAD", "OPTIONS, POST"),
        ("/rpc", "DELETE", "OPTIONS, POST"),
        ("/", "POST", "GET, HEAD, OPTIONS"),
        ("/about", "PUT", "GET, HEAD, OPTIONS"),
        ("/history.json", "POST", "GET, HEAD, OPTIONS"),
        ("/icon.svg", "POST", "GET, HEAD, OPTIONS"),
    ],
)
def test_a_method_that_is_not_allowed_is_told_which_are(
    alone: Server, path: str, method: str, methods: str
) -> None:
    answer = ask(alone, path, method)
    assert (answer.status, answer.headers["allow"]) == (405, methods)
    asked = ask(alone, path, "OPTIONS")
    assert (asked.status, asked.headers["allow"]) == (204, methods)


# Below a path


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("/history/", "/history"),
        ("/about/", "/about"),
        ("/admin/", "/admin"),
        ("/history/?x=1", "/history?x=1"),
        ("/livez/", "/livez"),
    ],
)
def test_a_slash_at_the_end_leads_on(alone: Server, named: Server, path: str, place: str) -> None:
    for server, root in ((alone, ""), (named, "/canvas")):
        answer = ask(server, root + path)
        assert (answer.status, answer.headers["location"]) == (308, root + place)
        assert ask(server, root + place).status == 200


@pytest.mark.parametrize(
    ("root", "target", "inside"),
    [
        ("", "/rpc?x=/canvas", "/rpc?x=/canvas"),
        ("/canvas", "/canvas/rpc?subscribe=paint", "/rpc?subscribe=paint"),
        ("/canvas", "/canvas", "/"),
        ("/canvas", "/canvas?x", "/?x"),
        ("/canvas", "/canvas.png", "/canvas.png"),  # is not below it
        ("/canvas", "/rpc", "/rpc"),  # the proxy has taken it off
        ("/a/b", "/a/b/history", "/history"),
    ],
)
def test_the_root_path_is_taken_off_once(root: str, target: str, inside: str) -> None:
    assert below(root, target) == inside


@pytest.mark.parametrize("root", ["/canvas", ""])
def test_all_is_served_below_the_root_path(named: Server, root: str) -> None:
    """As proxies do that pass the path on, and as those do that take it off."""
    names: dict[str, Any] = {"Host": "canvas.example", "X_Forwarded_Proto": "https"}
    page = ask(named, f"{root}/", **names).body.decode()
    assert 'content="https://canvas.example/canvas/og.jpg"' in page
    assert ' href="/canvas/history"' in page
    script = "/assets/" + page.partition(' src="./assets/')[2].partition('"')[0]
    asset = ask(named, root + script)
    assert (asset.status, "immutable" in asset.headers["cache-control"]) == (200, True)
    feed = ask(named, f"{root}/history.atom", **names).body.decode()
    assert 'href="https://canvas.example/canvas/history.atom"' in feed
    assert handshake(named, f"{root}/rpc?subscribe=paint", Host="canvas.example") == 101
    assert handshake(named, f"{root}/other", Host="canvas.example") == 404
    assert ask(named, f"{root}/rpc", "POST", b"{}").status == 200
    assert ask(named, f"{root}/nothing").status == 404


def test_the_root_path_itself_leads_to_its_page(named: Server) -> None:
    answer = ask(named, "/canvas")
    assert (answer.status, answer.headers["location"]) == (308, "/canvas/")


# Connections that wait


def test_a_connection_of_a_proxy_is_kept_and_a_half_sent_request_is_not(tmp_path: Any) -> None:
    with Server(tmp_path / "data", "--no-dream", "--open-timeout", "0.5") as server:
        address = f"127.0.0.1:{server.port}"
        with closing(http.client.HTTPConnection(address, timeout=10)) as connection:
            for _ in range(3):
                connection.request("GET", "/livez")
                assert connection.getresponse().read() == b"ok\n"
                kept = connection.sock
                assert kept is not None
                kept.settimeout(1.2)  # longer than a request may take
                with pytest.raises(TimeoutError):
                    kept.recv(1)
                kept.settimeout(10)
            assert connection.sock is kept
            kept.sendall(b"GET /livez HTTP/1.1\r\n")  # and no more
            assert kept.recv(1) == b""
        with urllib.request.urlopen(f"http://{address}/livez") as response:
            assert response.read() == b"ok\n"
