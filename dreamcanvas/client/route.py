"""The way to a server: its address, whether a proxy is used, whether a token may be sent there."""

import os
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Final
from urllib.parse import quote, urlsplit

from dreamcanvas.errors import ConfigError
from dreamcanvas.net.origins import is_loopback

_SECURE: Final = {"http": False, "ws": False, "https": True, "wss": True}


@dataclass(frozen=True, slots=True)
class Server:
    """The address of a server. `path` is the prefix of all its paths, without a slash at its end."""

    secure: bool
    host: str
    port: int | None
    path: str

    def url(self, scheme: str, path: str) -> str:
        """Return the URL of a path on it. `scheme` is http or ws, and gets an s where it is secure."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port is None else f":{self.port}"
        return f"{scheme}{'s' if self.secure else ''}://{host}{port}{self.path}{path}"


def parse(url: str) -> Server:
    """Return the server at an address as in a browser, or at that of its websockets. Raises ConfigError."""
    wanted = "has to be like http://127.0.0.1:4242, its port 1 to 65535"
    if not isinstance(url, str):
        raise ConfigError(f"url is {url!r}, but {wanted}")
    try:
        parts = urlsplit(url.strip() if "://" in url else f"http://{url.strip()}")
        host, port = parts.hostname, parts.port
        secure = _SECURE[parts.scheme]
        sound = host and host.encode("idna") and host.isprintable() and " " not in host and port != 0
        sound = sound and not parts.netloc.endswith(":")  # what remains of a mistyped http:/host
    except (ValueError, KeyError):
        sound = None
    if not sound or parts.username is not None:
        raise ConfigError(f"url is {url[:200]!r}, but {wanted}")
    path = quote(parts.path, safe="/%:@!$&'()*+,;=~").rstrip("/").removesuffix("/rpc").rstrip("/")
    return Server(secure, str(host), port, path)


def goes_direct(server: Server, environment: Mapping[str, str] = os.environ) -> bool:
    """Return whether a server is reached without a proxy: this machine is, and all that `no_proxy` names.

    `no_proxy` holds host names (which include their subdomains), IP addresses and networks
    (`10.0.0.0/8`), each with or without a port; or `*` for all.
    """
    if is_loopback(server.host):
        return True
    entries = environment.get("no_proxy", environment.get("NO_PROXY", ""))
    return any(_names(entry, server) for entry in entries.replace(",", " ").lower().split())


def _names(entry: str, server: Server) -> bool:
    if entry == "*":
        return True
    name, colon, port = entry.rpartition(":")
    if colon and port.isdecimal() and (name.count(":") == 0 or name.endswith("]")):
        if int(port) != (server.port or (443 if server.secure else 80)):
            return False
        entry = name
    entry = entry.strip("[]").removeprefix("*").lstrip(".")
    host = server.host.rstrip(".")
    try:
        return ip_address(host) in ip_network(entry, strict=False)
    except ValueError:
        return bool(entry) and (host == entry or host.endswith(f".{entry}"))


def check_token(server: Server, token: str | None, *, insecure: bool) -> None:
    """Raise ConfigError where a token would cross the network over plain HTTP, unless `insecure`."""
    if token is not None and not (server.secure or insecure or is_loopback(server.host)):
        raise ConfigError(
            f"the token would go to {server.host} over plain HTTP, for everybody between to read: "
            "use https://, or say that it may (--insecure, in Python insecure=True)"
        )


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Refuses redirects: one would send the token and the call to any server that it names."""

    def redirect_request(self, *_: object) -> None:
        """Return None, so that the redirect is raised as an error."""


def opener(server: Server) -> urllib.request.OpenerDirector:
    """Return an opener for a server's URLs, with or without a proxy. It raises HTTPError for redirects."""
    proxies: dict[str, str] | None = {} if goes_direct(server) else None
    return urllib.request.build_opener(urllib.request.ProxyHandler(proxies), _NoRedirect)
