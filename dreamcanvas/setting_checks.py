"""What a setting may be, and how one that is wrong is shown."""

import unicodedata
from pathlib import Path
from typing import Final

from dreamcanvas.errors import ConfigError

ALLOWED: Final = {"operator": "\t\r\n"}
LONGEST: Final = 4096
SHOWN: Final = 80


def shown(value: object) -> str:
    """A value in a sentence, the beginning of a long one."""
    return cut(repr(value))


def cut(text: str, most: int = SHOWN) -> str:
    """The beginning of a text that is long."""
    return text if len(text) <= most else f"{text[:most]}…"


def check_text(name: str, text: str) -> None:
    """Raises ConfigError for what can neither be shown nor be part of a file's name."""
    if len(text) > LONGEST:
        raise ConfigError(f"{name} is {shown(text)}, but has to have at most {LONGEST} characters")
    unfit = ("Cc", "Cs")  # controls, and what of the command line is no UTF-8
    if any(unicodedata.category(letter) in unfit and letter not in ALLOWED.get(name, "") for letter in text):
        raise ConfigError(f"{name} is {shown(text)}, but must not hold control characters or broken text")


def check_host(host: str) -> None:
    """Raises ConfigError. An empty one would be all addresses."""
    try:
        if host and host.encode("idna"):
            return
    except UnicodeError:
        pass
    raise ConfigError(f"host is {shown(host)}, but has to be an address such as 127.0.0.1; 0.0.0.0 is all")


def check_readable(name: str, file: str) -> None:
    """Raises ConfigError where a file is named that cannot be read."""
    if not file:
        return
    try:
        if not Path(file).is_file():
            raise FileNotFoundError("there is no such file")
        Path(file).read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        raise ConfigError(f"{name} is {shown(file)}, which cannot be read: {error}") from error


def check_one_of(name: str, value: str, choices: tuple[str, ...]) -> None:
    """Raises ConfigError."""
    if value not in choices:
        raise ConfigError(f"{name} is {shown(value)}, but has to be one of {', '.join(choices)}")
