"""The server's handle on the process that makes movies: give it a task, and take its answer. No PyAV here."""

import asyncio
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Final

from dreamcanvas.errors import MovieError, ProcessError
from dreamcanvas.process import Child, Frame

SILENCE_SECONDS: Final = 3600.0


class Encoder:
    """Starts an encoder process for each task, and counts those that run in `running`.

    A process that says nothing for `silence` seconds is taken for dead.
    """

    def __init__(self, *, silence: float = SILENCE_SECONDS) -> None:
        self._silence = silence
        self.running = 0

    async def carry_out(
        self,
        task: Mapping[str, Any],
        *,
        hurry: bool = False,
        progress: Callable[[int, int], None] = lambda _number, _of: None,
    ) -> Frame:
        """Have a task done (see `worker`), and return the answer. When cancelled, the process ends.

        Raises MovieError where the process died, was silent, or could not do it; OSError, with its number,
        where the disk was at fault.
        """
        hurried = ("--hurry",) if hurry else ()
        child = await Child.start((sys.executable, "-m", "dreamcanvas.history.worker", *hurried))
        self.running += 1
        try:
            with suppress(ConnectionError):  # what it died of, its status says
                await child.send(Frame(task))
            return await self._answer(child, progress)
        finally:
            self.running -= 1
            await child.kill()

    async def _answer(self, child: Child, progress: Callable[[int, int], None]) -> Frame:
        while True:
            try:
                async with asyncio.timeout(self._silence):
                    answer = await child.receive()
            except TimeoutError:
                raise MovieError(f"the encoder said nothing for {self._silence:g} s") from None
            except EOFError:
                raise MovieError(f"the encoder ended with status {await child.wait()}") from None
            except ProcessError as error:
                raise MovieError(f"the encoder's answer is none: {error}") from error
            header = answer.header
            if "progress" in header:
                progress(header["progress"], header["of"])
            elif header["ok"]:
                return answer
            elif header["errno"] is not None:
                raise OSError(header["errno"], header["error"])
            else:
                raise MovieError(header["error"])
