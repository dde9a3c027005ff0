"""Answers what people draw, on the other side of the canvas: `python scripts/bots/mirror.py`. Ctrl-C ends it.

An answer is not answered: another mirror's dab, whose mirror image was drawn just before, is left alone.
"""

import argparse
import asyncio
from collections import OrderedDict

from dreamcanvas.client import AsyncClient, Dab, Operation

REMEMBERED = 10_000


class Mirror:
    """What to answer, on a canvas of `width` pixels."""

    def __init__(self, width: int) -> None:
        self._width = width
        self._seen: OrderedDict[Dab, None] = OrderedDict()

    def answer(self, dab: Dab) -> Dab | None:
        """The dab on the other side; None where that was drawn already.

        The middle of an even size is the pixel to the right of it.
        """
        answer = Dab(self._width - dab.x - dab.size % 2, dab.y, dab.size, dab.color)
        known = answer in self._seen
        self._seen[dab] = self._seen[answer] = None
        while len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        return None if known else answer


async def run(url: str, token: str | None = None, *, insecure: bool = False) -> None:
    async with AsyncClient(url, token=token, insecure=insecure) as client, client.events("paint") as events:
        mirror = Mirror(client.size[0])
        async for event in events:
            if isinstance(event, Operation) and isinstance(event.mark, Dab):
                answer = mirror.answer(event.mark)
                if answer is not None:
                    await client.dabs([answer])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default="http://127.0.0.1:4242", help="the server")
    parser.add_argument("--token", help="the bot's token, where it has one")
    parser.add_argument("--insecure", action="store_true", help="send the token over plain HTTP elsewhere")
    options = parser.parse_args()
    asyncio.run(run(options.url, options.token, insecure=options.insecure))


if __name__ == "__main__":
    main()
