"""Read the table `settings`: what the operator has set and is to last, as JSON."""

import json
import re
import sqlite3
from collections.abc import Callable, Mapping
from typing import Any, Final

ADDRESS_KEY: Final = "address_key"
_KEY: Final = re.compile("([0-9a-f]{2}){16,64}")
_SOUND: Final[Mapping[str, Callable[[Any], bool]]] = {
    ADDRESS_KEY: lambda value: isinstance(value, str) and _KEY.fullmatch(value) is not None,
    "read_only": lambda value: isinstance(value, bool),
    "resting": lambda value: isinstance(value, bool),
    "announcement": lambda value: isinstance(value, str),
    "announced_until": lambda value: type(value) is int and 0 <= value < 2**62,
}


def read(connection: sqlite3.Connection) -> dict[str, Any]:
    """Return all settings. Raises ValueError where another program wrote a value that is not valid."""
    settings: dict[str, Any] = {}
    for name, text in connection.execute("SELECT name, value FROM settings"):
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            value = None
        sound = _SOUND.get(name, lambda value: value is not None)
        if not sound(value):
            raise ValueError(f"the setting {name[:40]!r} of the host cannot be {text[:40]!r}")
        settings[name] = value
    return settings
