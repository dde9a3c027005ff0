"""Which loop there is, and how it shares the interpreter."""

import asyncio
import sys
from collections.abc import Iterator

import pytest

from dreamcanvas.server.event_loop import SWITCH_SECONDS, loop_factory, share_interpreter


@pytest.fixture
def interval_kept() -> Iterator[None]:
    """The interpreter's interval is afterwards as it was."""
    before = sys.getswitchinterval()
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("interval_kept")
def test_a_waiting_thread_may_demand_the_interpreter_soon() -> None:
    sys.setswitchinterval(0.005)
    share_interpreter()
    assert sys.getswitchinterval() == pytest.approx(SWITCH_SECONDS)


def test_the_loop_is_what_was_asked_for() -> None:
    uvloop = pytest.importorskip("uvloop")
    assert loop_factory("asyncio") is None
    for name in ("auto", "uvloop"):
        factory = loop_factory(name)
        assert factory is not None
        with asyncio.Runner(loop_factory=factory) as runner:
            assert isinstance(runner.get_loop(), uvloop.Loop)
