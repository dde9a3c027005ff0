"""10,000 recorded calls, sent to a server of now, are answered byte for byte as they were.

What was recorded is in recording.jsonl.xz, made by record.py. Where an answer is to be another one, it is
recorded anew in the commit that makes it so.
"""

from pathlib import Path
from typing import Any

import pytest

from tests.contract.schema import EVENTS, METHODS, parse
from tests.replay.player import Nothing, Player, Step, unpacked
from tests.replay.record import playing, read

MOST_DIFFERENCES = 10


def shown(message: str) -> str:
    """A recorded message for people: what is binary as the text of its messages."""
    if not message.startswith("b"):
        return message
    try:
        envelope = parse("Message", unpacked(message))
    except ValueError:
        return message
    if envelope.type == 3:
        inside = parse(EVENTS[envelope.event.name], envelope.event.payload)
        return f"event {envelope.event.name} {{ {_line(inside)} }} = {message}"
    if envelope.type == 1 and envelope.request.method in METHODS:
        inside = _decoded(METHODS[envelope.request.method][0], envelope.request.payload)
        return f"call of {envelope.request.method} {{ {inside} }} = {message}"
    return f"{_line(envelope)} = {message}"


def _decoded(name: str, payload: bytes) -> str:
    try:
        return _line(parse(name, payload))
    except ValueError:
        return repr(payload)


def _line(message: Any) -> str:
    return " ".join(str(message).split())


def difference(number: int, step: Step, name: str, expected: str, found: str) -> str:
    """A paragraph on an answer that is another one."""
    sent = step.get("message") or step.get("body")
    what = {key: value for key, value in step.items() if key not in ("message", "body", "got")}
    lines = [f"step {number}: {what}"]
    if sent is not None:
        lines.append(f"  sent     {shown(sent)}")
    lines += [f"  {name} was sent", f"    before {shown(expected)}", f"    now    {shown(found)}"]
    return "\n".join(lines)


def replay(player: Player, steps: list[Step]) -> list[str]:
    """What is different, the first of it."""
    differences: list[str] = []
    for number, step in enumerate(steps, 1):
        at_once = player.perform(step)
        for name, expected in step.get("got", {}).items():
            found = at_once.get(name, [])
            for place, wanted in enumerate(expected):
                if place < len(found):
                    came = found[place]
                else:
                    try:
                        came = player.kept(player.receive(name))
                    except Nothing as error:
                        return [*differences, difference(number, step, name, wanted, str(error))]
                if came != wanted:
                    differences.append(difference(number, step, name, wanted, came))
            if len(differences) >= MOST_DIFFERENCES:
                return differences
    return differences


@pytest.mark.timeout(600)  # a minute, where other tests run beside it
def test_recorded_calls_are_answered_as_they_were(tmp_path: Path) -> None:
    about, steps = read()
    assert about["calls"] == 10_000
    with playing(tmp_path) as player:
        differences = replay(player, steps)
        assert not differences, f"recorded with {about}, other answers:\n" + "\n".join(differences)
        assert not list(player.names()), "all were closed, so that nothing more can have come"
