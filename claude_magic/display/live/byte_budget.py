"""How much a live page may send: linear in the reply, with a little for each second and for a short reply."""

from __future__ import annotations

_OF_THE_REPLY = 6.5
_EACH_SECOND = 5_000
_FOR_A_SHORT_REPLY = 400_000
_EACH_MESSAGE = 700


class Budget:
    """What was sent, and whether more may be; the finished reply is always kept in reserve."""

    def __init__(self) -> None:
        self._spent = 0
        self._wanting = 0.0

    def allows(self, updates: list[str], *, html: int, size: int, seconds: float) -> bool:
        """Whether to send `updates`, when the reply is `size` characters and its HTML about `html` so far."""
        cost = sum(len(update) + _EACH_MESSAGE for update in updates)
        self._wanting = self._spent + cost + html + size
        return not self.refuses(size=size, seconds=seconds)

    def refuses(self, *, size: int, seconds: float) -> bool:
        """Whether there is still too little for what was last asked for: an update only gets larger."""
        return self._wanting > size * _OF_THE_REPLY + seconds * _EACH_SECOND + _FOR_A_SHORT_REPLY

    def spend(self, update: str) -> None:
        """Account for one message."""
        self._spent += len(update.encode()) + _EACH_MESSAGE
