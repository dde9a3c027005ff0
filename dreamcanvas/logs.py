"""Log lines: for people on a terminal, as JSON for everything else."""

import io
import json
import logging
import sys
from datetime import UTC, datetime
from typing import Final, TextIO

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
        """The line."""
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
    """`14:03:20 recovered  dream=7 operations=120`."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        time = datetime.fromtimestamp(record.created).astimezone().strftime("%H:%M:%S")
        level = "" if record.levelno == logging.INFO else f"{record.levelname.lower()}: "
        details = "".join(f" {name}={value}" for name, value in _details(record).items())
        line = f"{time} {level}{record.getMessage()}{' ' if details else ''}{details}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


def configure(level: str, format_: str, stream: TextIO = sys.stderr) -> None:
    """Sends all log lines to a stream."""
    handler = logging.StreamHandler(stream)
    text = format_ == "text" or (format_ == "auto" and stream.isatty())
    handler.setFormatter(TextFormatter() if text else JsonFormatter())
    if not text and isinstance(stream, io.TextIOWrapper):  # JSON is UTF-8 in whatever language
        stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for noisy in ("uvicorn", "uvicorn.error", "uvicorn.access", "PIL", "websockets", "asyncio"):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, root.level))
