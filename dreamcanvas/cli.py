"""The command line: no logic, only what the parts are asked to do."""

import asyncio
import dataclasses
import json
import logging
import random
import sys
import time
from pathlib import Path
from typing import Any

import click

from dreamcanvas import __version__, cli_host, config
from dreamcanvas.dream.precision import PRECISIONS
from dreamcanvas.errors import DreamcanvasError


class _Group(click.Group):
    """Errors of this package are shown as sentences, not as tracebacks."""

    def invoke(self, ctx: click.Context) -> Any:
        """Runs the command."""
        try:
            return super().invoke(ctx)
        except DreamcanvasError as error:
            raise click.ClickException(str(error)) from error
        except ModuleNotFoundError as error:
            if error.name is None or error.name.startswith(__package__):
                raise
            raise click.ClickException(
                f"this needs what the server needs, and {error.name} is not installed: "
                "pip install 'dreamcanvas[server]'"
            ) from error


@click.group(cls=_Group)
@click.version_option(__version__)
def main() -> None:
    """A shared canvas that dreams."""


def _server_options(command: Any) -> Any:
    """An option for each setting of Config."""
    for setting in reversed(dataclasses.fields(config.Config)):
        name = setting.name.replace("_", "-")
        default = setting.default
        flag = f"--{name}/--no-{name}" if isinstance(default, bool) else f"--{name}"
        shown = default if not isinstance(default, tuple) else ",".join(default)
        help_ = f"{setting.metadata['help']}  [default: {shown}]"
        command = click.option(flag, setting.name, default=None, help=help_)(command)
    return command


@main.command()
@click.option("--config", "file", type=click.Path(path_type=Path), help="A TOML file with settings.")
@_server_options
def serve(file: Path | None, **given: Any) -> None:
    """Serve the canvas until Ctrl-C. Settings also come from DREAMCANVAS_* and the TOML file."""
    from dreamcanvas import logs  # noqa: PLC0415 - the other commands need none of the server
    from dreamcanvas.app import App  # noqa: PLC0415

    settings = config.load(given, file=file)
    logs.configure(settings.log_level, settings.log_format)

    def started(url: str) -> None:
        print(f"Dreamcanvas is at {url}  (Ctrl-C ends it)", flush=True)
        if not settings.rate_limits:
            click.secho("Rate limits are OFF: for load tests on your own machine only.", fg="red", err=True)

    async def run() -> None:
        await App(settings, rng=random.Random(), started=started).serve()  # noqa: S311 - styles, no secrets

    asyncio.run(run())


@main.command()
@click.argument("input", metavar="IN", type=click.Path(path_type=Path))
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="Where the dream goes.")
@click.option("--network", default="efficientnet_lite0", show_default=True, help="The network that dreams.")
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
@click.option(
    "--octaves", type=int, default=6, show_default=True, help="Sizes that are dreamt, small to large."
)
@click.option("--octave-scale", type=float, default=1.31415, show_default=True, help="From size to size.")
@click.option("--iterations", type=int, default=1, show_default=True, help="Steps per octave.")
@click.option("--step", type=float, default=1.5, show_default=True, help="Mean change of a step, in levels.")
@click.option(
    "--finest", type=float, default=1.0, show_default=True, help="The largest size, as a share of IN's."
)
@click.option(
    "--laplacian", type=int, default=0, show_default=True, help="Bands to even the gradient out over; 0: off."
)
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the random rolls.")
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
def dream(as_json: bool, **given: Any) -> None:
    """Dream a picture file."""
    from dreamcanvas.dream.file import FileDreamOptions, dream_file  # noqa: PLC0415 - TensorFlow takes seconds
    from dreamcanvas.dream.settings import DreamSettings  # noqa: PLC0415

    names = {setting.name for setting in dataclasses.fields(DreamSettings)}
    settings = DreamSettings(**{name: given.pop(name) for name in names & given.keys()})
    report = dream_file(FileDreamOptions(settings=settings, **given))
    seconds = [round(value, 4) for value in report.seconds]
    if as_json:
        facts = {"network": report.network, "style": report.style, "size": report.size}
        print(json.dumps({"seconds": seconds, **facts, "before": report.before, "after": report.after}))
    else:
        width, height = report.size
        gain = f"objective {report.before:.4g} to {report.after:.4g}"
        print(f"{report.style}, {width} × {height} px: {gain}, {min(seconds):.2f} s")


@main.group(invoke_without_command=True)
@click.pass_context
def models(ctx: click.Context) -> None:
    """List the networks: their licence, and whether their weights are here."""
    if ctx.invoked_subcommand is None:
        from dreamcanvas.dream.models import list_models, model_dir  # noqa: PLC0415

        for model in list_models(model_dir()):
            info = model.info
            print(
                f"{info.name:<20}{model.state:<10}{info.licence:<12}{len(info.layers)} layers  {info.source}"
            )


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

    if source is not None:
        print(weights.copy(network, source, weights.model_dir()))
        return
    with click.progressbar(length=1, label=network, file=sys.stderr) as bar:

        def progress(here: int, total: int | None) -> None:
            bar.length = total or here + 1
            bar.update(here - bar.pos)

        path = weights.fetch(network, weights.model_dir(), progress=progress, url=url)
    print(path)


def _data_dir(command: Any) -> Any:
    return click.option(
        "--data-dir",
        type=click.Path(path_type=Path),
        default=Path("data"),
        show_default=True,
        envvar=f"{config.PREFIX}DATA_DIR",
        help="Where everything is kept.",
    )(command)


@main.command()
@click.argument("dest", type=click.Path(path_type=Path))
@_data_dir
def backup(dest: Path, data_dir: Path) -> None:
    """Copy everything that is kept into DEST, a new or empty directory. The server may run meanwhile."""
    from dreamcanvas.store import backup as store  # noqa: PLC0415

    logging.basicConfig(format="%(message)s: %(path)s")
    made = store.backup(data_dir, dest, clock=lambda: time.time_ns() // 1_000_000)
    print(f"{dest}: {made.seq} operations, {made.dream} dreams, {made.files} files, {made.bytes} bytes")


@main.command()
@click.argument("src", type=click.Path(path_type=Path))
@_data_dir
def restore(src: Path, data_dir: Path) -> None:
    """Make a data directory, which must be new or empty, from the backup SRC."""
    from dreamcanvas.store import backup as store  # noqa: PLC0415

    made = store.restore(src, data_dir)
    print(f"{data_dir}: {made.seq} operations, {made.dream} dreams, {made.files} files, {made.bytes} bytes")


@main.command()
@click.option("--config", "file", type=click.Path(path_type=Path), help="A TOML file with settings.")
@_server_options
def doctor(file: Path | None, **given: Any) -> None:
    """Look whether this machine can serve, and say what to do. Takes the settings of `serve`.

    Ends with status 1 where something is in the way.
    """
    from dreamcanvas import doctor as physician  # noqa: PLC0415

    bad = False
    for finding in physician.examine(config.load(given, file=file)):
        mark = {"ok": "ok  ", "note": "note", "bad": "BAD "}[finding.level]
        print(f"{mark}  {finding.subject}: {finding.sentence}")
        if finding.advice:
            print(f"      {finding.advice}")
        bad = bad or finding.level == "bad"
    sys.exit(1 if bad else 0)


@main.group()
def history() -> None:
    """Do by hand what the server does with the recording."""


@history.command("list")
@_data_dir
def history_list(data_dir: Path) -> None:
    """List the windows and the movies of the days. The server may run meanwhile."""
    from dreamcanvas.history import command  # noqa: PLC0415

    for line in command.lines(data_dir):
        print(line)


@history.command("encode")
@click.option("--config", "file", type=click.Path(path_type=Path), help="A TOML file with settings.")
@_server_options
def history_encode(file: Path | None, **given: Any) -> None:
    """Make the movies that are due. The server does so by itself, and must not run meanwhile.

    Takes the settings of `serve`; those on movies, the data directory and the time zone matter.
    """
    from dreamcanvas import logs  # noqa: PLC0415
    from dreamcanvas.history import command  # noqa: PLC0415

    settings = config.load(given, file=file)
    logs.configure(settings.log_level, settings.log_format)
    print(f"{asyncio.run(command.encode(settings))} movies made")


@history.command("export")
@click.argument("dest", type=click.Path(path_type=Path))
@click.option("--since", required=True, help="From the window that starts then, such as 2026-11-22T14:00Z.")
@click.option("--until", required=True, help="Up to the last window that starts before then.")
@click.option("--width", type=int, default=1536, show_default=True, help="Pixels: 1536 or 768.")
@_data_dir
def history_export(dest: Path, since: str, until: str, width: int, data_dir: Path) -> None:
    """Join movies of windows into the new file DEST, as they are. The server may run meanwhile."""
    from dreamcanvas.history import command  # noqa: PLC0415

    span = {"since": command.time_of(since), "until": command.time_of(until)}
    windows, frames = command.export(data_dir, dest, **span, width=width)
    print(f"{dest}: {windows} windows, {frames} frames, {frames / 30:.1f} s")


main.add_command(cli_host.tokens)
main.add_command(cli_host.admin)


if __name__ == "__main__":
    sys.exit(main())
