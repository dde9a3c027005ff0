"""The server's handle on the process that makes movies: give it a task, and take its answer. No PyAV here."""

import asyncio
import json
import logging
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from dreamcanvas.errors import MovieError

log = logging.getLogger(__name__)

SILENCE_SECONDS: Final = 3600.0
LINE_BYTES: Final = 16 * 2**20  # a picture is one line


class Encoder:
    """Starts a process for each task. `running` counts them; `silence` is how many seconds one may say
    nothing before it is taken for dead.
    """

    def __init__(self, *, silence: float = SILENCE_SECONDS) -> None:
        self._silence = silence
        self.running = 0

    async def carry_out(
        self,
        task: dict[str, Any],
        *,
        hurry: bool = False,
        progress: Callable[[int, int], None] = lambda _number, _of: None,
    ) -> dict[str, Any]:
        """Has a task done (see `worker`), and gives the answer. When cancelled, the process ends.

        Raises MovieError where the process died, was silent, or could not do it; OSError, with its number,
        where the disk was at fault.
        """
        hurried = ("--hurry",) if hurry else ()
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "dreamcanvas.history.worker", "--parent", str(os.getpid()), *hurried),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=LINE_BYTES,
        )
        self.running += 1
        try:
            return await self._ask(process, task, progress)
        finally:
            self.running -= 1
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def _ask(
        self, process: asyncio.subprocess.Process, task: dict[str, Any], progress: Callable[[int, int], None]
    ) -> dict[str, Any]:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(task).encode() + b"\n")
        with suppress(ConnectionError):  # what it died of, its status says
            await process.stdin.drain()
        while True:
            try:
                async with asyncio.timeout(self._silence):
                    line = await process.stdout.readline()
            except TimeoutError:
                raise MovieError(f"the encoder said nothing for {self._silence:g} s") from None
            if not line.endswith(b"\n"):
                raise MovieError(f"the encoder ended with status {await process.wait()}")
            answer: dict[str, Any] = json.loads(line)
            if "progress" in answer:
                progress(answer["progress"], answer["of"])
            elif answer["ok"]:
                return answer
            elif answer["errno"] is not None:
                raise OSError(answer["errno"], answer["error"])
            else:
                raise MovieError(answer["error"])
