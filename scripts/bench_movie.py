"""Compares ways to encode movies, on frames of a recording: `scripts/bench_movie.py DATA_DIR`.

one encoder   as movies were made at first: one x264 for all of a movie, its seconds not carried over
no carry      an encoder for each second, as set now, which begins as its frames come
carry         as movies are made: what was on the screen is carried over into the next second

The frames are as they lie in the data directory, from --first on; they are read, no more. Printed are kB and
milliseconds of processor time for each frame (scaling, encoding, carrying, writing; not reading and
checking), by how many
levels of luma a pixel changes on average from one frame to the next, as the movie shows it, at key frames and
elsewhere (median), and in the frames themselves, and how like the frames the movie is: PSNR and SSIM of luma.
A movie whose key frames change far more than others pulses once a second.
"""

import argparse
import contextlib
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, Interpolation
from numpy.typing import NDArray
from PIL import Image
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from dreamcanvas.config import Config  # noqa: E402
from dreamcanvas.history.group_encoder import Quality, prepare  # noqa: E402
from dreamcanvas.history.movie import Writer, decode, from_image  # noqa: E402
from dreamcanvas.history.windows import FPS  # noqa: E402

Luma = NDArray[np.uint8]
WAYS: Final = ("one encoder", "no carry", "carry")
SIDES: Final = (1536, 768)


@dataclass(frozen=True)
class Made:
    """What became of frames: bytes, seconds of processor time, and the luma that a player shows."""

    size: int
    seconds: float
    shown: list[Luma]


class OneEncoder:
    """The writer of the first movies."""

    def __init__(self, path: Path, side: int, quality: Quality) -> None:
        self._container = av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"})
        options = {
            "profile": "high",
            "preset": quality.preset,
            "crf": f"{quality.crf:g}",
            "x264-params": f"keyint={FPS}:min-keyint={FPS}:scenecut=0:open-gop=0:stitchable=1:8x8dct=1"
            f":threads={quality.threads}:lookahead-threads=1",
        }
        self._stream = self._container.add_stream("libx264", rate=FPS, options=options)
        prepare(self._stream.codec_context, side, quality)
        self._side, self._frames = side, 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._container.mux(self._stream.encode(None))
        self._container.close()

    def add(self, frame: av.VideoFrame) -> None:
        fitted = scaled(frame, self._side)
        fitted.pts, fitted.time_base = self._frames, Fraction(1, FPS)
        self._container.mux(self._stream.encode(fitted))
        self._frames += 1


def scaled(frame: av.VideoFrame, side: int) -> av.VideoFrame:
    """A picture as movies have it."""
    return frame.reformat(
        side,
        side,
        "yuv420p",
        dst_colorspace=Colorspace.ITU709,
        dst_color_range=ColorRange.MPEG,
        interpolation=Interpolation.AREA,
    )


def pictures(paths: Sequence[Path]) -> Iterator[av.VideoFrame]:
    for path in paths:
        with Image.open(path) as image:
            yield from_image(image.convert("RGB"))


def luma(frame: av.VideoFrame) -> Luma:
    planes = np.asarray(frame.to_ndarray(), dtype=np.uint8)
    return planes[: frame.height].copy()


def make(way: str, paths: Sequence[Path], side: int, quality: Quality) -> Made:
    """Makes a movie in one of the ways, and looks at it."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "movie.mp4"
        writer = (
            OneEncoder(path, side, quality)
            if way == WAYS[0]
            else Writer(path, side, quality, {}, carry=way == WAYS[2])
        )
        seconds = 0.0
        with contextlib.ExitStack() as stack:
            stack.enter_context(writer)
            for frame in pictures(paths):
                started = time.process_time()
                writer.add(frame)
                seconds += time.process_time() - started
            started = time.process_time()
        seconds += time.process_time() - started
        return Made(path.stat().st_size, seconds, [luma(frame) for frame in decode(path)])


def changes(shown: Sequence[Luma]) -> tuple[float, float]:
    """By how many levels the first frames of seconds differ from those before them, and others: medians."""
    found = [
        float(np.abs(np.subtract(after, before, dtype=np.int16)).mean()) for before, after in pairwise(shown)
    ]
    keys = found[FPS - 1 :: FPS]
    others = [change for place, change in enumerate(found, start=1) if place % FPS]
    return float(np.median(keys)), float(np.median(others))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    defaults = Config()
    parser.add_argument("data_dir", type=Path)
    parser.add_argument("--first", type=int, default=0, help="which of the frames is the first, from 0")
    parser.add_argument("--frames", type=int, default=4 * FPS)
    parser.add_argument("--crf", type=float, default=defaults.movie_crf)
    parser.add_argument("--preset", default=defaults.movie_preset)
    options = parser.parse_args()
    found = sorted((options.data_dir / "frames").glob("*/*.jpg"))
    paths = found[options.first : options.first + options.frames]
    if len(paths) <= FPS:
        parser.error(f"{len(paths)} frames; more than {FPS} are needed for a second key frame")
    quality = Quality(options.crf, options.preset, 1)
    print(f"{len(paths)} frames from {paths[0].name}, x264 {quality.preset}, CRF {quality.crf:g}\n")
    print(f"{'':18}{'kB':>8}{'ms':>8}{'at keys':>10}{'elsewhere':>11}{'PSNR':>8}{'SSIM':>8}")
    for side in SIDES:
        source = [luma(scaled(frame, side)) for frame in pictures(paths)]
        at_keys, elsewhere = changes(source)
        print(f"{side:>4} {'the frames':13}{'':16}{at_keys:10.2f}{elsewhere:11.2f}")
        for way in WAYS:
            made = make(way, paths, side, quality)
            at_keys, elsewhere = changes(made.shown)
            pairs = list(zip(source, made.shown, strict=True))
            psnr = np.mean([peak_signal_noise_ratio(*pair) for pair in pairs])  # type: ignore[no-untyped-call]
            ssim = np.mean([structural_similarity(*pair) for pair in pairs[::7]])  # type: ignore[no-untyped-call]
            kilobytes, ms = made.size / len(paths) / 1000, 1000 * made.seconds / len(paths)
            print(
                f"{side:>4} {way:13}{kilobytes:8.1f}{ms:8.1f}{at_keys:10.2f}{elsewhere:11.2f}"
                f"{psnr:8.2f}{ssim:8.3f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
