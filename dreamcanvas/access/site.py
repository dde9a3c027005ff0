"""How visitors reach this server: through which proxies, under which names and path, from which pages."""

from dataclasses import dataclass, field

from dreamcanvas.config import Config
from dreamcanvas.net.addresses import Proxies
from dreamcanvas.net.origins import Origins


@dataclass(frozen=True, slots=True)
class Site:
    """The settings of how the server is reached. `root` is a path such as `/canvas`, or empty."""

    proxies: Proxies = field(default_factory=lambda: Proxies(()))
    origins: Origins = field(default_factory=lambda: Origins((), ()))
    root: str = ""


def site_of(config: Config) -> Site:
    """Return the site that the settings describe."""
    return Site(
        Proxies(config.trusted_proxies),
        Origins(config.allowed_origins, config.public_host),
        config.root_path,
    )
