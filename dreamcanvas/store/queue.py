"""The entries that wait to be made durable, and the order in which they are.

Entries are committed in the order in which they came, with one exception. A *late* entry is appended before
its marks are known (an undo's patch is drawn in another thread). Until they are, only its author's later
entries wait behind it; those of other authors overtake it. It is then committed alone, so that its marks can
be made from everything that was committed before.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from dreamcanvas.canvas.model import Dab, Operation, Patch
from dreamcanvas.errors import DreamcanvasError, NotNow


@dataclass(slots=True, eq=False, weakref_slot=True)
class Author:
    """Somebody who paints: a session, or a connection without one (then `session` is None).

    A session outlives its connections. `token` is the name of the author's token, or None.

    `last_call`, `last_seq` and `last_time` are those of the session's last applied call. `stored` becomes
    true when the author has drawn; `seen` is the time, in ms since 1970, at which drawing was last written
    down. `waiting` is the number of the author's entries that are not settled yet.
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
    """The result of an entry: its operations, numbered and durable. A duplicate has none."""

    seq: int
    time: int
    duplicate: bool
    operations: tuple[Operation, ...]


Late: TypeAlias = Callable[[], Awaitable[Sequence[Dab | Patch]]]


class NotYetError(Exception):
    """Marks would take too long to make now. The entry gets another turn when `late` is done."""

    def __init__(self, late: asyncio.Future[Late]) -> None:
        super().__init__()
        self.late = late


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """An author's marks that are to be made durable.

    An entry without marks makes nothing: whoever appends it waits until what came before is settled.

    `origin` made the operations, so it is not told of them. `late` is a future whose result is a function
    that makes the marks; it is called when everything before the entry is applied. Until the future is done,
    the author's later entries wait, but nobody else's. While the function runs, nothing at all is committed:
    so it raises NotYetError when it would take long.
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
    """The entries that wait to be committed, oldest first."""

    def __init__(self) -> None:
        self.waiting: list[Entry] = []
        self._late = 0
        self._changed = asyncio.Event()

    def append(self, entry: Entry) -> None:
        """Put an entry at the end of the queue."""
        self.waiting.append(entry)
        if entry.late is not None:
            self._late += 1
            entry.late.add_done_callback(self._made)
        if self._late:
            self._changed.set()

    async def take(self) -> list[Entry]:
        """Return the entries to commit together next, in order; the list may be empty.

        It is empty where a late entry failed or was put back, and where every entry has to wait for a late
        one. In the second case the method returns only after something has changed.
        """
        # The usual case: nothing is late, so all that waits goes into one transaction
        if not self._late:
            taken, self.waiting = self.waiting, []
            return taken
        taken, self.waiting = self._divide()
        if not taken:
            # All wait behind late entries. `append` and `_made` run in this loop too, so that nothing can
            # change between the line above and this one
            self._changed.clear()
            await self._changed.wait()
        elif taken[0].late is not None:
            self._late -= 1
            try:
                return await _finished(taken[0], taken[0].late)
            except NotYetError as error:
                # To the front: it came before everything that still waits
                self._put_back(replace(taken[0], late=error.late), error.late)
                return []
        return taken

    def _put_back(self, entry: Entry, late: asyncio.Future[Late]) -> None:
        """Put a late entry back at the front, so that its author's later entries go on waiting for it."""
        self.waiting.insert(0, entry)
        self._late += 1
        late.add_done_callback(self._made)

    def _divide(self) -> tuple[list[Entry], list[Entry]]:
        taken: list[Entry] = []
        rest: list[Entry] = []
        held: set[int] = set()  # authors with an entry that stays: their later ones must not overtake it
        alone = False
        for entry in self.waiting:
            late = entry.late
            # A late entry is taken only as the first, and then alone: its marks are made from the state after
            # all entries before it, which are not committed yet if they are in the same list
            if alone or entry.author.number in held or (late is not None and (taken or not late.done())):
                held.add(entry.author.number)
                rest.append(entry)
            else:
                taken.append(entry)
                alone = late is not None
        return taken, rest

    def _made(self, late: "asyncio.Future[Late]") -> None:
        if not late.cancelled():
            late.exception()  # else asyncio complains that nobody fetched it
        self._changed.set()


async def _finished(entry: Entry, late: "asyncio.Future[Late]") -> list[Entry]:
    """Return a late entry with its marks, or no entry where making them failed; its caller is told.

    Raises NotYetError.
    """
    if entry.call and entry.call <= entry.author.last_call:
        return [entry]  # a repeated call: the journal answers it as a duplicate
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
        # It is an answer and not a bug. The frames of a traceback would keep pictures in memory
        error.__traceback__ = None
    if not entry.settled.done():
        entry.settled.set_exception(error)
    return []
