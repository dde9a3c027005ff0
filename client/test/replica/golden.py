"""Makes golden.json: what Pillow paints, for the tests of the page's brush and patches.

python client/test/replica/golden.py > client/test/replica/golden.json
"""

import base64
import hashlib
import io
import json
import random

from PIL import Image

from dreamcanvas.canvas import brush

WIDTH, HEIGHT = 160, 120


def main() -> None:
    """Prints the file."""
    dice = random.Random(2017)  # noqa: S311
    picture = Image.new("RGB", (WIDTH, HEIGHT), (255, 255, 255))
    dabs = []
    for _ in range(400):
        x, y = dice.randint(-70, WIDTH + 70), dice.randint(-70, HEIGHT + 70)
        size, color = dice.randint(1, brush.MAX_SIZE), dice.randint(0, 0xFFFFFF)
        brush.draw(picture, x, y, size, color)
        dabs.append([x, y, size, color])
    painted = digest(picture)
    rgba = bytes(dice.randrange(256) for _ in range(40 * 30 * 4))
    patch = Image.frombytes("RGBA", (40, 30), rgba)
    file = io.BytesIO()
    patch.save(file, "PNG")
    picture.paste(patch.convert("RGB"), (-7, 100), patch.getchannel("A"))
    masks = hashlib.sha256(b"".join(brush.mask(n).tobytes() for n in range(1, brush.MAX_SIZE + 1)))
    golden = {
        "width": WIDTH,
        "height": HEIGHT,
        "masks": masks.hexdigest(),
        "dabs": dabs,
        "painted": painted,
        "patch": {
            "x": -7,
            "y": 100,
            "png": base64.b64encode(file.getvalue()).decode(),
            "rgba": hashlib.sha256(rgba).hexdigest(),
        },
        "patched": digest(picture),
    }
    print(json.dumps(golden, separators=(",", ":")))  # noqa: T201


def digest(picture: Image.Image) -> str:
    """SHA-256 of the pixels as RGBA bytes."""
    return hashlib.sha256(picture.convert("RGBA").tobytes()).hexdigest()


if __name__ == "__main__":
    main()
