"""Paints a picture file on the canvas with brush strokes: `python scripts/bots/picture.py cat.jpg`.

It looks at the canvas as it goes: what others draw and what is dreamt meanwhile, it paints over.
Needs numpy beside dreamcanvas.
"""

import argparse
import time
from pathlib import Path

from greedy import batches
from PIL import Image, ImageOps

from dreamcanvas.client import Client, Dab


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("picture", type=Path)
    parser.add_argument("--url", default="http://127.0.0.1:4242", help="the server")
    parser.add_argument("--token", help="the bot's token, where it has one")
    parser.add_argument("--insecure", action="store_true", help="send the token over plain HTTP elsewhere")
    parser.add_argument("--side", type=int, default=512, help="the longer side in canvas pixels")
    parser.add_argument(
        "--at", type=int, nargs=2, metavar=("X", "Y"), help="top left corner; else the middle"
    )
    parser.add_argument("--dabs", type=int, default=2000, help="how many at the most")
    options = parser.parse_args()
    with Image.open(options.picture) as opened:
        picture = ImageOps.exif_transpose(opened).convert("RGB")
    began = time.monotonic()
    with (
        Client(options.url, token=options.token, insecure=options.insecure) as client,
        client.replica() as replica,
    ):
        target = ImageOps.contain(picture, (options.side, options.side), Image.Resampling.LANCZOS)
        width, height = client.size
        left, top = options.at or ((width - target.width) // 2, (height - target.height) // 2)
        box = (left, top, left + target.width, top + target.height)
        drawn = 0
        for dabs in batches(target, options.dabs, lambda: replica.image().crop(box)):
            ink = client.dabs(Dab(dab.x + left, dab.y + top, dab.size, dab.color) for dab in dabs)
            replica.reaches(seq=ink.seq)
            drawn += len(dabs)
            print(f"\r{drawn} dabs", end="", flush=True)
    print(f"\r{drawn} dabs in {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
