"""An anonymous attacker at one address, the default limits, and somebody else who goes on painting.

`tests/soak/attacks.py` is the same for longer, each on a server of its own, and prints what it saw.
"""

from collections.abc import Callable

import pytest

from tests.attacks.floods import ATTACKS
from tests.attacks.probe import INTERVAL, Probe
from tests.attacks.scene import Verdict, watched
from tests.live_server import Server

MEMORY = 150  # MB
LINES = 100  # a minute; an attack here takes seconds
NEWCOMER = 2.0
SECONDS = 0.8


def well(seen: Verdict, usual: float) -> None:
    """The issue's bounds, and twice what it took without an attack: others use the machine, too."""
    assert seen.during.lost == 0
    assert len(seen.during.seconds) >= SECONDS / INTERVAL - 2
    assert seen.during.worst < 1 + 2 * usual
    assert seen.during.percentile(75) < 0.25 + 2 * usual
    assert seen.after.worst < 1 + 2 * usual
    assert seen.grown < MEMORY
    assert seen.lines < LINES
    assert seen.newcomer < NEWCOMER + 4 * usual


@pytest.mark.parametrize("name", ATTACKS)
def test_others_go_on_painting(
    name: str, victim: Server, probe: Probe, new_address: Callable[[], str]
) -> None:
    attack = ATTACKS[name]()
    attack.address = new_address()
    seen = watched(victim, probe, attack, quiet=0.25, seconds=SECONDS, rest=0.1)
    well(seen, max(seen.quiet.worst, min(seen.after.percentile(50), 0.25)))
