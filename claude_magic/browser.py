"""Whether this Python runs in a web page, where the network, the files and the key are those of the page."""

from __future__ import annotations

import sys

KEY_RISK = "a key typed into a page can be read by every script of that page and of others at its address"


def in_browser() -> bool:
    """Whether this is Pyodide."""
    return sys.platform == "emscripten"
