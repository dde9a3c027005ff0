"""Files of pictures, made once."""

import asyncio
import threading

from dreamcanvas.painting.picture_cache import PictureCache


class Maker:
    """Counts how often it makes; waits for `go`."""

    def __init__(self, data: bytes = b"x" * 10) -> None:
        self.data = data
        self.count = 0
        self.started = threading.Event()
        self.go = threading.Event()
        self.go.set()

    def __call__(self) -> bytes:
        self.count += 1
        self.started.set()
        assert self.go.wait(10)
        return self.data


async def started(make: Maker) -> None:
    assert await asyncio.to_thread(make.started.wait, 10)


async def test_all_who_ask_at_the_same_time_get_the_same_one() -> None:
    pictures, make = PictureCache(), Maker()
    make.go.clear()
    asking = [asyncio.create_task(pictures.get("key", make)) for _ in range(20)]
    await started(make)
    make.go.set()
    found = await asyncio.gather(*asking)
    assert make.count == 1
    assert all(data is make.data for data in found)


async def test_it_is_kept() -> None:
    pictures, make = PictureCache(), Maker()
    for _ in range(3):
        assert await pictures.get("key", make) == make.data
    assert make.count == 1


async def test_other_keys_are_made_at_the_same_time() -> None:
    pictures, slow, quick = PictureCache(), Maker(b"slow"), Maker(b"quick")
    slow.go.clear()
    asking = asyncio.create_task(pictures.get("slow", slow))
    await started(slow)
    assert await pictures.get("quick", quick) == b"quick"
    slow.go.set()
    assert await asking == b"slow"


async def test_who_gives_up_does_not_spoil_it_for_the_others() -> None:
    pictures, make = PictureCache(), Maker()
    make.go.clear()
    first, second = (asyncio.create_task(pictures.get("key", make)) for _ in range(2))
    await started(make)
    first.cancel()
    await asyncio.wait([first])
    make.go.set()
    assert await second == make.data
    assert make.count == 1


async def test_an_error_is_raised_to_all_who_asked_and_not_kept() -> None:
    pictures, go = PictureCache(), threading.Event()

    def broken() -> bytes:
        assert go.wait(10)
        raise OSError("no such file")

    asking = [asyncio.create_task(pictures.get("key", broken)) for _ in range(3)]
    await asyncio.sleep(0)
    go.set()
    for error in await asyncio.gather(*asking, return_exceptions=True):
        assert isinstance(error, OSError)
    make = Maker()
    assert await pictures.get("key", make) == make.data


async def test_beyond_its_bound_what_was_asked_for_longest_ago_goes() -> None:
    pictures = PictureCache(max_bytes=30)
    a, b, c, d = (Maker() for _ in range(4))
    for key, make in (("a", a), ("b", b), ("c", c)):
        await pictures.get(key, make)
    await pictures.get("a", a)
    await pictures.get("d", d)
    await pictures.get("a", a)
    await pictures.get("c", c)
    assert (a.count, b.count, c.count, d.count) == (1, 1, 1, 1)
    await pictures.get("b", b)
    assert b.count == 2


async def test_a_picture_beyond_the_bound_is_made_each_time_and_leaves_room() -> None:
    pictures, large, small = PictureCache(max_bytes=30), Maker(bytes(31)), Maker()
    for _ in range(2):
        assert len(await pictures.get("large", large)) == 31
    assert large.count == 2
    for _ in range(2):
        await pictures.get("small", small)
    assert small.count == 1
