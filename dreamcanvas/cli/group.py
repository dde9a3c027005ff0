"""What the commands share: errors as sentences, and the data directory."""

import errno
import io
import os
import sys
from pathlib import Path
from typing import Any, Final

import click

from dreamcanvas import config
from dreamcanvas.errors import ConfigError, DreamcanvasError, StoreError
from dreamcanvas.server.tasks import sole


class Group(click.Group):
    """Errors of this package are shown as sentences, not as tracebacks."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command. What the terminal has no letter for is shown by its number."""
        _open_standard_files()
        if ctx.invoked_subcommand not in ("serve", "doctor"):  # which have their own way to tell
            for sentence in config.unknown_variables():
                click.echo(f"Warning: {sentence}", err=True)
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(errors="backslashreplace")
        try:
            return super().invoke(ctx)
        except DreamcanvasError as error:
            raise _refusal(ctx, error) from error
        except OSError as error:
            if error.errno == errno.EPIPE:  # who reads has enough
                raise
            raise click.ClickException(str(error)) from error
        except ExceptionGroup as errors:
            one = sole(errors)
            if not isinstance(one, DreamcanvasError):
                raise
            raise _refusal(ctx, one) from one
        except ModuleNotFoundError as error:
            if error.name is None or error.name.split(".")[0] == "dreamcanvas":
                raise
            raise click.ClickException(
                f"this needs what the server needs, and {error.name} is not installed: "
                "pip install 'dreamcanvas[server]'"
            ) from error


def _open_standard_files() -> None:
    """Opens what the caller has closed (`>&-`): else a socket gets its number, and what is written to it."""
    for descriptor, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(descriptor, "w" if descriptor else "r", encoding="utf-8"))


class _Refused(click.ClickException):
    """A setting that is wrong, or data that keep a server from starting: the status of a wrong option."""

    exit_code = 2


def _refusal(ctx: click.Context, error: DreamcanvasError) -> click.ClickException:
    """Make what ends the command: the sentence, and a status of 2 where a setting is wrong."""
    starting = ctx.invoked_subcommand == "serve" and isinstance(error, StoreError)
    refused = _Refused if starting or isinstance(error, ConfigError) else click.ClickException
    return refused(str(error))


def _directory(ctx: click.Context, option: click.Parameter, text: str) -> Path:
    """Check the directory. An empty name would be the one where the command is called."""
    if not text.strip():
        raise click.BadParameter("it is empty, but has to be a directory", ctx, option)
    return Path(text)


DATA_DIR: Final = click.option(
    "--data-dir",
    callback=_directory,
    default="data",
    show_default=True,
    envvar=f"{config.PREFIX}DATA_DIR",
    help="Where everything is kept.",
)
