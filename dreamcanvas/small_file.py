"""Files that people write: settings, tokens, a text. They are small, and are files."""

import errno
import os
import stat
from pathlib import Path
from typing import Final

LARGEST: Final = 2**20


def read_small(path: Path, *, pipe: bool = False) -> str:
    """Read a text in UTF-8, with a byte order mark or without.

    Raises OSError, also where it is no file (a device would never end, a pipe without a writer never begin;
    `pipe` allows one) or has more than a megabyte, and UnicodeDecodeError.
    """
    mode = path.stat().st_mode
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not (stat.S_ISREG(mode) or (pipe and stat.S_ISFIFO(mode))):
        raise OSError(errno.EINVAL, "it is no file")
    with path.open("rb") as file:
        data = file.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
    return data.decode("utf-8-sig")
