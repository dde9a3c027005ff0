"""The commands for who dreams pictures of their own: dream, styles, models."""

import dataclasses
import json
import sys
from pathlib import Path
from typing import Any

import click

from dreamcanvas.dream.network import DEFAULT_NETWORK
from dreamcanvas.dream.precision import PRECISIONS
from dreamcanvas.dream.settings import CANVAS, CLASSIC, DreamSettings
from dreamcanvas.text.plural import counted

_DREAM_HELP = {
    "octaves": "Sizes that are dreamt, small to large.",
    "octave_scale": "From size to size.",
    "iterations": "Steps per octave.",
    "step": "Mean change of a step in the largest size, in levels.",
    "finest": "The largest size, as a share of IN's.",
    "laplacian": "Bands to even the gradient out over; 0: off.",
    "tilt": "How much longer steps are in the smallest size.",
    "detail": "How much longer still they are in the largest size.",
    "grain": "The share of its colour that a step in the largest size keeps.",
    "settled": "Hold the picture together, so that dreams can be dreamt again and again; or add and clip.",
}


def _dream_settings(command: Any) -> Any:
    """Add an option for each setting of a dream."""
    for setting in reversed(dataclasses.fields(DreamSettings)):
        name = setting.name.replace("_", "-")
        default, classic = (getattr(settings, setting.name) for settings in (CANVAS, CLASSIC))
        flag = f"--{name}/--not-{name}" if isinstance(default, bool) else f"--{name}"
        shown = default if default == classic else f"{default}; with --classic {classic}"
        help_ = f"{_DREAM_HELP[setting.name]}  [default: {shown}]"
        command = click.option(flag, setting.name, type=type(default), default=None, help=help_)(command)
    return command


@click.command()
@click.argument("input", metavar="IN", type=click.Path(path_type=Path))
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="Where the dream goes.")
@click.option(
    "--network", help="The network that dreams.  [default: efficientnet_lite0, or inception5h with --graph]"
)
@click.option("--graph", type=click.Path(path_type=Path), help="A GraphDef to use as it is (inception5h).")
@click.option("--style", help="A style by its name.  [default: the network's first]")
@click.option("--layer", help="A layer in place of a style: its mean square, or with --channel one channel.")
@click.option("--channel", type=int, help="A channel of the layer, from 0.")
@click.option(
    "--guide", type=click.Path(path_type=Path), help="A picture to take forms from, as the layer sees them."
)
@click.option(
    "--mask",
    type=click.Path(path_type=Path),
    help="A picture: black keeps IN as it is, white dreams in full.",
)
@click.option("--classic", is_flag=True, help="Dream as in 2017: 6 octaves, from the full size, not settled.")
@_dream_settings
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of all that is random.")
@click.option("--repeat", type=int, default=1, show_default=True, help="Cycles, each from IN, timed alone.")
@click.option("--threads", type=int, help="CPU threads.  [default: one per processor]")
@click.option(
    "--precision",
    type=click.Choice(PRECISIONS),
    default="auto",
    show_default=True,
    help="Numbers; auto: the faster.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON.")
def dream(as_json: bool, classic: bool, **given: Any) -> None:
    """Dream a picture file, as the canvas dreams."""
    from dreamcanvas.dream.file import FileDreamOptions, dream_file  # noqa: PLC0415 - TensorFlow takes seconds

    names = {setting.name for setting in dataclasses.fields(DreamSettings)}
    chosen = {name: value for name in names if (value := given.pop(name)) is not None}
    settings = dataclasses.replace(CLASSIC if classic else CANVAS, **chosen)
    report = dream_file(FileDreamOptions(settings=settings, **given))
    seconds = [round(value, 4) for value in report.seconds]
    if as_json:
        facts = {"network": report.network, "style": report.style, "size": report.size}
        print(json.dumps({"seconds": seconds, **facts, "before": report.before, "after": report.after}))
    else:
        width, height = report.size
        gain = f"objective {report.before:.4g} to {report.after:.4g}"
        print(f"{report.style}, {width} × {height} px: {gain}, {min(seconds):.2f} s")


@click.command()
@click.argument("network", default=DEFAULT_NETWORK)
def styles(network: str) -> None:
    """List the styles of NETWORK: number, name, and what the network is asked for."""
    from dreamcanvas.dream.styles import load_styles  # noqa: PLC0415

    for style in load_styles(network):
        print(f"{style.id:>3}  {style.name:<32}  {style.expression}")


@click.group(invoke_without_command=True)
@click.pass_context
def models(ctx: click.Context) -> None:
    """List the networks: their licence, and whether their weights are here."""
    if ctx.invoked_subcommand is None:
        from dreamcanvas.dream.models import list_models, model_dir  # noqa: PLC0415

        for model in list_models(model_dir()):
            info = model.info
            layers = counted(len(info.layers), "layer")
            print(f"{info.name:<20}{model.state:<10}{info.licence:<12}{layers}  {info.source}")


@models.command("layers")
@click.argument("network")
def model_layers(network: str) -> None:
    """List the layers of NETWORK from the picture upwards: name, channels, pixels from value to value."""
    from dreamcanvas.dream.network import network_info  # noqa: PLC0415

    for layer in network_info(network).layers:
        print(f"{layer.name:<34}{layer.channels:>5}{layer.stride:>4}")


@models.command()
@click.argument("network")
@click.option("--from", "source", type=click.Path(path_type=Path), help="A copy, the zip or what is in it.")
@click.option("--url", help="A mirror of the zip.")
def fetch(network: str, source: Path | None, url: str | None) -> None:
    """Download the weights of NETWORK, or take them from a copy, into $DREAMCANVAS_MODEL_DIR."""
    from dreamcanvas.dream import models as weights  # noqa: PLC0415
    from dreamcanvas.dream.network import network_info  # noqa: PLC0415

    network_info(network)  # before the bar begins
    if source is not None:
        print(weights.copy(network, source, weights.model_dir()))
        return
    with click.progressbar(length=1, label=network, file=sys.stderr) as bar:

        def progress(here: int, total: int | None) -> None:
            bar.length = total or here + 1
            bar.update(here - bar.pos)

        path = weights.fetch(network, weights.model_dir(), progress=progress, url=url)
    print(path)
