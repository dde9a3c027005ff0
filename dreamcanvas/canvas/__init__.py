"""The picture: its operations, its brush, and what takes operations back (pure: no I/O, no clock)."""
