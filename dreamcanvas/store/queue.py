"""What waits to be made durable, and in which order it is: as it came, but for what is made late.

An entry can be appended before its marks are known: then only its author's later entries wait for them, in
their order, and it is committed alone, so that its marks can be made from all that came before.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from dreamcanvas.canvas.model import Dab, Operation, Patch
from dreamcanvas.errors import DreamcanvasError, NotNow


@dataclass(slots=True, eq=False, weakref_slot=True)
class Author:
    """Who paints: a session, which outlives its connections, or a connection without one (`session` is None).

    `token` is the name of its token, if it has brought one.

    `last_call`, `last_seq` and `last_time` are those of the session's last applied call. It is `stored` once
    it has drawn; `seen` is when that was last written down, ms since 1970. `waiting` entries are its own.
    """

    number: int
    session: bytes | None
    address: str
    last_call: int = 0
    last_seq: int = 0
    last_time: int = 0
    stored: bool = False
    token: str | None = None
    seen: int = 0
    waiting: int = 0


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of an entry: its operations, numbered and durable. A duplicate has none."""

    seq: int
    time: int
    duplicate: bool
    operations: tuple[Operation, ...]


Late: TypeAlias = Callable[[], Awaitable[Sequence[Dab | Patch]]]


class NotYetError(Exception):
    """Marks cannot be made in a moment when their turn has come: another turn comes when `late` is done."""

    def __init__(self, late: asyncio.Future[Late]) -> None:
        super().__init__()
        self.late = late


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """Something to be made durable: marks of an author; none where somebody waits for what came before.

    `origin` is whoever need not be told of the operations, since it made them. `late` gives what makes the
    marks when all before them is applied; until it does, the author's later entries wait, but nobody else's.
    Nobody's is committed while it makes them, so it raises NotYetError rather than take long.
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
        """Put an entry at the end."""
        self.waiting.append(entry)
        if entry.late is not None:
            self._late += 1
            entry.late.add_done_callback(self._made)
        if self._late:
            self._changed.set()

    async def take(self) -> list[Entry]:
        """Return what is to be committed together.

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
            try:
                return await _finished(taken[0], taken[0].late)
            except NotYetError as error:
                self._put_back(replace(taken[0], late=error.late), error.late)
                return []
        return taken

    def _put_back(self, entry: Entry, late: asyncio.Future[Late]) -> None:
        """Have an entry wait once more, before its author's later ones."""
        self.waiting.insert(0, entry)
        self._late += 1
        late.add_done_callback(self._made)

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
    """Return an entry with its marks; none where that failed, of which its caller is told. Raises
    NotYetError.
    """
    if entry.call and entry.call <= entry.author.last_call:
        return [entry]  # it was applied before
    if late.cancelled():
        sentence = "the server is shutting down; nothing was applied"
        return _failed(entry, NotNow(sentence))
    try:
        marks = await late.result()()
    except NotYetError:
        raise
    except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - the journal goes on
        return _failed(entry, error)
    return [replace(entry, marks=marks)]


def _failed(entry: Entry, error: BaseException) -> list[Entry]:
    entry.author.waiting -= 1
    if isinstance(error, DreamcanvasError):
        # Nobody wants to know where it comes from, and its frames hold this entry, and pictures
        error.__traceback__ = None
    if not entry.settled.done():
        entry.settled.set_exception(error)
    return []
