"""The names of the files and directories in a data directory."""

from typing import Final

DATABASE: Final = "dreamcanvas.db"
LOCK: Final = "lock"
ADMIN_TOKEN: Final = "admin-token"  # noqa: S105 - a file's name

FRAMES: Final = "frames"
ARCHIVE: Final = "archive"
MOVIES: Final = "movies"
PARTIAL_MOVIES: Final = "movies/partial"  # those that are being made
CHECKPOINTS: Final = "checkpoints"

MANIFEST: Final = "backup.json"
"""Of a backup alone, which otherwise has the same names."""
