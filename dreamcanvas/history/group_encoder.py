"""Groups of pictures, H.264 by x264: the seconds of a movie, each a key frame and 29 that build on it.

A dream's texture changes a little everywhere, all the time. An encoder holds it nearly still at a tenth of
the bytes; then a key frame shows it anew, and the whole picture jumps, once a second. So each group has an
encoder of its own, and begins with what was on the screen: where a frame differs by little from the last one,
as a player decodes that, the difference is taken off, and comes back in half a second. Where it differs by
more, since somebody has drawn, it is as it came. `scripts/bench_movie.py` shows what that does.

`stitchable` has x264 write headers that do not depend on the quality, so that groups, and movies, can be
joined.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final, TypeAlias

import av
import numpy as np
from av.codec.context import Flags
from av.video.codeccontext import VideoCodecContext
from numpy.typing import NDArray

from dreamcanvas.history.windows import FPS

CARRIED: Final = 16  # levels: a difference up to this is carried whole, one of twice as much not at all
BLOCK: Final = 32  # pixels: a difference that a square of this side has in common is not carried
KEPT: Final = 0.8  # the share of the carried difference that the next frame keeps
REORDERED: Final = 2  # frames by which x264 decodes at most before it shows, in any preset
_ONE: Final = 256
_FADE: Final = tuple(round(_ONE * KEPT**place) for place in range(FPS))
_BT709: Final = 1  # of ISO/IEC 23091-2, for primaries, transfer and matrix
_LIMITED_RANGE: Final = 1

Planes = NDArray[np.uint8]
Levels = NDArray[np.int16]
Packets: TypeAlias = "list[av.Packet[Any]]"


@dataclass(frozen=True, slots=True)
class Quality:
    """x264's constant rate factor (0 best to 51), its preset, and how many threads it may use."""

    crf: float
    preset: str
    threads: int


def options(quality: Quality) -> dict[str, str]:
    """Return how x264 is set.

    `mbtree` gives a frame the more bits the longer others build on it, as far as it looks ahead. Towards the
    end of a group that is not far, and the picture decays just before the next key frame. `ipratio` makes key
    frames finer than by itself (1.4), so that they are the more like what was on the screen.
    """
    return {
        "profile": "high",
        "preset": quality.preset,
        "crf": f"{quality.crf:g}",
        "x264-params": f"keyint={FPS}:min-keyint={FPS}:scenecut=0:open-gop=0:stitchable=1:8x8dct=1"
        f":mbtree=0:ipratio=1.7:threads={quality.threads}:lookahead-threads=1",
    }


def prepare(context: VideoCodecContext, side: int, quality: Quality) -> None:
    """Set what is no option: `side` × `side` pixels, yuv420p, BT.709 in limited range."""
    context.width = context.height = side
    context.pix_fmt = "yuv420p"
    context.time_base, context.framerate = Fraction(1, FPS), Fraction(FPS)
    context.thread_count = quality.threads
    context.color_primaries = context.color_trc = context.colorspace = _BT709
    context.color_range = _LIMITED_RANGE


def difference(shown: Planes, planes: Planes) -> Levels:
    """Return what is carried: what has to be added to `planes` to look like `shown`, but where that is much.

    Of that only the texture: a change of colour that parts of the picture have in common comes at once.
    """
    found = np.subtract(shown, planes, dtype=np.int16)
    size = np.abs(found)
    np.minimum(size, np.maximum(2 * CARRIED - size, 0), out=size)
    found = np.where(found < 0, -size, size)
    blocks = found.reshape(found.shape[0] // BLOCK, BLOCK, found.shape[1] // BLOCK, BLOCK)
    blocks -= np.rint(blocks.mean(axis=(1, 3), keepdims=True)).astype(np.int16)
    return found


def add(planes: Planes, carried: Levels, place: int) -> Planes:
    """Return the frame at a place in its group, from 0, with what is still carried there added."""
    levels = np.multiply(carried, _FADE[place])
    levels += _ONE // 2
    levels >>= _ONE.bit_length() - 1
    levels += planes
    return np.clip(levels, 0, 255, out=levels).astype(np.uint8)


class GroupEncoder:
    """Encodes frames of `side` × `side` pixels, a multiple of 64, in yuv420p.

    Without `carry` each group begins as it comes.
    """

    def __init__(self, side: int, quality: Quality, *, carry: bool = True) -> None:
        self._side, self._quality, self._carry = side, quality, carry
        self._encoder: VideoCodecContext | None = None
        self._shown: av.VideoFrame | None = None
        self._carried: Levels | None = None
        self.frames = 0

    def encode(self, frame: av.VideoFrame) -> Packets:
        """Take a frame, and return the packets that are ready, their times in frames since the first."""
        place = self.frames % FPS
        if self._encoder is None:
            self._encoder = self._begin()
        if place == 0 and self._shown is not None:
            self._carried = difference(_planes(self._shown), _planes(frame))
        if self._carried is not None:
            faded = add(_planes(frame), self._carried, place)
            frame = av.VideoFrame.from_ndarray(faded, format="yuv420p")
        frame.pts, frame.time_base = self.frames, Fraction(1, FPS)
        frame.pict_type = 0
        self.frames += 1
        packets = self._taken(self._encoder.encode(frame))
        return packets + self.end() if place == FPS - 1 else packets

    def end(self) -> Packets:
        """End the group that there is, and return the packets that are left of it."""
        if self._encoder is None:
            return []
        packets = self._taken(self._encoder.encode(None))
        self._encoder = None
        if self._carry:
            self._show(self._decoder.decode(None))
            assert self._shown is not None, "a group has a frame"
            assert self._shown.pts == self.frames - 1, "x264 ends a group with a frame to refer to"
        return packets

    def _begin(self) -> VideoCodecContext:
        encoder = av.CodecContext.create("libx264", "w")
        encoder.options = options(self._quality)
        encoder.flags |= Flags.global_header
        prepare(encoder, self._side, self._quality)
        encoder.open()
        self._decoder = av.CodecContext.create("h264", "r")
        self._decoder.extradata = encoder.extradata
        self._decoder.thread_count = 1
        self._decoder.skip_frame = "NONREF"  # the last frame is none of those, and needs none
        return encoder

    def _taken(self, packets: Packets) -> Packets:
        if self._carry:
            for packet in packets:
                self._show(self._decoder.decode(packet))
        return packets

    def _show(self, frames: list[av.VideoFrame]) -> None:
        if frames:
            self._shown = frames[-1]


def _planes(frame: av.VideoFrame) -> Planes:
    return np.asarray(frame.to_ndarray(), dtype=np.uint8)
