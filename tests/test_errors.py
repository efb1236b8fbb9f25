"""Errors are one line; `%tb` gives the whole."""

from __future__ import annotations

import pytest

import claude_magic
from claude_magic import ClaudeError
from claude_magic.errors import APIError


def test_an_error_renders_as_one_line() -> None:
    assert APIError("no.", status=500)._render_traceback_() == ["APIError: no."]


@pytest.mark.parametrize("name", [n for n in claude_magic.__all__ if isinstance(getattr(claude_magic, n), type)])
def test_every_public_error_is_a_claude_error(name: str) -> None:
    public = getattr(claude_magic, name)
    assert issubclass(public, ClaudeError) or not issubclass(public, BaseException)
