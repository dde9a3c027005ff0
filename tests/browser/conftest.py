"""Chromium, and visitors in it."""

import socket
from collections.abc import Callable, Iterator
from typing import Final

import pytest
from playwright.sync_api import Browser, ConsoleMessage, sync_playwright

from tests.browser.visitor import Visitor, chromium
from tests.live_server import Server

Visit = Callable[..., Visitor]

ELSEWHERE: Final = "canvas.test"
"""A name of this machine's that is not loopback to a browser: over plain HTTP it keeps APIs back there."""
NETWORK: Final = "another-name"
"""A name of this machine in its network, at the address that it has there."""
AWAY: Final = ("ERR_CONNECTION_REFUSED", "ERR_INTERNET_DISCONNECTED")


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium(),
            args=[
                "--no-sandbox",
                f"--host-resolver-rules=MAP {ELSEWHERE} 127.0.0.1, MAP {NETWORK} {own_address()}",
            ],
        )
        yield browser
        browser.close()


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    """Opens pages for visitors. What a page complains of fails the test, but for a server that is away."""
    complaints: list[str] = []
    contexts = []

    def heard(message: ConsoleMessage) -> None:
        away = any(error in message.text for error in AWAY)
        if message.type in ("error", "warning") and not away:
            complaints.append(message.text)

    def opens(url: str, **context: object) -> Visitor:
        contexts.append(browser.new_context(**{"viewport": {"width": 1440, "height": 900}, **context}))  # type: ignore[arg-type]
        page = contexts[-1].new_page()
        page.on("console", heard)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(url)
        visitor = Visitor(page)
        visitor.wait(phase="live")
        return visitor

    yield opens
    for each in contexts:
        each.close()
    assert complaints == []


def own_address() -> str:
    """This machine's address in its network; loopback where it is in none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # chooses a way there; nothing is sent
        except OSError:
            return "127.0.0.1"
        address: str = probe.getsockname()[0]
    return address


def elsewhere(server: Server) -> str:
    """The server's address in a network."""
    return f"http://{ELSEWHERE}:{server.port}"
