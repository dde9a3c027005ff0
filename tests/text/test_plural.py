"""Numbers in sentences."""

import re
from pathlib import Path

import pytest

import dreamcanvas
from dreamcanvas.cli.history import _line
from dreamcanvas.history.catalogue import MovieState, RecordedWindow, Rendition
from dreamcanvas.store.file_state import FileState
from dreamcanvas.store.movies import Total
from dreamcanvas.text.plural import column, counted, form
from dreamcanvas.web.history import window_entry

PACKAGE = Path(dreamcanvas.__file__).parent
NUMBERED = re.compile(
    r"\{[^{}\"']*\} (?:dab|dream|frame|window|movie|ban|operation|connection|file|layer|processor|stroke)s\b"
)


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 dabs"), (1, "1 dab"), (2, "2 dabs"), (11, "11 dabs"), (21, "21 dabs")]
)
def test_what_is_counted_stands_in_the_form_of_its_number(count: int, text: str) -> None:
    assert counted(count, "dab") == text


def test_other_forms_are_given() -> None:
    assert [counted(count, "Sperre", "Sperren") for count in (0, 1, 2)] == [
        "0 Sperren",
        "1 Sperre",
        "2 Sperren",
    ]
    assert [form(count, "is", "are") for count in (0, 1, 2)] == ["are", "is", "are"]


def test_columns_stay_columns() -> None:
    assert [column(count, 4, "dab") for count in (1, 20)] == ["   1 dab ", "  20 dabs"]


def test_no_sentence_has_a_number_before_a_plural_of_its_own() -> None:
    """The kind: `f"{n} dabs"` is wrong for one. What can never be one says so here."""
    never_one = {"history/recording.py", "history/movie.py"}  # of a wrong movie: never exactly one frame
    found = {
        f"{path.relative_to(PACKAGE)}: {match.group()}"
        for path in PACKAGE.rglob("*.py")
        if not path.name.endswith("_pb2.py") and str(path.relative_to(PACKAGE)) not in never_one
        for match in NUMBERED.finditer(path.read_text("utf-8"))
    }
    assert found == set()


def test_one_of_each_in_what_is_told_of_the_past() -> None:
    window = RecordedWindow(
        name="x",
        start=0,
        until=1000,
        state=MovieState.ENCODED,
        frames=1,
        dabs=1,
        dabs_per_minute=(1,),
        styles=((0, "Fur"),),
        renditions=(Rendition(768, "x.mp4", 1),),
        poster=None,
        sprite=None,
    )
    assert window_entry(window, root="").summary == "1 dream, 1 dab; Fur"
    assert " ".join(_line(Total(0, 1000, 1, 1, 1, FileState.THERE)).split()[2:]) == "1 frame 1 dab 1 byte"
