"""The pages below a path of a server, such as https://example.org/canvas/."""

from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.browser.conftest import Visit
from tests.live_server import Server


@pytest.fixture
def below(tmp_path: Path) -> Server:
    return Server(tmp_path / "data", "--root-path", "/canvas", "--dream-interval", "0.5")


def test_all_that_a_page_asks_for_is_below_the_path(visit: Visit, below: Server) -> None:
    with below:
        alice, bob = (visit(f"{below.url}/canvas/") for _ in range(2))
        asked: list[str] = []
        alice.page.on("request", lambda request: asked.append(request.url))
        with alice.page.expect_request(lambda request: "/dreams/" in request.url, timeout=90_000):
            alice.stroke((300, 300), (700, 500))
            alice.settle()
            bob.wait(seq=alice.seq)
        for page in ("/history", "/about", "/admin", "/"):
            alice.page.goto(f"{below.url}/canvas{page}")
            alice.page.wait_for_load_state("networkidle" if page != "/" else "load")
            links = alice.page.eval_on_selector_all("a[href]", "all => all.map(each => each.href)")
            asked += [link for link in links if link.startswith(below.url)]
        assert len(asked) > 20
        assert [url for url in asked if not urlsplit(url).path.startswith("/canvas/")] == []
