"""The list of sentences in README.md names every test, and only tests that there are."""

import ast
import re
from pathlib import Path

HERE = Path(__file__).parent


def listed() -> dict[str, str]:
    """Sentence → what follows its arrow."""
    pairs = re.findall(
        r"^- (.+)\n  → ((?:.+\n)(?: {4}.+\n)*)", (HERE / "README.md").read_text(), re.MULTILINE
    )
    assert len(pairs) == len(dict(pairs)), "a sentence stands twice"
    return dict(pairs)


def names_in(path: Path) -> set[str]:
    """The names of a file's tests, without `test_`."""
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    body = ast.parse(path.read_text(encoding="utf-8")).body
    names = {node.name for node in body if isinstance(node, functions)}
    return {name.removeprefix("test_") for name in names if name.startswith("test_")}


def existing() -> set[str]:
    return {
        f"{path.stem.removeprefix('test_')}::{name}"
        for path in HERE.glob("test_*.py")
        if path != Path(__file__)
        for name in names_in(path)
    }


def test_every_test_that_is_named_is_there_and_none_is_left_out() -> None:
    named = {name for held in listed().values() for name in re.findall(r"`(\w+::\w+)`", held)}
    assert named == existing()


def test_every_test_of_another_room_that_is_named_is_there() -> None:
    named = [
        (room, name)
        for held in listed().values()
        for room, name in re.findall(r"`(tests/[\w/.]+)::(\w+)`", held)
    ]
    assert len(named) > 5
    for room, name in named:
        assert name in names_in(HERE.parents[1] / room), f"{room}::{name}"


def test_every_sentence_has_a_test_or_a_reason() -> None:
    bullets = re.findall(r"^- ", (HERE / "README.md").read_text(), re.MULTILINE)
    assert len(listed()) == len(bullets) > 100
    for sentence, held in listed().items():
        assert re.search(r"`(\w+|tests/[\w/.]+)::\w+`|untested: \w{3}", held), sentence
