"""The page's files. Those that packing makes smaller are packed once, however many ask for them."""

import gzip
import os
from pathlib import Path
from typing import Final

from starlette.datastructures import Headers
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

LEAST_BYTES: Final = 1024
MOST_BYTES: Final = 8 * 2**20
PACKED_TYPES: Final = ("text/", "application/javascript", "application/json", "image/svg+xml")
KEPT_FILES: Final = 256


class PackedFiles(StaticFiles):
    """Files of a folder, packed with gzip for who takes that."""

    def __init__(self, *, directory: Path) -> None:
        super().__init__(directory=directory)
        self._packed: dict[tuple[str, int, int], bytes] = {}

    def file_response(
        self,
        full_path: "str | os.PathLike[str]",
        stat_result: os.stat_result,
        scope: Scope,
        status_code: int = 200,
    ) -> Response:
        """Answer with a file: packed where the caller takes that, else as Starlette does."""
        response = super().file_response(full_path, stat_result, scope, status_code)
        if not isinstance(response, FileResponse) or not self._packs(response, stat_result.st_size):
            return response
        response.headers.add_vary_header("Accept-Encoding")
        asked = Headers(scope=scope)
        if "gzip" not in asked.get("accept-encoding", "") or "range" in asked:
            return response
        key = (str(full_path), stat_result.st_mtime_ns, stat_result.st_size)
        data = self._packed.get(key)
        if data is None:
            data = gzip.compress(Path(full_path).read_bytes(), mtime=0)
            if len(self._packed) < KEPT_FILES:
                self._packed[key] = data
        kept = {
            name: value
            for name, value in response.headers.items()
            if name not in ("content-length", "content-type", "accept-ranges")
        }
        headers = {**kept, "Content-Encoding": "gzip"}
        return Response(data, status_code, headers, media_type=response.media_type)

    @staticmethod
    def _packs(response: FileResponse, size: int) -> bool:
        return LEAST_BYTES <= size <= MOST_BYTES and str(response.media_type).startswith(PACKED_TYPES)
