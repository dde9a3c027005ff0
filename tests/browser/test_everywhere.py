"""For everyone: WCAG 2.2 AA, the keyboard, light and dark, two languages, small and from one place."""

import json
import re
import urllib.parse
from urllib.parse import urljoin

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.axe import violations
from tests.browser.conftest import Visit
from tests.browser.test_page import PHONE
from tests.live_server import Server

GERMAN = {"locale": "de-DE"}
BUDGET = 100_000
"""Bytes that the page may take, as they are sent, before its picture."""


@pytest.mark.parametrize("scheme", ["dark", "light"])
@pytest.mark.parametrize("screen", [{}, PHONE], ids=["desktop", "phone"])
def test_axe_finds_nothing_wrong_with_the_page_in_any_of_its_states(
    visit: Visit, server: Server, scheme: str, screen: dict[str, object]
) -> None:
    alice = visit(server.url, color_scheme=scheme, reduced_motion="reduce", **screen)
    page = alice.page
    alice.wait_for("Number(data.dream) >= 2")
    found = {"live": violations(page)}
    page.get_by_role("button", name="Another palette").click()
    found["palettes"] = violations(page)
    page.keyboard.press("Escape")
    expect(page.locator("#palettes")).to_be_hidden()
    page.get_by_role("button", name="Settings").click()
    found["settings"] = violations(page)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Story of a place").click()
    page.mouse.click(*alice.on_screen(700, 700))
    page.wait_for_selector("#story-panel[data-state=live]")
    found["story"] = violations(page)
    page.get_by_role("button", name="Close").click()
    page.context.set_offline(True)
    alice.wait(phase="offline")
    found["offline"] = violations(page)
    assert found == {state: [] for state in found}


def test_the_keyboard_reaches_everything(visit: Visit, quiet_server: Server) -> None:
    alice = visit(quiet_server.url)
    reached = []
    for _ in range(40):
        alice.page.keyboard.press("Tab")
        name = alice.page.evaluate(
            "() => document.activeElement.id || document.activeElement.getAttribute('aria-label')"
        )
        if name in reached:
            break
        reached.append(name)
    # Buttons that have nothing to do are left out: there is no stroke to take back, and was no dream.
    wanted = {
        "past", "about", "canvas", "Black", "White", "custom", "palette", "size", "pick", "story",
        "share", "save", "more", "zoom-out", "fit", "zoom-in",
    }  # fmt: skip
    assert wanted - set(reached) == set()


def test_german_is_spoken_to_who_wishes_it(visit: Visit, quiet_server: Server) -> None:
    alice = visit(quiet_server.url, **GERMAN)
    assert alice.page.evaluate("document.documentElement.lang") == "de"
    expect(alice.page.get_by_role("button", name="Meinen letzten Strich zurücknehmen")).to_be_visible()
    expect(alice.page.locator("#here")).to_have_text(re.compile("hier"))
    expect(alice.page.locator("#hint")).to_contain_text("Alle paar Sekunden träumt sie")
    alice.page.keyboard.press("?")
    alice.page.get_by_label("Sprache").select_option("en")
    expect(alice.page.locator("#hint")).to_contain_text("Every few seconds it dreams")
    alice.page.reload()
    expect(alice.page.locator("#hint")).to_contain_text("Every few seconds it dreams")


def test_light_and_dark_are_the_systems_or_ones_own_choice(visit: Visit, quiet_server: Server) -> None:
    alice = visit(quiet_server.url, color_scheme="light")
    stage = "() => getComputedStyle(document.documentElement).getPropertyValue('--stage').trim()"
    light = alice.page.evaluate(stage)
    alice.page.keyboard.press("?")
    alice.page.get_by_label("Colours").select_option("dark")
    dark = alice.page.evaluate(stage)
    assert dark != light
    alice.page.goto(f"{quiet_server.url}/history")
    assert alice.page.evaluate(stage) == dark


def test_a_wish_for_stillness_leaves_out_the_cross_fade(visit: Visit, server: Server) -> None:
    alice = visit(server.url, reduced_motion="reduce")
    alice.wait_for("Number(data.dream) >= argument", int(alice.state("dream")) + 1)
    transitions = alice.page.evaluate(
        "() => [...document.querySelectorAll('*')].map(e => getComputedStyle(e).transitionDuration)"
    )
    assert set(transitions) == {"0s"}
    assert alice.page.evaluate("() => document.getAnimations().length") == 0
    assert alice.page.locator("#veil").is_hidden()


def test_the_page_is_small_and_comes_from_one_place(browser: Browser, quiet_server: Server) -> None:
    page: Page = browser.new_context().new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    devtools = page.context.new_cdp_session(page)
    devtools.send("Network.enable")
    sent: dict[str, int] = {}
    devtools.on(
        "Network.loadingFinished",
        lambda event: sent.update({event["requestId"]: event["encodedDataLength"]}),
    )
    response = page.goto(quiet_server.url)
    page.wait_for_selector("html[data-phase=live]")
    page.wait_for_timeout(300)
    assert response is not None
    assert 10_000 < sum(sent.values()) < BUDGET
    ours = urllib.parse.urlsplit(quiet_server.url).netloc
    assert {urllib.parse.urlsplit(url).netloc for url in asked} == {ours}
    policy = response.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    page.context.close()


def test_it_can_be_put_on_a_home_screen_and_shows_itself_in_previews(
    visit: Visit, quiet_server: Server
) -> None:
    page = visit(quiet_server.url).page
    manifest = json.loads(quiet_server.get("/manifest.webmanifest"))
    for icon in manifest["icons"]:
        assert len(quiet_server.get(urljoin("/manifest.webmanifest", icon["src"]))) > 300
    preview = page.locator("meta[property='og:image']").get_attribute("content")
    assert preview == f"{quiet_server.url}/og.jpg"
    assert quiet_server.get("/og.jpg")[:3] == b"\xff\xd8\xff"
