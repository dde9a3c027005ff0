"""A shared canvas that dreams."""

__version__ = "0.1.0"
