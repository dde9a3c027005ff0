"""`python -m dreamcanvas`."""

from dreamcanvas.cli import main

main()
