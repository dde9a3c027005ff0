"""What there is of a file that the database names: the columns `file` of its tables (pure)."""

from enum import IntEnum


class FileState(IntEnum):
    """The numbers are those in databases, and never change.

    A file that is deleted for want of room is MARKED before and GONE after, so that one that outlived a crash
    between both is deleted later. WAITING is a movie that is not made yet.
    """

    THERE = 0
    MARKED = 1
    GONE = 2
    WAITING = 3
