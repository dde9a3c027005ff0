"""`dreamcanvas` with dreams that carry their numbers: `python -m tests.history.marked serve …`."""

import sys
from functools import partial

from dreamcanvas.cli.main import main
from dreamcanvas.dream.dreamer import Dreamer
from dreamcanvas.server import app

if __name__ == "__main__":
    worker = (sys.executable, "-m", "tests.history.marking_worker")
    setattr(app, "Dreamer", partial(Dreamer, command=worker))  # noqa: B010 - a class is replaced by a function
    main()
