"""A request as a program for OpenAI's SDK."""

from .write import program

__all__ = ["program"]
