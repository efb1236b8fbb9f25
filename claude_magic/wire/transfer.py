"""How much of a file was sent or received: one thread counts, another shows it."""

from __future__ import annotations

from .short_text import size_text

_BAR = 20  # characters


class Transfer:
    """A file that is sent or received.

    Attributes:
        name: The name of the file.
        total: Bytes; 0 while unknown.
        done: Bytes so far.
    """

    def __init__(self, name: str, total: int = 0) -> None:
        self.name = name
        self.total = total
        self.done = 0

    def count(self, done: int) -> None:
        """So many bytes are done; fewer than before if it is sent again from its beginning."""
        self.done = done

    @property
    def text(self) -> str:
        """Such as `uploading a.pdf ███░░░ 1.2 MB of 2.4 MB`."""
        full = min(_BAR, round(_BAR * self.done / self.total)) if self.total else 0
        bar = "█" * full + "░" * (_BAR - full)
        return f"uploading {self.name} {bar} {size_text(self.done)} of {size_text(self.total)}"
