"""DESIGN.md's dependency rules, by the AST."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import dreamcanvas

PACKAGE = Path(dreamcanvas.__file__).parent
GENERATED = "proto/"
MODULES = {
    path.relative_to(PACKAGE).as_posix(): path
    for path in sorted(PACKAGE.rglob("*.py"))
    if not path.name.endswith("_pb2.py")
}


def imported(name: str) -> set[str]:
    """Every module that a module names in an import, in full, wherever in its text."""
    return set(_imported(ast.parse(MODULES[name].read_text()), name))


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
    assert {"app.py", "rpc/protocol.py", "store/journal.py", "dream/worker.py"} <= MODULES.keys()
    assert uses("rpc/protocol.py", "websockets")
    assert uses("store/schema.py", "sqlite3")
    assert "rpc/wsrpc.py" in ours("rpc/connection.py")
    assert "proto/wsrpc_pb2.py" in ours("rpc/wsrpc.py")


@pytest.mark.parametrize(
    ("library", "allowed"),
    [
        ("websockets", ("rpc/protocol.py", "client/link.py")),
        ("apscheduler", ("history/jobs.py",)),
        ("av", ("history/gop.py", "history/movie.py", "history/worker.py")),
        ("tensorflow", ("dream/",)),
        ("numpy", ("dream/", "history/")),
        ("uvicorn", ("serving.py", "rpc/protocol.py", "rpc/http.py")),
        ("uvloop", ("loops.py",)),
        (
            "starlette",
            ("web.py", "web_", "serving.py"),
        ),
        ("segno", ("web_about.py",)),
        ("markdown_it", ("web_about.py",)),
        ("click", ("cli.py", "cli_dream.py", "cli_group.py", "cli_host.py")),
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
def test_dream_imports_nothing_of_the_rest_but_errors(name: str) -> None:
    assert {module for module in ours(name) - {"errors.py"} if not module.startswith("dream/")} <= {
        "__init__.py"
    }


@pytest.mark.parametrize("name", [name for name in MODULES if name.startswith("client/")])
def test_the_client_needs_no_server(name: str) -> None:
    allowed = {"__init__.py", "brush.py", "canvas.py", "errors.py", "origins.py", "proto/__init__.py"}
    generated = {"proto/dreamcanvas_pb2.py", "proto/wsrpc_pb2.py"}
    assert {found for found in ours(name) if not found.startswith("client/")} <= allowed | generated


@pytest.mark.parametrize("name", ["brush.py", "canvas.py", "errors.py", "ink.py"])
def test_pure_modules_do_no_input_or_output(name: str) -> None:
    assert not imported(name) & {"asyncio", "os", "pathlib", "socket", "time", "random", "logging", "sqlite3"}


LAYERS = (
    {"cli.py", "__main__.py"},
    {"cli_dream.py", "cli_host.py"},
    {"cli_group.py"},
    {"app.py", "history/command.py", "doctor.py"},
    {"serving.py"},
    {"host.py"},
    {"web.py", "api.py", "admin.py"},
    {"web_front.py"},
    {"web_history.py", "web_about.py", "web_gate.py", "web_files.py"},
    {"about.py"},
    {"history/history.py"},
    {"history/jobs.py"},
    {"history/catalogue.py"},
    {"history/recording.py"},
    {"history/"},
    {"visitors.py", "listener.py"},
    {"event_names.py"},
    {"views.py", "restoring.py", "undoing.py"},
    {"encoders.py"},
    {"moderation.py"},
    {"allowances.py"},
    {"access.py"},
    {"dreaming.py", "retracting.py"},
    {"painter.py"},
    {"easel.py"},
    {"reach.py"},
    {"broadcast.py"},
    {"events.py"},
    {"store/"},
    {"ink.py"},
    {"canvas.py"},
    {"brush.py"},
)


def layer(name: str) -> int | None:
    """How deep a module lies; None where it belongs to no layer of this list."""
    return next((depth for depth, parts in enumerate(LAYERS) if name.startswith(tuple(parts))), None)


@pytest.mark.parametrize("name", [name for name in MODULES if layer(name) is not None])
def test_dependencies_point_one_way(name: str) -> None:
    depth = layer(name)
    assert depth is not None
    above = {module for module in ours(name) if (found := layer(module)) is not None and found < depth}
    assert above == set()


def test_no_two_modules_import_each_other() -> None:
    graph = {name: ours(name) & MODULES.keys() - {name} for name in MODULES}
    while graph:
        leaves = {name for name, needs in graph.items() if not needs & graph.keys()}
        assert leaves, f"a ring in {sorted(graph)}"
        graph = {name: needs for name, needs in graph.items() if name not in leaves}


COMPOSITION = ("app.py", "serve")
"""It builds every part, one after the other."""


@pytest.mark.parametrize("name", MODULES)
def test_no_function_is_longer_than_40_lines(name: str) -> None:
    """Its docstring apart. A module is as long as its subject."""
    for node in ast.walk(ast.parse(MODULES[name].read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (name, node.name) != COMPOSITION:
            told = node.body[0].end_lineno or 0 if ast.get_docstring(node) else node.lineno
            assert (node.end_lineno or 0) - told <= 40, node.name


def test_the_server_loads_neither_tensorflow_nor_numpy() -> None:
    code = (
        "import sys, dreamcanvas.app, dreamcanvas.cli\n"
        "heavy = {'tensorflow', 'numpy', 'keras', 'apscheduler', 'av'} & sys.modules.keys()\n"
        "sys.exit(', '.join(sorted(heavy)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
