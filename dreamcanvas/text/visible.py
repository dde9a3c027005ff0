"""What can be seen of a text (pure).

`client/src/text/visible.ts` says the same, and `tests/text/visible.json` holds both to it. Characters that
this Python's Unicode does not know yet count as visible: a browser's may be newer.
"""

import unicodedata
from typing import Final

_JOINERS: Final = "\u200c\u200d"  # they make emoji, and words of some scripts
_TAGS: Final = range(0xE0020, 0xE0080)  # they make flags
_NOT_IN_A_LINE: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
_NOTHING: Final = frozenset({"Zs", "Mn", "Mc", "Me"})
# Unicode's Default_Ignorable_Code_Point, DerivedCoreProperties.txt: nothing is drawn for these
_IGNORABLE: Final = (
    *((0x00AD, 0x00AD), (0x034F, 0x034F), (0x061C, 0x061C), (0x115F, 0x1160), (0x17B4, 0x17B5)),
    *((0x180B, 0x180F), (0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0x3164, 0x3164)),
    *((0xFE00, 0xFE0F), (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0), (0xFFF0, 0xFFF8), (0x1BCA0, 0x1BCA3)),
    *((0x1D173, 0x1D17A), (0xE0000, 0xE0FFF)),
)
# Signs that are drawn as a blank: of Braille, for an object, a musical note's head, of hieroglyphs
_BLANKS: Final = frozenset("\u2800\ufffc\U0001d159\U00013441\U00013442")


def is_line(text: str) -> bool:
    """Say whether a text is one line without control characters."""
    return all(_in_a_line(character) for character in text)


def is_visible(text: str) -> bool:
    """Say whether anything of a text can be seen: more than spaces, blanks and marks without a letter."""
    return any(_seen(character) for character in text)


def _in_a_line(character: str) -> bool:
    if character in _JOINERS or ord(character) in _TAGS:
        return True
    return unicodedata.category(character) not in _NOT_IN_A_LINE and not _is_noncharacter(ord(character))


def _seen(character: str) -> bool:
    code = ord(character)
    category = unicodedata.category(character)
    return not (
        category in _NOTHING
        or category in _NOT_IN_A_LINE
        or character in _BLANKS
        or _is_noncharacter(code)
        or any(first <= code <= last for first, last in _IGNORABLE)
    )


def _is_noncharacter(code: int) -> bool:
    return code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF
