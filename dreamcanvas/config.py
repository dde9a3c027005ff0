"""Every setting, once: its name, default, bounds and help. CLI > DREAMCANVAS_* > TOML file > default."""

import dataclasses
import difflib
import os
import tomllib
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dreamcanvas.dream.network import NETWORKS
from dreamcanvas.dream.precision import PRECISIONS
from dreamcanvas.errors import ConfigError
from dreamcanvas.net import addresses, donations, origins
from dreamcanvas.small_file import read_small
from dreamcanvas.text.visible import is_visible

ALLOWED: Final = {"operator": "\t\r\n"}
LONGEST: Final = 4096
SHOWN: Final = 80
PREFIX: Final = "DREAMCANVAS_"
OTHER_VARIABLES: Final = frozenset(("ADMIN_TOKEN", "MODEL_DIR", "URL"))
PRESETS: Final = (
    "ultrafast",
    "superfast",
    "veryfast",
    "faster",
    "fast",
    "medium",
    "slow",
    "slower",
    "veryslow",
)


def shown(value: object) -> str:
    """Write a value as it stands in a sentence: of a long one the beginning."""
    return cut(repr(value))


def cut(text: str, most: int = SHOWN) -> str:
    """Cut a text that is longer than `most` characters."""
    return text if len(text) <= most else f"{text[:most]}…"


def check_text(name: str, text: str) -> None:
    """Raise ConfigError where a text can neither be shown nor be part of a file's name."""
    if len(text) > LONGEST:
        raise ConfigError(f"{name} is {shown(text)}, but has to have at most {LONGEST} characters")
    unfit = ("Cc", "Cs")  # controls, and what of the command line is no UTF-8
    if any(unicodedata.category(letter) in unfit and letter not in ALLOWED.get(name, "") for letter in text):
        raise ConfigError(f"{name} is {shown(text)}, but must not hold control characters or broken text")


def check_visible(name: str, text: str) -> None:
    """Raise ConfigError where nothing of a text can be seen; an empty one is none."""
    if text and not is_visible(text):
        raise ConfigError(f"{name} is {shown(text)}, of which nothing can be seen; leave it empty")


def check_host(host: str) -> None:
    """Raise ConfigError where a host is no name or address. An empty one would mean all addresses."""
    try:
        if host and host.encode("idna"):
            return
    except UnicodeError:
        pass
    raise ConfigError(f"host is {shown(host)}, but has to be an address such as 127.0.0.1; 0.0.0.0 is all")


def check_readable(name: str, file: str) -> None:
    """Raise ConfigError where a file is named that cannot be read."""
    if not file:
        return
    try:
        read_small(Path(file))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{name} is {shown(file)}, which cannot be read: {error}") from error


def check_one_of(name: str, value: str, choices: tuple[str, ...]) -> None:
    """Raise ConfigError where a value is none of the choices."""
    if value not in choices:
        raise ConfigError(f"{name} is {shown(value)}, but has to be one of {', '.join(choices)}")


def _setting(default: Any, help_: str, low: float | None = None, high: float | None = None) -> Any:
    return field(default=default, metadata={"help": help_, "low": low, "high": high})


@dataclass(frozen=True, slots=True)
class Config:
    """The settings of a server. Times in seconds, sizes in bytes; where a limit is 0 there is none."""

    host: str = _setting("127.0.0.1", "Address to listen on; 0.0.0.0 is all.")
    port: int = _setting(4242, "TCP port; 0 takes a free one.", 0, 65535)
    data_dir: Path = _setting(Path("data"), "Where everything is kept.")
    allowed_origins: tuple[str, ...] = _setting(
        (), "Other origins whose pages may connect, separated by commas."
    )
    trusted_proxies: tuple[str, ...] = _setting(
        (), "Addresses or networks of proxies whose X-Forwarded-For is believed, separated by commas."
    )
    public_host: tuple[str, ...] = _setting(
        (), "Names by which it is reached, separated by commas; others are refused. None: any name."
    )
    root_path: str = _setting("", "The path below which a proxy serves it, such as /canvas.")
    network: str = _setting("efficientnet_lite0", "The network that dreams.")
    dream: bool = _setting(True, "Whether it dreams.")
    dream_interval: float = _setting(
        2.0, "Seconds from the start of a dream to the start of the next.", 0.1, 3600
    )
    dream_threads: int = _setting(0, "CPU threads of the dreamer; 0 is one per processor.", 0, 1024)
    precision: str = _setting(
        "auto", "The dreamer's numbers: float32, bfloat16, or auto, the faster of both on this processor."
    )
    dream_timeout: float = _setting(120.0, "Seconds after which a dream is given up.", 1, 3600)
    style_interval: float = _setting(120.0, "Seconds after which another style is dreamt.", 1, 10**7)
    rest_after: float = _setting(
        60.0, "Seconds without visitor or dab after which it rests; 0 never.", 0, 10**7
    )
    sleep_after: float = _setting(
        600.0, "Seconds of rest, or of white paper, after which its process ends; 0 never.", 0, 10**7
    )
    ink_dabs: int = _setting(20000, "The newest dabs that dreams spare while they are fresh.", 0, 100_000)
    tick_ms: int = _setting(20, "Milliseconds over which events are gathered.", 0, 1000)
    client_buffer: int = _setting(262144, "Unsent bytes beyond which a reader is slow.", 4096, 2**30)
    message_bytes: int = _setting(65536, "The largest message.", 0, 2**30)
    dabs_per_call: int = _setting(256, "The most dabs in a call.", 1, 65536)
    batch_calls: int = _setting(50, "The most calls in a JSON-RPC batch.", 0, 65536)
    calls_in_flight: int = _setting(256, "Unanswered calls beyond which a connection is not read.", 0, 65536)
    rate_limits: bool = _setting(True, "Whether rates and connections per address are limited.")
    dabs_per_second: int = _setting(600, "Lasting rate of dabs, per connection and per address.", 0, 10**6)
    dabs_burst: int = _setting(2000, "Dabs above the lasting rate that may come at once.", 0, 10**7)
    canvas_per_minute: int = _setting(120, "Whole canvases a minute, per address.", 0, 10**6)
    encoders: int = _setting(2, "Threads that encode pictures.", 1, 64)
    pictures_waiting: int = _setting(
        64, "Pictures that wait to be encoded, per address; more are UNAVAILABLE.", 0, 10**6
    )
    pictures_unread: int = _setting(
        8, "Answers of getCanvas that are made, or not read yet, per address.", 1, 10**6
    )
    calls_per_second: int = _setting(2000, "Lasting rate of calls, per address; more wait.", 0, 10**7)
    kilobytes_per_second: int = _setting(
        1000, "Lasting rate of kilobytes in messages, per address; more wait.", 0, 10**7
    )
    busy_percent: int = _setting(
        50, "Processor time for the calls of an address, percent of a processor; more wait.", 0, 100
    )
    work_per_second: int = _setting(
        100, "Lasting rate of units of work, about a millisecond each, in dear calls, per address.", 0, 10**6
    )
    requests_per_second: int = _setting(
        300, "Lasting rate of HTTP requests, per address; more wait.", 0, 10**6
    )
    responses_per_address: int = _setting(128, "HTTP responses under way, per address.", 0, 10**6)
    response_megabytes: int = _setting(
        64, "Megabytes of pictures in HTTP responses under way, per address.", 0, 10**6
    )
    sockets: int = _setting(8192, "Open TCP connections in all, where the system lets it.", 16, 10**6)
    sockets_per_address: int = _setting(
        512, "Open TCP connections per address, at most half of all that there may be.", 0, 10**6
    )
    sockets_per_second: int = _setting(100, "Lasting rate of new TCP connections, per address.", 0, 10**6)
    connections_per_address: int = _setting(64, "Open websockets per address.", 0, 10**6)
    connections: int = _setting(4000, "Open websockets in all.", 0, 10**6)
    replay_operations: int = _setting(
        20000, "The newest operations that a returning client can get.", 0, 10**7
    )
    keep_operations_hours: float = _setting(
        48.0, "Hours after which operations are moved to archive files; 0 never.", 0, 10**6
    )
    keep_addresses_hours: float = _setting(
        72.0, "Hours after which the addresses of who drew are replaced by hashes.", 0, 10**6
    )
    max_data_gb: float = _setting(
        20.0, "Gigabytes of disk beyond which the oldest movies and frames are deleted; 0 never.", 0, 10**6
    )
    keep_frames_minutes: float = _setting(
        10.0, "Minutes for which the frame of a dream stays, also when its movie is made.", 0, 10**7
    )
    movies: bool = _setting(True, "Whether movies are made of the dreams.")
    movie_crf: float = _setting(26.0, "Quality of movies: x264's constant rate factor, 0 is best.", 0, 51)
    movie_preset: str = _setting("veryfast", "Effort for movies: a preset of x264, ultrafast to veryslow.")
    movie_threads: int = _setting(1, "CPU threads that make movies.", 1, 64)
    history_window: int = _setting(
        7200, "Seconds of the recording in a movie, counted from midnight UTC; they divide a day.", 1, 86400
    )
    timezone: str = _setting("UTC", "The time zone of the history's days, such as Europe/Berlin.")
    undo_seconds: int = _setting(60, "For how long a stroke can be taken back.", 0, 10**6)
    undo_operations: int = _setting(
        200000, "Operations that an undo may have to look through; 0 is any.", 0, 10**9
    )
    undo_megapixels: int = _setting(
        300, "Millions of pixels that an undo may have to draw again; 0 is any.", 0, 10**6
    )
    undo_memory_mb: int = _setting(
        64, "Megabytes that an undo may take for what it lays out side by side; 0 is any.", 0, 10**5
    )
    undo_bytes_per_second: int = _setting(
        150000, "Lasting rate of the bytes of patches that undo makes, per address.", 0, 10**9
    )
    undo_bytes_burst: int = _setting(
        4000000, "Bytes of such patches above the lasting rate that may come at once.", 0, 10**10
    )
    checkpoint_operations: int = _setting(
        10000,
        "Operations without a dream after which the picture is kept for the next start; 0 never.",
        0,
        10**7,
    )
    keep_sessions_days: float = _setting(
        30.0, "Days after which who has not drawn any more is forgotten; 0 never.", 0, 10**5
    )
    cursors: bool = _setting(True, "Whether cursors are passed on.")
    cursors_per_second: int = _setting(10, "Calls of cursor passed on per connection.", 0, 1000)
    open_timeout: float = _setting(10.0, "Seconds for a request to arrive whole.", 0.1, 3600)
    keep_alive: float = _setting(
        180.0, "Seconds for which a trusted proxy's idle connection stays open; more than its own.", 1, 7200
    )
    write_timeout: float = _setting(
        20.0, "Seconds in which some of an HTTP response has to be read.", 0.1, 3600
    )
    ping_interval: float = _setting(20.0, "Seconds between pings; 0 sends none.", 0, 3600)
    ping_timeout: float = _setting(20.0, "Seconds in which a ping is to be answered.", 0.1, 3600)
    operator: str = _setting("", "Who runs it, for the page /about.")
    about: str = _setting("", "A Markdown file whose text replaces that of /about.")
    currency: str = _setting("EUR", "Of what the costs are, for /about.")
    cost_per_hour: float = _setting(0.0, "What an hour of the machine costs; 0 tells nothing.", 0, 10**6)
    cost_per_dreaming_hour: float = _setting(0.0, "What an hour of dreaming costs beside that.", 0, 10**6)
    donate_bitcoin: str = _setting("", "A Bitcoin address for donations.")
    donate_links: tuple[str, ...] = _setting((), "Links for donations, each Label=url, separated by commas.")
    loop: str = _setting("auto", "The event loop: asyncio, uvloop, or auto, uvloop where it is installed.")
    log_format: str = _setting("auto", "text, json, or auto: text on a terminal.")
    log_level: str = _setting("info", "debug, info, warning or error.")

    def __post_init__(self) -> None:
        for setting in dataclasses.fields(self):
            value, low, high = getattr(self, setting.name), setting.metadata["low"], setting.metadata["high"]
            if low is not None and not low <= value <= high:
                raise ConfigError(f"{setting.name} is {shown(value)}, but has to be {low:g} to {high:g}")
            for text in value if isinstance(value, tuple) else (value,):
                if isinstance(text, str | Path):
                    check_text(setting.name, str(text))
        check_host(self.host)
        addresses.networks(self.trusted_proxies)
        origins.Origins(self.allowed_origins, self.public_host)
        # As paths are compared with it, not as one likes to write it
        object.__setattr__(self, "root_path", origins.root_path(self.root_path))
        check_one_of("network", self.network, tuple(NETWORKS))
        check_one_of("precision", self.precision, PRECISIONS)
        check_one_of("movie_preset", self.movie_preset, PRESETS)
        if 86400 % self.history_window:
            raise ConfigError(f"history_window is {self.history_window}, but has to divide 86400, a day")
        self.zone()
        check_visible("operator", self.operator)
        check_readable("about", self.about)
        for link in donations.links(self.donate_links):
            check_visible("donate_links", link.label)
        if self.donate_bitcoin:
            donations.check_bitcoin(self.donate_bitcoin)
        check_one_of("loop", self.loop, ("auto", "asyncio", "uvloop"))
        check_one_of("log_format", self.log_format, ("auto", "text", "json"))
        check_one_of("log_level", self.log_level, ("debug", "info", "warning", "error"))

    def zone(self) -> tzinfo:
        """Return the time zone of the history's days. Raises ConfigError where none has that name."""
        if self.timezone == "UTC":
            return UTC  # also where there is no database of time zones
        try:
            return ZoneInfo(self.timezone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ConfigError(
                f"timezone is {shown(self.timezone)}, but has to be a name of the IANA database, "
                "such as UTC or Europe/Berlin"
            ) from None


def load(
    given: Mapping[str, object], *, file: Path | None = None, environment: Mapping[str, str] = os.environ
) -> Config:
    """Read the settings: what is `given` (by the command line), else the environment's, the file's, defaults.

    Raises ConfigError, naming the setting and its bounds.
    """
    values: dict[str, Any] = {}
    settings = {setting.name: setting for setting in dataclasses.fields(Config)}
    for name, value in (_read(file) if file is not None else {}).items():
        if name not in settings:
            nearest = _nearest(name, settings)
            raise ConfigError(f"{file}: there is no setting {shown(name)}{nearest}")
        values[name] = _convert(settings[name], value)
    for name, setting in settings.items():
        text = environment.get(PREFIX + name.upper())
        if text and text.strip():  # one that is empty is one that is not set
            values[name] = _convert(setting, text)
        if given.get(name) is not None:
            values[name] = _convert(setting, given[name])
    return Config(**values)


def unknown_variables(environment: Mapping[str, str] = os.environ) -> list[str]:
    """Write a sentence for each variable that looks like a setting and is none, with the nearest name."""
    known = {setting.name.upper() for setting in dataclasses.fields(Config)} | OTHER_VARIABLES
    sentences = []
    for variable, text in sorted(environment.items()):
        name = variable[len(PREFIX) :]
        if text and variable.upper().startswith(PREFIX) and variable not in {PREFIX + each for each in known}:
            nearest = _nearest(name.upper(), known, PREFIX)
            sentences.append(f"the environment variable {cut(variable)} is not known{nearest}")
    return sentences


def _nearest(name: str, known: Iterable[str], prefix: str = "") -> str:
    found = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {prefix}{found[0]}?" if found else ""


def _read(file: Path) -> dict[str, object]:
    try:
        return tomllib.loads(read_small(file, pipe=True))
    except OSError as error:
        raise ConfigError(f"{cut(str(file), LONGEST)}: {error.strerror}") from error
    except ValueError as error:  # no UTF-8, no TOML, a number of thousands of digits, a NUL in the name
        raise ConfigError(f"{cut(str(file), LONGEST)}: {cut(str(error), LONGEST)}") from error
    except RecursionError:
        raise ConfigError(f"{cut(str(file), LONGEST)}: it is nested too deeply") from None


_TRUE: Final = ("1", "true", "yes", "on")
_FALSE: Final = ("0", "false", "no", "off")


def _convert(setting: "dataclasses.Field[Any]", value: object) -> object:
    """Make a value of the setting's type. The environment and the command line give text."""
    default = setting.default
    name = setting.name
    if isinstance(default, bool):
        if str(value).lower() not in _TRUE + _FALSE:
            raise ConfigError(f"{name} is {shown(value)}, but has to be true or false")
        return str(value).lower() in _TRUE
    if isinstance(default, tuple):
        items = value.split(",") if isinstance(value, str) else value
        if not isinstance(items, list | tuple) or not all(isinstance(item, str) for item in items):
            raise ConfigError(f"{name} is {shown(value)}, but has to be a list of texts")
        return tuple(item.strip() for item in items if item.strip())
    if isinstance(default, str | Path):
        if not isinstance(value, str | Path):
            raise ConfigError(f"{name} is {shown(value)}, but has to be text")
        if isinstance(default, Path) and not str(value).strip():
            raise ConfigError(f"{name} is empty, but has to be a directory")
        return Path(value) if isinstance(default, Path) else str(value)
    try:
        text = str(value)
        if "_" in text or not text.isascii():  # Python reads 80_80, and figures of any script
            raise ValueError
        return int(text) if isinstance(default, int) else float(text)
    except ValueError:
        expected = "a whole number" if isinstance(default, int) else "a number"
        raise ConfigError(f"{name} is {shown(value)}, but has to be {expected}") from None
