"""The server's handle on the process that dreams: start, ask, time out, start again. No TensorFlow here."""

import asyncio
import enum
import logging
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dreamcanvas.dream.network import network_info
from dreamcanvas.errors import DreamError, ProcessError
from dreamcanvas.process import Child, Frame

log = logging.getLogger(__name__)

TERMINATE_SECONDS = 2.0
"""How long a worker has between SIGTERM and SIGKILL."""


class DreamerState(enum.Enum):
    """What the dreamer does."""

    STARTING = "starting"
    READY = "ready"
    DREAMING = "dreaming"
    FAILED = "failed"
    ASLEEP = "asleep"


@dataclass(frozen=True, slots=True)
class DreamRequest:
    """A picture of raw RGB pixels, row by row, and what is to be dreamt of it.

    In a passage from one expression to another `before` is the earlier one, `progress` says how far it has
    come, from 0 (all of it the earlier) to 1, and `regions` is the seed of the order in which regions change.
    `mask` is a byte a pixel, row by row: the share of the dream that the pixel takes, 255 the whole.
    """

    pixels: bytes
    width: int
    height: int
    expression: str
    seed: int
    before: str | None = None
    progress: float = 1.0
    regions: int = 0
    mask: bytes | None = None

    def frame(self) -> Frame:
        """Return what the worker is sent: the pixels, then the mask where the header says so."""
        header: dict[str, object] = {
            "width": self.width,
            "height": self.height,
            "expression": self.expression,
            "seed": self.seed,
        }
        if self.before is not None:
            header |= {"before": self.before, "progress": self.progress, "regions": self.regions}
        if self.mask is not None:
            header["mask"] = True
        return Frame(header, self.pixels + (self.mask or b""))


@dataclass(frozen=True, slots=True)
class DreamResult:
    """A dream: a JPEG (quality 95, 4:4:4), and the seconds it took the worker."""

    jpeg: bytes
    seconds: float


class Dreamer:
    """Keeps a worker alive (`run`) and asks it for dreams (`dream`); asleep it has none (`sleep`, `wake`)."""

    def __init__(
        self,
        network: str,
        *,
        threads: int,
        precision: str = "auto",
        timeout: float = 120.0,
        command: Sequence[str] | None = None,
        backoff: tuple[float, float] = (1.0, 60.0),
    ) -> None:
        """Take a network's name and the worker's threads.

        `timeout` is how many seconds a start or a dream may take, `backoff` the first and the longest pause
        before a restart.

        `command` starts another worker than our own: tests have ones that hang or die. Raises DreamError for
        an unknown network.
        """
        network_info(network)
        self._observers: list[Callable[[], None]] = []
        self._command = command
        self._arguments = ("--network", network, "--threads", str(threads), "--precision", precision)
        self._timeout = timeout
        self._backoff = backoff
        self._pause = backoff[0]
        self._state = DreamerState.STARTING
        self._worker: _Worker | None = None
        self._restarts = 0
        self._wakes = 0
        self._awake = asyncio.Event()
        self._awake.set()
        self._keeping: asyncio.Task[None] | None = None

    @property
    def state(self) -> DreamerState:
        """Return what the dreamer does now; observers are called after each change."""
        return self._state

    def observe(self, changed: Callable[[], None]) -> None:
        """Have `changed` called after each change of the state from now on."""
        self._observers.append(changed)

    @property
    def worker_pid(self) -> int | None:
        """Return the process id of the worker that is ready or dreaming; None where there is none."""
        return self._worker.child.pid if self._worker else None

    @property
    def restarts(self) -> int:
        """Return how often a worker was started again after a failure."""
        return self._restarts

    @property
    def wakes(self) -> int:
        """Return how often it was woken."""
        return self._wakes

    def sleep(self) -> None:
        """End the worker, also one that starts or dreams, and start none until `wake`."""
        if self._state is DreamerState.ASLEEP:
            return
        self._awake.clear()
        # Both at once: neither a worker that has just started nor an answer that has just come makes it ready
        if self._keeping is not None and not self._keeping.cancelling():  # else its worker is ending already
            self._keeping.cancel()
        if self._worker is not None:
            self._worker.break_off("the dreamer was put to sleep")
        self._change(DreamerState.ASLEEP)

    def wake(self) -> None:
        """Start a worker again where it sleeps, as soon as one that has still to end has ended."""
        if self._state is DreamerState.ASLEEP:
            self._wakes += 1
            self._awake.set()
            self._change(DreamerState.STARTING)

    async def run(self) -> None:
        """Keep a worker alive, while awake, until cancelled; then end it and wait for its end."""
        while True:
            await self._awake.wait()
            async with asyncio.TaskGroup() as group:  # waits for the worker's end, too
                self._keeping = group.create_task(self._keep())

    async def _keep(self) -> None:
        while True:
            self._change(DreamerState.STARTING)
            try:
                reason = await self._live()
            except (DreamError, ProcessError, OSError) as error:
                reason = str(error)
            pause = self._pause
            self._pause = min(2 * pause, self._backoff[1])
            log.warning("the dreamer failed", extra={"reason": reason, "restart_in_seconds": pause})
            self._change(DreamerState.FAILED)
            await asyncio.sleep(pause)
            self._restarts += 1

    async def dream(self, request: DreamRequest) -> DreamResult:
        """Dream a picture.

        Raises DreamError when the worker is not ready (one dream at a time), refuses, dies or takes too
        long; a worker that died or took too long is replaced by `run`.
        """
        worker = self._worker
        if worker is None or self._state is not DreamerState.READY:
            raise DreamError(f"the dreamer is {self._state.value}")
        self._change(DreamerState.DREAMING)
        try:
            answer = await self._ask(worker, request.frame())
        except asyncio.CancelledError:
            # Its answer is still to come. It must not be taken for the answer to the next request.
            worker.break_off("a dream was cancelled")
            raise
        except (ProcessError, OSError, EOFError) as error:
            reason = _describe(error, self._timeout)
            worker.break_off(reason)
            raise DreamError(reason) from error
        finally:
            if not worker.broken.done():
                self._change(DreamerState.READY)
        header = answer.header
        if header.get("ok") is not True:
            raise DreamError(str(header.get("error")))
        self._pause = self._backoff[0]
        return DreamResult(answer.payload, float(header["seconds"]))

    async def _live(self) -> str:
        """Start a worker, wait until it is ready, then until it is broken; end it. Return what broke it."""
        command = self._command or (sys.executable, "-m", "dreamcanvas.dream.worker")
        child = await Child.start((*command, *self._arguments))
        worker = _Worker(child)
        try:
            async with asyncio.timeout(self._timeout):
                answer = await child.receive()
            if answer.header.get("ready") is not True:
                raise DreamError("the worker did not say that it is ready")
            self._worker = worker
            self._change(DreamerState.READY)
            return await self._until_broken(worker)
        except (EOFError, TimeoutError) as error:
            return _describe(error, self._timeout)
        finally:
            self._worker = None
            await child.terminate(TERMINATE_SECONDS)

    async def _until_broken(self, worker: "_Worker") -> str:
        exited = asyncio.ensure_future(worker.child.wait())
        try:
            await asyncio.wait((exited, worker.broken), return_when=asyncio.FIRST_COMPLETED)
            if exited.done():  # else what broke it said so
                worker.break_off(f"the worker ended with status {exited.result()}")
        finally:
            exited.cancel()
        return worker.broken.result()

    async def _ask(self, worker: "_Worker", request: Frame) -> Frame:
        async with asyncio.timeout(self._timeout):
            await worker.child.send(request)
            return await worker.child.receive()

    def _change(self, state: DreamerState) -> None:
        if state is not self._state:
            self._state = state
            for observer in self._observers:
                observer()


class _Worker:
    """A worker that runs, and what broke it."""

    def __init__(self, child: Child) -> None:
        self.child = child
        self.broken: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def break_off(self, reason: str) -> None:
        """Say that it can no longer be used; the first reason counts."""
        if not self.broken.done():
            self.broken.set_result(reason)


def _describe(error: BaseException, timeout: float) -> str:
    if isinstance(error, TimeoutError):
        return f"the worker did not answer in {timeout:g} s"
    if isinstance(error, EOFError):
        return "the worker ended"
    return f"the worker's pipe broke: {error}" if isinstance(error, OSError) else str(error)
