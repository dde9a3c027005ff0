"""The states of a file that the database names: the columns `file` of its tables (pure)."""

from enum import IntEnum


class FileState(IntEnum):
    """The state of a file. The numbers stand in databases, so they never change.

    A file that is deleted to make room is MARKED before that and GONE after it; one that outlived a crash in
    between is deleted later. WAITING is a movie that is not made yet.
    """

    THERE = 0
    MARKED = 1
    GONE = 2
    WAITING = 3
