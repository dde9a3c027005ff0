"""The command line: no logic, only what the parts are asked to do."""

import asyncio
import dataclasses
import logging
import random
import sys
from pathlib import Path
from typing import Any

import click

from dreamcanvas import __version__, config
from dreamcanvas.cli.admin import admin, tokens
from dreamcanvas.cli.dream import dream, models, styles
from dreamcanvas.cli.group import DATA_DIR, Group
from dreamcanvas.clock import wall_clock
from dreamcanvas.text.plural import counted


@click.group(cls=Group)
@click.version_option(__version__)
def main() -> None:
    """A shared canvas that dreams."""


def _server_options(command: Any) -> Any:
    """Add an option for each setting of Config."""
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
    from dreamcanvas.server.app import App  # noqa: PLC0415
    from dreamcanvas.server.event_loop import loop_factory, share_interpreter  # noqa: PLC0415
    from dreamcanvas.telemetry import logs  # noqa: PLC0415 - the other commands need none of the server

    settings = config.load(given, file=file)
    logs.configure(settings.log_level, settings.log_format)
    for sentence in config.unknown_variables():
        logging.getLogger(__name__).warning(sentence)

    def started(url: str) -> None:
        print(f"Dreamcanvas is at {url}  (Ctrl-C ends it)", flush=True)
        if not settings.rate_limits:
            click.secho("Rate limits are OFF: for load tests on your own machine only.", fg="red", err=True)

    async def run() -> None:
        await App(settings, rng=random.Random(), started=started).serve()  # noqa: S311 - styles, no secrets

    share_interpreter()
    with asyncio.Runner(loop_factory=loop_factory(settings.loop)) as runner:
        runner.run(run())


@main.command()
@click.argument("dest", type=click.Path(path_type=Path))
@DATA_DIR
def backup(dest: Path, data_dir: Path) -> None:
    """Copy everything that is kept into DEST, a new or empty directory. The server may run meanwhile."""
    from dreamcanvas.store import backup as store  # noqa: PLC0415

    logging.basicConfig(format="%(message)s: %(path)s")
    made = store.backup(data_dir, dest, clock=wall_clock)
    print(f"{dest}: {_kept(made.seq, made.dream, made.files, made.bytes)}")


def _kept(*counts: int) -> str:
    """Count what a backup has."""
    names = ("operation", "dream", "file", "byte")
    return ", ".join(counted(count, name) for count, name in zip(counts, names, strict=True))


@main.command()
@click.argument("src", type=click.Path(path_type=Path))
@DATA_DIR
def restore(src: Path, data_dir: Path) -> None:
    """Make a data directory, which must be new or empty, from the backup SRC."""
    from dreamcanvas.store import backup as store  # noqa: PLC0415

    made = store.restore(src, data_dir)
    print(f"{data_dir}: {_kept(made.seq, made.dream, made.files, made.bytes)}")


@main.command()
@click.option("--config", "file", type=click.Path(path_type=Path), help="A TOML file with settings.")
@_server_options
def doctor(file: Path | None, **given: Any) -> None:
    """Look whether this machine can serve, and say what to do. Takes the settings of `serve`.

    Ends with status 1 where something is in the way.
    """
    from dreamcanvas.cli import doctor as physician  # noqa: PLC0415

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
@DATA_DIR
def history_list(data_dir: Path) -> None:
    """List the windows and the movies of the days. The server may run meanwhile."""
    from dreamcanvas.cli.history import lines  # noqa: PLC0415

    for line in lines(data_dir):
        print(line)


@history.command("encode")
@click.option("--config", "file", type=click.Path(path_type=Path), help="A TOML file with settings.")
@_server_options
def history_encode(file: Path | None, **given: Any) -> None:
    """Make the movies that are due. The server does so by itself, and must not run meanwhile.

    Takes the settings of `serve`; those on movies, the data directory and the time zone matter.
    """
    from dreamcanvas.cli.history import encode  # noqa: PLC0415
    from dreamcanvas.telemetry import logs  # noqa: PLC0415

    settings = config.load(given, file=file)
    logs.configure(settings.log_level, settings.log_format)
    print(f"{counted(asyncio.run(encode(settings)), 'movie')} made")


@history.command("export")
@click.argument("dest", type=click.Path(path_type=Path))
@click.option("--since", required=True, help="From the window that starts then, such as 2026-11-22T14:00Z.")
@click.option("--until", required=True, help="Up to the last window that starts before then.")
@click.option("--width", type=int, default=1536, show_default=True, help="Pixels: 1536 or 768.")
@DATA_DIR
def history_export(dest: Path, since: str, until: str, width: int, data_dir: Path) -> None:
    """Join movies of windows into the new file DEST, as they are. The server may run meanwhile."""
    from dreamcanvas.cli.history import export, time_of  # noqa: PLC0415

    span = {"since": time_of(since), "until": time_of(until)}
    windows, frames = export(data_dir, dest, **span, width=width)
    print(f"{dest}: {counted(windows, 'window')}, {counted(frames, 'frame')}, {frames / 30:.1f} s")


main.add_command(dream)
main.add_command(styles)
main.add_command(models)
main.add_command(tokens)
main.add_command(admin)


if __name__ == "__main__":
    sys.exit(main())
