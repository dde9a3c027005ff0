"""The page /about, and what getInfo says of costs and donations, over real HTTP."""

import json
import signal
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dreamcanvas.proto import dreamcanvas_pb2 as pb
from dreamcanvas.web.about import markdown
from tests.live_server import Server
from tests.socket_client import Socket

ADDRESS = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"
FLAGS = (
    *("--no-dream", "--cost-per-hour", "1000000", "--currency", "CHF", "--donate-bitcoin", ADDRESS),
    *("--donate-links", "PayPal=https://paypal.me/x?a=1&b=2", "--operator", "Ada <ada@example.org>"),
)


@pytest.fixture(scope="module")
def telling(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with all that /about can show. An hour costs a million."""
    with Server(tmp_path_factory.mktemp("telling"), *FLAGS) as server:
        yield server


def info(server: Server) -> pb.InfoResponse:
    with Socket(server.ws_url) as socket:
        return socket.reply(socket.send("getInfo", pb.InfoRequest()), pb.InfoResponse)


def test_nothing_is_shown_where_nothing_is_configured(quiet_server: Server) -> None:
    page = quiet_server.get("/about").decode()
    for part in (
        "bitcoin",
        '<svg class="segno',
        "CHF",
        "What it costs",
        "Help to pay",
        "Who runs",
        "<!--costs",
    ):
        assert part not in page
    answer = info(quiet_server)
    assert not answer.HasField("costs")
    assert not answer.donations


def test_the_page_tells_in_both_languages(telling: Server) -> None:
    page = telling.get("/about").decode()
    for words in ("What it costs", "Was es kostet", "One canvas for everybody", "Eine Leinwand für alle"):
        assert words in page
    assert "Ada &lt;ada@example.org&gt;" in page
    assert 'href="https://paypal.me/x?a=1&amp;b=2"' in page
    assert f'href="bitcoin:{ADDRESS}"' in page
    assert "CHF" in page


def test_the_host_s_acts_are_told_in_numbers(telling: Server) -> None:
    assert "What the host has done" not in telling.get("/about").decode()
    token = (telling.data_dir / "admin-token").read_text().strip()
    for number, (method, params) in enumerate(
        (
            ("ban", {"author": 7, "seconds": 60, "reason": "<i>spam</i>"}),
            ("readOnly", {"on": True}),
            ("ban", {"author": 8, "seconds": 60, "reason": "spam"}),
            ("readOnly", {"on": False}),
        )
    ):
        if number == 2:
            one = telling.get("/about").decode()
            for act in ("1 ban", "1 Sperre", "1 time changed whether", "1 Mal geändert"):
                assert f"<li>{act}" in one
            assert "1 bans" not in one
        call = {"jsonrpc": "2.0", "id": 1, "method": f"admin.{method}", "params": params}
        request = urllib.request.Request(
            f"{telling.url}/rpc", json.dumps(call).encode(), {"Authorization": f"Bearer {token}"}
        )
        with urllib.request.urlopen(request) as response:
            assert "result" in json.load(response)
    page = telling.get("/about").decode()
    assert "<li>2 bans</li>" in page
    assert "<li>2 Sperren</li>" in page
    assert "<li>2 times changed whether one may draw</li>" in page
    assert "spam" not in page


def test_get_info_says_the_same(telling: Server) -> None:
    answer = info(telling)
    assert [(link.label, link.url) for link in answer.donations] == [
        ("Bitcoin", f"bitcoin:{ADDRESS}"),
        ("PayPal", "https://paypal.me/x?a=1&b=2"),
    ]
    costs = answer.costs
    assert costs.currency == "CHF"
    assert costs.total > 0
    assert costs.total == pytest.approx(1_000_000 * costs.up_hours)
    assert costs.today <= costs.month <= costs.total
    assert costs.dreaming_hours == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_what_was_spent_is_not_forgotten(tmp_path: Path, number: int) -> None:
    with Server(tmp_path, *FLAGS) as server:
        server.stop()
        server.start()
        before = info(server).costs.total
        server.stop(number)
        server.start()
        assert info(server).costs.total >= (before if number == signal.SIGTERM else 1)


def test_json_has_it_too(telling: Server) -> None:
    call = {"jsonrpc": "2.0", "id": 1, "method": "getInfo"}
    with urllib.request.urlopen(telling.url + "/rpc", json.dumps(call).encode()) as response:
        result: dict[str, Any] = json.load(response)["result"]
    assert result["costs"]["currency"] == "CHF"
    assert result["donations"][0]["label"] == "Bitcoin"


def test_the_hosts_own_text_replaces_ours(tmp_path: Path) -> None:
    file = tmp_path / "about.md"
    file.write_text("# Our canvas\n\nA *test*, <script>alert(1)</script>\n")
    with Server(tmp_path / "data", "--no-dream", "--about", str(file)) as server:
        page = server.get("/about").decode()
        assert page.count("<h1>Our canvas</h1>") == 2  # in the place of either language
        assert "<em>test</em>, &lt;script&gt;" in page
        assert "One canvas for everybody" not in page
        file.write_text("Changed")
        assert "<p>Changed</p>" in server.get("/about").decode()
        file.unlink()
        assert "One canvas for everybody" in server.get("/about").decode()


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (("--about", "/nowhere/about.md"), "about is '/nowhere/about.md', which cannot be read"),
        (("--donate-bitcoin", ADDRESS[:-1] + "5"), "no Bitcoin address: its checksum is wrong"),
        (("--donate-links", "PayPal"), "donate_links has 'PayPal', but has to have Label=url"),
        (("--cost-per-hour", "-1"), "cost_per_hour is -1.0, but has to be 0 to 1e+06"),
    ],
)
def test_what_is_wrong_is_a_sentence_at_the_start(
    tmp_path: Path, flags: tuple[str, ...], sentence: str
) -> None:
    with pytest.raises(RuntimeError, match="did not start") as raised:
        Server(tmp_path, "--no-dream", *flags)
    assert sentence in str(raised.value)
    assert "Traceback" not in str(raised.value)


@pytest.mark.parametrize(
    "text",
    [
        "[x](javascript:alert(1))",
        "<img src=x onerror=alert(1)>",
        "[x](vbscript:x)",
        "![x](data:text/html;base64,xx)",
        "<a href='javascript:alert(1)'>x</a>",
        "[x]: javascript:alert(1)\n\n[x]",
    ],
)
def test_markdown_can_run_nothing(text: str) -> None:
    found = markdown(text)
    assert not any(
        part in found
        for part in ('href="javascript', "<img src=x", 'href="vbscript', 'src="data:text', "<a href='")
    )


def test_markdown_has_tables_and_links() -> None:
    assert "<table>" in markdown("| a |\n|---|\n| b |")
    assert '<a href="https://example.org">' in markdown("[x](https://example.org)")
