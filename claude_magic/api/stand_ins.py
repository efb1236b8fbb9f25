"""Stand-ins for secrets: `requests`, `urllib3` and `http.client` handle random text, and only the socket gets the key.

So no debug output, hook, audit event, exception, traceback or trace function above the socket can show a key.
What reads the memory of the process, or patches the socket, can.
"""

from __future__ import annotations

import contextlib
import secrets
import sys
from collections.abc import Iterator

from .credentials import Secret


class StandIns:
    """The stand-ins of one request, and the secrets that take their place on the wire."""

    def __init__(self) -> None:
        self._held: dict[bytes, tuple[Secret, bool]] = {}

    def add(self, secret: Secret, *, as_json: bool = False) -> str:
        """A stand-in for `secret`.

        Args:
            as_json: Whether it stands inside a JSON string.
        """
        text = f"stand-in-for-a-secret-{secrets.token_hex(16)}"
        self._held[text.encode()] = secret, as_json
        return text

    def are_in(self, data: bytes) -> bool:
        return any(stand_in in data for stand_in in self._held)

    def length(self, data: bytes) -> int:
        """The number of bytes of `data` on the wire."""
        return len(data) + sum(
            data.count(stand_in) * (secret.wire_length(as_json) - len(stand_in))
            for stand_in, (secret, as_json) in self._held.items()
        )

    def filled(self, data: bytes) -> bytes:
        """`data` with the secrets. Call it inside `untraced()`, and give the result no name."""
        for stand_in, (secret, as_json) in self._held.items():
            data = secret.put_in(data, stand_in, as_json)
        return data


@contextlib.contextmanager
def untraced() -> Iterator[None]:
    """No trace function of this thread looks on: it could show the variables of each frame."""
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
