"""The host's page: a vandal is found, banned and undone, and what others drew later is still there."""

import io
import re
from collections.abc import Iterator

import pytest
from PIL import Image, ImageChops
from playwright.sync_api import Browser, Page, expect

from dreamcanvas.canvas import brush
from tests.browser import axe
from tests.browser.conftest import Visit
from tests.live_server import Server, wait_until
from tests.socket_client import CallError, Socket, dab

QUARTER = 768  # px: the side of the quarter of the canvas that is covered


@pytest.fixture(scope="module")
def hosted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of these tests' own: they ban, and make it read-only."""
    with Server(tmp_path_factory.mktemp("hosted"), "--no-dream") as server:
        yield server


@pytest.fixture
def desk(browser: Browser, hosted: Server) -> Iterator[Page]:
    """The host's page, before anybody has signed in."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, color_scheme="light")
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"{hosted.url}/admin")
    yield page
    context.close()
    assert complaints == []


def sign_in(page: Page, server: Server) -> None:
    page.get_by_label("The host’s token").fill((server.data_dir / "admin-token").read_text().strip())
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("#desk")).to_be_visible()


def check_every_look(page: Page) -> None:
    """Desktop and phone, dark and light; the desktop's size last, as it was before."""
    for width, height in ((390, 844), (1440, 900)):
        page.set_viewport_size({"width": width, "height": height})
        for scheme in ("dark", "light"):
            page.emulate_media(color_scheme=scheme)
            assert axe.violations(page) == [], (width, scheme)
        assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth"), width


def choose(page: Page, left: int, top: int, right: int, bottom: int) -> None:
    """Drags over a region of the canvas."""
    box = page.locator("#picture").bounding_box()
    assert box is not None
    scale = box["width"] / 1536
    page.mouse.move(box["x"] + left * scale, box["y"] + top * scale)
    page.mouse.down()
    page.mouse.move(box["x"] + right * scale, box["y"] + bottom * scale, steps=4)
    page.mouse.up()


def cover(server: Server, connections: list[Socket]) -> list[int]:
    """Each covers a strip of the quarter in black; gives their numbers."""
    authors = []
    strip = QUARTER // len(connections)
    for number, socket in enumerate(connections):
        authors.append(socket.subscribe(events=["status"]).author)
        places = [
            (x, y)
            for x in range(number * strip + 20, (number + 1) * strip, 40)
            for y in range(20, QUARTER, 40)
        ]
        socket.paint(dabs=[dab(x, y, 124, 0) for x, y in places], stroke=1)
    return authors


def without(server: Server, authors: list[int]) -> Image.Image:
    """What is on the canvas but for these authors' dabs."""
    picture = Image.new("RGB", (1536, 1536), "white")
    with Socket(server.ws_url) as socket:
        seq = socket.subscribe(events=["paint"], since=0).seq
        found = 0
        while found < seq:
            if not socket.events:
                socket.receive()
                continue
            _, event = socket.events.popleft()
            found = event.seq
            if event.author not in authors:
                brush.draw(picture, event.pos.x, event.pos.y, event.size, event.color)
    return picture


def test_a_wrong_token_opens_nothing(desk: Page, hosted: Server) -> None:
    desk.get_by_label("The host’s token").fill("admin.wrong")
    desk.get_by_role("button", name="Sign in").click()
    expect(desk.get_by_role("status")).to_contain_text("unknown")
    expect(desk.locator("#desk")).to_be_hidden()
    assert axe.violations(desk) == []


def test_the_vandals_of_a_quarter_of_the_canvas(desk: Page, visit: Visit, hosted: Server) -> None:
    alice = visit(hosted.url)
    alice.stroke((300, 300), (500, 360))
    alice.settle()
    vandals = [Socket(hosted.ws_url) for _ in range(4)]
    try:
        authors = cover(hosted, vandals)
        bob = visit(hosted.url)
        bob.stroke((200, 600), (620, 640))
        bob.settle()
        expected = without(hosted, authors)
        last = bob.seq

        sign_in(desk, hosted)
        choose(desk, 5, 5, 760, 760)
        painters = desk.locator("#painters li")
        expect(painters).to_have_count(6)
        for author in authors:
            desk.get_by_role("checkbox", name=re.compile(rf"No\. {author} ")).check()
        desk.get_by_label("Reason, which they are told").fill("Painting over others")
        desk.get_by_label("their addresses, too").uncheck()  # all are at one
        check_every_look(desk)
        desk.get_by_role("button", name="Ban", exact=True).click()
        expect(desk.get_by_role("status")).to_have_text("4 are banned.")
        expect(painters.filter(has_text="banned")).to_have_count(4)
        desk.get_by_role("button", name="Take back what they drew").click()
        expect(desk.get_by_role("status")).to_contain_text("dabs were taken back")

        for vandal in vandals:
            with pytest.raises(CallError, match=r"FORBIDDEN: banned until .*: Painting over others"):
                vandal.paint(dabs=[dab(100, 100), dab(120, 100)])
        with Image.open(io.BytesIO(hosted.png())) as image:
            assert ImageChops.difference(image.convert("RGB"), expected).getbbox() is None
        for visitor in (alice, bob):
            visitor.wait_for("Number(data.seq) > argument", last)
            for x, y in ((400, 330), (410, 620), (100, 100)):
                assert visitor.pixel(x, y)[:3] == list(expected.getpixel((x, y)))  # type: ignore[arg-type]
        log = desk.locator("#log li")
        expect(log.first).to_contain_text("restore")
    finally:
        for vandal in vandals:
            vandal.__exit__()


def test_the_rest_of_the_hosts_hand(desk: Page, hosted: Server) -> None:
    sign_in(desk, hosted)
    with Socket(hosted.ws_url) as socket:
        socket.subscribe(events=["status"])
        desk.get_by_role("button", name="Nobody may draw").click()
        expect(desk.get_by_role("button", name="Nobody may draw", pressed=True)).to_be_visible()
        with pytest.raises(CallError, match="read-only"):
            socket.paint(dabs=[dab(1, 1), dab(2, 2)])
        desk.get_by_role("button", name="Nobody may draw").click()
        expect(desk.get_by_role("button", name="Nobody may draw", pressed=False)).to_be_visible()
        desk.get_by_label("A line for everyone").fill("Back at nine")
        desk.get_by_role("button", name="Show it").click()
        while socket.event("status").announcement != "Back at nine":
            pass
        seq = socket.paint(dabs=[dab(1200, 1200), dab(1210, 1200)]).seq
    choose(desk, 1100, 1100, 1300, 1300)
    desk.get_by_label("At this time, in the region that is chosen").fill("2020-01-01T00:00:00")
    desk.get_by_role("button", name="Put it back").click()
    expect(desk.get_by_role("status")).to_have_text("It is as it was.")
    with Image.open(io.BytesIO(hosted.png())) as image:
        assert image.convert("RGB").crop((1150, 1150, 1250, 1250)).getcolors() == [(10_000, (255, 255, 255))]
    wait_until(lambda: f'"seq": {seq + 1}' in hosted.get("/readyz").decode().replace('":', '": '))
    desk.get_by_role("button", name="Sign out").click()
    expect(desk.locator("#desk")).to_be_hidden()


def test_the_token_lasts_as_long_as_the_tab_and_no_longer(desk: Page, hosted: Server) -> None:
    sign_in(desk, hosted)
    desk.reload()
    expect(desk.locator("#desk")).to_be_visible()
    other = desk.context.new_page()
    other.goto(f"{hosted.url}/admin")
    expect(other.locator("#desk")).to_be_hidden()
    expect(other.get_by_label("The host’s token")).to_be_visible()


def test_a_ban_is_of_the_address_unless_the_host_says_otherwise(desk: Page, hosted: Server) -> None:
    with Socket(hosted.ws_url) as vandal:
        author = vandal.subscribe(events=["status"]).author
        vandal.paint(dabs=[dab(900, 900)], stroke=1)
        sign_in(desk, hosted)
        choose(desk, 890, 890, 910, 910)
        desk.get_by_role("checkbox", name=re.compile(rf"No\. {author} ")).check()
        expect(desk.get_by_label("their addresses, too")).to_be_checked()
        for blank in ("   ", "\u3164\u2800"):
            desk.get_by_label("Reason, which they are told").fill(blank)
            desk.get_by_role("button", name="Ban", exact=True).click()
            expect(desk.get_by_role("status")).to_have_text("Say why: they are told.")
        desk.get_by_label("Reason, which they are told").fill("Rude words")
        desk.get_by_role("button", name="Ban", exact=True).click()
        expect(desk.get_by_role("status")).to_have_text("One is banned.")
    with Socket(hosted.ws_url) as again, pytest.raises(CallError, match="Rude words"):
        again.paint(dabs=[dab(1, 1)])
    desk.locator("#bans li").filter(has_text="Rude words").get_by_role("button").click()
    expect(desk.get_by_role("status")).to_have_text("The ban has ended.")
    with Socket(hosted.ws_url) as again:
        again.paint(dabs=[dab(1, 1)])


def test_a_line_of_which_nothing_can_be_seen_is_none(desk: Page, hosted: Server) -> None:
    sign_in(desk, hosted)
    desk.get_by_label("A line for everyone").fill("\u115f \u2800")
    desk.get_by_role("button", name="Show it").click()
    expect(desk.get_by_role("status")).to_contain_text("Nothing of this line can be seen")
