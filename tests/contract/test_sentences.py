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


def existing() -> set[str]:
    names = set()
    for path in HERE.glob("test_*.py"):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                names.add(f"{path.stem.removeprefix('test_')}::{node.name.removeprefix('test_')}")
    return {name for name in names if not name.startswith("sentences::")}


def test_every_test_that_is_named_is_there_and_none_is_left_out() -> None:
    named = {name for held in listed().values() for name in re.findall(r"`(\w+::\w+)`", held)}
    assert named == existing()


def test_every_sentence_has_a_test_or_a_reason() -> None:
    bullets = re.findall(r"^- ", (HERE / "README.md").read_text(), re.MULTILINE)
    assert len(listed()) == len(bullets) > 100
    for sentence, held in listed().items():
        assert re.search(r"`\w+::\w+`|later: issue \d|untested: \w", held), sentence
