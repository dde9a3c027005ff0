"""Calls of DreamAdmin for `dreamcanvas admin`: JSON-RPC over HTTP, with the host's token."""

import json
import os
import re
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from dreamcanvas.errors import AdminError, ConfigError

_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def token_of(data_dir: Path, environment: Mapping[str, str] = os.environ) -> str:
    """The host's token: DREAMCANVAS_ADMIN_TOKEN, or what the data directory holds. Raises ConfigError."""
    given = environment.get("DREAMCANVAS_ADMIN_TOKEN")
    if given:
        return given.strip()
    try:
        return (data_dir / "admin-token").read_text().strip()
    except OSError as error:
        raise ConfigError(
            f"{data_dir / 'admin-token'}: {error.strerror}; give --data-dir, or DREAMCANVAS_ADMIN_TOKEN"
        ) from error


def call(url: str, token: str, method: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """The result of `admin.METHOD`. Raises AdminError."""
    body = {"jsonrpc": "2.0", "id": 1, "method": f"admin.{method}", "params": dict(params)}
    request = urllib.request.Request(  # noqa: S310 - the host's own address
        f"{url.rstrip('/')}/rpc",
        json.dumps(body).encode(),
        {"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=120) as response:  # noqa: S310
            answer = json.load(response)
    except (urllib.error.URLError, OSError, ValueError) as error:
        raise AdminError(f"{url}: {error}") from error
    if "error" in answer:
        raise AdminError(f"{answer['error']['data']['name']}: {answer['error']['message']}")
    result: dict[str, Any] = answer["result"]
    return result


def seconds_of(text: str) -> int:
    """A span, such as 90s, 10m, 2h or 7d. Raises ConfigError."""
    found = re.fullmatch(r"([0-9]{1,9})([smhd])", text)
    if found is None:
        raise ConfigError(f"{text!r} is no span such as 90s, 10m, 2h or 7d")
    return int(found[1]) * _UNITS[found[2]]


def moment_of(text: str) -> int:
    """A time, 2026-11-22T14:03:20Z, or a span before now, -10m; ms since 1970. Raises ConfigError."""
    if text.startswith("-"):
        return time.time_ns() // 1_000_000 - 1000 * seconds_of(text[1:])
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError(f"{text!r} is no time such as 2026-11-22T14:03:20Z, or -10m") from None
    return round((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp() * 1000)


def shown(ms: int) -> str:
    """A time as people read it, UTC."""
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
