"""A picture file is dreamt."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from PIL import ExifTags, Image

from dreamcanvas.dream.engine import Pixels
from dreamcanvas.dream.file import FileDreamOptions, choose, dream_file
from dreamcanvas.dream.network import Network
from dreamcanvas.dream.picture_file import read_mask, read_picture
from dreamcanvas.dream.settings import CLASSIC
from dreamcanvas.dream.styles import Expression, load_styles
from dreamcanvas.errors import DreamError
from tests.dream.random_graph import build_graph

STYLES = load_styles("efficientnet_lite0")


@pytest.fixture
def options(tmp_path: Path, coffee: Pixels, network: Network) -> FileDreamOptions:
    source = tmp_path / "in.png"
    Image.fromarray(coffee).save(source)
    return FileDreamOptions(
        source,
        tmp_path / "out.png",
        layer="b2_exp_pre",
        channel=3,
        settings=replace(CLASSIC, octaves=2),
    )


def test_the_output_is_the_dream_and_the_report_says_how(options: FileDreamOptions, coffee: Pixels) -> None:
    report = dream_file(replace(options, repeat=3))
    assert len(report.seconds) == 3
    assert (report.network, report.style, report.expression) == (
        "efficientnet_lite0",
        "b2_exp_pre:3",
        "b2_exp_pre:3",
    )
    assert report.size == (240, 160)
    assert report.after > report.before
    dreamt = read_picture(options.output)
    assert dreamt.shape == coffee.shape
    assert 0 < np.abs(dreamt.astype(int) - coffee).mean() < 20


def test_each_cycle_starts_from_the_input(options: FileDreamOptions) -> None:
    dream_file(options)
    once = read_picture(options.output).astype(int)
    dream_file(replace(options, repeat=3))
    assert np.abs(read_picture(options.output) - once).max() <= 1


def test_the_suffix_says_the_format(options: FileDreamOptions, tmp_path: Path) -> None:
    dream_file(replace(options, output=tmp_path / "out.jpg"))
    with Image.open(tmp_path / "out.jpg") as image:
        assert image.format == "JPEG"
    with pytest.raises(DreamError, match=r"out\.xyz cannot be written"):
        dream_file(replace(options, output=tmp_path / "out.xyz"))


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ({}, STYLES[0].expression),
        ({"style": STYLES[3].name.lower()}, STYLES[3].expression),
        ({"layer": "b9_exp", "channel": 12}, "b9_exp:12"),
        ({"layer": "b9_exp"}, "b9_exp^2"),
        ({"layer": "b9_exp^2"}, "b9_exp^2"),
        ({"layer": "b9_exp:4"}, "b9_exp:4"),
        ({"layer": "b9_exp:4+0.5*b7_exp^2"}, "b9_exp:4 + 0.5*b7_exp^2"),
        ({"layer": "b9_exp", "guide": Path("guide")}, "b9_exp@guide"),
        ({"layer": "b9_exp:4+2*b7_exp@guide", "guide": Path("guide")}, "b9_exp:4 + 2*b7_exp@guide"),
    ],
)
def test_a_style_or_a_layer_is_chosen(chosen: dict[str, str], expected: str) -> None:
    _, expression = choose(FileDreamOptions(Path("in"), Path("out"), **chosen))  # type: ignore[arg-type]
    assert str(expression) == expected
    assert isinstance(expression, Expression)


@pytest.mark.parametrize(
    ("chosen", "sentence"),
    [
        ({"style": "Nothing of the kind"}, "no style"),
        ({"style": STYLES[0].name, "layer": "b9_exp"}, "exclude each other"),
        ({"channel": 3}, "channel needs a layer"),
        ({"layer": "b9_exp^2", "channel": 3}, "neither layer:channel"),
        ({"layer": "b99"}, "the nearest is"),
        ({"network": "vgg"}, "no network 'vgg'"),
        ({"guide": Path("guide")}, "guide needs a layer"),
        ({"layer": "b9_exp:4", "guide": Path("guide")}, "nothing in 'b9_exp:4' asks for the guide"),
        ({"layer": "b9_exp@guide"}, "'b9_exp@guide' needs a guide picture, and there is none"),
    ],
)
def test_a_wrong_choice_is_explained(chosen: dict[str, str], sentence: str) -> None:
    with pytest.raises(DreamError, match=sentence):
        choose(FileDreamOptions(Path("in"), Path("out"), **chosen))  # type: ignore[arg-type]


def test_a_graph_is_taken_as_it_is(options: FileDreamOptions, tmp_path: Path) -> None:
    path = tmp_path / "small.pb"
    path.write_bytes(build_graph(4, {"mixed3a": (4, 4, 4, 4, 4, 4)}))
    taken = replace(options, network="inception5h", graph=path, layer="conv2d2_pre_relu", channel=9)
    report = dream_file(taken)
    assert (report.network, report.expression) == ("inception5h", "conv2d2_pre_relu:9")
    assert report.after > report.before
    with pytest.raises(DreamError, match="mixed3a has channels 0–15, no 16"):
        dream_file(replace(taken, layer="mixed3a", channel=16))
    with pytest.raises(DreamError, match="takes no graph"):
        dream_file(replace(options, network="efficientnet_lite0", graph=path))
    assert dream_file(replace(taken, network=None)).network == "inception5h"


def test_a_guide_and_a_mask_are_pictures(options: FileDreamOptions, tmp_path: Path, coffee: Pixels) -> None:
    bricks = skimage.data.brick()  # type: ignore[no-untyped-call]
    Image.fromarray(bricks).save(tmp_path / "guide.png")
    mask = Image.new("L", (48, 32))
    mask.paste(255, (24, 0, 48, 32))
    mask.save(tmp_path / "mask.png")
    guided = replace(
        options, layer="b3_exp_pre", channel=None, guide=tmp_path / "guide.png", mask=tmp_path / "mask.png"
    )
    report = dream_file(guided)
    assert report.expression == "b3_exp_pre@guide"
    assert report.after > report.before
    change = np.abs(read_picture(options.output).astype(int) - coffee)
    assert not np.any(change[:, :115])
    assert change[:, 125:].mean() > 1
    with pytest.raises(DreamError, match=r"missing\.png cannot be read"):
        dream_file(replace(guided, mask=tmp_path / "missing.png"))
    with pytest.raises(DreamError, match=r"missing\.png cannot be read"):
        dream_file(replace(guided, guide=tmp_path / "missing.png"))


def test_a_mask_is_the_luminance_scaled_to_the_input(tmp_path: Path) -> None:
    Image.fromarray(np.array([[0, 65535]], np.uint16)).save(tmp_path / "deep.png")
    found = read_mask(tmp_path / "deep.png", (8, 3))
    assert found.shape == (3, 8)
    assert (found[:, 0].max(), found[:, -1].min()) == (0, 255)
    Image.new("RGB", (5, 5), (0, 255, 0)).save(tmp_path / "green.png")
    assert read_mask(tmp_path / "green.png", (1, 1)).tolist() == [[150]]


def test_levels_of_16_bits_are_scaled(tmp_path: Path) -> None:
    Image.fromarray(np.array([[0, 0x8000, 0xFFFF]], np.uint16)).save(tmp_path / "deep.png")
    assert read_picture(tmp_path / "deep.png")[0, :, 0].tolist() == [0, 128, 255]


def test_a_photograph_is_turned_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6  # the camera was turned: its top is on the right
    Image.new("RGB", (6, 4)).save(tmp_path / "turned.jpg", exif=exif)
    assert read_picture(tmp_path / "turned.jpg").shape == (6, 4, 3)


def test_repeat_has_bounds(options: FileDreamOptions) -> None:
    with pytest.raises(DreamError, match="repeat is 0; it must be 1–10000"):
        dream_file(replace(options, repeat=0))


def test_an_input_that_is_no_picture_is_named(tmp_path: Path) -> None:
    with pytest.raises(DreamError, match=r"missing\.png cannot be read"):
        read_picture(tmp_path / "missing.png")
    (tmp_path / "text.png").write_text("no picture")
    with pytest.raises(DreamError, match=r"text\.png cannot be read"):
        read_picture(tmp_path / "text.png")


def test_what_is_transparent_is_on_white(tmp_path: Path) -> None:
    Image.new("RGBA", (4, 4), (255, 0, 0, 0)).save(tmp_path / "clear.png")
    assert read_picture(tmp_path / "clear.png").tolist() == [[[255, 255, 255]] * 4] * 4
