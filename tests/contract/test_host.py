"""Tokens, read-only and bans, as far as the contract speaks of them."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from websockets.exceptions import InvalidStatus

from tests.contract.client import Client, Failed, json_failure
from tests.live_server import Server


class Host:
    """Calls by POST, with a token."""

    def __init__(self, server: Server, web: httpx.Client) -> None:
        self._token = (server.data_dir / "admin-token").read_text().strip()
        self._web = web

    def call(self, method: str, params: dict[str, Any], token: str | None = None) -> Any:
        """The result, or raises Failed."""
        headers = {"Authorization": f"Bearer {token or self._token}"}
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        answer = self._web.post("/rpc", json=body, headers=headers).json()
        if "error" in answer:
            raise json_failure(answer["error"])
        return answer["result"]


@pytest.fixture
def host(canvas: Server) -> Iterator[Host]:
    with httpx.Client(base_url=canvas.url, trust_env=False, timeout=30) as web:
        yield Host(canvas, web)


def test_a_wrong_token_is_unauthenticated(canvas: Server, host: Host) -> None:
    with pytest.raises(Failed) as failed:
        host.call("getInfo", {}, token="painter.wrong")  # noqa: S106 - none
    assert (failed.value.code, failed.value.name) == (-32002, "UNAUTHENTICATED")
    with pytest.raises(InvalidStatus) as refused:
        Client(canvas.url, additional_headers={"Authorization": "Bearer painter.wrong"})
    assert refused.value.response.status_code == 401


def test_nobody_may_draw_while_it_is_read_only(client: Client, other: Client, host: Host) -> None:
    client.call("subscribe", events=["status"])
    host.call("admin.readOnly", {"on": True})
    try:
        client.event("status", that=lambda status: status.read_only)
        assert client.call("getInfo").read_only
        with pytest.raises(Failed) as paint:
            other.dab()
        with pytest.raises(Failed) as undo:
            other.call("undo", stroke=1)
        for failed in (paint.value, undo.value):
            assert (failed.code, failed.name) == (-32003, "FORBIDDEN")
    finally:
        host.call("admin.readOnly", {"on": False})
    assert other.dab().seq


def test_who_is_banned_is_told_why(client: Client, host: Host) -> None:
    author = client.call("subscribe", events=["status"], session=b"x" * 16).author
    ban = host.call("admin.ban", {"author": author, "seconds": 60, "reason": "Too loud"})
    with pytest.raises(Failed) as failed:
        client.dab()
    assert (failed.value.code, failed.value.name) == (-32003, "FORBIDDEN")
    assert failed.value.error.endswith(": Too loud")
    host.call("admin.unban", {"ban": ban["ban"]})
    assert client.dab().seq
