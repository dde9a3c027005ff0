"""Tasks that run beside the body of an `async with`."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine
from typing import Any


@contextlib.asynccontextmanager
async def beside(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run `work` beside the body until the body ends; where `work` fails, the body is cancelled.

    An error of either is raised as it is. A TaskGroup alone would wrap it in a group, so that no `except
    StoreError` would catch it.
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
    """Return the one error in a group of groups, or the group where there are several errors."""
    found: BaseException = errors
    while isinstance(found, BaseExceptionGroup) and len(found.exceptions) == 1:
        found = found.exceptions[0]
    return errors if isinstance(found, BaseExceptionGroup) else found
