"""What a browser may keep, and what it need not be sent again (RFC 9110, 13.1.2; RFC 8246)."""

from collections.abc import Mapping
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

IMMUTABLE: Final = "public, max-age=31536000, immutable"
REVALIDATED: Final = "no-cache"


def has(request: Request, etag: str) -> bool:
    """Say whether the caller has what an ETag stands for, by its If-None-Match."""
    listed = request.headers.get("if-none-match", "").split(",")
    # Weak comparison: a proxy that packs an answer makes its ETag weak, and the bytes are the same
    candidates = [candidate.strip().removeprefix("W/") for candidate in listed]
    return etag in candidates or "*" in candidates


def not_modified(request: Request, headers: Mapping[str, str]) -> Response | None:
    """Answer 304 where the caller has what the ETag in `headers` stands for, else None."""
    return Response(status_code=304, headers=headers) if has(request, headers["ETag"]) else None
