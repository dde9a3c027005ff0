"""Pictures to movies and back, with PyAV: H.264 High, yuv420p, BT.709, 30 frames/s, in MP4.

Key frames come each second (`group_encoder`), so that a player finds any frame after decoding 29 others at
most, and movies can be joined as they are. Everything here runs in the encoder's process (`worker`), not in
the server. What fails raises OSError, or PyAV's FFmpegError where a file is damaged.
"""

import contextlib
import itertools
import logging
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter
from numpy.typing import NDArray
from PIL import Image

from dreamcanvas.history.group_encoder import REORDERED, GroupEncoder, Packets, Quality, options, prepare
from dreamcanvas.history.windows import FPS, thumbnails
from dreamcanvas.store import dreams

log = logging.getLogger(__name__)

THUMBNAIL_SIDE: Final = 160
SHEET_COLUMNS: Final = 10
POSTER_SIDE: Final = 768


class Writer:
    """A movie file that is being written, `side` × `side` pixels, a multiple of 64.

    `carry` as in `group_encoder`. A context: on leaving, the movie is complete.
    """

    def __init__(
        self, path: Path, side: int, quality: Quality, metadata: dict[str, str], *, carry: bool = True
    ) -> None:
        self._container = av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"})
        self._container.metadata.update(metadata)
        self._stream = self._container.add_stream("libx264", rate=FPS, options=options(quality))
        # For the file's header, which it has in common with the encoders of all groups; it encodes nothing
        prepare(self._stream.codec_context, side, quality)
        self._container.start_encoding()
        self._encoder = GroupEncoder(side, quality, carry=carry)
        self._reformatter = VideoReformatter()
        self._side = side
        self._written = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._mux(self._encoder.end())
        finally:
            self._container.close()

    def add(self, frame: av.VideoFrame) -> None:
        """Add a picture, RGB or another movie's, scaled to the movie's size."""
        fitted = self._reformatter.reformat(
            frame,
            self._side,
            self._side,
            "yuv420p",
            dst_colorspace=Colorspace.ITU709,
            dst_color_range=ColorRange.MPEG,
            interpolation=Interpolation.AREA,
        )
        self._mux(self._encoder.encode(fitted))

    def _mux(self, packets: Packets) -> None:
        for packet in packets:
            packet.stream = self._stream
            # x264 says the same, but for groups of one or two frames, whose end could then not be joined to
            packet.dts = self._written - REORDERED
            self._written += 1
            self._container.mux(packet)


class Stills:
    """Gathers a poster and a sprite sheet from frames that pass by."""

    def __init__(self, total: int) -> None:
        self._places: dict[int, list[int]] = {}
        for place, index in enumerate(thumbnails(total)):
            self._places.setdefault(index, []).append(place)
        side = SHEET_COLUMNS * THUMBNAIL_SIDE
        self._sheet = Image.new("RGB", (side, side))
        self._best = -1.0
        self._poster: Image.Image | None = None
        self._index = 0
        self._quarter = total // 4

    def wants_next(self) -> bool:
        """Say whether the next frame is on the sheet."""
        return self._index in self._places

    def skip(self) -> None:
        """Pass over a frame."""
        self._index += 1

    def add(self, image: Image.Image) -> None:
        """Take a frame."""
        thumbnail = image.resize((THUMBNAIL_SIDE, THUMBNAIL_SIDE), Image.Resampling.BOX)
        for place in self._places.get(self._index, ()):
            row, column = divmod(place, SHEET_COLUMNS)
            self._sheet.paste(thumbnail, (column * THUMBNAIL_SIDE, row * THUMBNAIL_SIDE))
        # What is telling is to be seen in the middle, when something has been drawn, rather than at the start
        score = colourfulness(thumbnail) * (1.0 if self._index >= self._quarter else 0.5)
        if score > self._best:
            self._best, self._poster = score, image.resize((POSTER_SIDE, POSTER_SIDE), Image.Resampling.BOX)
        self._index += 1

    def save(self, poster: Path, sprite: Path) -> None:
        """Write both as JPEG. Raises OSError."""
        assert self._poster is not None, "there was a frame"
        self._poster.save(poster, "JPEG", quality=78, subsampling=2, progressive=True)
        self._sheet.save(sprite, "JPEG", quality=70, subsampling=2, progressive=True)


def colourfulness(picture: Image.Image | NDArray[np.uint8]) -> float:
    """Return how colourful an RGB picture is, 0 to about 150: Hasler and Süsstrunk, "Measuring colourfulness
    in natural images" (2003).
    """
    red, green, blue = np.moveaxis(np.asarray(picture, dtype=np.float64), -1, 0)
    one, other = red - green, (red + green) / 2 - blue
    return float(np.hypot(one.std(), other.std()) + 0.3 * np.hypot(one.mean(), other.mean()))


def decode(path: Path, *, threads: int = 1) -> Iterator[av.VideoFrame]:
    """Return the frames of a movie, in order. Raises FFmpegError where it is damaged."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_count = threads
        stream.codec_context.options = {"err_detect": "explode"}
        yield from container.decode(stream)


def count(path: Path, *, threads: int = 1) -> int:
    """Return how many frames a movie decodes to. Raises FFmpegError where it is damaged."""
    return sum(1 for _ in decode(path, threads=threads))


def picture(path: Path, index: int) -> Image.Image:
    """Return one frame of a movie, from 0, RGB.

    Raises FFmpegError where the movie is damaged, OSError where it has no such frame.
    """
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1
        assert stream.time_base is not None
        ticks = round(Fraction(index, FPS) / stream.time_base)
        container.seek(ticks, stream=stream)
        for frame in container.decode(stream):
            if frame.pts is not None and frame.pts >= ticks:
                return to_image(frame)
    raise OSError(f"{path.name} has no frame {index}")


def still_frames(frames: Iterable[Sequence[Any]], unusable: list[int]) -> Iterator[av.VideoFrame]:
    """Return the frame files `[dream, path, bytes]` as frames. Those that are torn or missing are left out,
    logged, and added to `unusable`.
    """
    for dream, path, length in frames:
        try:
            data = Path(path).read_bytes()
            if len(data) != length:
                raise OSError(f"{len(data)} bytes in place of {length}")
            image = dreams.decode(data)
        except OSError as error:
            log.error("frame file unusable: dream %s: %s: %s", dream, path, error)
            unusable.append(dream)
        else:
            yield from_image(image)


def picked_frames(picks: Iterable[tuple[str, Sequence[int]]]) -> Iterator[av.VideoFrame]:
    """Yield frames of movies, `(path, (index, …))`, in order. Raises OSError where one has no such frame."""
    for path, indexes in picks:
        wanted = set(indexes)
        for index, frame in enumerate(decode(Path(path))):
            if index in wanted:
                wanted.remove(index)
                yield frame
            if not wanted:
                break
        if wanted:
            raise OSError(f"{path} has no frame {min(wanted)}")


def encode(
    frames: Iterable[av.VideoFrame],
    total: int,
    directory: Path,
    *,
    sides: Sequence[int],
    quality: Quality,
    metadata: dict[str, str],
) -> int:
    """Write `SIDE.mp4` in each size, `poster.jpg` and `sprite.jpg` of about `total` frames into a directory.

    Return how many frames there were, once every movie decodes to as many. Without frames nothing is
    written. Raises OSError where a movie does not.
    """
    frames = iter(frames)
    first = next(frames, None)
    if first is None:
        return 0
    stills = Stills(total)
    paths = [directory / f"{side}.mp4" for side in sides]
    added = 0
    with contextlib.ExitStack() as stack:
        writers = [
            stack.enter_context(Writer(path, side, quality, metadata))
            for path, side in zip(paths, sides, strict=True)
        ]
        for frame in itertools.chain((first,), frames):
            for writer in writers:
                writer.add(frame)
            if stills.wants_next():
                stills.add(to_image(frame))
            else:
                stills.skip()
            added += 1
    stills.save(directory / "poster.jpg", directory / "sprite.jpg")
    for path in paths:
        found = count(path, threads=quality.threads)
        if found != added:
            raise OSError(f"{path.name} decodes to {found} frames, not {added}")
    return added


def join(paths: Sequence[Path], target: Path, metadata: dict[str, str]) -> int:
    """Join movies of one size into one, as they are, and return how many frames it has."""
    frames = 0
    with av.open(str(target), "w", format="mp4", options={"movflags": "+faststart"}) as output:
        output.metadata.update(metadata)
        joined: av.VideoStream | None = None
        for path in paths:
            with av.open(str(path)) as container:
                source = container.streams.video[0]
                assert source.time_base is not None
                if joined is None:
                    joined = output.add_stream_from_template(source)
                tick = Fraction(1, FPS) / source.time_base
                shift = round(frames * tick)
                for packet in container.demux(source):
                    if packet.dts is None or packet.pts is None:
                        continue  # the end
                    packet.pts += shift
                    packet.dts = round((frames - REORDERED) * tick)
                    packet.stream = joined
                    output.mux(packet)
                    frames += 1
    return frames


def from_image(image: Image.Image) -> av.VideoFrame:
    """Return a picture, RGB, as a frame."""
    return av.VideoFrame.from_ndarray(np.asarray(image), format="rgb24")


def to_image(frame: av.VideoFrame) -> Image.Image:
    """Return a frame as a picture, RGB."""
    if frame.format.name != "rgb24":
        frame = frame.reformat(
            format="rgb24",
            src_colorspace=Colorspace.ITU709,
            src_color_range=ColorRange.MPEG,
            dst_color_range=ColorRange.JPEG,
        )
    return Image.fromarray(frame.to_ndarray())
