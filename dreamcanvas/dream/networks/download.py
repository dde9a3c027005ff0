"""Weights that are downloaded, as data."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Download:
    """A zip archive at `url` and the one file wanted of it, each with its SHA-256 in hexadecimal."""

    url: str
    sha256: str
    file: str
    file_sha256: str
