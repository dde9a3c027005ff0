"""What waits to be made durable, and in which order it is: as it came, but for what is made late.

An entry can be appended before its marks are known: then only its author's later entries wait for them, in
their order, and it is committed alone, so that its marks can be made from all that came before.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from dreamcanvas.canvas import Dab, Operation, Patch


@dataclass(slots=True, eq=False, weakref_slot=True)
class Author:
    """Who paints: a session, which outlives its connections, or a connection without one (`session` is None).

    `token` is the name of its token, if it has brought one.

    `last_call`, `last_seq` and `last_time` are those of the session's last applied call.
    """

    number: int
    session: bytes | None
    address: str
    last_call: int = 0
    last_seq: int = 0
    last_time: int = 0
    stored: bool = False
    token: str | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of an entry: its operations, numbered and durable. A duplicate has none."""

    seq: int
    time: int
    duplicate: bool
    operations: tuple[Operation, ...]


Late: TypeAlias = Callable[[], Awaitable[Sequence[Dab | Patch]]]


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """Something to be made durable: marks of an author, or none where only the author is to be stored.

    `origin` is whoever need not be told of the operations, since it made them. `late` gives what makes the
    marks when all before them is applied; until it does, the author's later entries wait, but nobody else's.
    """

    author: Author
    marks: Sequence[Dab | Patch] = ()
    stroke: int = 0
    call: int = 0
    origin: object = None
    late: asyncio.Future[Late] | None = None
    settled: asyncio.Future[Receipt] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


class Queue:
    """The entries that wait."""

    def __init__(self) -> None:
        self.waiting: list[Entry] = []
        self._late = 0
        self._changed = asyncio.Event()

    def append(self, entry: Entry) -> None:
        """Puts an entry at the end."""
        self.waiting.append(entry)
        if entry.late is not None:
            self._late += 1
            entry.late.add_done_callback(self._made)
        if self._late:
            self._changed.set()

    async def take(self) -> list[Entry]:
        """What is to be committed together.

        None where what was to be failed, or where nothing could be yet: then it has waited for a change.
        """
        if not self._late:
            taken, self.waiting = self.waiting, []
            return taken
        taken, self.waiting = self._divide()
        if not taken:
            self._changed.clear()
            await self._changed.wait()
        elif taken[0].late is not None:
            self._late -= 1
            return await _finished(taken[0], taken[0].late)
        return taken

    def _divide(self) -> tuple[list[Entry], list[Entry]]:
        taken: list[Entry] = []
        rest: list[Entry] = []
        held: set[int] = set()  # authors whose entries have to wait for one before them
        alone = False
        for entry in self.waiting:
            late = entry.late
            if alone or entry.author.number in held or (late is not None and (taken or not late.done())):
                held.add(entry.author.number)
                rest.append(entry)
            else:
                taken.append(entry)
                alone = late is not None
        return taken, rest

    def _made(self, late: "asyncio.Future[Late]") -> None:
        if not late.cancelled():
            late.exception()  # seen: who repeats a call that was applied is not told of it
        self._changed.set()


async def _finished(entry: Entry, late: "asyncio.Future[Late]") -> list[Entry]:
    """An entry with its marks; none where that failed, of which its caller is told."""
    if entry.call and entry.call <= entry.author.last_call:
        return [entry]  # it was applied before
    try:
        marks = await late.result()()
    except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - the journal goes on
        if not entry.settled.done():
            entry.settled.set_exception(error)
        return []
    return [replace(entry, marks=marks)]
