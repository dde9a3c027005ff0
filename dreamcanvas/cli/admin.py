"""The operator's commands: `dreamcanvas tokens …` and `dreamcanvas admin …`.

No logic, only what is asked for.
"""

import contextlib
from pathlib import Path
from typing import Any, Final

import click

from dreamcanvas import config
from dreamcanvas.cli import admin_client
from dreamcanvas.cli.group import DATA_DIR
from dreamcanvas.clock import wall_clock
from dreamcanvas.store.tokens import TokenFile
from dreamcanvas.text.plural import column, counted

MOST: Final = 10**9  # of a token's quota


def _tokens(data_dir: Path) -> "contextlib.closing[TokenFile]":
    return contextlib.closing(TokenFile(data_dir, clock=wall_clock))


@click.group()
def tokens() -> None:
    """Tokens of bots, each with a name and a quota of its own. The server may run meanwhile."""


@tokens.command("add")
@click.argument("name")
@click.option(
    "--dabs-per-second", type=click.IntRange(0, MOST), default=600, show_default=True, help="0: no limit."
)
@click.option("--dabs-burst", type=click.IntRange(1, MOST), default=2000, show_default=True, help="At once.")
@click.option(
    "--connections", type=click.IntRange(0, MOST), default=8, show_default=True, help="0: no limit."
)
@DATA_DIR
def tokens_add(name: str, data_dir: Path, **quota: int) -> None:
    """Make a token for the bot NAME, and print it: it cannot be shown again."""
    with _tokens(data_dir) as file:
        print(file.add(name, **quota))


@tokens.command("list")
@DATA_DIR
def tokens_list(data_dir: Path) -> None:
    """List the tokens without their secrets."""
    with _tokens(data_dir) as file:
        for token in file.all():
            state = f"revoked {admin_client.shown(token.revoked)}" if token.revoked else "valid"
            rate = f"{counted(token.dabs_per_second, 'dab')}/s" if token.dabs_per_second else "any rate"
            sockets = counted(token.connections, "connection") if token.connections else "any connections"
            quota = f"{rate}, burst {token.dabs_burst}, {sockets}"
            print(f"{token.name:<33}{admin_client.shown(token.created)}  {quota}  {state}")


@tokens.command("revoke")
@click.argument("name")
@DATA_DIR
def tokens_revoke(name: str, data_dir: Path) -> None:
    """Make the token of NAME invalid; its connections are closed in a few seconds."""
    with _tokens(data_dir) as file:
        file.revoke(name)


@click.group()
@click.option(
    "--url",
    default="http://127.0.0.1:4242",
    show_default=True,
    envvar=f"{config.PREFIX}URL",
    help="Where the server is.",
)
@click.option("--insecure", is_flag=True, help="Send the token over plain HTTP also to another machine.")
@DATA_DIR
@click.pass_context
def admin(ctx: click.Context, url: str, insecure: bool, data_dir: Path) -> None:
    """Look after a canvas that is being served.

    The host's token is in the data directory, in the file admin-token; or in DREAMCANVAS_ADMIN_TOKEN.
    Times are such as 2026-11-22T14:03:20Z, or -10m: ten minutes ago.
    """
    ctx.obj = lambda method, **params: admin_client.call(
        url,
        admin_client.token_of(data_dir),
        method,
        {name: value for name, value in params.items() if value is not None},
        insecure=insecure,
    )


@admin.command("state")
@click.pass_obj
def admin_state(call: Any) -> None:
    """How things stand."""
    for name, value in call("state").items():
        print(f"{name:<15} {value}")


@admin.command("read-only")
@click.argument("state", type=click.Choice(["on", "off"]))
@click.pass_obj
def admin_read_only(call: Any, state: str) -> None:
    """Let nobody draw (on), or everybody again (off)."""
    call("readOnly", on=state == "on")


@admin.command("next-style")
@click.pass_obj
def admin_next_style(call: Any) -> None:
    """Have it dream of something else."""
    print(call("nextStyle")["style"])


@admin.command("rest")
@click.pass_obj
def admin_rest(call: Any) -> None:
    """Have it dream no more, until `wake`."""
    call("rest", on=True)


@admin.command("wake")
@click.pass_obj
def admin_wake(call: Any) -> None:
    """Have it dream again."""
    call("rest", on=False)


@admin.command("announce")
@click.argument("text", default="")
@click.option("--for", "span", help="For how long, such as 30m; else until it is replaced.")
@click.pass_obj
def admin_announce(call: Any, text: str, span: str | None) -> None:
    """Show everyone the line TEXT; without it take the line away."""
    call("announce", text=text, seconds=admin_client.seconds_of(span) if span else None)


@admin.command("who")
@click.argument("x", type=int)
@click.argument("y", type=int)
@click.option("--width", type=int, help="Of so many pixels to the right.  [default: 1]")
@click.option("--height", type=int, help="And down.  [default: 1]")
@click.option("--time", "moment", help="Up to this time.  [default: now]")
@click.option("--for", "span", default="24h", show_default=True, help="So long before that.")
@click.pass_obj
def admin_who(call: Any, /, moment: str | None, span: str, **given: int | None) -> None:
    """Who painted at the pixel (X, Y), whoever painted last first."""
    seconds = admin_client.seconds_of(span)
    time_ = admin_client.moment_of(moment) if moment else None
    for painted in call("who", time=time_, seconds=seconds, **given).get("painted", ()):
        first, last = admin_client.shown(painted["firstTime"]), admin_client.shown(painted["lastTime"])
        extra = f"  token {painted['token']}" if painted["token"] else ""
        extra += "  banned" if painted["banned"] else ""
        print(
            f"author {painted['author']:<8} {painted['address']:<40} {column(painted['dabs'], 6, 'dab')}  "
            f"{first} to {last}  #{painted['color']:06x}{extra}"
        )


@admin.command("restore")
@click.option("--region", help="X,Y,WIDTH,HEIGHT in pixels.  [default: the whole canvas]")
@click.option("--author", "authors", type=int, multiple=True, help="What this author drew since; repeatable.")
@click.option("--address", help="What was drawn from this address since.")
@click.option("--time", "moment", help="How it was at this time.")
@click.option("--dream", type=int, help="How it was when this dream was new.")
@click.pass_obj
def admin_restore(call: Any, /, region: str | None, moment: str | None, **given: Any) -> None:
    """Put back how it was: a region or all of it, or only where an author or an address drew.

    What others drew later stays with --author and --address. It is one more operation: nothing is lost.
    """
    sides = ("x", "y", "width", "height")
    try:
        box = dict(zip(sides, map(int, region.split(",")), strict=True)) if region else None
    except ValueError:
        raise click.BadParameter(f"{region!r} is not X,Y,WIDTH,HEIGHT", param_hint="--region") from None
    done = call(
        "restore",
        region=box,
        time=admin_client.moment_of(moment) if moment else None,
        **given,
    )
    where = ",".join(str(done["region"][side]) for side in sides)
    dabs = f", {counted(done['dabs'], 'dab')} taken back" if done["dabs"] else ""
    print(f"operation {done['seq']}, at {where}{dabs}")


@admin.command("ban")
@click.option("--author", type=int, help="An author's number; its address is banned with it.")
@click.option("--address", help="An address, a network such as 203.0.113.0/24, or # and a hash of `who`'s.")
@click.option("--author-only", is_flag=True, help="The author alone: others may share its address.")
@click.option("--for", "span", required=True, help="For how long, such as 2h or 7d.")
@click.option("--reason", required=True, help="What they are told.")
@click.pass_obj
def admin_ban(call: Any, /, span: str, author_only: bool, **whom: Any) -> None:
    """Let an author or an address draw no more for a while; they are told why.

    Who loads the page anew is another author, of the same address.
    """
    seconds = admin_client.seconds_of(span)
    print(_ban(call("ban", seconds=seconds, author_only=author_only or None, **whom)))


@admin.command("unban")
@click.argument("ban", type=int)
@click.pass_obj
def admin_unban(call: Any, ban: int) -> None:
    """End the ban of that number."""
    call("unban", ban=ban)


@admin.command("bans")
@click.pass_obj
def admin_bans(call: Any) -> None:
    """List the bans in force."""
    for ban in call("bans").get("bans", ()):
        print(_ban(ban))


@admin.command("log")
@click.option("--limit", type=int, default=100, show_default=True, help="How many at the most.")
@click.pass_obj
def admin_log(call: Any, limit: int) -> None:
    """List what was done here, newest first."""
    for act in call("acts", limit=limit).get("acts", ()):
        patch = f"  operation {act['seq']}" if act["seq"] else ""
        print(f"{act['act']:<6}{admin_client.shown(act['time'])}  {act['what']:<10} {act['details']}{patch}")


def _ban(ban: dict[str, Any]) -> str:
    author = f"author {ban['author']}" if ban["author"] else ""
    whom = " ".join(filter(None, [author, ban["address"]]))
    return f"ban {ban['ban']}: {whom} until {admin_client.shown(ban['until'])}: {ban['reason']}"
