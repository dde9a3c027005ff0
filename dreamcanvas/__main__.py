"""`python -m dreamcanvas`."""

from dreamcanvas.cli.main import main

main()
