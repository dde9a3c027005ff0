"""The command line: no logic, only what the parts are asked to do."""

import asyncio
import dataclasses
import random
import sys
from pathlib import Path
from typing import Any

import click

from dreamcanvas import __version__, config
from dreamcanvas.errors import DreamcanvasError


class _Group(click.Group):
    """Errors of this package are shown as sentences, not as tracebacks."""

    def invoke(self, ctx: click.Context) -> Any:
        """Runs the command."""
        try:
            return super().invoke(ctx)
        except DreamcanvasError as error:
            raise click.ClickException(str(error)) from error


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


if __name__ == "__main__":
    sys.exit(main())
