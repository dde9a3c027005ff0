"""What the browser keeps: the session for the tab, wishes across visits; and all of it forbidden."""

from functools import partial

from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Visit
from tests.browser.visitor import Visitor
from tests.live_server import Server, wait_until
from tests.socket_client import Socket

FORBIDDEN = """
for (const name of ["localStorage", "sessionStorage"])
    Object.defineProperty(window, name, { get() { throw new DOMException("denied", "SecurityError"); } });
window.BroadcastChannel = class { constructor() { throw new DOMException("denied", "SecurityError"); } };
"""
FULL = """
Storage.prototype.setItem = () => { throw new DOMException("full", "QuotaExceededError"); };
"""


def authors(server: Server, since: int) -> list[int]:
    """Who drew the operations after `since`."""
    with Socket(server.ws_url) as socket:
        seq = socket.subscribe(events=["paint"], since=since).seq
        found: list[int] = []
        while since + len(found) < seq:
            if not socket.events:
                socket.receive()
                continue
            found.append(socket.events.popleft()[1].author)
        return found


def complain(into: list[str], error: Exception) -> None:
    into.append(str(error))


def draw(visitor: Visitor, y: int) -> None:
    visitor.stroke((300, y), (600, y))
    visitor.settle()


class TestSession:
    def test_lasts_over_a_reload_and_takes_back_what_was_drawn_before(
        self, visit: Visit, quiet_server: Server
    ) -> None:
        alice = visit(quiet_server.url)
        before, picture = alice.seq, alice.picture()["hash"]
        draw(alice, 300)
        draw(alice, 340)
        alice.page.reload()
        alice.wait(phase="live")
        draw(alice, 380)
        assert len(set(authors(quiet_server, before))) == 1
        for _ in range(3):
            alice.page.keyboard.press("Control+z")
        wait_until(lambda: alice.picture()["hash"] == picture, what="the canvas without the three strokes")
        alice.settle()
        expect(alice.page.get_by_role("button", name="Undo my last stroke")).to_be_disabled()

    def test_of_another_tab_is_another(self, visit: Visit, quiet_server: Server) -> None:
        alice = visit(quiet_server.url)
        before = alice.seq
        draw(alice, 500)
        for open_tab in (window_open, duplicate):
            other = Visitor(open_tab(alice.page))
            other.wait(phase="live")
            expect(other.page.get_by_role("button", name="Undo my last stroke")).to_be_disabled()
            draw(other, 540)
            draw(alice, 580)
            other.page.close()
        drawn = authors(quiet_server, before)
        assert len(drawn) == alice.seq - before
        assert len(set(drawn)) == 3

    def test_of_two_copies_that_begin_at_once_is_one_ones(self, visit: Visit, quiet_server: Server) -> None:
        alice = visit(quiet_server.url)
        draw(alice, 700)
        kept = alice.page.evaluate("() => sessionStorage.getItem('dreamcanvas.session')")
        alice.page.evaluate("() => { location.href = '/about'; }")
        alice.page.wait_for_url("**/about")
        pages = [alice.page.context.new_page() for _ in range(2)]
        for page in pages:
            page.add_init_script(f"sessionStorage.setItem('dreamcanvas.session', {kept!r});")
            page.goto(quiet_server.url, wait_until="commit")
        first, second = map(Visitor, pages)
        for visitor in (first, second):
            visitor.wait(phase="live")
        before = max(first.seq, second.seq)
        draw(first, 720)
        draw(second, 740)
        drawn = authors(quiet_server, before)
        assert len(set(drawn)) == 2


def window_open(page: Page) -> Page:
    """A tab that a page opens: it begins with a copy of the opener's session storage."""
    with page.expect_popup() as popup:
        page.evaluate("() => { window.open('/'); }")
    return popup.value


def duplicate(page: Page) -> Page:
    """What browsers do when a tab is duplicated: all that is kept for it is copied."""
    kept: dict[str, str] = page.evaluate("() => ({ ...sessionStorage })")
    copy = page.context.new_page()
    for key, text in kept.items():
        copy.add_init_script(f"sessionStorage.setItem({key!r}, {text!r});")
    copy.goto(page.url)
    return copy


class TestForbidden:
    def test_the_canvas_can_be_drawn_on(self, browser: Browser, quiet_server: Server) -> None:
        for script in (FORBIDDEN, FULL):
            page = browser.new_context().new_page()
            broken: list[str] = []
            page.on("pageerror", partial(complain, broken))
            page.add_init_script(script)
            page.goto(quiet_server.url)
            alice = Visitor(page)
            alice.wait(phase="live")
            page.keyboard.press("p")
            page.keyboard.press("2")
            page.get_by_label("Brush size").fill("60")
            draw(alice, 900)
            page.keyboard.press("Control+z")
            alice.settle()
            page.keyboard.press("?")
            page.get_by_label("Your name").fill("Ada")
            page.get_by_label("Colours").select_option("light")
            page.get_by_label("Language").select_option("de")
            expect(page.locator("#hint")).to_contain_text("Alle paar Sekunden")
            expect(page.locator("html")).to_have_attribute("data-theme", "light")
            page.goto(f"{quiet_server.url}/history")
            page.wait_for_selector("html[data-phase=live]")
            page.goto(f"{quiet_server.url}/about")
            expect(page.get_by_role("heading", name="How it works")).to_be_visible()
            page.context.close()
            assert broken == []

    def test_the_hosts_page_lets_the_host_in(self, browser: Browser, quiet_server: Server) -> None:
        token = (quiet_server.data_dir / "admin-token").read_text("utf-8").strip()
        for script in (FORBIDDEN, FULL):
            page = browser.new_context().new_page()
            broken: list[str] = []
            page.on("pageerror", partial(complain, broken))
            page.add_init_script(script)
            page.goto(f"{quiet_server.url}/admin")
            page.get_by_label("The host’s token").fill(token)
            page.get_by_role("button", name="Sign in").click()
            expect(page.locator("#desk")).to_be_visible()
            page.wait_for_selector("html[data-phase=live]")
            expect(page.locator("#said")).to_be_empty()
            page.get_by_role("button", name="Sign out").click()
            expect(page.locator("#desk")).to_be_hidden()
            page.context.close()
            assert broken == []
