"""Which pages a browser may call us from, and under which names one may reach us (pure).

Origins are compared as browsers write them (RFC 6454, 6.2): lower case, the scheme's own port left out.
"""

import html
import re
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from dreamcanvas.errors import ConfigError

_PORTS: Final = {"http": 80, "https": 443}
_LABEL: Final = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?", re.ASCII)
_OWN_ADDRESS: Final = re.compile(r'(\b(?:href|src|content)=")/(?!/)')
_ROOT: Final = re.compile(r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+", re.ASCII)
_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]*", re.ASCII)


class Host(NamedTuple):
    """A name or an address, and a port, None where none was said."""

    name: str
    port: int | None


class Origin(NamedTuple):
    """Where a page is from. `port` is None where it is the scheme's own, or the scheme has none."""

    scheme: str
    name: str
    port: int | None

    def __str__(self) -> str:
        port = "" if self.port is None else f":{self.port}"
        return f"{self.scheme}://{self.name}{port}"


class Origins:
    """The origins that may call us beside our own, and our names; all names where none are given.

    Raises ConfigError.
    """

    def __init__(self, allowed: Sequence[str], public: Sequence[str]) -> None:
        self._allowed = frozenset(_allowed(text) for text in allowed)
        self._public = tuple(_public(text) for text in public)

    @property
    def allow_any(self) -> bool:
        """Say whether there are other origins that may call us."""
        return bool(self._allowed)

    def allows(self, text: str) -> bool:
        """Say whether a browser's Origin header names one of the other origins."""
        return parse_origin(text) in self._allowed

    def is_ours(self, text: str | None, host: str) -> bool:
        """Say whether a browser's Origin, if any, is this server, reached as `host`, or is allowed."""
        if text is None:
            return True
        origin, own = parse_origin(text), parse_host(host)
        if origin is None:
            return False
        if origin in self._allowed:
            return True
        if own is None or origin.scheme not in _PORTS:
            return False
        standard = _PORTS[origin.scheme]
        return origin.name == own.name and (origin.port or standard) == (own.port or standard)

    def knows(self, host: str) -> bool:
        """Say whether one may reach us under a Host.

        No browser leaves it out; this machine's own names are always known.
        """
        if not self._public or not host:
            return True
        own = parse_host(host)
        if own is None:
            return False
        return is_loopback(own.name) or any(
            own.name == name and port in (None, own.port) for name, port in self._public
        )


def root_path(text: str) -> str:
    """Normalise the setting: no slash at its end. Raises ConfigError where it is no path."""
    root = text.rstrip("/")
    if root and not _ROOT.fullmatch(root):
        raise ConfigError(
            f"root_path is {text[:80]!r}, but has to be a path such as /canvas, of letters, digits, - and _"
        )
    return root


def below(root: str, target: str) -> str:
    """Take the root path off, where the proxy has not done so; `target` may have a query."""
    path, mark, query = target.partition("?")
    if root and (path == root or path.startswith(f"{root}/")):
        path = path[len(root) :] or "/"
    return f"{path}{mark}{query}"


def parse_origin(text: str) -> Origin | None:
    """Parse an origin in the way that browsers write it; None where it is none, `null` included."""
    scheme, separator, rest = text.strip().partition("://")
    scheme = scheme.lower()
    host = parse_host(rest)
    if not separator or host is None or not _SCHEME.fullmatch(scheme):
        return None
    return Origin(scheme, host.name, None if host.port == _PORTS.get(scheme) else host.port)


def parse_host(text: str) -> Host | None:
    """Parse a Host header; None where it is none.

    The name is lower case, in ASCII, without a dot at its end.
    """
    found = re.fullmatch(r"(\[[^\]]+\]|[^:\[\]/?#@\s]+)(?::([0-9]{0,5}))?", text.strip(), re.ASCII)
    if found is None:
        return None
    port = int(found[2]) if found[2] else None
    name = _name(found[1])
    return None if name is None or (port is not None and not 0 < port <= 65535) else Host(name, port)


def _name(text: str) -> str | None:
    address = _address(text)
    if address is not None:
        return f"[{address}]" if isinstance(address, IPv6Address) else str(address)
    if text.startswith("["):
        return None
    try:
        name = text.lower().removesuffix(".").encode("idna").decode()
    except UnicodeError:
        return None
    return name if len(name) <= 253 and all(map(_LABEL.fullmatch, name.split("."))) else None


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text[1:-1]) if text.startswith("[") else IPv4Address(text)
    except ValueError:
        return None


def is_loopback(name: str) -> bool:
    """Say whether a name is this machine's own for itself: localhost, or a loopback address."""
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        address = ip_address(name.strip("[]"))
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (mapped or address).is_loopback


def _allowed(text: str) -> Origin:
    """Parse an origin of the setting.

    Raises ConfigError: what no browser sends would allow nothing, in silence.
    """
    if "*" in text:
        raise ConfigError(f"allowed_origins has {text!r}: name each origin, such as https://example.org")
    try:
        parts = urlsplit(text)
        bare = not (parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc)
        origin = parse_origin(f"{parts.scheme}://{parts.netloc}") if bare and parts.netloc else None
    except ValueError:
        origin = None
    if origin is None:
        raise ConfigError(
            f"allowed_origins has {text!r}, but has to have a scheme, a name and no path, "
            "such as https://example.org or http://127.0.0.1:8080"
        )
    return origin


def _public(text: str) -> Host:
    """Parse a name of the setting. Raises ConfigError."""
    bare = f"[{text}]" if text.count(":") > 1 and not text.startswith("[") else text
    host = parse_host(bare)
    if host is None:
        raise ConfigError(
            f"public_host has {text!r}, but has to have names without a scheme, such as canvas.example.org"
        )
    return host


def rooted(page: str, root: str) -> str:
    """Put a page's own addresses below the root path."""
    return _OWN_ADDRESS.sub(lambda found: f"{found[1]}{html.escape(root)}/", page) if root else page
