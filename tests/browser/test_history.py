"""The history page, in Chromium, against a real server whose dreams carry their numbers."""

import io
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from PIL import Image, ImageChops, ImageStat
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser import axe
from tests.browser.conftest import Visit
from tests.history.killer import MarkedServer, windows
from tests.history.marks import mark
from tests.live_server import Server, wait_until
from tests.socket_client import Socket, dab

WINDOW = 8
RECORDING = (
    *("--history-window", str(WINDOW), "--movie-preset", "ultrafast", "--keep-frames-minutes", "0"),
    *("--undo-seconds", "0", "--rest-after", "0", "--dream-interval", "0.1"),
)
LEAST = 12

NUMBER = """() => {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = 240;
    const context = canvas.getContext("2d");
    context.drawImage(document.querySelector("#picture > *"), 0, 0, 240, 240);
    const row = context.getImageData(0, 5, 240, 1).data;
    let number = 0;
    for (let bit = 0; bit < 24; bit++) if (row[(bit * 10 + 5) * 4] < 128) number |= 1 << bit;
    return number;
}"""
SCREENS: dict[str, dict[str, Any]] = {
    "desktop": {},
    "phone": {
        "viewport": {"width": 390, "height": 844},
        "device_scale_factor": 2,
        "has_touch": True,
        "is_mobile": True,
    },
}
# All that is said: texts, names, hints, what the slider tells.
SAID = """() => {
    const said = [document.title];
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode())
        if (!texts.currentNode.parentElement.closest("noscript")) said.push(texts.currentNode.data);
    for (const name of ["aria-label", "title", "aria-valuetext"])
        for (const each of document.querySelectorAll(`[${name}]`)) said.push(each.getAttribute(name));
    return said;
}"""
NAMED = "a[href], button, select, input, [role=slider], dialog, nav, img"
NAMELESS = """named => [...document.querySelectorAll(named)]
    .filter((each) => !(each.getAttribute("aria-label") ?? "").trim()
        && !each.getAttribute("aria-labelledby") && !each.labels?.length
        && !(each instanceof HTMLImageElement && each.alt === "")
        && !each.textContent.trim())
    .map((each) => each.outerHTML)"""


class Past:
    """A recording: one movie at least, and a last window that has none."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.url = f"{server.url}/history"
        by_state = {window["state"]: window for window in windows(server)}
        self.movie = self.details(by_state["ENCODED"])
        self.unfinished = self.details(by_state["WAITING"])

    def details(self, window: dict[str, Any]) -> dict[str, Any]:
        name = datetime.fromtimestamp(window["start"] / 1000, UTC).strftime("%Y%m%dT%H%M%SZ")
        told: dict[str, Any] = json.loads(self.server.get(f"/history/{name}.json"))
        return told | {"name": name}


class Player:
    """The player of a page."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.dialog = page.locator("#player")

    def state(self, name: str) -> str:
        return self.dialog.get_attribute(f"data-{name}") or ""

    def wait(self, **state: str | int) -> None:
        wanted = "".join(f"[data-{name}='{value}']" for name, value in state.items())
        self.page.wait_for_selector(f"#player{wanted}", timeout=20_000)

    def rests_at(self, index: int) -> None:
        self.wait(state="paused", index=index, shown=index, waiting="false")

    @property
    def number(self) -> int:
        """Of the dream whose picture can be seen."""
        number: int = self.page.evaluate(NUMBER)
        return number

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Past]:
    with MarkedServer(tmp_path_factory.mktemp("past"), *RECORDING) as server:

        def recorded() -> bool:
            found = windows(server)
            long = [window for window in found if window["frames"] >= LEAST]
            made = [window for window in long if window["state"] == "ENCODED"]
            return bool(made) and found[-1] in long and found[-1]["state"] != "ENCODED"

        with Socket(server.ws_url) as socket:
            socket.paint(dabs=[dab(700, 1300, 9)] * 5)
        wait_until(recorded, what="a movie, and dreams beyond it", timeout=90)
        server.stop()
        # What has no movie keeps its frames from now on.
        server.arguments = (*server.arguments, "--no-dream", "--no-movies")
        server.start()
        wait_until(lambda: windows(server)[-1]["state"] == "WAITING", what="the end of the last window")
        yield Past(server)


def card(page: Page, details: dict[str, Any]) -> Locator:
    moment = datetime.fromtimestamp(details["window"]["start"] / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return page.locator(f".card[href='#{moment}']")


def moment(time: int) -> str:
    """With milliseconds."""
    return datetime.fromtimestamp(time / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{time % 1000:03}Z"


def at_moment(visit: Visit, past: Past, details: dict[str, Any], index: int, **context: object) -> Player:
    player = Player(visit(f"{past.url}#{moment(details['times'][index])}", **context).page)
    player.wait(name=details["name"])
    return player


def said(page: Page) -> set[str]:
    """The page's words, without numbers and the month."""
    texts: list[str] = page.evaluate(SAID)
    plain = {" ".join(re.sub(r"[^A-Za-zÄÖÜäöüß]+", " ", each).split()) for each in texts}
    return {re.sub(r"\b(April|August|September|November)\b", "", each).strip() for each in plain} - {""}


def without_overflow(page: Page) -> bool:
    wide: list[int] = page.evaluate(
        "() => [document.documentElement, document.querySelector('#player')].map(e => e.scrollWidth)"
    )
    inner: int = page.evaluate("innerWidth")
    return max(wide) <= inner


class TestMovie:
    def test_plays_to_its_end(self, visit: Visit, past: Past) -> None:
        page = visit(past.url).page
        card(page, past.movie).click()
        player = Player(page)
        player.wait(kind="movie", name=past.movie["name"])
        last = len(past.movie["dreams"]) - 1
        player.rests_at(last)
        assert player.number == past.movie["dreams"][last]

    def test_shows_the_frame_in_its_middle(self, visit: Visit, past: Past) -> None:
        player = at_moment(visit, past, past.movie, 0)
        player.rests_at(0)
        box = player.page.locator("#track").bounding_box()
        assert box is not None
        middle = len(past.movie["dreams"]) // 2
        player.page.mouse.click(
            box["x"] + box["width"] * (middle + 0.5) / len(past.movie["dreams"]), box["y"] + 9
        )
        player.rests_at(middle)
        dream = past.movie["dreams"][middle]
        assert (player.number, player.state("dream")) == (dream, str(dream))
        seen = Image.open(io.BytesIO(player.page.locator("#picture video").screenshot())).convert("RGB")
        meant = mark(dream).resize(seen.size)
        another = mark(dream + 1).resize(seen.size)
        assert difference(seen, meant) < 8 < difference(seen, another)

    def test_is_stepped_by_the_keyboard(self, visit: Visit, past: Past) -> None:
        player = at_moment(visit, past, past.movie, 3)
        dreams = past.movie["dreams"]
        last = len(dreams) - 1
        expect(player.page.locator("#track")).to_be_focused()
        for keys, index in (
            (["ArrowRight"], 4),
            (["ArrowLeft", "ArrowLeft"], 2),
            (["Home"], 0),
            (["ArrowLeft"], 0),
            (["Shift+ArrowRight"], min(30, last)),
            (["End"], last),
            (["Shift+ArrowLeft"], max(last - 30, 0)),
        ):
            player.press(*keys)
            player.rests_at(index)
            assert player.number == dreams[index], keys
            slider = player.page.get_by_role("slider", name="Moment")
            expect(slider).to_have_attribute("aria-valuenow", str(index + 1))
            expect(slider).to_have_attribute(
                "aria-valuetext", re.compile(rf"^\d\d:\d\d:\d\d, dream {index + 1} of {last + 1}, .+")
            )

    def test_loops_at_another_speed_until_it_is_paused(self, visit: Visit, past: Past) -> None:
        player = at_moment(visit, past, past.movie, len(past.movie["dreams"]) - 3)
        player.press("l", ">", ">")
        expect(player.page.get_by_role("button", name="Loop")).to_have_attribute("aria-pressed", "true")
        expect(player.page.get_by_label("Speed")).to_have_value("4")
        player.press(" ")
        player.wait(state="playing")
        player.page.wait_for_function(
            "() => Number(document.querySelector('#player').dataset.index) < 3", timeout=20_000
        )
        player.press(" ")
        player.wait(state="paused")
        expect(player.page.get_by_role("button", name="Play", exact=True)).to_be_visible()
        assert player.number in past.movie["dreams"]

    def test_can_be_downloaded(self, visit: Visit, past: Past) -> None:
        player = at_moment(visit, past, past.movie, 0)
        with player.page.expect_download() as download:
            player.page.locator("#download").click()
        assert download.value.suggested_filename == f"dreamcanvas-{past.movie['name']}-1536.mp4"
        assert download.value.path().stat().st_size == past.movie["window"]["renditions"][0]["bytes"]


def difference(a: Image.Image, b: Image.Image) -> float:
    return sum(ImageStat.Stat(ImageChops.difference(a, b)).mean) / 3


class TestLink:
    def test_opens_at_its_moment(self, visit: Visit, past: Past) -> None:
        for details, index in ((past.movie, 7), (past.unfinished, 5), (past.movie, 0)):
            player = at_moment(visit, past, details, index)
            player.rests_at(index)
            assert player.number == details["dreams"][index]

    def test_follows_what_is_shown_and_is_shared(self, visit: Visit, past: Past) -> None:
        allowed = {"permissions": ["clipboard-read", "clipboard-write"]}
        page = visit(past.url, **allowed).page
        card(page, past.movie).click()
        player = Player(page)
        player.wait(state="playing")
        player.press(" ")
        player.wait(state="paused")
        player.press("Home", "ArrowRight", "ArrowRight")
        player.rests_at(2)
        page.get_by_role("button", name="Copy a link to this moment").click()
        expect(page.locator("#toast")).to_contain_text("copied")
        same = "async () => (await navigator.clipboard.readText()) === location.href"
        wait_until(lambda: page.evaluate(same), what="the link in the address bar")
        again = Player(visit(page.evaluate("location.href")).page)
        again.rests_at(2)
        assert again.number == past.movie["dreams"][2]

    def test_to_what_there_is_not_says_so(self, visit: Visit, past: Past) -> None:
        player = Player(visit(f"{past.url}#2099-01-01T00:00:00Z").page)
        player.rests_at(len(past.unfinished["dreams"]) - 1)
        expect(player.page.locator("#note")).to_contain_text("not come yet")

    def test_is_left_by_closing(self, visit: Visit, past: Past) -> None:
        player = at_moment(visit, past, past.movie, 1)
        player.rests_at(1)
        player.press("Escape")
        expect(player.dialog).to_be_hidden()
        assert player.page.url == past.url
        card(player.page, past.unfinished).click()
        player.wait(name=past.unfinished["name"])
        player.page.go_back()
        expect(player.dialog).to_be_hidden()

    def test_leads_to_the_movies_beside(self, visit: Visit, past: Past) -> None:
        player = at_moment(visit, past, past.unfinished, 0)
        player.page.get_by_role("link", name="Earlier").click()
        player.page.wait_for_function(
            "name => document.querySelector('#player').dataset.name < name", arg=past.unfinished["name"]
        )
        player.page.get_by_role("link", name="Later").click()
        player.wait(name=past.unfinished["name"])


class TestUnfinishedWindow:
    def test_plays_from_its_frames(self, visit: Visit, past: Past) -> None:
        page = visit(past.url).page
        expect(card(page, past.unfinished)).to_contain_text("Movie to come")
        expect(card(page, past.unfinished).locator("img")).to_be_visible()
        card(page, past.unfinished).click()
        player = Player(page)
        player.wait(kind="frames", name=past.unfinished["name"])
        dreams = past.unfinished["dreams"]
        player.rests_at(len(dreams) - 1)
        assert player.number == dreams[-1]
        player.press("Home", "ArrowRight")
        player.rests_at(1)
        assert player.number == dreams[1]

    def test_grows_while_it_is_recorded(self, visit: Visit, server: Server) -> None:
        wait_until(lambda: windows(server), what="a dream", timeout=120)
        page = visit(f"{server.url}/history").page
        page.locator(".card[data-state=RECORDING]").click()
        player = Player(page)
        player.wait(kind="frames")
        expect(page.locator("#note")).to_contain_text("still being recorded")
        count = int(page.locator("#track").get_attribute("aria-valuemax") or "0")
        with Socket(server.ws_url) as socket:
            socket.paint(dabs=[dab(500, 500, 60)] * 5)
            page.wait_for_function(
                "count => Number(document.querySelector('#track').ariaValueMax) > count", arg=count
            )
        player.press("End")
        player.wait(state="paused", waiting="false")
        assert int(player.state("index")) >= count


class TestShelf:
    def test_shows_a_day_and_runs_through_a_movie_under_the_pointer(self, visit: Visit, past: Past) -> None:
        page = visit(past.url).page
        expect(page.locator("#days button[aria-current=date]")).to_have_count(1)
        expect(page.locator(".card")).to_have_count(len(windows(past.server)))
        frame = card(page, past.movie).locator(".frame")
        box = frame.bounding_box()
        assert box is not None
        for share in (0.1, 0.9):
            page.mouse.move(box["x"] + 5, box["y"] + 20)
            expect(frame.locator(".scrub")).to_have_css("background-image", re.compile("sprite"))
            page.mouse.move(box["x"] + box["width"] * share, box["y"] + 20)
            # The pointer is at whole pixels.
            expect(frame).to_have_attribute(
                "data-scrub", re.compile({0.1: "^(9|10)$", 0.9: "^(89|90)$"}[share])
            )

    def test_is_linked_with_the_canvas_and_the_feed(self, visit: Visit, past: Past) -> None:
        page = visit(past.server.url).page
        page.get_by_role("link", name="History").click()
        page.wait_for_selector("html[data-phase=live] .card")
        assert page.url == past.url
        feed = page.locator("link[rel=alternate]").get_attribute("href")
        assert past.server.get(str(feed)).startswith(b"<?xml")
        page.get_by_role("link", name="Draw").click()
        page.wait_for_selector("#canvas")

    def test_without_a_dream_invites_to_draw(self, visit: Visit, quiet_server: Server) -> None:
        page = visit(f"{quiet_server.url}/history").page
        expect(page.get_by_role("status").first).to_contain_text("Nothing has been dreamt yet")
        page.get_by_role("link", name="Draw the first stroke").click()
        page.wait_for_selector("#canvas")

    def test_that_can_not_be_fetched_is_tried_again(self, browser: Browser, past: Past) -> None:
        page = browser.new_page()
        page.route("**/history.json*", lambda route: route.fulfill(status=503))
        page.goto(past.url)
        expect(page.locator("#state")).to_contain_text("can’t be reached")
        page.unroute("**/history.json*")
        page.get_by_role("button", name="Try again").click()
        expect(card(page, past.movie)).to_be_visible()
        page.route("**/movies/*.mp4", lambda route: route.fulfill(status=404))
        card(page, past.movie).click()
        expect(page.locator("#trouble")).to_contain_text("can’t be played")
        page.unroute("**/movies/*.mp4")
        page.get_by_role("button", name="Try again").click()
        expect(page.locator("#trouble")).to_be_hidden()
        Player(page).rests_at(0)
        page.close()


class TestLayout:
    @pytest.mark.parametrize("size", [(360, 640), (640, 360), (768, 1024), (1440, 900)])
    def test_fits_the_screen(self, visit: Visit, past: Past, size: tuple[int, int]) -> None:
        width, height = size
        # In German, whose words are longer.
        page = visit(past.url, viewport={"width": width, "height": height}, locale="de-DE").page
        expect(card(page, past.movie)).to_be_visible()
        assert without_overflow(page)
        card(page, past.movie).click()
        player = Player(page)
        player.wait(kind="movie")
        assert without_overflow(page)
        for part in ("#picture", "#track", "#play", "#share", "#close"):
            box = page.locator(part).bounding_box()
            assert box is not None
            assert box["x"] >= 0, part
            assert box["x"] + box["width"] <= width, part
            assert box["y"] + box["height"] <= height, part

    def test_everything_has_a_name(self, visit: Visit, past: Past) -> None:
        page = visit(past.url).page
        expect(card(page, past.movie)).to_be_visible()
        assert page.evaluate(NAMELESS, NAMED) == []
        card(page, past.movie).click()
        Player(page).wait(kind="movie")
        assert page.evaluate(NAMELESS, NAMED) == []
        expect(page.get_by_role("dialog")).to_have_accessible_name(re.compile(r"\d\d:\d\d"))
        for name in ("One dream back", "One dream on", "Loop", "Copy a link to this moment", "Close"):
            expect(page.get_by_role("button", name=name, exact=True)).to_be_visible()


class TestLanguage:
    def test_is_the_browsers(self, visit: Visit, past: Past) -> None:
        """Nothing that is said in German is said in English."""
        spoken = {}
        for language in ("en-US", "de-DE"):
            player = at_moment(visit, past, past.movie, 0, locale=language)
            player.rests_at(0)
            page = player.page
            expect(card(page, past.movie)).to_have_count(1)
            spoken[language] = said(page)
            expect(page.locator("html")).to_have_attribute("lang", language[:2])
        assert len(spoken["de-DE"]) > 40
        assert spoken["de-DE"] & spoken["en-US"] <= {"Dreamcanvas", "Esc", "L", "MB", "Labyrinth"}
        expect(page).to_have_title(re.compile(r"^\d\d:\d\d:\d\d – \d\d:\d\d:\d\d · Verlauf · Dreamcanvas$"))
        expect(page.locator("#facts")).to_have_text(re.compile(r"^\d+ Träume · .+ · \d:\d\d min$"))
        expect(page.locator("#downloads a").first).to_have_text(re.compile(r"^1536 × 1536 \d+(,\d)?\sMB$"))
        expect(page.get_by_role("slider", name="Zeitpunkt")).to_have_attribute(
            "aria-valuetext",
            re.compile(rf"^\d\d:\d\d:\d\d, Traum 1 von {len(past.movie['dreams'])}, .+"),
        )

    def test_is_the_one_that_was_chosen(self, visit: Visit, quiet_server: Server) -> None:
        page = visit(f"{quiet_server.url}/history", locale="de-DE").page
        expect(page.locator("#state")).to_contain_text("Noch wurde nichts geträumt")
        choose(page, language="en", theme="light")
        expect(page.locator("#state")).to_contain_text("Nothing has been dreamt yet")

    def test_may_run_from_right_to_left(self, visit: Visit, past: Past) -> None:
        player = at_moment(visit, past, past.movie, 0)
        page = player.page
        page.evaluate("() => { document.documentElement.dir = 'rtl'; }")
        player.rests_at(0)
        assert without_overflow(page)
        assert middle(page, "#picture") > middle(page, "#panel")
        assert middle(page, "#close") < middle(page, "#title")
        # Time does not turn round.
        assert middle(page, "#head-line") < middle(page, "#track")
        assert middle(page, "#back") < middle(page, "#forth")
        player.press("Escape")
        expect(card(page, past.movie)).to_be_visible()
        assert without_overflow(page)
        assert middle(page, "#brand") > middle(page, ".draw")


class TestColours:
    def test_are_the_systems_and_the_player_is_a_cinema(self, visit: Visit, past: Past) -> None:
        page = visit(past.url).page
        for scheme in ("dark", "light"):
            page.emulate_media(color_scheme=scheme)
            assert (brightness(page, "html") > 128) == (scheme == "light")
        card(page, past.movie).click()
        Player(page).wait(kind="movie")
        assert brightness(page, "#player") < 40
        expect(page.locator("#title")).to_have_css("color", "rgb(236, 235, 231)")

    def test_are_those_that_were_chosen(self, visit: Visit, quiet_server: Server) -> None:
        page = visit(f"{quiet_server.url}/history", color_scheme="dark").page
        choose(page, language="auto", theme="light")
        assert brightness(page, "html") > 128
        choose(page, language="auto", theme="auto")
        assert brightness(page, "html") < 40


def choose(page: Page, **wishes: str) -> None:
    """As the settings of the drawing page do."""
    page.evaluate("text => localStorage.setItem('dreamcanvas.preferences', text)", json.dumps(wishes))
    page.reload()
    page.wait_for_selector("html[data-phase=live]")


def brightness(page: Page, selector: str) -> float:
    """Of an element's background, 0 to 255."""
    colour: str = page.locator(selector).evaluate("element => getComputedStyle(element).backgroundColor")
    return sum(map(int, re.findall(r"\d+", colour)[:3])) / 3


def middle(page: Page, selector: str) -> float:
    """How far from the left, px."""
    box = page.locator(selector).bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2


@pytest.mark.parametrize("screen", SCREENS)
class TestAccessibility:
    """Zero violations of WCAG 2.2 AA, in the dark and in the light."""

    def test_of_movies_and_the_player(self, visit: Visit, past: Past, screen: str) -> None:
        page = visit(past.url, **SCREENS[screen]).page
        expect(card(page, past.movie)).to_be_visible()
        assert complaints(page) == []
        card(page, past.movie).click()
        Player(page).rests_at(len(past.movie["dreams"]) - 1)
        if screen == "desktop":
            page.locator("#help summary").click()
        assert complaints(page) == []

    def test_of_what_is_empty_or_missing(
        self, visit: Visit, past: Past, quiet_server: Server, screen: str
    ) -> None:
        page = visit(f"{quiet_server.url}/history", **SCREENS[screen]).page
        expect(page.locator("#state-draw")).to_be_visible()
        assert complaints(page) == []
        page.goto(f"{quiet_server.url}/history#2026-11-22T14:03:20Z")
        page.wait_for_selector("#player[data-state=missing]")
        assert complaints(page) == []

    def test_of_failures(self, browser: Browser, past: Past, screen: str) -> None:
        context = browser.new_context(**SCREENS[screen])
        page = context.new_page()
        page.route("**/history.json*", lambda route: route.fulfill(status=503))
        page.goto(past.url)
        expect(page.locator("#state-again")).to_be_visible()
        assert complaints(page) == []
        page.unroute("**/history.json*")
        page.route("**/movies/*.mp4", lambda route: route.fulfill(status=404))
        page.locator("#state-again").click()
        card(page, past.movie).click()
        expect(page.locator("#trouble-again")).to_be_visible()
        assert complaints(page) == []
        page.keyboard.press("Escape")
        page.route("**/history/*.json", lambda route: route.fulfill(status=503))
        card(page, past.unfinished).click()
        page.wait_for_selector("#player[data-state=unreachable]")
        assert complaints(page) == []
        context.close()


def complaints(page: Page) -> list[str]:
    found = []
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme=scheme)
        found += [f"{scheme}: {each}" for each in axe.violations(page)]
    return found
