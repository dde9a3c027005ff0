"""The server: put together from its parts, started, watched and stopped."""
