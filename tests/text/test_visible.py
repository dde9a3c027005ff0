"""What can be seen of a text: the table to which the page is held, too."""

import json
from pathlib import Path
from typing import Any

import pytest

from dreamcanvas.api.validation import visible_line, visible_name
from dreamcanvas.errors import InvalidParams
from dreamcanvas.text.visible import is_line, is_visible

CASES: list[dict[str, Any]] = json.loads(Path(__file__).with_name("visible.json").read_text("utf-8"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["why"])
def test_it_is_one_line_and_seen_or_not(case: dict[str, Any]) -> None:
    assert (is_line(case["text"]), is_visible(case["text"])) == (case["line"], case["visible"])


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["why"])
def test_a_name_is_empty_or_seen(case: dict[str, Any]) -> None:
    if case["text"] == "" or (case["line"] and case["visible"]):
        assert visible_name(case["text"]) == case["text"]
    else:
        with pytest.raises(InvalidParams) as error:
            visible_name(case["text"])
        assert error.value.field == "name"
        assert ("can be seen" if case["line"] else "control characters") in error.value.sentence


def test_the_field_is_named() -> None:
    with pytest.raises(InvalidParams, match="reason has no character that can be seen"):
        visible_line("reason", "\N{HANGUL FILLER}")


def test_every_character_can_be_asked_for() -> None:
    for code in range(0, 0x110000, 7):
        assert not (is_visible(chr(code)) and not is_line(chr(code)))
