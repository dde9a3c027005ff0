"""Log lines: for people on a terminal, as JSON for everything else."""

import io
import json
import logging
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, TextIO

LINES_PER_MINUTE: Final = 30  # of a kind
MINUTE: Final = 60.0
KINDS: Final = 200
KIND_LENGTH: Final = 80
_STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {
    "message",
    "asctime",
    "taskName",
    "color_message",
}


def _details(record: logging.LogRecord) -> dict[str, object]:
    return {name: value for name, value in vars(record).items() if name not in _STANDARD}


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, logger, message, and the record's extra fields."""

    def format(self, record: logging.LogRecord) -> str:
        """Write the line of a record."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_details(record),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str, ensure_ascii=False)


class TextFormatter(logging.Formatter):
    """One line for people: `14:03:20 recovered  dream=7 operations=120`."""

    def format(self, record: logging.LogRecord) -> str:
        """Write the line of a record."""
        time = datetime.fromtimestamp(record.created).astimezone().strftime("%H:%M:%S")
        level = "" if record.levelno == logging.INFO else f"{record.levelname.lower()}: "
        details = "".join(f" {name}={value}" for name, value in _details(record).items())
        line = f"{time} {level}{record.getMessage()}{' ' if details else ''}{details}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


class Sparse(logging.Filter):
    """Let only so many records of a kind through in a minute, so that no stranger can fill a disk.

    A kind is a logger's message before its arguments are put in. The first record of the next minute says in
    `left_out` how many more there were. `now` is a clock in seconds.
    """

    def __init__(self, most: int = LINES_PER_MINUTE, *, now: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._most = most
        self._now = now
        self._kinds: dict[tuple[str, str], list[float]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Say whether a record is to be written."""
        if record.levelno <= logging.DEBUG:
            return True  # whoever wants these wants them all
        now = self._now()
        key = (record.name, str(record.msg)[:KIND_LENGTH])
        if key not in self._kinds and len(self._kinds) >= KINDS:
            self._kinds = {kept: found for kept, found in self._kinds.items() if now - found[0] < MINUTE}
            if len(self._kinds) >= KINDS:
                key = ("", "")  # messages that are all different
        began, written, left_out = self._kinds.get(key, (now, 0, 0))
        if now - began >= MINUTE:
            if left_out:
                record.left_out = int(left_out)
            began, written, left_out = now, 0, 0
        through = written < self._most
        self._kinds[key] = [began, written + through, left_out + (not through)]
        return through


def configure(level: str, format_: str, stream: TextIO = sys.stderr) -> None:
    """Send all log lines to a stream."""
    handler = logging.StreamHandler(stream)
    text = format_ == "text" or (format_ == "auto" and stream.isatty())
    handler.setFormatter(TextFormatter() if text else JsonFormatter())
    if not text and isinstance(stream, io.TextIOWrapper):  # JSON is UTF-8 in whatever language
        stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    handler.addFilter(Sparse())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for noisy in ("uvicorn", "uvicorn.error", "uvicorn.access", "PIL", "websockets", "asyncio"):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, root.level))
