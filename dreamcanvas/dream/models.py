"""Find, download and check the networks' weights on this machine. No TensorFlow here.

Downloaded weights lie in `$DREAMCANVAS_MODEL_DIR`, by default the user's data directory, as one file for each
network. A file gets its name only when it is whole and has its SHA-256; a download that broke off stays
beside it as `.part` and is resumed.
"""

import contextlib
import errno
import hashlib
import http.client
import importlib.util
import os
import shutil
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import platformdirs

from dreamcanvas.dream.network import NETWORKS, NetworkInfo, network_info
from dreamcanvas.dream.networks.download import Download
from dreamcanvas.errors import DreamError

DIRECTORY_VARIABLE = "DREAMCANVAS_MODEL_DIR"
TIMEOUT = 30.0
"""Seconds without a byte after which a download is given up."""

MAX_BYTES = 2**30
"""No download, and nothing that is unpacked, is larger."""

_CHUNK = 2**18

Progress = Callable[[int, int | None], None]
"""Told the bytes that are here and the bytes of all, None where the server does not say."""


@dataclass(frozen=True, slots=True)
class ModelState:
    """A network and its weights' state: present, missing or damaged."""

    info: NetworkInfo
    state: str


def model_dir(environment: Mapping[str, str] = os.environ) -> Path:
    """Return the directory of downloaded weights."""
    given = environment.get(DIRECTORY_VARIABLE)
    return Path(given) if given else platformdirs.user_data_path("dreamcanvas") / "models"


def list_models(directory: Path) -> tuple[ModelState, ...]:
    """Return every network with the state of its weights."""
    return tuple(ModelState(info, _state(info, directory)) for info in NETWORKS.values())


def read_weights(info: NetworkInfo, directory: Path | None = None) -> bytes:
    """Read a network's downloaded file. Raises DreamError where it is missing or altered."""
    download = _download_of(info)
    path = (directory or model_dir()) / download.file
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        advice = f"`dreamcanvas models fetch {info.name}` downloads it"
        raise DreamError(f"{info.name} is not here ({path}); {advice}") from error
    except OSError as error:
        raise DreamError(f"{path} cannot be read: {error}") from error
    _check(path, hashlib.sha256(data).hexdigest(), download.file_sha256)
    return data


def fetch(name: str, directory: Path, *, progress: Progress, url: str | None = None) -> Path:
    """Download a network's weights and give their path; nothing is downloaded where they are present.

    `url` is a mirror's. Raises DreamError for a network that needs no download, a server that cannot be
    reached, another SHA-256, a directory that cannot be written.
    """
    info = network_info(name)
    download = _download_of(info)
    if _state(info, directory) == "present":
        return directory / download.file
    part = directory / f"{name}.zip.part"
    with _writing(directory):
        directory.mkdir(parents=True, exist_ok=True)
        _receive(url or download.url, part, progress)
        try:
            _check(part, _digest(part), download.sha256)
        except DreamError:
            part.unlink()
            raise
        path = _unpack(part, directory, download)
        part.unlink()
    return path


def copy(name: str, source: Path, directory: Path) -> Path:
    """Take a network's weights from a file, the zip archive or what is in it, and give their path.

    Raises DreamError for a network that needs no download, another SHA-256, files that cannot be read or
    written.
    """
    download = _download_of(network_info(name))
    with _writing(directory):
        directory.mkdir(parents=True, exist_ok=True)
        if zipfile.is_zipfile(source):
            return _unpack(source, directory, download)
        try:
            stream = source.open("rb")
        except OSError as error:
            raise DreamError(f"{source} cannot be read: {error.strerror}") from error
        with stream:
            return _install(stream, source, directory, download)


def _download_of(info: NetworkInfo) -> Download:
    if info.download is None:
        raise DreamError(f"{info.name} needs no download: it comes with the package {info.package}")
    return info.download


def _state(info: NetworkInfo, directory: Path) -> str:
    if info.download is None:
        return "present" if info.package and importlib.util.find_spec(info.package) else "missing"
    path = directory / info.download.file
    if not path.is_file():
        return "missing"
    return "present" if _digest(path) == info.download.file_sha256 else "damaged"


def _receive(url: str, part: Path, progress: Progress) -> None:
    """Download into `part`, from where it ends."""
    here = part.stat().st_size if part.exists() else 0
    headers = {"Range": f"bytes={here}-"} if here else {}
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 - the URL is ours or the operator's
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as response:  # noqa: S310
            _save(response, part, here, progress)
    except urllib.error.HTTPError as error:
        if error.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE and here:
            return  # It is whole, or no part of this file: its digest tells
        raise DreamError(f"{url} answers {error.code} {error.reason}") from error
    except urllib.error.URLError as error:
        raise DreamError(f"{url} cannot be reached: {error.reason}") from error
    except (TimeoutError, ConnectionError, http.client.HTTPException) as error:
        raise DreamError(
            f"the download of {url} broke off ({error!r}); the same command resumes it"
        ) from error


def _save(response: http.client.HTTPResponse, part: Path, here: int, progress: Progress) -> None:
    resumes = response.status == http.client.PARTIAL_CONTENT
    if resumes and not response.headers.get("Content-Range", "").startswith(f"bytes {here}-"):
        raise DreamError("the server resumes at another byte than it was asked to")
    here = here if resumes else 0
    length = response.headers.get("Content-Length")
    total = here + int(length) if length and length.isdigit() else None
    if (total or 0) > MAX_BYTES:
        raise DreamError(f"a download of {total} bytes; at most {MAX_BYTES} are expected")
    with part.open("ab" if resumes else "wb") as file:
        progress(here, total)
        while chunk := response.read(_CHUNK):
            file.write(chunk)
            here += len(chunk)
            if here > MAX_BYTES:
                raise DreamError(f"a download of more than {MAX_BYTES} bytes")
            progress(here, total)
    if total is not None and here < total:
        raise http.client.IncompleteRead(b"", total - here)


def _unpack(archive: Path, directory: Path, download: Download) -> Path:
    try:
        with zipfile.ZipFile(archive) as opened:
            if opened.getinfo(download.file).file_size > MAX_BYTES:
                raise DreamError(f"{archive} holds more than {MAX_BYTES} bytes")
            with opened.open(download.file) as stream:
                return _install(stream, archive, directory, download)
    except KeyError as error:
        raise DreamError(f"{archive} holds no {download.file}") from error
    except (zipfile.BadZipFile, NotImplementedError, EOFError) as error:
        raise DreamError(f"{archive} cannot be unpacked: {error}") from error


def _install(stream: IO[bytes], source: Path, directory: Path, download: Download) -> Path:
    """Copy a stream to its file in the directory: all of it, with its digest, or nothing."""
    path = directory / download.file
    part = directory / f"{download.file}.part"
    try:
        with part.open("wb") as file:
            shutil.copyfileobj(stream, file, _CHUNK)
            file.flush()
            os.fsync(file.fileno())
        _check(source, _digest(part), download.file_sha256)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return path


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _check(path: Path, found: str, expected: str) -> None:
    if found != expected:
        raise DreamError(f"{path} has SHA-256 {found}, not {expected}")


@contextlib.contextmanager
def _writing(directory: Path) -> Iterator[None]:
    """Turn an OSError into a DreamError that says why the directory cannot be written."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DreamError(
                f"the disk of {directory} is full; the same command goes on from here"
            ) from error
        raise DreamError(f"{directory} cannot be written: {error.strerror}") from error
