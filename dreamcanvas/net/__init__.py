"""Addresses, origins and links, as text: parsed and checked (pure)."""
