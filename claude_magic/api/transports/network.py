"""The network as this Python has it: sockets, or in a web page the browser's `fetch`."""

from __future__ import annotations

import sys

if sys.platform == "emscripten":
    from .fetch import FetchTransport as NetworkTransport
    from .fetch import Pool, is_debugging, pool
else:
    from .connections import is_debugging
    from .http import HTTPTransport as NetworkTransport
    from .http import Pool, pool

__all__ = ["NetworkTransport", "Pool", "is_debugging", "pool"]
