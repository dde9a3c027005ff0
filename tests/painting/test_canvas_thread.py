"""The pixels in their thread: in order, all of them before anybody looks, with a bounded backlog."""

import threading

import pytest
from PIL import Image

from dreamcanvas.canvas.model import Canvas, Dab, Operation, Version
from dreamcanvas.painting.canvas_thread import CanvasThread
from tests.events import operation

BLACK = Dab(40, 40, 60, 0)


def white() -> Canvas:
    return Canvas(Image.new("RGB", (100, 100), (255, 255, 255)))


def drawn(*operations: Operation) -> Image.Image:
    canvas = white()
    for each in operations:
        canvas.apply(each)
    return canvas.snapshot()


class Held(Canvas):
    """Waits before it draws until it may."""

    def __init__(self) -> None:
        super().__init__(Image.new("RGB", (100, 100), (255, 255, 255)))
        self.go = threading.Event()

    def apply(self, operation: Operation) -> None:
        assert self.go.wait(10)
        super().apply(operation)


async def test_who_looks_sees_all_that_was_handed_over_before() -> None:
    canvas_thread, canvas = CanvasThread(held := Held()), [operation(seq, BLACK) for seq in (1, 2, 3)]
    canvas_thread.apply(canvas[:2])
    canvas_thread.apply(canvas[2:])
    assert canvas_thread.version == Version(0, 3), "known before it is drawn"
    held.go.set()
    assert await canvas_thread.read(Canvas.snapshot) == drawn(*canvas)


async def test_what_comes_after_a_look_is_not_in_it() -> None:
    canvas_thread = CanvasThread(white())
    looking = canvas_thread.read(Canvas.snapshot)
    before = await looking
    canvas_thread.apply([operation(1, BLACK)])
    assert before == drawn()
    assert await canvas_thread.read(lambda canvas: canvas.version) == Version(0, 1)


async def test_nothing_is_not_handed_over() -> None:
    canvas_thread = CanvasThread(white())
    canvas_thread.apply([])
    assert canvas_thread.version == Version(0, 0)


async def test_a_dream_is_laid_in_its_turn() -> None:
    canvas_thread, grey = CanvasThread(white()), Image.new("RGB", (100, 100), (90, 90, 90))
    canvas_thread.apply([operation(1, BLACK), operation(2, BLACK)])
    canvas_thread.lay(Canvas(grey.copy(), 1, 1), [operation(2, BLACK)])
    canvas_thread.apply([operation(3, BLACK)])
    assert (canvas_thread.version, canvas_thread.dream_seq) == (Version(1, 3), 1)
    expected = Canvas(grey, 1, 1)
    for seq in (2, 3):
        expected.apply(operation(seq, BLACK))
    assert await canvas_thread.read(Canvas.snapshot) == expected.snapshot()


async def test_there_is_room_until_the_backlog_is_full_and_again_when_it_is_drawn() -> None:
    canvas_thread = CanvasThread(held := Held(), backlog=2)
    canvas_thread.apply([operation(1, BLACK), operation(2, BLACK)])
    await canvas_thread.room()
    canvas_thread.apply([operation(3, BLACK)])
    held.go.set()
    await canvas_thread.room()
    assert held.seq == 3


async def test_a_picture_that_is_wrong_is_not_shown(caplog: pytest.LogCaptureFixture) -> None:
    canvas_thread = CanvasThread(white())
    canvas_thread.apply([operation(7, BLACK)])
    with pytest.raises(RuntimeError, match="not what the operations make of it"):
        await canvas_thread.read(Canvas.snapshot)
    assert [record.message for record in caplog.records] == ["not drawn"]
