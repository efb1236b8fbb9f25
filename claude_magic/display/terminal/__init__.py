"""A reply in a terminal."""
