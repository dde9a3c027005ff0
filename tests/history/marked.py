"""`dreamcanvas` with dreams that carry their numbers: `python -m tests.history.marked serve …`."""

import sys
from functools import partial

from dreamcanvas import app, cli
from dreamcanvas.dream.dreamer import Dreamer

if __name__ == "__main__":
    worker = (sys.executable, "-m", "tests.history.marking_worker")
    setattr(app, "Dreamer", partial(Dreamer, command=worker))  # noqa: B010 - a class is replaced by a function
    cli.main()
