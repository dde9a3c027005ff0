"""CONTRIBUTING.md names what is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
FOLDERS = ("", "client", "client/src", "dreamcanvas", "client/src/words", "dreamcanvas/web/texts")


def there(name: str) -> bool:
    return any((ROOT / folder / name).exists() for folder in FOLDERS) or any(
        (ROOT / folder / f"{name}.py").exists() for folder in FOLDERS
    )


def test_its_files_are_there() -> None:
    quoted = re.findall(r"`([^`]+)`", TEXT) + re.findall(r"\]\(([^):]+)\)", TEXT)
    words = {word for text in quoted for word in text.split()}
    files = {
        word for word in words if re.fullmatch(r"[\w.-]+(/[\w.-]+)*/?", word) and ("/" in word or "." in word)
    }
    files -= {"photo.jpg", "dream.jpg", "draw.undo", "draw.undoTitle", "words.draw.undo", "rpc.discover"}
    files -= {"tests.replay.record"}  # a module
    files -= {"./data", "/about"}
    assert len(files) > 30
    assert {name for name in files if not there(name.removesuffix("/"))} == set()


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("LANGUAGES", "client/src/words/language.ts"),
        ("MIGRATIONS", "dreamcanvas/store/schema.py"),
        ("TABLES", "tests/store/test_schema.py"),
        ("METHODS", "tests/contract/schema.py"),
        ("test_a_database_of_version_4_is_migrated_with_all_that_is_in_it", "tests/store/test_schema.py"),
    ],
)
def test_what_is_to_be_changed_is_where_it_says(name: str, file: str) -> None:
    assert f"`{name}`" in TEXT
    assert re.search(rf"\b{name}\b", (ROOT / file).read_text("utf-8"))
