"""What a machine lacks to serve, and what to do about it: `dreamcanvas doctor`."""

import contextlib
import importlib.util
import math
import os
import platform
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from dreamcanvas.config import Config, unknown_variables
from dreamcanvas.dream.models import list_models, model_dir
from dreamcanvas.dream.precision import processor_flags
from dreamcanvas.errors import ConfigError, StoreError
from dreamcanvas.net.origins import is_loopback
from dreamcanvas.server.listener import listen
from dreamcanvas.store import layout
from dreamcanvas.store.check import newest_dream
from dreamcanvas.store.diagnosis import explain
from dreamcanvas.store.schema import DirectoryLock
from dreamcanvas.text.plural import counted

Level = Literal["ok", "note", "bad"]

PAGE: Final = Path(__file__).parents[1] / "page" / "index.html"
DREAM_BYTES: Final = 1.7e9  # docs/performance.md
SERVER_BYTES: Final = 0.3e9
SYNCS: Final = 30
SLOW_SYNC_MS: Final = 50.0
CLOCK_SECONDS: Final = 60.0
LISTENING: Final = "0A"  # in /proc/net/tcp
NETWORK_FILE_SYSTEMS: Final = ("nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs", "ceph", "glusterfs")


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, how it is, and, where it is not well, what to do."""

    subject: str
    level: Level
    sentence: str
    advice: str = ""


def examine(config: Config) -> Iterator[Finding]:
    """Examine this machine for these settings; the findings come one by one."""
    yield processor(processor_flags(), platform.machine(), len(os.sched_getaffinity(0)), dreams=config.dream)
    yield memory(_available_memory(), dreams=config.dream)
    yield from _model(config)
    yield from _directory(config)
    yield _port(config)
    yield from _names(config)
    yield from (Finding("environment", "note", sentence) for sentence in unknown_variables())
    yield _clock(config)
    yield _page()


def processor(flags: frozenset[str], machine: str, processors: int, *, dreams: bool) -> Finding:
    """Judge the processor. `flags` are those of /proc/cpuinfo; none are known on machines other than x86."""
    what = f"{counted(processors, 'processor')}, {machine}"
    if dreams and flags and "avx" not in flags:
        return Finding(
            "processor", "bad", f"{what}, without AVX", "TensorFlow needs AVX: another machine, or --no-dream"
        )
    fast = [name for name in ("avx2", "avx512f", "avx512_bf16", "amx_bf16") if name in flags]
    sentence = f"{what}, {', '.join(fast)}" if fast else what
    if dreams and processors < 2:
        return Finding(
            "processor",
            "note",
            sentence,
            "a dream takes seconds, and drawing waits for it now and then: --dream-interval 5 leaves room",
        )
    return Finding("processor", "ok", sentence)


def memory(available: float | None, *, dreams: bool) -> Finding:
    """Judge the memory; `available` in bytes."""
    if available is None:
        return Finding("memory", "note", "nothing is known of it on this system")
    needed = SERVER_BYTES + (DREAM_BYTES if dreams else 0)
    sentence = f"{available / 1e9:.1f} GB available, {needed / 1e9:.1f} GB needed"
    if available >= needed:
        return Finding("memory", "ok", sentence)
    return Finding("memory", "bad", sentence, "more memory, or --no-dream, which needs 0.3 GB")


def sync_speed(milliseconds: list[float]) -> Finding:
    """Judge how long the disk takes to confirm 4 KB, from several times."""
    median = statistics.median(milliseconds)
    sentence = f"the disk confirms a write in {median:.2f} ms (median of {len(milliseconds)})"
    if median > SLOW_SYNC_MS:
        return Finding(
            "sync",
            "note",
            sentence,
            "every stroke waits as long until it is confirmed: a local SSD is faster",
        )
    return Finding("sync", "ok", sentence)


def room(free: float, used: float, config: Config) -> Finding:
    """Judge the disk: the bytes that are free, and those that the data directory has already."""
    limit = config.max_data_gb * 1e9
    sentence = f"{free / 1e9:.1f} GB free, {used / 1e9:.1f} of at most {config.max_data_gb:g} GB used"
    if free < 1e9:
        return Finding("disk", "bad", sentence, "make room: a disk that is full stops the drawing")
    if config.max_data_gb and free + used < limit:
        fits = math.floor((free + used) * 0.9 / 1e9)
        return Finding("disk", "note", sentence, f"the disk is full before the limit: --max-data-gb {fits}")
    return Finding("disk", "ok", sentence)


def _available_memory() -> float | None:
    """Return what the machine has, or what the container may have, whichever is less."""
    try:
        text = Path("/proc/meminfo").read_text(encoding="utf-8")
    except OSError:
        return None
    available = 1024.0 * int(text.partition("MemAvailable:")[2].split()[0])
    for limit, used in (
        ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
        ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
    ):
        try:
            available = min(available, _number(limit) - _number(used))
        except (OSError, ValueError):
            continue
    return available


def _number(file: str) -> float:
    """Raises OSError, ValueError."""
    return float(Path(file).read_text(encoding="utf-8"))


def _model(config: Config) -> Iterator[Finding]:
    if not config.dream:
        return
    if importlib.util.find_spec("tensorflow") is None:
        yield Finding("TensorFlow", "bad", "is missing", "pip install 'dreamcanvas[server]', or --no-dream")
    else:
        yield Finding("TensorFlow", "ok", "is installed")
    states = {model.info.name: model.state for model in list_models(model_dir())}
    state = states[config.network]
    if state == "present":
        yield Finding("model", "ok", f"the weights of {config.network} are here")
    else:
        yield Finding(
            "model",
            "bad",
            f"the weights of {config.network} are {state}",
            f"dreamcanvas models fetch {config.network}",
        )


def _directory(config: Config) -> Iterator[Finding]:
    place = config.data_dir.absolute()
    while not place.exists():
        place = place.parent
    kind = _file_system(place)
    if kind in NETWORK_FILE_SYSTEMS:
        yield Finding(
            "disk", "note", f"{place} is on {kind}", "what is confirmed there may be lost: use a local disk"
        )
    used = sum(file.stat().st_size for file in config.data_dir.rglob("*") if file.is_file())
    yield room(shutil.disk_usage(place).free, used, config)
    try:
        yield sync_speed(_syncs(place))
    except OSError as error:
        yield Finding("sync", "bad", explain(place, error), f"{place} has to be writable")
    if not (config.data_dir / layout.LOCK).exists():
        return
    try:
        DirectoryLock(config.data_dir).release()
    except StoreError as error:
        yield Finding("data", "note", str(error), "it is that server that was looked at")


def _syncs(place: Path) -> list[float]:
    took = []
    with tempfile.NamedTemporaryFile(dir=place, prefix=".doctor-") as file:
        for _ in range(SYNCS):
            began = time.perf_counter()
            file.write(bytes(4096))
            file.flush()
            os.fsync(file.fileno())
            took.append(1000 * (time.perf_counter() - began))
    return took


def _file_system(place: Path) -> str:
    """Return the kind of file system that a place is on; empty where that cannot be known."""
    try:
        mounts = [line.split()[1:3] for line in os.fsdecode(Path("/proc/mounts").read_bytes()).splitlines()]
    except OSError:
        return ""
    above = [(mount, kind) for mount, kind in mounts if place.is_relative_to(mount)]
    return max(above, default=("", ""), key=lambda found: len(found[0]))[1]


def _port(config: Config) -> Finding:
    try:
        listener = listen(config)
    except ConfigError as error:
        holder = _holder(config)
        if holder is not None and config.port in _ports(holder):
            return Finding("port", "ok", f"{config.host} port {config.port} is the running server's own")
        return Finding("port", "bad", str(error), "end what has it (ss -ltnp shows it), or --port another")
    listener.close()
    return Finding("port", "ok", f"{config.host} port {config.port} is free")


def _holder(config: Config) -> int | None:
    """Find the process of the server that has the data directory; None where none runs."""
    lock = config.data_dir / layout.LOCK
    if not lock.exists():
        return None
    try:
        DirectoryLock(config.data_dir).release()
    except StoreError:
        with contextlib.suppress(OSError, ValueError):
            return int(lock.read_text(encoding="utf-8"))
    return None


def _ports(process: int) -> set[int]:
    """List the TCP ports on which a process of this machine listens; none where the system does not tell."""
    links, rows = [], []
    try:
        for link in Path(f"/proc/{process}/fd").iterdir():
            with contextlib.suppress(FileNotFoundError):  # it was closed meanwhile
                links.append(str(link.readlink()))
        for table in ("tcp", "tcp6"):
            text = Path(f"/proc/{process}/net/{table}").read_text(encoding="utf-8")
            rows += [line.split() for line in text.splitlines()[1:]]
    except OSError:
        return set()
    own = {link[len("socket:[") : -1] for link in links if link.startswith("socket:[")}
    return {int(row[1].rpartition(":")[2], 16) for row in rows if row[3] == LISTENING and row[9] in own}


def _names(config: Config) -> Iterator[Finding]:
    """Judge the name: a page may lead a browser to it under a name of its own (DNS rebinding)."""
    if not config.public_host and (config.trusted_proxies or not is_loopback(config.host)):
        yield Finding(
            "names",
            "note",
            "any name leads to it",
            "--public-host with the names that are yours keeps other people's pages from drawing on it",
        )


def _clock(config: Config) -> Finding:
    newest = newest_dream(config.data_dir / layout.DATABASE)
    ahead = 0.0 if newest is None else newest / 1000 - time.time()
    if ahead > CLOCK_SECONDS:
        hours = ahead / 3600
        return Finding(
            "clock", "bad", f"the newest dream is {hours:.1f} hours in the future", "set the clock: date, NTP"
        )
    tool = shutil.which("timedatectl")
    if tool is not None:
        said = subprocess.run(
            [tool, "show", "--property=NTPSynchronized"], capture_output=True, encoding="utf-8", check=False
        ).stdout.strip()
        if said == "NTPSynchronized=no":
            return Finding("clock", "note", "is not synchronised", "timedatectl set-ntp true")
    return Finding("clock", "ok", time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime()))


def _page() -> Finding:
    if PAGE.is_file():
        return Finding("page", "ok", "is built")
    return Finding("page", "bad", "is not built", "start with scripts/serve, which builds it")
