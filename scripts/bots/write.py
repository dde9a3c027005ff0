"""Writes text with the brush: `python scripts/bots/write.py "hello, dream" --at 200 300`."""

import argparse
from collections.abc import Iterator

from dreamcanvas.client import Client

# What a pen does for each letter: its strokes, of points on a grid, column 0 to 4 and row 0 to 6 from the top
PEN = {
    "A": "06 20 46, 14 34",
    "B": "06 00 30 41 42 33 03, 33 44 45 36 06",
    "C": "41 30 10 01 05 16 36 45",
    "D": "00 06 26 45 41 20 00",
    "E": "40 00 06 46, 03 33",
    "F": "40 00 06, 03 33",
    "G": "41 30 10 01 05 16 36 45 43 23",
    "H": "00 06, 40 46, 03 43",
    "I": "10 30, 20 26, 16 36",
    "J": "40 45 36 16 05",
    "K": "00 06, 40 03 46",
    "L": "00 06 46",
    "M": "06 00 23 40 46",
    "N": "06 00 46 40",
    "O": "10 30 41 45 36 16 05 01 10",
    "P": "06 00 30 41 42 33 03",
    "Q": "10 30 41 45 36 16 05 01 10, 24 46",
    "R": "06 00 30 41 42 33 03, 23 46",
    "S": "41 30 10 01 02 13 33 44 45 36 16 05",
    "T": "00 40, 20 26",
    "U": "00 05 16 36 45 40",
    "V": "00 26 40",
    "W": "00 16 23 36 40",
    "X": "00 46, 40 06",
    "Y": "00 23 40, 23 26",
    "Z": "00 40 06 46",
    "0": "10 30 41 45 36 16 05 01 10, 41 05",
    "1": "11 20 26, 16 36",
    "2": "01 10 30 41 42 06 46",
    "3": "00 40 23 33 44 45 36 16 05",
    "4": "36 30 04 44",
    "5": "40 00 03 33 44 45 36 16 05",
    "6": "30 10 01 05 16 36 45 44 33 03",
    "7": "00 40 16",
    "8": "13 02 01 10 30 41 42 33 13 04 05 16 36 45 44 33",
    "9": "43 13 02 01 10 30 41 45 36 16",
    ".": "26",
    ",": "25 17",
    ":": "22, 26",
    "!": "20 24, 26",
    "?": "01 10 30 41 42 23 24, 26",
    "'": "20 21",
    "-": "13 33",
    "+": "13 33, 22 24",
    "/": "40 06",
    "(": "30 21 25 36",
    ")": "10 21 25 16",
    "♥": "26 03 01 10 21 30 41 43 26",
}
ADVANCE = 6  # columns from letter to letter
LEADING = 10  # rows from line to line


def strokes(text: str, left: float, top: float, height: float) -> Iterator[list[tuple[float, float]]]:
    """The pen's strokes for text, in canvas pixels; `height` is that of a capital."""
    unit = height / 6
    for row, line in enumerate(text.upper().splitlines()):
        for column, letter in enumerate(line):
            for stroke in filter(None, PEN.get(letter, "").split(", ")):
                yield [
                    (left + unit * (ADVANCE * column + int(x)), top + unit * (LEADING * row + int(y)))
                    for x, y in map(tuple, stroke.split())
                ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("text", help=r"what; \n begins a line")
    parser.add_argument("--url", default="http://127.0.0.1:4242", help="the server")
    parser.add_argument("--token", help="the bot's token, where it has one")
    parser.add_argument("--insecure", action="store_true", help="send the token over plain HTTP elsewhere")
    parser.add_argument(
        "--at", type=int, nargs=2, metavar=("X", "Y"), default=(100, 100), help="top left corner"
    )
    parser.add_argument("--height", type=int, default=72, help="of a capital, in canvas pixels")
    parser.add_argument("--color", default="navy", help="a name or #rrggbb")
    options = parser.parse_args()
    text = options.text.replace("\\n", "\n")
    size = max(2, min(124, options.height // 4))
    with Client(options.url, token=options.token, insecure=options.insecure) as client:
        for points in strokes(text, options.at[0], options.at[1], options.height):
            if len(points) == 1:
                client.dabs([(*points[0], size, options.color)] * 4)  # a dot; the brush is soft
            else:
                client.stroke(points + points[::-1], size, options.color)  # there and back


if __name__ == "__main__":
    main()
