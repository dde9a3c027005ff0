"""Operations, durable and numbered without a gap."""

import asyncio
import gc
import sqlite3
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dreamcanvas.canvas.model import Dab, Patch
from dreamcanvas.errors import NotNow
from dreamcanvas.store.journal import KEPT_SESSIONS, Author, Entry, Journal, Observer, Receipt

SESSION = bytes(range(16))
DAB = Dab(1, 2, 3, 0xFFFFFF)


class Clock:
    """Gives 1, 2, 3 …"""

    def __init__(self) -> None:
        self.now = 0

    def __call__(self) -> int:
        self.now += 1
        return self.now


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    journal = Journal(tmp_path / "test.db", clock=Clock())
    yield journal
    await journal.drain()
    journal.close()


async def reopen(journal: Journal, tmp_path: Path) -> Journal:
    await journal.drain()
    journal.close()
    return Journal(tmp_path / "test.db", clock=Clock())


def rows(journal: Journal) -> list[tuple[int, int, Dab | Patch]]:
    return [(operation.seq, operation.author, operation.mark) for operation in journal.operations(0)]


def row_count(journal: Journal) -> Callable[[sqlite3.Connection], int]:
    return lambda connection: connection.execute("SELECT count(*) FROM operations").fetchone()[0]


# Numbers


async def test_it_begins_at_1(journal: Journal) -> None:
    assert journal.seq == 0
    receipt = await journal.append(Entry(journal.anonymous("here"), [DAB]))
    assert (receipt.seq, receipt.duplicate, journal.seq) == (1, False, 1)
    assert rows(journal) == [(1, 1, DAB)]


async def test_the_marks_of_an_entry_have_consecutive_numbers_and_one_time(journal: Journal) -> None:
    author = journal.anonymous("here")
    patch = Patch(-5, 6, b"\0png")
    await journal.append(Entry(author, [DAB]))
    receipt = await journal.append(Entry(author, [DAB, patch, Dab(-65535, 65535, 124, 0)], stroke=9))
    assert receipt.seq == 4
    assert [operation.seq for operation in receipt.operations] == [2, 3, 4]
    assert {operation.time for operation in receipt.operations} == {receipt.time}
    assert tuple(journal.operations(1)) == receipt.operations
    assert receipt.operations[1].mark == patch
    assert receipt.operations[1].stroke == 9


async def test_entries_are_numbered_in_the_order_in_which_they_came(journal: Journal) -> None:
    author = journal.anonymous("here")
    settled = [journal.append(Entry(author, [DAB] * n)) for n in (1, 2, 3)]
    assert [(await one).seq for one in settled] == [1, 3, 6]


async def test_numbers_go_on_after_a_restart(journal: Journal, tmp_path: Path) -> None:
    await journal.append(Entry(journal.anonymous("here"), [DAB, DAB]))
    again = await reopen(journal, tmp_path)
    assert again.seq == 2
    assert (await again.append(Entry(again.anonymous("here"), [DAB]))).seq == 3
    again.close()


async def test_a_committed_entry_can_be_read_by_others_before_its_caller_hears_of_it(
    journal: Journal, tmp_path: Path
) -> None:
    other = sqlite3.connect(tmp_path / "test.db")
    seen: list[int] = []
    newest = "SELECT max(seq) FROM operations"
    journal.observe(Observer(lambda _: seen.append(other.execute(newest).fetchone()[0])))
    settled = journal.append(Entry(journal.anonymous("here"), [DAB]))
    await settled
    assert seen == [1]
    other.close()


# Group commit


async def test_all_that_waits_is_one_transaction(journal: Journal) -> None:
    author = journal.anonymous("here")
    transactions: list[list[tuple[Entry, Receipt]]] = []
    journal.observe(Observer(transactions.append))
    first = journal.append(Entry(author, [DAB]))
    await asyncio.sleep(0)  # the first is on its way; what follows waits for the next
    rest = [journal.append(Entry(author, [DAB])) for _ in range(50)]
    await asyncio.gather(first, *rest)
    assert [len(transaction) for transaction in transactions] == [1, 50]
    assert journal.commits == 2


async def test_applied_is_called_before_a_caller_hears_of_it(journal: Journal) -> None:
    entry = Entry(journal.anonymous("here"), [DAB])
    heard: list[bool] = []
    journal.observe(Observer(lambda _: heard.append(entry.settled.done())))
    await journal.append(entry)
    assert heard == [False]


async def test_a_caller_that_gave_up_does_not_stop_the_others(journal: Journal) -> None:
    author = journal.anonymous("here")
    settled = [journal.append(Entry(author, [DAB])) for _ in range(3)]
    settled[1].cancel()
    assert [(await settled[0]).seq, (await settled[2]).seq] == [1, 3]
    assert len(rows(journal)) == 3


async def test_drain_waits_for_all_that_was_appended(journal: Journal) -> None:
    settled = [journal.append(Entry(journal.anonymous("here"), [DAB])) for _ in range(3)]
    await journal.drain()
    assert all(one.done() for one in settled)
    await journal.drain()


async def test_other_work_is_done_between_transactions(journal: Journal) -> None:
    journal.append(Entry(journal.anonymous("here"), [DAB, DAB]))
    await asyncio.sleep(0)
    assert await journal.run(row_count(journal)) == 2


# Authors, sessions and calls


async def test_authors_without_session_have_numbers_of_their_own(journal: Journal) -> None:
    assert [journal.anonymous("here").number for _ in range(3)] == [1, 2, 3]


async def test_a_session_is_the_same_author(journal: Journal) -> None:
    author = journal.session(SESSION, "here")
    assert journal.session(SESSION, "there") is author
    assert journal.session(bytes(16), "here").number != author.number


async def test_an_entry_without_marks_stores_its_author(journal: Journal, tmp_path: Path) -> None:
    author = journal.session(SESSION, "here")
    receipt = await journal.append(Entry(author))
    assert (receipt.seq, receipt.operations) == (0, ())
    again = await reopen(journal, tmp_path)
    assert again.session(SESSION, "there").number == author.number
    assert again.anonymous("here").number != author.number
    again.close()


async def test_a_session_is_known_again_after_a_restart_with_its_last_call(
    journal: Journal, tmp_path: Path
) -> None:
    author = journal.session(SESSION, "here")
    first = await journal.append(Entry(author, [DAB, DAB], call=5))
    await journal.append(Entry(author, [DAB]))
    again = await reopen(journal, tmp_path)
    known = again.session(SESSION, "there")
    assert known.number == author.number
    assert (known.last_call, known.last_seq, known.last_time) == (5, 2, first.time)
    receipt = await again.append(Entry(known, [DAB], call=5))
    assert receipt == Receipt(2, first.time, duplicate=True, operations=())
    assert again.seq == 3
    again.close()


async def test_a_session_that_nobody_holds_is_read_from_the_database(journal: Journal) -> None:
    number = journal.session(SESSION, "here").number
    await journal.append(Entry(journal.session(SESSION, "here"), [DAB], call=3))
    await asyncio.sleep(0)
    for place in range(KEPT_SESSIONS):
        journal.session(place.to_bytes(16, "big"), "here")
    gc.collect()
    known = journal.session(SESSION, "there")
    assert (known.number, known.last_call, known.address, known.stored) == (number, 3, "here", True)


async def test_a_call_is_applied_once(journal: Journal) -> None:
    author = journal.session(SESSION, "here")
    first = await journal.append(Entry(author, [DAB], call=1))
    again = await journal.append(Entry(author, [DAB], call=1))
    assert again == Receipt(1, first.time, duplicate=True, operations=())
    assert len(rows(journal)) == 1


async def test_a_call_is_applied_once_in_a_transaction_too(journal: Journal) -> None:
    author = journal.session(SESSION, "here")
    settled = [journal.append(Entry(author, [DAB] * n, call=c)) for n, c in [(2, 1), (2, 1), (1, 3), (1, 2)]]
    receipts = [await one for one in settled]
    assert [(receipt.seq, receipt.duplicate) for receipt in receipts] == [
        (2, False),
        (2, True),
        (3, False),
        (3, True),
    ]
    assert journal.commits == 1
    assert (author.last_call, author.last_seq) == (3, 3)


async def test_calls_rise_and_gaps_are_fine(journal: Journal) -> None:
    author = journal.session(SESSION, "here")
    for call, duplicate in [(5, False), (4, True), (9, False), (2**32 - 1, False), (9, True)]:
        assert (await journal.append(Entry(author, [DAB], call=call))).duplicate is duplicate


async def test_entries_without_call_are_applied_each_time(journal: Journal) -> None:
    author = journal.session(SESSION, "here")
    for _ in range(2):
        assert not (await journal.append(Entry(author, [DAB]))).duplicate
    assert author.last_call == 0


# A disk that is full


async def full(journal: Journal) -> None:
    """Lets the database grow no more: a real SQLITE_FULL."""
    await journal.run(
        lambda connection: connection.execute(
            f"PRAGMA max_page_count = {connection.execute('PRAGMA page_count').fetchone()[0]}"
        ).fetchone()
    )


async def space(journal: Journal) -> None:
    await journal.run(lambda connection: connection.execute("PRAGMA max_page_count = 1000000").fetchone())


LARGE = Patch(0, 0, bytes(100_000))


async def test_on_a_full_disk_callers_are_told_and_nothing_is_applied(journal: Journal) -> None:
    author = journal.session(SESSION, "here")
    await journal.append(Entry(author, [DAB], call=1))
    applied: list[object] = []
    journal.observe(Observer(applied.append))
    await full(journal)
    small, large = (
        journal.append(Entry(author, [DAB], call=2)),
        journal.append(Entry(author, [LARGE], call=3)),
    )
    for settled in (small, large):
        with pytest.raises(NotNow, match="nothing was applied") as caught:
            await settled
        assert caught.value.wait == 1
    assert journal.failing == "the disk is full: database or disk is full"
    assert (journal.seq, author.last_call, applied) == (1, 1, [])
    assert len(rows(journal)) == 1


async def test_after_a_failure_numbers_and_calls_go_on_without_a_gap(
    journal: Journal, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    author = journal.session(SESSION, "here")
    await full(journal)
    for _ in range(3):
        with pytest.raises(NotNow):
            await journal.append(Entry(author, [LARGE], call=1))
    await space(journal)
    receipt = await journal.append(Entry(author, [DAB], call=1))
    assert (receipt.seq, receipt.duplicate) == (1, False)
    assert journal.failing is None
    assert caplog.text.count("storage fails") == 1
    assert caplog.text.count("storage works again") == 1
    again = await reopen(journal, tmp_path)
    assert rows(again) == [(1, author.number, DAB)]
    assert again.session(SESSION, "").last_call == 1
    again.close()


# Against a model


@settings(deadline=None, max_examples=15)
@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("paint"), st.integers(0, 2), st.integers(0, 4), st.integers(0, 6)),
            st.tuples(st.sampled_from(["wait", "fail", "restart"]), st.none(), st.none(), st.none()),
        ),
        max_size=20,
    )
)
def test_any_run_of_entries_failures_and_restarts_is_the_model_s(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int, int, int]]
) -> None:
    asyncio.run(_model(tmp_path_factory.mktemp("model"), steps))


async def _model(directory: Path, steps: list[tuple[str, int, int, int]]) -> None:
    journal = Journal(directory / "test.db", clock=Clock())
    seq, last = 0, dict.fromkeys(range(3), (0, 0))  # session -> its last call and that call's last seq
    waiting: list[tuple[asyncio.Future[Receipt], tuple[int, bool]]] = []

    def author(session: int) -> Author:
        return journal.session(bytes([session]) * 16, "here")

    async def settle() -> None:
        for settled, expected in waiting:
            receipt = await settled
            assert (receipt.seq, receipt.duplicate) == expected
        waiting.clear()

    for kind, session, marks, call in steps:
        if kind == "paint":
            settled = journal.append(Entry(author(session), [Dab(session, 0, 1, 0)] * marks, call=call))
            if call and call <= last[session][0]:
                waiting.append((settled, (last[session][1], True)))
            else:
                seq += marks
                last[session] = (call, seq) if call else last[session]
                waiting.append((settled, (seq, False)))
            continue
        await settle()
        if kind == "fail":
            await full(journal)
            with pytest.raises(NotNow):
                await journal.append(Entry(author(0), [LARGE], call=last[0][0] + 1))
            await space(journal)
        elif kind == "restart":
            journal.close()
            journal = Journal(directory / "test.db", clock=Clock())
        assert journal.seq == seq
    await settle()
    journal.close()
    journal = Journal(directory / "test.db", clock=Clock())
    assert [operation.seq for operation in journal.operations(0)] == list(range(1, seq + 1))
    for session, (call, call_seq) in last.items():
        known = author(session)
        assert (known.last_call, known.last_seq) == (call, call_seq)
    journal.close()
