"""The names of the files and directories in a data directory."""

from typing import Final

DATABASE: Final = "dreamcanvas.db"
LOCK: Final = "lock"
ADMIN_TOKEN: Final = "admin-token"  # noqa: S105 - a file's name

FRAMES: Final = "frames"
ARCHIVE: Final = "archive"
MOVIES: Final = "movies"
PARTIAL_MOVIES: Final = "movies/partial"  # movies in the making
CHECKPOINTS: Final = "checkpoints"

MANIFEST: Final = "backup.json"
"""Only a backup has this file; its other names are those of a data directory."""
