"""Picture files of every mode, with metadata of every kind, sound and broken: a corpus made here."""

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageCms, PngImagePlugin

from dreamcanvas.dream.engine import Pixels
from dreamcanvas.dream.file import FileDreamOptions, dream_file
from dreamcanvas.dream.picture_file import check_output, read_mask, read_picture, write_picture
from dreamcanvas.errors import DreamError

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning")  # of the writing

SIZE = (48, 32)
COLOUR = (200, 60, 120)
MODES = ("1", "L", "P", "RGB", "RGBA", "CMYK", "YCbCr", "LAB", "HSV", "I", "F", "LA", "PA", "RGBX")
LOSSY = ("LAB", "HSV", "P", "PA", "CMYK")
MULTIPLIED = {"RGBa": "RGBA", "La": "LA"}
DEEP = ("I;16", "I;16L", "I;16B", "I;16N")


def ramp(mode: str) -> Image.Image:
    """From black to white, from left to right, in a mode."""
    grey = np.tile(np.linspace(0, 255, SIZE[0]).round().astype(np.uint8), (SIZE[1], 1))
    image = Image.fromarray(grey)
    if mode in DEEP:
        return Image.frombytes(mode, SIZE, deep(grey, ">u2" if mode == "I;16B" else "<u2"))
    if mode in MULTIPLIED:
        return image.convert(MULTIPLIED[mode]).convert(mode)
    if mode == "LAB":
        space = ImageCms.createProfile("LAB")
        done = ImageCms.profileToProfile(
            image.convert("RGB"), ImageCms.createProfile("sRGB"), space, outputMode="LAB"
        )
        assert done is not None
        return done
    if mode == "I":
        return Image.fromarray(grey.astype(np.int32) * 257)
    between = {"PA": ("RGBA", "P"), "HSV": ("RGB",)}
    for step in (*between.get(mode, ()), mode):
        image = image.convert(step)
    return image


def deep(grey: NDArray[np.uint8], kind: str) -> bytes:
    return (grey.astype(np.uint16) * 257).astype(kind).tobytes()


def saved(image: Image.Image, format_: str) -> bytes | None:
    """The file; None where the format does not take the mode."""
    buffer = io.BytesIO()
    try:
        image.save(buffer, format_, lossless=True)
    except (OSError, KeyError, ValueError, TypeError, RuntimeError):
        return None
    return buffer.getvalue()


FORMATS = ("PNG", "TIFF", "JPEG", "WEBP", "GIF", "BMP", "PPM", "TGA", "PCX", "SGI", "JPEG2000", "QOI")


@pytest.mark.parametrize("mode", (*MODES, *MULTIPLIED, *DEEP))
def test_a_picture_of_every_mode_in_every_format_that_takes_it(tmp_path: Path, mode: str) -> None:
    taken = 0
    for format_ in FORMATS:
        data = saved(ramp(mode), format_)
        if data is None or (
            format_ in ("WEBP", "GIF") and mode in ("I", "F", *DEEP)
        ):  # which it clips as it writes
            continue
        try:
            with Image.open(io.BytesIO(data)) as probe:
                probe.load()
        except (OSError, SyntaxError, ValueError):
            continue  # Pillow writes what it does not read
        path = tmp_path / f"{format_}.bin"
        path.write_bytes(data)
        pixels = read_picture(path)
        taken += 1
        assert pixels.shape == (SIZE[1], SIZE[0], 3), format_
        middle = pixels[SIZE[1] // 2].mean(axis=1)
        if mode == "1":
            assert format_ == "JPEG" or set(np.unique(pixels)) == {0, 255}, format_
            continue
        lossy = 25 if format_ == "JPEG" else 13 if format_ == "GIF" or mode in LOSSY else 2
        assert abs(middle[0] - 0) <= lossy, format_
        assert abs(middle[-1] - 255) <= lossy, format_
        assert abs(middle[SIZE[0] // 2] - 130) <= lossy + 1, format_
    assert taken or mode in (*MULTIPLIED, "HSV", "PA", "I;16L", "I;16N")


@pytest.mark.parametrize(
    ("header", "data", "levels"),
    [
        (b"P5 3 1 65535\n", np.array([0, 0x8000, 0xFFFF], ">u2"), [0, 128, 255]),
        (b"P5 3 1 1023\n", np.array([0, 512, 1023], ">u2"), [0, 128, 255]),
        (b"P5 3 1 65535\n", np.array([0, 100, 200], ">u2"), [0, 0, 1]),
        (b"P5 3 1 255\n", np.array([0, 128, 255], "u1"), [0, 128, 255]),
        (b"P5 3 1 15\n", np.array([0, 8, 15], "u1"), [0, 136, 255]),
        (b"Pf\n3 1\n-1.0\n", np.array([0, 0.5, 1], "<f4"), [0, 128, 255]),
        (b"Pf\n3 1\n-1.0\n", np.array([0, np.nan, 1], "<f4"), [0, 0, 255]),
        (b"Pf\n3 1\n-1.0\n", np.array([-5, 128, 255], "<f4"), [0, 128, 255]),
    ],
)
def test_levels_of_portable_greymaps(
    tmp_path: Path, header: bytes, data: NDArray[np.generic], levels: list[int]
) -> None:
    (tmp_path / "grey.pgm").write_bytes(header + data.tobytes())
    assert np.abs(read_picture(tmp_path / "grey.pgm")[0, :, 0].astype(int) - levels).max() <= 1


@pytest.mark.parametrize(
    ("array", "levels"),
    [
        (np.array([[0, 32768, 65535]], np.int32), [0, 128, 255]),
        (np.array([[0, 128, 255]], np.int32), [0, 128, 255]),
        (np.array([[-7, 500_000, 1_000_000]], np.int32), [0, 128, 255]),
        (np.array([[0.0, 0.5, 1.0]], np.float32), [0, 128, 255]),
        (np.array([[0.0, 32768.0, 65535.0]], np.float32), [0, 128, 255]),
        (np.array([[np.inf, 0.5, 1.0]], np.float32), [0, 128, 255]),
    ],
)
def test_levels_of_tiffs(tmp_path: Path, array: NDArray[np.generic], levels: list[int]) -> None:
    Image.fromarray(array).save(tmp_path / "grey.tif")
    assert np.abs(read_picture(tmp_path / "grey.tif")[0, :, 0].astype(int) - levels).max() <= 1


# What is beside the pixels


def chunk(kind: bytes, data: bytes, *, sound: bool = True) -> bytes:
    checksum = zlib.crc32(kind + data) ^ (0 if sound else 1)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)


def png(*chunks: bytes, image: Image.Image | None = None, after: bool = False) -> bytes:
    """A PNG with chunks before its pixels, or after them."""
    buffer = io.BytesIO()
    (image or Image.new("RGB", SIZE, COLOUR)).save(buffer, "PNG")
    data = buffer.getvalue()
    at = data.index(b"IEND") - 4 if after else data.index(b"IDAT") - 4
    return data[:at] + b"".join(chunks) + data[at:]


def icc(name: str) -> bytes:
    """A colour profile: sRGB, or with the primaries of Display P3 (D50), or one that is enlarged."""
    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    count = struct.unpack_from(">I", data, 128)[0]
    places = {
        bytes(data[at : at + 4]): struct.unpack_from(">II", data, at + 4)
        for at in range(132, 132 + 12 * count, 12)
    }
    primaries = {
        b"rXYZ": (0.51512, 0.24120, -0.00105),
        b"gXYZ": (0.29198, 0.69225, 0.04189),
        b"bXYZ": (0.15710, 0.06657, 0.78407),
    }
    if name != "sRGB":
        for tag, values in primaries.items():
            struct.pack_into(">3i", data, places[tag][0] + 8, *(round(65536 * value) for value in values))
    if name == "large P3":
        data += bytes(range(256)) * 12_000  # three megabytes, as of a printer's tables
        struct.pack_into(">I", data, 0, len(data))
    return bytes(data)


def iccp(profile: bytes) -> bytes:
    return chunk(b"iCCP", b"profile\0\0" + zlib.compress(profile))


LARGE_TEXT = zlib.compress(b"x" * 5_000_000)
BROKEN_EXIF = (
    b"",
    b"II",
    b"II*\0",
    b"Exif\0\0",
    b"MM\0*\xff\xff\xff\xff",
    b"II*\0\x08\0\0\0\xff\xff",
    b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0",
    b"II*\0\x08\0\0\0\x01\0\x12\x01\x02\0\xff\0\0\0\xff\xff\xff\x7f\0\0\0\0",
    b"II*\0\x08\0\0\0\x01\0\x12\x01\x05\0\x01\0\0\0\x1a\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0",
    b"\xff" * 100,
    bytes(range(256)),
)  # fmt: skip
CHUNKS: dict[str, bytes] = {
    **{f"exif {index}": chunk(b"eXIf", data) for index, data in enumerate(BROKEN_EXIF)},
    "large zTXt": chunk(b"zTXt", b"Comment\0\0" + LARGE_TEXT),
    "large iTXt": chunk(b"iTXt", b"Comment\0\x01\0\0\0" + LARGE_TEXT),
    "large tEXt": chunk(b"tEXt", b"Comment\0" + b"x" * 5_000_000),
    "many texts": chunk(b"tEXt", b"Comment\0" + b"x" * 1_000_000) * 70,
    "broken zTXt": chunk(b"zTXt", b"Comment\0\0nothing"),
    "zTXt of a method": chunk(b"zTXt", b"Comment\0\x09" + LARGE_TEXT),
    "empty iTXt": chunk(b"iTXt", b""),
    "xmp": chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0<x tiff:Orientation='nine'/>"),
    "large iCCP": iccp(b"x" * 3_000_000),
    "bomb iCCP": chunk(b"iCCP", b"p\0\0" + zlib.compress(bytes(2**25))),
    "broken iCCP": chunk(b"iCCP", b"p\0\0nothing"),
    "empty iCCP": chunk(b"iCCP", b""),
    "grey iCCP": iccp(icc("sRGB").replace(b"RGB ", b"GRAY", 1)),
    "text with a wrong checksum": chunk(b"tEXt", b"Comment\0x", sound=False),
    "unknown": chunk(b"teSt", b"x" * 2_000_000),
}


@pytest.mark.parametrize("name", CHUNKS)
def test_a_sound_picture_is_read_whatever_is_beside_it(tmp_path: Path, name: str) -> None:
    for after in (False, True):
        (tmp_path / "in.png").write_bytes(png(CHUNKS[name], after=after))
        pixels = read_picture(tmp_path / "in.png")
        assert pixels.shape == (SIZE[1], SIZE[0], 3)
        assert np.abs(pixels.astype(int) - COLOUR).max() <= 1


@pytest.mark.parametrize("format_", ["JPEG", "WEBP", "TIFF", "AVIF"])
@pytest.mark.parametrize("exif", BROKEN_EXIF, ids=range(len(BROKEN_EXIF)))
def test_broken_metadata_of_other_formats(tmp_path: Path, format_: str, exif: bytes) -> None:
    buffer = io.BytesIO()
    try:
        Image.new("RGB", SIZE, COLOUR).save(buffer, format_, exif=exif, icc_profile=b"nothing", quality=100)
    except (OSError, SyntaxError, TypeError, ValueError, struct.error, RuntimeError, ZeroDivisionError):
        return  # Pillow writes no such file
    (tmp_path / "in.bin").write_bytes(buffer.getvalue())
    assert np.abs(read_picture(tmp_path / "in.bin").astype(int) - COLOUR).max() <= 8


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format_", ["PNG", "JPEG", "WEBP", "TIFF"])
def test_every_way_to_hold_a_camera(tmp_path: Path, orientation: int, format_: str) -> None:
    """As Pillow itself turns it."""
    from PIL import ImageOps  # noqa: PLC0415

    image = ramp("RGB").crop((0, 0, 24, 16))
    image.paste((255, 0, 0), (0, 0, 8, 8))
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    image.save(tmp_path / "in.bin", format_, exif=exif)
    with Image.open(tmp_path / "in.bin") as opened:
        expected = np.asarray(ImageOps.exif_transpose(opened).convert("RGB"))
    assert np.array_equal(read_picture(tmp_path / "in.bin"), expected)


@pytest.mark.parametrize("format_", ["PNG", "JPEG", "WEBP", "TIFF"])
@pytest.mark.parametrize("name", ["P3", "large P3"])
def test_colours_of_display_p3_become_srgb(tmp_path: Path, format_: str, name: str) -> None:
    """sRGB's red is (234, 51, 35) there, green (117, 251, 76), blue (0, 0, 245)."""
    image = Image.new("RGB", (48, 16))
    for index, colour in enumerate(((234, 51, 35), (117, 251, 76), (0, 0, 245))):
        image.paste(colour, (16 * index, 0, 16 * index + 16, 16))
    if format_ == "PNG":
        (tmp_path / "in.bin").write_bytes(png(iccp(icc(name)), image=image))
    else:
        image.save(
            tmp_path / "in.bin", format_, icc_profile=icc(name), quality=100, lossless=True, subsampling=0
        )
    pixels = read_picture(tmp_path / "in.bin").astype(int)
    for index, colour in enumerate(((255, 0, 0), (0, 255, 0), (0, 0, 255))):
        assert np.abs(pixels[8, 16 * index + 8] - colour).max() <= 6, index


D65 = (0.3127, 0.329)
P3 = (*D65, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06)
ADOBE = (*D65, 0.64, 0.33, 0.21, 0.71, 0.15, 0.06)


def cicp(*numbers: int) -> bytes:
    return chunk(b"cICP", bytes(numbers))


def gama(exponent: float) -> bytes:
    return chunk(b"gAMA", struct.pack(">I", round(exponent * 100_000)))


def chrm(*places: float) -> bytes:
    return chunk(b"cHRM", struct.pack(">8I", *(round(place * 100_000) for place in places)))


SRGB = chunk(b"sRGB", b"\0")
AS_IT_IS = ((234, 51, 35), (128, 100, 60), 100)
IN_P3 = ((255, 0, 0), (133, 99, 53), 100)
LINEAR = ((246, 124, 104), (188, 168, 133), 168)


# What Chromium 156 shows of two colours and a grey
@pytest.mark.parametrize(
    ("chunks", "shown"),
    [
        ((), AS_IT_IS),
        ((cicp(12, 13, 0, 1),), IN_P3),
        ((cicp(1, 13, 0, 1),), AS_IT_IS),
        ((cicp(1, 8, 0, 1),), LINEAR),
        ((cicp(1, 1, 0, 1),), ((233, 40, 23), (121, 91, 49), 91)),
        ((cicp(9, 14, 0, 1),), ((255, 0, 0), (138, 87, 39), 91)),
        ((cicp(2, 2, 0, 1),), AS_IT_IS),
        ((cicp(12, 13, 0, 0),), AS_IT_IS),  # narrow range
        ((cicp(12, 13, 1, 1),), AS_IT_IS),  # no RGB, a fault
        ((cicp(12, 99, 0, 1),), AS_IT_IS),
        ((cicp(12, 13),), AS_IT_IS),
        ((gama(1.0),), LINEAR),
        ((gama(1 / 2.2),), AS_IT_IS),
        ((gama(1 / 1.8),), ((238, 66, 47), (146, 119, 77), 119)),
        ((gama(0),), AS_IT_IS),
        ((gama(21474.83647),), ((255, 255, 255), (255, 255, 255), 255)),
        ((gama(1 / 2.2), chrm(*P3)), IN_P3),
        ((chrm(*P3), gama(1 / 2.2)), IN_P3),
        ((gama(1 / 2.2), chrm(*ADOBE)), ((255, 48, 29), (138, 100, 55), 100)),
        ((gama(1.0), chrm(*8 * (0.3,))), LINEAR),  # all on a point
        ((gama(1.0), chrm(*8 * (0,))), LINEAR),
        ((chrm(*P3),), AS_IT_IS),
        ((gama(1.0), SRGB), AS_IT_IS),
        ((gama(1.0), cicp(1, 13, 0, 1)), AS_IT_IS),
        ((cicp(12, 13, 0, 1), SRGB, gama(1.0)), IN_P3),
        ((iccp(icc("sRGB")), gama(1.0), chrm(*P3)), AS_IT_IS),
        ((iccp(icc("P3")), cicp(1, 13, 0, 1)), AS_IT_IS),
        ((iccp(icc("P3")), cicp(2, 2, 0, 1)), IN_P3),
        ((chunk(b"iCCP", b"p\0\0nothing"), gama(1.0)), LINEAR),
    ],
)
def test_colours_by_what_a_png_says_of_them(
    tmp_path: Path, chunks: tuple[bytes, ...], shown: tuple[Any, Any, Any]
) -> None:
    images = [
        Image.new("RGB", SIZE, AS_IT_IS[0]),
        Image.new("RGB", SIZE, AS_IT_IS[1]),
        Image.new("L", SIZE, 100),
    ]
    for image, seen in zip(images, shown, strict=True):
        (tmp_path / "in.png").write_bytes(png(*chunks, image=image))
        pixels = read_picture(tmp_path / "in.png").astype(int)
        assert np.abs(pixels - seen).max() <= 6, pixels[0, 0]


@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGB", "RGBA", "1", "I;16"])
def test_a_gamma_is_for_every_kind_and_leaves_what_is_transparent(tmp_path: Path, mode: str) -> None:
    image = ramp(mode)
    (tmp_path / "in.png").write_bytes(png(gama(1.0), image=image))
    linear = read_picture(tmp_path / "in.png").astype(int)
    (tmp_path / "in.png").write_bytes(png(gama(1.0), SRGB, image=image))
    plain = read_picture(tmp_path / "in.png").astype(int)
    expected = 255 * np.interp((plain / 255) ** (1 / 2.4) * 1.055 - 0.055, [0, 1], [0, 1])
    assert np.abs(linear - np.where(plain > 2, expected, linear)).max() <= 1
    assert (linear.min(), linear.max()) == (plain.min(), plain.max()) == (0, 255)


@pytest.mark.parametrize(
    "kind", [b"gAMA", b"cHRM", b"sRGB", b"pHYs", b"cICP", b"tRNS", b"bKGD", b"acTL", b"fcTL"]
)
@pytest.mark.parametrize("data", [b"", b"\0", b"\xff" * 5, b"\0" * 300])
def test_a_broken_chunk_does_not_matter(tmp_path: Path, kind: bytes, data: bytes) -> None:
    (tmp_path / "in.png").write_bytes(png(chunk(kind, data)))
    assert np.abs(read_picture(tmp_path / "in.png").astype(int) - COLOUR).max() <= 1


@pytest.mark.parametrize("mode", ["L", "LA", "P", "PA", "RGBA", "CMYK", "1", "I;16"])
def test_a_profile_of_other_colours_than_the_picture_s(tmp_path: Path, mode: str) -> None:
    image = ramp(mode)
    image.save(tmp_path / "in.tif", icc_profile=icc("P3"))
    assert read_picture(tmp_path / "in.tif").shape == (SIZE[1], SIZE[0], 3)


def test_a_profile_does_not_take_what_is_transparent(tmp_path: Path) -> None:
    image = Image.new("RGBA", SIZE, (234, 51, 35, 255))
    image.putpixel((0, 0), (0, 0, 0, 0))
    image.save(tmp_path / "in.png", icc_profile=icc("P3"))
    pixels = read_picture(tmp_path / "in.png").astype(int)
    assert pixels[0, 0].tolist() == [255, 255, 255]
    assert np.abs(pixels[9, 9] - (255, 0, 0)).max() <= 6


@pytest.mark.parametrize(("mode", "clear"), [("L", 0), ("RGB", (0, 0, 0)), ("I;16", 0), ("1", 0), ("P", 0)])
def test_one_colour_that_is_transparent(tmp_path: Path, mode: str, clear: object) -> None:
    ramp(mode).save(tmp_path / "in.png", transparency=clear)
    pixels = read_picture(tmp_path / "in.png")
    assert pixels[0, 0].tolist() == [255, 255, 255]
    assert (mode == "1") or pixels[0, 10].max() < 255


@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
@pytest.mark.parametrize("step", [0, 1])
def test_one_grey_of_few_bits_that_is_transparent(tmp_path: Path, depth: int, step: int) -> None:
    """Two pixels, of steps 0 and 1."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 2, 1, depth, 0, 0, 0, 0))
    rows = {1: b"\x40", 2: b"\x10", 4: b"\x01", 8: b"\0\1", 16: b"\0\0\0\1"}[depth]
    body = (
        chunk(b"tRNS", struct.pack(">H", step))
        + chunk(b"IDAT", zlib.compress(b"\0" + rows))
        + chunk(b"IEND", b"")
    )
    (tmp_path / "in.png").write_bytes(b"\x89PNG\r\n\x1a\n" + header + body)
    greys = read_picture(tmp_path / "in.png")[0, :, 0].tolist()
    expected = [0, {1: 255, 2: 85, 4: 17, 8: 1, 16: 0}[depth]]
    expected[step] = 255
    assert greys == expected


# What is no picture


def test_a_reason_without_words_is_named(tmp_path: Path) -> None:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 2, 1, 2, 3, 0, 0, 0))  # of a palette that is not there
    body = chunk(b"IDAT", zlib.compress(b"\0\x10")) + chunk(b"IEND", b"")
    (tmp_path / "in.png").write_bytes(b"\x89PNG\r\n\x1a\n" + header + body)
    with pytest.raises(DreamError, match=r"in\.png cannot be read: \S"):
        read_picture(tmp_path / "in.png")


@pytest.mark.parametrize("cut", [0, 4, 8, 20, 33, 60, 100])
def test_a_file_that_ends_early_is_a_sentence(tmp_path: Path, cut: int) -> None:
    (tmp_path / "in.png").write_bytes(png(image=ramp("RGB"))[:cut])
    with pytest.raises(DreamError, match=r"in\.png cannot be read: "):
        read_picture(tmp_path / "in.png")


def test_what_was_changed_anywhere_is_a_picture_or_a_sentence(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Comment", "x" * 300, zip=True)
    for format_ in ("PNG", "JPEG", "WEBP", "TIFF", "GIF", "BMP", "TGA", "PPM"):
        buffer = io.BytesIO()
        more = {"pnginfo": texts} if format_ == "PNG" else {}
        ramp("RGB").save(buffer, format_, **more)
        for _ in range(40):
            data = bytearray(buffer.getvalue())
            for at in rng.integers(0, min(len(data), 200), 3):
                data[at] = rng.integers(256)
            (tmp_path / "in.bin").write_bytes(data)
            try:
                assert read_picture(tmp_path / "in.bin").dtype == np.uint8
            except DreamError as error:
                assert "in.bin" in str(error)


@pytest.mark.parametrize("name", ["/dev/zero", "/", "/no/such/file"])
def test_what_is_no_file_is_a_sentence(name: str) -> None:
    for read in (read_picture, lambda path: read_mask(path, (1, 1))):
        with pytest.raises(DreamError, match="cannot be read"):
            read(Path(name))


# Where it goes


@pytest.mark.parametrize(
    "place",
    [
        "out",
        "out.xyz",
        "out.xbm",
        "out.bufr",
        "no/such/out.png",
        "directory.png",
        "in.png/out.png",
        "a\0.png",
    ],
)
def test_a_bad_output_is_told_before_any_dreaming(
    tmp_path: Path, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "directory.png").mkdir()
    Image.new("RGB", SIZE).save(tmp_path / "in.png")

    def dreams(*_: object) -> None:
        raise AssertionError("it dreams")

    monkeypatch.setattr("dreamcanvas.dream.file.load_network", dreams)
    with pytest.raises(DreamError, match="cannot be written"):
        dream_file(FileDreamOptions(tmp_path / "in.png", tmp_path / place))


@pytest.mark.parametrize(
    "name", ["out.png", "out.JPG", "out.webp", "out.tiff", "out.bmp", "out.jp2", "out.avif"]
)
def test_an_output_that_can_be_written_is_left_as_it_is(tmp_path: Path, name: str) -> None:
    check_output(tmp_path / name)
    assert not (tmp_path / name).exists()
    (tmp_path / name).write_bytes(b"before")
    check_output(tmp_path / name)
    assert (tmp_path / name).read_bytes() == b"before"
    pixels: Pixels = np.asarray(ramp("RGB"))
    write_picture(tmp_path / name, pixels)
    assert np.abs(read_picture(tmp_path / name).astype(int) - pixels).max() <= 8


def test_where_writing_fails_what_was_there_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "out.png").write_bytes(b"before")

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(DreamError, match=r"out\.png cannot be written: .*No space left"):
        write_picture(tmp_path / "out.png", np.zeros((4, 4, 3), np.uint8))
    with pytest.raises(DreamError, match="cannot be written"):
        write_picture(tmp_path / "out.xbm", np.zeros((4, 4, 3), np.uint8))
    assert (tmp_path / "out.png").read_bytes() == b"before"
