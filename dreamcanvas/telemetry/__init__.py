"""What an operator sees of a server: metrics and log lines."""
