"""curl commands: a request written as one, and one read as a request."""

from .write import program

__all__ = ["program"]
