"""The parts of `scripts/loadtest.py`."""
