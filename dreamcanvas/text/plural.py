"""Numbers in sentences (pure): what is counted stands in the form that its number asks for."""


def counted(count: int, one: str, many: str = "") -> str:
    """Write a number and what is counted: `1 dab`, `0 dabs`, `1 Sperre`.

    `many` is `one` with an s by default.
    """
    return f"{count} {form(count, one, many)}"


def form(count: int, one: str, many: str = "") -> str:
    """Return the form that goes with a number, in English and German alike."""
    return one if count == 1 else many or f"{one}s"


def column(count: int, width: int, one: str) -> str:
    """Write it for a table: the number at the right of `width` places, the word as wide as its plural."""
    return f"{count:>{width}} {form(count, one):<{len(one) + 1}}"
