"""Stand-ins for secrets: `requests`, `urllib3` and `http.client` handle random text, and only the socket gets the key.

So no debug output, hook, audit event, exception, traceback or trace function above the socket can show a key.
Code that reads the memory of the process, or patches the socket, can.
"""

from __future__ import annotations

import contextlib
import secrets
import sys
from collections.abc import Iterator

from .credentials import Secret


class StandIns:
    """The stand-ins of one request, and the secrets that replace them on the wire."""

    def __init__(self) -> None:
        self._secrets: dict[bytes, tuple[Secret, bool]] = {}

    def add(self, secret: Secret, *, as_json: bool = False) -> str:
        """Returns a new stand-in for `secret`.

        Args:
            as_json: Whether it is used inside a JSON string.
        """
        text = f"stand-in-for-a-secret-{secrets.token_hex(16)}"
        self._secrets[text.encode()] = secret, as_json
        return text

    def occur_in(self, data: bytes) -> bool:
        return any(stand_in in data for stand_in in self._secrets)

    def length(self, data: bytes) -> int:
        """The number of bytes of `data` on the wire."""
        return len(data) + sum(
            data.count(stand_in) * (secret.wire_length(as_json) - len(stand_in))
            for stand_in, (secret, as_json) in self._secrets.items()
        )

    def substitute(self, data: bytes) -> bytes:
        """`data` with the secrets. Call it inside `without_tracing()`, and assign the result to no variable."""
        for stand_in, (secret, as_json) in self._secrets.items():
            data = secret.substitute(data, stand_in, as_json)
        return data


@contextlib.contextmanager
def without_tracing() -> Iterator[None]:
    """Suspends the trace functions of this thread: they could show the variables of each frame."""
    trace, profile = sys.gettrace(), sys.getprofile()
    hides_profile = profile is not None and hasattr(profile, "__code__")  # cProfile records no values
    if trace is not None:
        sys.settrace(None)
    if hides_profile:
        sys.setprofile(None)
    try:
        yield
    finally:
        if hides_profile:
            sys.setprofile(profile)
        if trace is not None:
            sys.settrace(trace)
