"""What runs beside something else."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine
from typing import Any


@contextlib.asynccontextmanager
async def beside(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Runs `work` until the body has ended; where `work` fails the body is cancelled.

    What the body or `work` raises comes out as it is. A TaskGroup alone would wrap it, the errors of the body
    too, so that nobody who waits for a StoreError sees it.
    """
    try:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(work)
            try:
                yield
            finally:
                task.cancel()
    except BaseExceptionGroup as errors:
        raise sole(errors) from errors.__cause__


def sole(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    """The one error in a group, however deep; the group where there are several."""
    found: BaseException = errors
    while isinstance(found, BaseExceptionGroup) and len(found.exceptions) == 1:
        found = found.exceptions[0]
    return errors if isinstance(found, BaseExceptionGroup) else found
