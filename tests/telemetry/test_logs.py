"""Log lines."""

import io
import json
import logging
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from dreamcanvas.telemetry import logs


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    noisy = [
        logging.getLogger(name)
        for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "PIL", "websockets")
    ]
    noisy.append(logging.getLogger("asyncio"))
    handlers, levels = list(root.handlers), [(logger, logger.level) for logger in (root, *noisy)]
    yield
    root.handlers = handlers
    for logger, level in levels:
        logger.setLevel(level)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def line(format_: str, write: Any, stream: io.StringIO | None = None) -> str:
    """What a log call writes."""
    stream = stream or io.StringIO()
    logs.configure("info", format_, stream)
    write(logging.getLogger("dreamcanvas.test"))
    return stream.getvalue()


def test_a_json_line_has_its_extra_fields() -> None:
    found = json.loads(
        line("json", lambda log: log.warning("dreamt %d", 3, extra={"dream": 7, "style": "Eyes ü"}))
    )
    assert found.pop("time").endswith("+00:00")
    assert found == {
        "level": "warning",
        "logger": "dreamcanvas.test",
        "message": "dreamt 3",
        "dream": 7,
        "style": "Eyes ü",
    }


def test_every_record_is_one_line_of_json_even_with_an_exception_and_odd_values() -> None:
    def write(log: logging.Logger) -> None:
        try:
            raise ValueError("a\nb")
        except ValueError as error:
            log.error("incident", exc_info=error, extra={"path": pytest, "text": "x\ny"})

    text = line("json", write)
    assert text.count("\n") == 1
    found = json.loads(text)
    assert found["exception"].endswith("ValueError: a\nb")
    assert found["text"] == "x\ny"


def test_a_text_line_is_for_people() -> None:
    text = line("text", lambda log: log.info("recovered", extra={"dream": 7, "operations": 120}))
    assert text[8:] == " recovered  dream=7 operations=120\n"
    assert line("text", lambda log: log.error("storage fails"))[8:] == " error: storage fails\n"


def test_a_text_line_shows_an_exception() -> None:
    def write(log: logging.Logger) -> None:
        log.error("incident", exc_info=ValueError("oh"))

    assert line("text", write).splitlines()[-1] == "ValueError: oh"


def test_auto_is_text_on_a_terminal_and_json_elsewhere() -> None:
    def write(log: logging.Logger) -> None:
        log.info("up")

    assert line("auto", write, Terminal()).endswith(" up\n")
    assert json.loads(line("auto", write))["message"] == "up"


def test_the_level_is_kept_and_libraries_are_quiet() -> None:
    stream = io.StringIO()
    logs.configure("warning", "text", stream)
    logging.getLogger("dreamcanvas.test").info("hidden")
    logs.configure("debug", "text", stream)
    logging.getLogger("dreamcanvas.test").debug("shown")
    logging.getLogger("asyncio").debug("hidden")
    logging.getLogger("websockets").warning("shown, too")
    assert "hidden" not in stream.getvalue()
    assert stream.getvalue().count("shown") == 2


def test_there_is_one_handler_however_often_it_is_configured() -> None:
    for _ in range(3):
        logs.configure("info", "text", sys.stderr)
    assert len(logging.getLogger().handlers) == 1


class Watch:
    """A clock that stands."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def sparse() -> tuple[logging.Logger, list[logging.LogRecord], Watch]:
    """A logger of which two lines of a kind a minute are kept, those lines, and its clock."""
    watch, kept = Watch(), list[logging.LogRecord]()
    logger = logging.Logger("sparse", logging.DEBUG)

    class Keeping(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            kept.append(record)

    handler = Keeping()
    handler.addFilter(logs.Sparse(2, now=watch))
    logger.addHandler(handler)
    return logger, kept, watch


def test_of_a_kind_only_so_many_lines_a_minute_are_written() -> None:
    logger, kept, watch = sparse()
    for number in range(50):
        logger.info("slow reader %d", number)
        logger.warning("another")
    assert [record.getMessage() for record in kept] == [
        "slow reader 0",
        "another",
        "slow reader 1",
        "another",
    ]
    watch.now += 60
    logger.info("slow reader %d", 50)
    assert kept[-1].getMessage() == "slow reader 50"
    assert vars(kept[-1])["left_out"] == 48


def test_messages_that_are_all_different_are_bounded_too() -> None:
    logger, kept, watch = sparse()
    for number in range(5000):
        logger.error(f"a message of its own, {number}")
    assert len(kept) <= logs.KINDS + 2
    watch.now += 61
    logger.error("another")
    assert kept[-1].getMessage() == "another"


def test_who_asks_for_everything_gets_it() -> None:
    logger, kept, _ = sparse()
    for number in range(50):
        logger.debug("detail %d", number)
    assert len(kept) == 50


def test_what_is_configured_is_sparse() -> None:
    stream = io.StringIO()
    logs.configure("info", "json", stream)
    for _ in range(1000):
        logging.getLogger("uvicorn.error").warning("Invalid HTTP request received.")
    assert len(stream.getvalue().splitlines()) == logs.LINES_PER_MINUTE
