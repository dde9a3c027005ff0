"""Who a caller is, behind proxies or not: its address, and by what address it reached us (pure).

Nobody else reads the headers in which proxies tell of it: HTTP, POST and websockets ask here.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Final, TypeAlias

from dreamcanvas.errors import ConfigError

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

_SUBSCRIBER: Final = 64  # the prefix that one IPv6 subscriber is given
_WIDEST: Final = {4: 8, 6: 16}
_SCHEMES: Final = {"http": "http", "https": "https", "ws": "http", "wss": "https"}
_HOST: Final = re.compile(r"([A-Za-z0-9._-]{1,255}|\[[0-9A-Fa-f:.]{2,45}\])(:[0-9]{1,5})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Seen:
    """The caller's address, and the scheme and the host, with its port, of the URL that it asked for."""

    address: str
    scheme: str
    host: str


class Proxies:
    """The proxies that are believed; `trusted` are their addresses and networks. Raises ConfigError."""

    def __init__(self, trusted: Sequence[str]) -> None:
        self._trusted = networks(trusted)

    def seen(self, peer: str, headers: Mapping[str, str], scheme: str = "http") -> Seen:
        """Find who calls. `headers` has lower-case names; lines of one name are joined by commas.

        X-Forwarded-For is read from the right, since each proxy appends whom it heard from: the first address
        from there that is not a trusted proxy's is the caller's. What is left of it the caller could have
        written. X-Forwarded-Proto and X-Forwarded-Host are those of the proxy that heard from the caller,
        where each appended its own, and the only value where the outermost alone gave one.
        """
        address = normal(peer)
        host = headers.get("host", "")
        if not self.trusts(address):
            return Seen(address, scheme, host)
        hops = 1
        for count, hop in enumerate(reversed(_parts(headers.get("x-forwarded-for", ""))), start=1):
            found = _hop(hop)
            if found is None:
                break  # the proxy did not know, or lies: then it is the proxy that we hear from
            address, hops = found, count
            if not self.trusts(address):
                break
        told = _of(hops, headers.get("x-forwarded-proto", "")).lower()
        name = _of(hops, headers.get("x-forwarded-host", ""))
        return Seen(address, _SCHEMES.get(told, scheme), name if _HOST.fullmatch(name) else host)

    def trusts(self, address: str) -> bool:
        """Say whether an address is a proxy's that is believed."""
        parsed = parse(address)
        return parsed is not None and any(parsed in network for network in self._trusted)


def networks(texts: Sequence[str]) -> tuple[Network, ...]:
    """Parse addresses and networks (`10.0.0.1`, `10.0.0.0/8`, `fd00::/8`). Raises ConfigError."""
    try:
        return tuple(_plain(ip_network(text)) for text in texts)
    except ValueError as error:
        raise ConfigError(
            f"trusted_proxies: {error}; it has to have addresses or networks, such as 127.0.0.1 or 10.0.0.0/8"
        ) from None


def _plain(network: Network) -> Network:
    """A network of mapped IPv4 addresses as one of IPv4: `normal` writes its addresses so."""
    if isinstance(network, IPv6Network) and network.network_address.ipv4_mapped and network.prefixlen >= 96:
        return IPv4Network((int(network.network_address) & 0xFFFFFFFF, network.prefixlen - 96))
    return network


def _parts(header: str) -> list[str]:
    return [part.strip() for part in header.split(",") if part.strip()]


def _of(hops: int, header: str) -> str:
    """Return what the proxy said that is `hops` away, or the farthest, where fewer said something."""
    parts = _parts(header)
    return parts[-min(hops, len(parts))] if parts else ""


def _hop(text: str) -> str | None:
    """Find the address in `203.0.113.9`, `203.0.113.9:512`, `2001:db8::1`, `[2001:db8::1]:512`, else None."""
    text = text.strip('"')
    bracketed = re.fullmatch(r"\[([^\]]*)\](:[0-9]*)?", text, re.ASCII)
    if bracketed is not None:
        text = bracketed[1]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    return normal(text) if parse(text) is not None else None


def parse(address: str) -> Address | None:
    """Parse an address; None where it is none.

    A mapped IPv4 address is IPv4; an interface after % is left out.
    """
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return None
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is not None:
        return parsed.ipv4_mapped
    return parsed


def normal(address: str) -> str:
    """Write an address in the one normal way; a text that is none stays as it is."""
    parsed = parse(address)
    return address if parsed is None else str(parsed)


def household(address: str) -> str:
    """Return what limits count as one: an IPv4 address, or the /64 that an IPv6 subscriber is given."""
    parsed = parse(address)
    if isinstance(parsed, IPv6Address):
        return str(IPv6Network((int(parsed) >> _SUBSCRIBER << _SUBSCRIBER, _SUBSCRIBER)))
    return address if parsed is None else str(parsed)


def target(text: str) -> str | Network:
    """Return what a ban is of: the household of an address, or a network.

    Raises ValueError with a sentence.
    """
    text = text.strip()
    try:
        network = ip_network(text, strict=False) if parse(text) is None else ip_network(normal(text))
    except ValueError:
        raise ValueError(
            "is neither an address, such as 203.0.113.9, nor a network, such as 203.0.113.0/24"
        ) from None
    network = _plain(network)
    widest = _WIDEST[network.version]
    if network.prefixlen < widest:
        raise ValueError(f"is too wide, at the most /{widest}; read-only keeps everybody out")
    if network.prefixlen >= (32 if network.version == 4 else _SUBSCRIBER):
        return household(str(network.network_address))
    return network


@lru_cache(maxsize=1024)
def _network(text: str) -> Network:
    return ip_network(text)


def in_network(address: str, network: str) -> bool:
    """Say whether an address is in a network, as `target` gave it. A text that is no address is in none."""
    parsed = parse(address)
    return parsed is not None and parsed in _network(network)
