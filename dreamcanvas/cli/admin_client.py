"""Calls of DreamAdmin for `dreamcanvas admin`: JSON-RPC over HTTP, with the operator's token."""

import http.client
import json
import os
import re
import urllib.request
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from dreamcanvas.client.route import check_token, opener, parse
from dreamcanvas.clock import from_iso, wall_clock
from dreamcanvas.errors import AdminError, ConfigError
from dreamcanvas.small_file import read_small
from dreamcanvas.store import layout

_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def token_of(data_dir: Path, environment: Mapping[str, str] = os.environ) -> str:
    """Read the operator's token: DREAMCANVAS_ADMIN_TOKEN, or what the data directory holds.

    Raises ConfigError.
    """
    given = environment.get("DREAMCANVAS_ADMIN_TOKEN", "").strip()
    where, file = ("DREAMCANVAS_ADMIN_TOKEN", data_dir / layout.ADMIN_TOKEN)
    if not given:
        where = str(file)
        try:
            given = read_small(file).strip()
        except OSError as error:
            raise ConfigError(
                f"{file}: {error.strerror}; give --data-dir, or DREAMCANVAS_ADMIN_TOKEN"
            ) from error
        except UnicodeDecodeError:
            given = ""
    if not re.fullmatch("[!-~]+", given, re.ASCII):  # what a header can carry
        raise ConfigError(f"{where} holds no token")
    return given


def call(
    url: str, token: str, method: str, params: Mapping[str, Any], *, insecure: bool = False
) -> dict[str, Any]:
    """Call `admin.METHOD`, return its result.

    Raises AdminError; ConfigError where `url` is none or not safe.
    """
    server = parse(url)
    check_token(server, token, insecure=insecure)
    body = {"jsonrpc": "2.0", "id": 1, "method": f"admin.{method}", "params": dict(params)}
    request = urllib.request.Request(  # noqa: S310 - the host's own address
        server.url("http", "/rpc"),
        json.dumps(body).encode(),
        {"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    try:
        with opener(server).open(request, timeout=120) as response:
            answer = json.load(response)
    except (OSError, http.client.HTTPException, ValueError, RecursionError) as error:
        raise AdminError(f"{url}: {str(error) or type(error).__name__}") from error
    match answer:
        case {"error": {"data": {"name": name}, "message": message}}:
            raise AdminError(f"{name}: {message}")
        case {"result": dict(result)}:
            return result
    raise AdminError(f"{url}: what answers there is no Dreamcanvas")


def seconds_of(text: str) -> int:
    """Parse a span, such as 90s, 10m, 2h or 7d. Raises ConfigError."""
    found = re.fullmatch(r"([0-9]{1,9})([smhd])", text)
    if found is None:
        raise ConfigError(f"{text!r} is no span such as 90s, 10m, 2h or 7d")
    return int(found[1]) * _UNITS[found[2]]


def moment_of(text: str) -> int:
    """Parse a time, 2026-11-22T14:03:20Z, or a span before now, -10m; ms since 1970. Raises ConfigError."""
    if text.startswith("-"):
        return wall_clock() - 1000 * seconds_of(text[1:])
    try:
        return from_iso(text)
    except ValueError:
        raise ConfigError(f"{text!r} is no time such as 2026-11-22T14:03:20Z, or -10m") from None


def shown(ms: int) -> str:
    """Write a time as people read it, in UTC."""
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
