"""Movies: written, decoded and counted, each frame with its number in its pixels."""

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest
from av.error import FFmpegError
from PIL import Image

from dreamcanvas.history import movie
from dreamcanvas.history.group_encoder import Quality
from tests.history.marks import mark, read

QUALITY = Quality(26, "superfast", 1)
COUNT = 70  # two key frames beside the first


def frame_file(directory: Path, number: int) -> tuple[int, str, int]:
    path = directory / f"{number}.jpg"
    mark(number).save(path, "JPEG", quality=95, subsampling=0)
    return number, str(path), path.stat().st_size


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with movies of the numbers 100 to 169, as the encoder writes it."""
    directory = tmp_path_factory.mktemp("movie")
    frames = (movie.from_image(mark(number)) for number in range(100, 100 + COUNT))
    metadata = {"title": "Dreamcanvas, an hour", "creation_time": "2026-11-22T14:00:00Z"}
    assert (
        movie.encode(frames, COUNT, directory, sides=(768, 384), quality=QUALITY, metadata=metadata) == COUNT
    )
    return directory


@pytest.mark.parametrize("side", [768, 384])
def test_every_frame_is_there_in_order(made: Path, side: int) -> None:
    images = [movie.to_image(frame) for frame in movie.decode(made / f"{side}.mp4")]
    assert [read(image) for image in images] == list(range(100, 100 + COUNT))
    assert {image.size for image in images} == {(side, side)}
    assert movie.count(made / f"{side}.mp4") == COUNT


def test_what_kind_of_movie_it_is(made: Path) -> None:
    with av.open(str(made / "768.mp4")) as container:
        stream = container.streams.video[0]
        context = stream.codec_context
        assert (context.name, context.profile, context.pix_fmt) == ("h264", "High", "yuv420p")
        assert (context.colorspace, context.color_primaries, context.color_range) == (1, 1, 1)
        assert stream.average_rate is not None
        assert (float(stream.average_rate), stream.frames) == (30, COUNT)
        assert container.metadata["title"] == "Dreamcanvas, an hour"
        assert container.metadata["creation_time"].startswith("2026-11-22T14:00:00")
        keys = [packet.pts for packet in container.demux(stream) if packet.is_keyframe]
        assert stream.time_base is not None
        assert [round(float(pts * stream.time_base), 3) for pts in keys if pts is not None] == [0, 1, 2]


def test_the_same_frames_make_the_same_movie(tmp_path: Path) -> None:
    made = []
    for name in ("one.mp4", "other.mp4"):
        with movie.Writer(tmp_path / name, 384, QUALITY, {}) as writer:
            for number in range(40):
                writer.add(movie.from_image(mark(number)))
        made.append((tmp_path / name).read_bytes())
    assert made[0] == made[1]


def test_a_player_can_begin_before_it_has_the_end(made: Path) -> None:
    data = (made / "384.mp4").read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


def test_colours_come_out_as_they_went_in(made: Path) -> None:
    before = np.asarray(mark(130).resize((384, 384), Image.Resampling.BOX), dtype=float)
    after = np.asarray(movie.picture(made / "384.mp4", 30), dtype=float)
    assert abs(before.mean(axis=(0, 1)) - after.mean(axis=(0, 1))).max() < 3


@pytest.mark.parametrize("index", [0, 1, 29, 30, 31, 45, COUNT - 1])
def test_one_frame_alone(made: Path, index: int) -> None:
    assert read(movie.picture(made / "768.mp4", index)) == 100 + index


def test_a_frame_that_there_is_not(made: Path) -> None:
    with pytest.raises(OSError, match="has no frame 70"):
        movie.picture(made / "384.mp4", COUNT)


def test_the_sprite_shows_a_hundred_moments(made: Path) -> None:
    with Image.open(made / "sprite.jpg") as sheet:
        assert sheet.size == (1600, 1600)
        numbers = [
            read(sheet.crop((x, y, x + 160, y + 160)))
            for y in range(0, 1600, 160)
            for x in range(0, 1600, 160)
        ]
    assert numbers == [100 + (2 * k + 1) * COUNT // 200 for k in range(100)]


def test_the_poster_is_a_colourful_moment_but_not_the_first(tmp_path: Path) -> None:
    grey = Image.new("RGB", (1536, 1536), "grey")
    images = [mark(1), grey, grey, grey, grey, mark(6), grey, grey]
    movie.encode(
        map(movie.from_image, images), len(images), tmp_path, sides=(768,), quality=QUALITY, metadata={}
    )
    with Image.open(tmp_path / "poster.jpg") as poster:
        assert poster.size == (768, 768)
        assert read(poster) == 6


def test_grey_has_no_colour() -> None:
    assert movie.colourfulness(Image.new("RGB", (9, 9), "grey")) == 0
    assert movie.colourfulness(mark(3)) > 30


def test_frame_files_that_are_torn_or_missing_are_left_out_and_named(tmp_path: Path) -> None:
    files = [frame_file(tmp_path, number) for number in range(1, 6)]
    Path(files[1][1]).write_bytes(b"torn")
    Path(files[3][1]).unlink()
    files[4] = (*files[4][:2], files[4][2] - 1)
    unusable: list[int] = []
    frames = movie.still_frames(files, unusable)
    assert [read(movie.to_image(frame)) for frame in frames] == [1, 3]
    assert unusable == [2, 4, 5]


def test_of_no_frame_there_is_no_movie(tmp_path: Path) -> None:
    assert movie.encode(iter(()), 0, tmp_path, sides=(768,), quality=QUALITY, metadata={}) == 0
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_movie_is_noticed(made: Path, tmp_path: Path) -> None:
    data = (made / "384.mp4").read_bytes()
    torn = tmp_path / "torn.mp4"
    torn.write_bytes(data[: len(data) // 2])
    with pytest.raises(FFmpegError):
        assert movie.count(torn) == COUNT
        raise AssertionError("it is not whole")


def numbers(path: Path) -> Iterator[int]:
    return (read(movie.to_image(frame)) for frame in movie.decode(path))


def test_movies_are_joined_as_they_are(made: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    frames = (movie.from_image(mark(number)) for number in range(5))
    movie.encode(frames, 5, other, sides=(384,), quality=Quality(40, "superfast", 1), metadata={})
    joined = tmp_path / "joined.mp4"
    assert movie.join([made / "384.mp4", other / "384.mp4", made / "384.mp4"], joined, {}) == 2 * COUNT + 5
    expected = [*range(100, 100 + COUNT), *range(5), *range(100, 100 + COUNT)]
    assert list(numbers(joined)) == expected
    assert read(movie.picture(joined, COUNT + 2)) == 2


def test_movies_of_any_length_are_joined(tmp_path: Path) -> None:
    paths = []
    for count in (31, 1, 2, 32, 3):
        paths.append(tmp_path / f"{count}.mp4")
        with movie.Writer(paths[-1], 192, QUALITY, {}) as writer:
            for number in range(count):
                writer.add(movie.from_image(mark(100 * count + number)))
    joined = tmp_path / "joined.mp4"
    expected = [100 * count + number for count in (31, 1, 2, 32, 3) for number in range(count)]
    assert movie.join(paths, joined, {}) == len(expected)
    assert list(numbers(joined)) == expected
    assert [read(movie.picture(joined, index)) for index in (30, 31, 33, 65)] == [3130, 100, 201, 3231]


def test_frames_are_picked_out_of_movies(made: Path) -> None:
    picked = movie.picked_frames([(str(made / "768.mp4"), [0, 31]), (str(made / "384.mp4"), [69])])
    assert [read(movie.to_image(frame)) for frame in picked] == [100, 131, 169]
    with pytest.raises(OSError, match="has no frame 70"):
        list(movie.picked_frames([(str(made / "384.mp4"), [70])]))


def test_colourfulness_is_that_of_the_paper() -> None:
    """One colour has no spread: 0.3·√((R − G)² + (½(R + G) − B)²)."""
    assert movie.colourfulness(Image.new("RGB", (96, 64), (200, 100, 50))) == pytest.approx(
        0.3 * np.hypot(100, 100), rel=1e-4
    )
    halves = np.full((64, 96, 3), (200, 100, 150), np.uint8)
    halves[:32] = (100, 200, 150)
    assert movie.colourfulness(halves) == pytest.approx(100.0, rel=1e-4)
