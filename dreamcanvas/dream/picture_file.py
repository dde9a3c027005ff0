"""Picture files in and out: of every mode, colour space and metadata that Pillow reads, to sRGB of 8 bits.

What a file says beside its pixels may be broken, or large, and the picture sound: then it is left out.
"""

import io
import logging
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageCms

from dreamcanvas.dream import png_colours
from dreamcanvas.dream.engine import MAX_SIDE, Mask, Pixels
from dreamcanvas.dream.jpeg import QUALITY, SUBSAMPLING
from dreamcanvas.dream.png_colours import Space
from dreamcanvas.errors import DreamError

log = logging.getLogger(__name__)

_SAMPLE: Final = (64, 64)
_UPRIGHT: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# Modes that hold colours times alpha, and those that hold them as they are
_PLAIN: Final = {"RGBa": "RGBA", "La": "LA"}
# The colour space of a profile, as the ICC writes it, and the mode that pixels of it are in
_SPACES: Final = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK", "Lab": "LAB"}


def read_picture(path: Path) -> Pixels:
    """Read a picture as sRGB, upright, what is transparent on white. Raises DreamError."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of metadata that are left out
            return _read(path)
    except DreamError:
        raise
    except OSError as error:
        raise DreamError(f"{path} cannot be read: {error}") from error
    except Exception as error:  # decoders of foreign files raise whatever they meet
        raise DreamError(f"{path} cannot be read: {str(error) or type(error).__name__}") from error


def read_mask(path: Path, size: tuple[int, int]) -> Mask:
    """Read a picture's luminance as a mask, scaled to (width, height). Raises DreamError."""
    grey = Image.fromarray(read_picture(path)).convert("L")
    return np.asarray(grey.resize(size, Image.Resampling.BILINEAR))


def check_output(path: Path) -> None:
    """Raise DreamError where a picture could not be written there: before it takes minutes to make one."""
    _encode(path, Image.new("RGB", _SAMPLE))
    try:
        there = path.exists()
        if path.is_dir():
            raise DreamError(f"{path} cannot be written: it is a directory")
        with path.open("ab"):  # what is there stays as it is
            pass
        if not there:
            path.unlink()
    except (OSError, ValueError) as error:
        raise DreamError(f"{path} cannot be written: {error}") from error


def write_picture(path: Path, pixels: Pixels) -> None:
    """Write a picture in the format of the path's suffix. Raises DreamError; then nothing was written."""
    data = _encode(path, Image.fromarray(pixels))
    try:
        path.write_bytes(data)
    except OSError as error:
        raise DreamError(f"{path} cannot be written: {error}") from error


def _encode(path: Path, image: Image.Image) -> bytes:
    format_ = Image.registered_extensions().get(path.suffix.lower())
    if format_ is None:
        raise DreamError(f"{path} cannot be written: {path.suffix!r} is no format of pictures, such as .png")
    buffer = io.BytesIO()
    try:
        image.save(buffer, format_, quality=QUALITY, subsampling=SUBSAMPLING)
    except Exception as error:  # some formats are read only, or take no colours; each says so in its own way
        reason = f"{format_} cannot be written" if isinstance(error, KeyError) else error
        raise DreamError(f"{path} cannot be written: {reason}") from error
    return buffer.getvalue()


def _read(path: Path) -> Pixels:
    if path.exists() and not path.is_file():
        raise DreamError(f"{path} cannot be read: it is no file")
    source: Path | io.BytesIO = path
    profile, space = None, None
    with path.open("rb") as file:
        start = file.read(len(png_colours.SIGNATURE))
        if start == png_colours.SIGNATURE:
            data, profile, space = png_colours.slim(start + file.read())
            source = io.BytesIO(data)
    with Image.open(source) as image:
        if max(image.size) > MAX_SIDE:
            raise DreamError(f"{path} is {image.width} × {image.height} px; a side must be 1–{MAX_SIDE}")
        image.load()
        orientation = _orientation(image)  # not before: a TIFF is turned as it is loaded
        plain = image.convert(_PLAIN[image.mode]) if image.mode in _PLAIN else image
        rgba = _standard(plain, profile or _profile(image), space, image.format or "")
    if orientation in _UPRIGHT:
        rgba = rgba.transpose(_UPRIGHT[orientation])
    white = Image.new("RGBA", rgba.size, "white")
    return np.asarray(Image.alpha_composite(white, rgba).convert("RGB"))


def _orientation(image: Image.Image) -> int:
    """How the camera was held, 1 to 8; 1 where that cannot be read."""
    try:
        return int(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # noqa: BLE001 - metadata may be anything, and the picture is sound
        return 1


def _profile(image: Image.Image) -> bytes | None:
    found = image.info.get("icc_profile")
    return found if isinstance(found, bytes) and found else None


def _standard(image: Image.Image, profile: bytes | None, space: Space | None, format_: str) -> Image.Image:
    """The pixels of a picture, from a file of that format, as sRGB with alpha."""
    alpha = _alpha(image)
    plain = _eight_bits(image, format_)
    if plain.mode in ("P", "PA", "1"):
        plain = plain.convert("L" if plain.mode == "1" else "RGB")
    if plain.mode in ("LA", "RGBA", "RGBX", "YCbCr", "HSV"):
        plain = plain.convert("L" if plain.mode == "LA" else "RGB")
    colours = _by_profile(plain, profile) if space is None else png_colours.standard(plain, space)
    colours = colours.convert("RGB")
    if alpha is not None:
        colours.putalpha(alpha)
    return colours.convert("RGBA")


def _alpha(image: Image.Image) -> Image.Image | None:
    """How opaque each pixel is; None where all are."""
    clear = image.info.get("transparency")
    if image.mode.startswith("I") and isinstance(clear, int):
        return Image.fromarray(np.where(np.asarray(image) == clear, 0, 255).astype(np.uint8))
    if not image.has_transparency_data:
        return None
    return image.convert("RGBA").getchannel("A")


def _eight_bits(image: Image.Image, format_: str) -> Image.Image:
    """Scale levels of more bits down, which Pillow would clip."""
    if image.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if image.mode not in ("I", "F"):
        return image
    levels: NDArray[np.float64] = np.nan_to_num(np.asarray(image, np.float64), posinf=0, neginf=0)
    scaled = np.clip(levels / _white(image.mode, format_, levels), 0, 1)
    return Image.fromarray(np.rint(255 * scaled).astype(np.uint8))


def _white(mode: str, format_: str, levels: NDArray[np.float64]) -> float:
    """What stands for white: formats of 16 bits say it, else the next usual bound above what there is."""
    if mode == "I" and format_ in ("PPM", "PNG"):
        return 65535.0
    peak = float(levels.max(initial=0.0))
    bounds = (1.0, 255.0, 65535.0) if mode == "F" else (255.0, 65535.0)
    return next((bound for bound in bounds if peak <= bound), peak)


def _by_profile(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Colours by their profile as sRGB; as they are where there is none, or it is not of these colours."""
    if image.mode == "LAB":
        return _converted(image, lambda: ImageCms.createProfile("LAB"))
    if profile is not None:
        try:
            found = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            if _SPACES.get(found.profile.xcolor_space.strip()) == image.mode:
                return _converted(image, lambda: found)
        except Exception:  # noqa: BLE001 - metadata may be anything, and the picture is sound
            log.info("the colour profile cannot be used")
    return image.convert("RGB")


def _converted(image: Image.Image, source: Callable[[], object]) -> Image.Image:
    done = ImageCms.profileToProfile(image, source(), ImageCms.createProfile("sRGB"), outputMode="RGB")  # type: ignore[arg-type]
    assert done is not None  # it is not done in place
    return done
