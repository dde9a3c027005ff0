"""How one reaches this server: through which proxies, under which names and path, from which pages."""

from dataclasses import dataclass, field

from dreamcanvas.config import Config
from dreamcanvas.net.addresses import Proxies
from dreamcanvas.net.origins import Origins, is_loopback
from dreamcanvas.server.http_protocol import Timeouts


@dataclass(frozen=True, slots=True)
class Reach:
    """What of it is set; nothing by default. `root` is a path such as `/canvas`, or empty."""

    proxies: Proxies = field(default_factory=lambda: Proxies(()))
    origins: Origins = field(default_factory=lambda: Origins((), ()))
    root: str = ""


def reach_of(config: Config) -> Reach:
    """What the settings say."""
    return Reach(
        Proxies(config.trusted_proxies),
        Origins(config.allowed_origins, config.public_host),
        config.root_path,
    )


def timeouts(config: Config) -> Timeouts:
    """For how long an HTTP connection may keep us waiting: long where it is a proxy's, or this machine's."""
    proxies = Proxies(config.trusted_proxies)

    def idle(peer: str) -> float:
        return config.keep_alive if is_loopback(peer) or proxies.trusts(peer) else config.open_timeout

    return Timeouts(config.open_timeout, config.write_timeout, idle)
