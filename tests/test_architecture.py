"""DESIGN.md's dependency rules, by the AST."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import dreamcanvas
from dreamcanvas import errors

PACKAGE = Path(dreamcanvas.__file__).parent
GENERATED = "proto/"
MODULES = {
    path.relative_to(PACKAGE).as_posix(): path
    for path in sorted(PACKAGE.rglob("*.py"))
    if not path.name.endswith("_pb2.py")
}


@cache
def imported(name: str) -> frozenset[str]:
    """Every module that a module names in an import, in full, wherever in its text."""
    return frozenset(_imported(ast.parse(MODULES[name].read_text()), name))


def _imported(tree: ast.AST, name: str) -> Iterator[str]:
    package = ["dreamcanvas", *name.split("/")[:-1]]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = ".".join(package[: len(package) + 1 - node.level]) if node.level else ""
            module = ".".join(filter(None, [above, node.module or ""]))
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)


def ours(name: str) -> set[str]:
    """The modules of this package that a module imports, as paths."""
    found = set()
    for module in imported(name):
        path = module.removeprefix("dreamcanvas.").replace(".", "/")
        found |= {path + ending for ending in (".py", "/__init__.py") if path + ending in MODULES}
        if module.startswith("dreamcanvas.proto."):
            found.add("proto/" + module.split(".")[2] + ".py")
    return found


def uses(name: str, library: str) -> bool:
    return any(module == library or module.startswith(f"{library}.") for module in imported(name))


def test_there_is_something_to_look_at() -> None:
    assert {"server/app.py", "rpc/protocol.py", "store/journal.py", "dream/worker.py"} <= MODULES.keys()
    assert uses("rpc/protocol.py", "websockets")
    assert uses("store/schema.py", "sqlite3")
    assert "rpc/wsrpc.py" in ours("rpc/connection.py")
    assert "proto/wsrpc_pb2.py" in ours("rpc/wsrpc.py")


@pytest.mark.parametrize(
    ("library", "allowed"),
    [
        ("websockets", ("rpc/protocol.py", "client/reconnecting.py")),
        ("apscheduler", ("history/jobs.py",)),
        ("av", ("history/group_encoder.py", "history/movie.py", "history/worker.py")),
        ("tensorflow", ("dream/",)),
        ("numpy", ("dream/", "history/")),
        ("uvicorn", ("server/http_server.py", "server/http_protocol.py", "rpc/protocol.py")),
        ("uvloop", ("server/event_loop.py",)),
        ("starlette", ("web/", "server/http_server.py")),
        ("segno", ("web/about.py",)),
        ("markdown_it", ("web/about.py",)),
        ("jinja2", ("web/pages.py",)),
        ("base58_bech32", ("net/donations.py",)),
        ("click", ("cli/main.py", "cli/dream.py", "cli/group.py", "cli/admin.py")),
    ],
)
def test_a_library_is_touched_only_where_it_belongs(library: str, allowed: tuple[str, ...]) -> None:
    users = {name for name in MODULES if uses(name, library)}
    assert {name for name in users if not name.startswith(allowed)} == set()


def test_only_the_store_connects_to_sqlite() -> None:
    for name, path in MODULES.items():
        if uses(name, "sqlite3") and not name.startswith("store/"):
            tree = ast.parse(path.read_text())
            used = {
                node.attr
                for node in ast.walk(tree)
                if isinstance(node, ast.Attribute)
                and isinstance(node.value, ast.Name)
                and node.value.id == "sqlite3"
            }
            assert used <= {"Error"}, f"{name} knows of no more than that the store can fail"


@pytest.mark.parametrize("name", [name for name in MODULES if name.startswith("rpc/")])
def test_rpc_imports_nothing_of_the_rest_but_errors_and_the_envelope(name: str) -> None:
    assert {
        module
        for module in ours(name) - {"errors.py", "proto/wsrpc_pb2.py", "proto/__init__.py"}
        if not module.startswith("rpc/")
    } <= {"__init__.py"}


@pytest.mark.parametrize("name", [name for name in MODULES if name.startswith("dream/")])
def test_dream_imports_nothing_of_the_rest_but_errors_and_process(name: str) -> None:
    allowed = {"__init__.py", "errors.py", "process.py"}
    assert {module for module in ours(name) if not module.startswith("dream/")} <= allowed


@pytest.mark.parametrize("name", [name for name in MODULES if name.startswith("client/")])
def test_the_client_needs_no_server(name: str) -> None:
    packages = {"__init__.py", "canvas/__init__.py", "net/__init__.py", "proto/__init__.py"}
    modules = {"canvas/brush.py", "canvas/model.py", "errors.py", "net/origins.py"}
    generated = {"proto/dreamcanvas_pb2.py", "proto/wsrpc_pb2.py"}
    allowed = packages | modules | generated
    assert {found for found in ours(name) if not found.startswith("client/")} <= allowed


PURE = ("canvas/", "net/", "text/", "errors.py")


@pytest.mark.parametrize("name", [name for name in MODULES if name.startswith(PURE)])
def test_pure_modules_do_no_input_or_output(name: str) -> None:
    assert not imported(name) & {"asyncio", "os", "pathlib", "socket", "time", "random", "logging", "sqlite3"}


LAYERS: tuple[tuple[str, ...], ...] = (
    ("__main__.py",),
    ("cli/main.py",),
    ("cli/admin.py", "cli/dream.py", "cli/history.py", "cli/doctor.py"),
    ("cli/",),
    ("server/app.py",),
    ("server/http_server.py", "server/storage.py"),
    ("server/",),
    ("web/app.py", "web/about.py"),
    ("web/middleware.py", "web/history.py", "web/pages.py"),
    ("web/",),
    ("api/methods.py",),
    ("api/painter_service.py", "api/admin_service.py"),
    ("api/connections.py", "api/posters.py", "api/server_info.py", "api/status.py"),
    ("api/",),
    ("painting/snapshots.py", "painting/restore.py"),
    ("painting/stroke_undo.py", "painting/encoder_pool.py"),
    ("painting/dream_loop.py", "painting/deferred_patch.py"),
    ("painting/painter.py",),
    ("painting/",),
    ("history/history.py",),
    ("history/jobs.py",),
    ("history/catalogue.py",),
    ("history/recording.py", "history/atom.py", "history/worker.py"),
    ("history/movie.py",),
    ("history/group_encoder.py",),
    ("history/",),
    ("access/moderation.py",),
    ("access/quotas.py",),
    ("access/",),
    ("broadcast/broadcast.py", "broadcast/cursors.py"),
    ("broadcast/",),
    ("config.py",),
    ("store/maintenance.py",),
    ("store/backup.py", "store/budget.py"),
    ("store/movies.py",),
    ("store/undo_reader.py", "store/dream_queries.py"),
    (
        "store/authors.py",
        "store/checkpoints.py",
        "store/dreams.py",
        "store/moderation_log.py",
        "store/uptime.py",
    ),
    ("store/journal.py",),
    ("store/archive.py",),
    ("store/database.py", "store/tokens.py"),
    ("store/schema.py",),
    ("store/check.py", "store/insertion.py"),
    ("store/",),
    ("dream/worker.py", "dream/file.py"),
    ("dream/responder.py", "dream/picture_file.py"),
    ("dream/engine.py",),
    ("dream/ascent.py", "dream/networks/inception5h_graph.py"),
    ("dream/settle.py", "dream/networks/frozen_graph.py"),
    ("dream/composition.py", "dream/schedule.py", "dream/networks/efficientnet_lite0_graph.py"),
    ("dream/networks/graph_operations.py",),
    (
        "dream/dreamer.py",
        "dream/laplacian_pyramid.py",
        "dream/models.py",
        "dream/objective.py",
        "dream/padding.py",
    ),
    ("dream/smoothing.py", "dream/styles.py"),
    ("dream/networks/convolution.py", "dream/networks/depthwise.py", "dream/networks/response.py"),
    ("dream/network.py",),
    ("dream/networks/efficientnet_lite0.py", "dream/networks/inception5h.py"),
    ("dream/",),
    ("rpc/protocol.py",),
    ("rpc/calls.py",),
    ("rpc/dispatcher.py",),
    ("rpc/endpoint.py",),
    ("rpc/read_buffer.py", "rpc/service.py"),
    ("rpc/connection.py", "rpc/payloads.py"),
    ("rpc/jsonmap.py", "rpc/keepalive.py", "rpc/openrpc.py"),
    ("rpc/",),
    ("client/__init__.py",),
    ("client/blocking.py",),
    ("client/async_client.py",),
    ("client/replica.py", "client/session.py"),
    ("client/events.py", "client/reconnecting.py"),
    ("client/",),
    ("telemetry/",),
    ("canvas/undo.py",),
    ("canvas/reconstruction.py",),
    ("canvas/ink.py", "canvas/operation_log.py", "canvas/undone.py"),
    ("canvas/model.py",),
    ("canvas/",),
    ("net/", "text/"),
    ("process.py", "small_file.py", "clock.py", "observers.py"),
    ("errors.py", "proto/", "__init__.py"),
)
"""From top to bottom, a room's own order within it. A module is in the first that it fits. Those in a room's
last layer, the one that names the room alone, import nothing of their room."""


def layer(name: str) -> int:
    """How deep a module lies."""
    found = [depth for depth, parts in enumerate(LAYERS) if name.startswith(parts)]
    assert found, f"{name} is in no room: DESIGN.md has them"
    return found[0]


@pytest.mark.parametrize("name", MODULES)
def test_dependencies_point_one_way(name: str) -> None:
    """Modules of one layer know nothing of each other. A package's `__init__` may name its modules."""
    others = {module for module in ours(name) - {name} if not module.endswith("__init__.py")}
    above = sorted(module for module in others if layer(module) <= layer(name))
    assert not above, f"{name} imports them: LAYERS has to have it above them, or the import is to be turned"


def test_the_layers_name_what_is_there() -> None:
    named = [part for parts in LAYERS for part in parts]
    assert len(named) == len(set(named))
    for part in named:
        assert part in MODULES or (part.endswith("/") and (PACKAGE / part).is_dir()), part
    rooms = {name.partition("/")[0] + "/" for name in MODULES if "/" in name}
    assert rooms <= set(named), "each room has a last layer"


@pytest.mark.parametrize("name", ["stray.py", "attic/old.py"])
def test_a_module_in_no_room_is_a_fault(name: str) -> None:
    with pytest.raises(AssertionError, match="in no room"):
        layer(name)


FLOORS = (
    ("painting/", "history/"),
    ("access/", "broadcast/"),
    ("store/", "config.py"),
    ("dream/", "rpc/", "client/", "telemetry/"),
    ("net/", "text/", "process.py", "clock.py"),
)
"""Rooms, and modules beside them, that stand side by side."""


@pytest.mark.parametrize("floor", FLOORS)
def test_rooms_side_by_side_know_nothing_of_each_other(floor: tuple[str, ...]) -> None:
    for room in floor:
        others = tuple(other for other in floor if other != room)
        for name in MODULES:
            if name.startswith(room):
                assert {module for module in ours(name) if module.startswith(others)} == set(), name


def test_no_two_modules_import_each_other() -> None:
    graph = {name: ours(name) & MODULES.keys() - {name} for name in MODULES}
    while graph:
        leaves = {name for name, needs in graph.items() if not needs & graph.keys()}
        assert leaves, f"a ring in {sorted(graph)}"
        graph = {name: needs for name, needs in graph.items() if name not in leaves}


@pytest.mark.parametrize("name", MODULES)
def test_no_function_is_longer_than_40_lines(name: str) -> None:
    """Its docstring apart. A module is as long as its subject."""
    for node in ast.walk(ast.parse(MODULES[name].read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            told = node.body[0].end_lineno or 0 if ast.get_docstring(node) else node.lineno
            assert (node.end_lineno or 0) - told <= 40, node.name


def test_the_server_loads_neither_tensorflow_nor_numpy() -> None:
    code = (
        "import sys, dreamcanvas.server.app, dreamcanvas.cli.main\n"
        "heavy = {'tensorflow', 'numpy', 'keras', 'apscheduler', 'av'} & sys.modules.keys()\n"
        "sys.exit(', '.join(sorted(heavy)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


FOREIGN = {
    "api/server_info.py": {"response.costs"},  # protobuf
    "api/status.py": {"status"},  # protobuf
    "broadcast/encoding.py": {"event", "position"},  # protobuf
    "cli/admin.py": {"ctx"},  # click
    "cli/dream.py": {"bar"},  # click
    "client/session.py": {"request"},  # protobuf
    "history/atom.py": {"ET.SubElement(parent, _tag(name))"},
    "history/group_encoder.py": {"context", "encoder", "frame", "self._decoder"},  # PyAV
    "history/movie.py": {"packet", "stream.codec_context"},  # PyAV
    "rpc/wsrpc.py": {"detail", "response"},  # protobuf
    "server/app.py": {"parts.http"},  # uvicorn's way of being told to end
    "server/http_protocol.py": {"cycle"},  # uvicorn
    "store/queue.py": {"error"},  # an exception's traceback
    "telemetry/logs.py": {"record", "root"},  # logging
}
"""Objects of other libraries that are told things by their attributes."""


def assigned(tree: ast.AST) -> Iterator[ast.Attribute]:
    """The attributes of anything but `self` and `cls` that are assigned to, deleted, or set by their name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store | ast.Del):
            owner = node.value.id if isinstance(node.value, ast.Name) else ""
            if owner not in ("self", "cls"):
                yield node


@cache
def records(room: str) -> set[str]:
    """The fields of the dataclasses of a room that may be filled in."""
    found = set()
    for path in [path for name, path in MODULES.items() if name.rpartition("/")[0] == room]:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef) and any(_fills_in(mark) for mark in node.decorator_list):
                found |= {ast.unparse(line.target) for line in node.body if isinstance(line, ast.AnnAssign)}
    return found


def _fills_in(decorator: ast.expr) -> bool:
    text = ast.unparse(decorator)
    return text.startswith("dataclass") and "frozen=True" not in text


@pytest.mark.parametrize("name", MODULES)
def test_no_part_assigns_attributes_of_another(name: str) -> None:
    """What a part needs it is given when it is made; what it tells others goes through a call.

    A record, a dataclass that is not frozen, may be filled in by the modules of its own room.
    """
    own = records(name.rpartition("/")[0])
    wired = {
        f"line {node.lineno}: {ast.unparse(node)}"
        for node in assigned(ast.parse(MODULES[name].read_text("utf-8")))
        if node.attr not in own and ast.unparse(node.value) not in FOREIGN.get(name, set())
    }
    assert wired == set()


def test_assignments_to_attributes_are_found() -> None:
    lines = (
        "journal.applied = f\na.b.c += 1\ndel x.y\nself.z, other.w = 1, 2\nfor q.r in s: pass\nself.own = 1"
    )
    found = {ast.unparse(node) for node in assigned(ast.parse(lines))}
    assert found == {"journal.applied", "a.b.c", "x.y", "other.w", "q.r"}


def test_only_foreign_objects_have_attributes_set_by_name() -> None:
    users = {
        name
        for name, path in MODULES.items()
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "setattr"
    }
    assert users == {"rpc/jsonmap.py", "cli/group.py"}, "protobuf's fields; the standard streams in `sys`"


RPC_ERRORS = {error.__name__ for error in errors.RpcError.__subclasses__()} | {"RpcError"}


@pytest.mark.parametrize(
    "name",
    [name for name in MODULES if not name.startswith(("api/", "client/", "cli/", "rpc/", "errors.py"))],
)
def test_errors_become_rpc_errors_in_api_alone(name: str) -> None:
    allowed = {"web/history.py": {"InvalidParams"}, "telemetry/metrics.py": {"RpcError"}}
    known = {
        module.rpartition(".")[2] for module in imported(name) if module.startswith("dreamcanvas.errors.")
    }
    assert known & RPC_ERRORS <= allowed.get(name, set())


@pytest.mark.parametrize(
    "name", [name for name in MODULES if name.startswith(("painting/", "history/", "store/"))]
)
def test_the_canvas_knows_nothing_of_messages(name: str) -> None:
    assert not {module for module in ours(name) if module.startswith(("proto/", "rpc/"))}
