"""A growing reply as HTML: finished pages, a tail that is drawn again and again, and the bytes that may be sent.

`LivePages` is a value: `advance` returns a new one, so an interrupt in the middle leaves the old one complete.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..reply.reply import Passage, passage_html, source_html
from .slices import Open, Slice, first_slice, tail

PAGE_SIZE = 3_000  # characters of source
_LATER = "shown when the reply is complete"

_PER_CHARACTER = 6.5  # bytes that may be sent, for each character of the reply
_PER_SECOND = 5_000
_ONCE = 400_000
_MESSAGE_OVERHEAD = 700


@dataclass(frozen=True, kw_only=True)
class LivePages:
    """How far a growing reply has been cut into pages.

    Attributes:
        pages: HTML of the finished pages.
        passage: The index of the passage that grows.
        at: The characters of that passage that are in finished pages.
        opened: The block that continues at `at`; `None` if none does.
        pending: HTML of finished passages that do not fill a page yet.
        pending_size: Characters of source in `pending`.
    """

    pages: tuple[str, ...] = ()
    passage: int = 0
    at: int = 0
    opened: Open | None = None
    pending: str = ""
    pending_size: int = 0

    def advance(self, passages: list[Passage], *, raw: bool) -> LivePages:
        """The state after these passages have arrived."""
        live = self
        while live.passage < len(passages):
            passage = passages[live.passage]
            if passage.kind == "text":
                live = live._cut(passage.source, raw)
            if live.passage == len(passages) - 1:
                break
            live = live._next_passage(passage, raw)
        return live

    def tail_html(self, passages: list[Passage], *, raw: bool) -> str:
        """HTML of what is not in a finished page yet; of thinking only when it is complete."""
        growing = passages[self.passage] if self.passage < len(passages) else None
        if growing is None or growing.kind == "thinking":
            return self.pending
        return self.pending + self._rest(growing, raw, growing=True)

    def _cut(self, source: str, raw: bool) -> LivePages:
        live, pages = self, list[str]()
        while (slice_ := first_slice(source, live.at, PAGE_SIZE, live.opened)) is not None:
            pages.append(live.pending + _slice_html(slice_, raw))
            live = replace(live, at=slice_.end, opened=slice_.opened, pending="", pending_size=0)
        return replace(live, pages=(*self.pages, *pages)) if pages else self

    def _next_passage(self, passage: Passage, raw: bool) -> LivePages:
        """The state when the growing passage is complete."""
        pending = self.pending + self._rest(passage, raw)
        size = self.pending_size + len(passage.source) - self.at
        full = size >= PAGE_SIZE
        return LivePages(
            pages=(*self.pages, pending) if full else self.pages,
            passage=self.passage + 1,
            pending="" if full else pending,
            pending_size=0 if full else size,
        )

    def _rest(self, passage: Passage, raw: bool, *, growing: bool = False) -> str:
        if passage.kind != "text":
            return passage_html(passage, raw=raw, brief=_LATER)
        return _slice_html(tail(passage.source, self.at, self.opened, growing=growing), raw)


def _slice_html(slice_: Slice, raw: bool) -> str:
    if not slice_.raw.strip():
        return ""
    return source_html(slice_.raw if raw else slice_.source, raw=raw)


class Budget:
    """The bytes that a live page has sent, and whether more may be sent. The finished reply is always reserved."""

    def __init__(self) -> None:
        self._spent = 0
        self._wanted = 0.0

    def allows(self, updates: list[str], *, html: int, size: int, seconds: float) -> bool:
        """Whether `updates` may be sent.

        Args:
            html: Characters of the reply's HTML so far.
            size: Characters of the reply's source so far.
            seconds: Since the request was sent.
        """
        cost = sum(len(update) + _MESSAGE_OVERHEAD for update in updates)
        self._wanted = self._spent + cost + html + size
        return not self.is_exhausted(size=size, seconds=seconds)

    def is_exhausted(self, *, size: int, seconds: float) -> bool:
        """Whether the last update that was asked for is still too large: the next one is larger."""
        return self._wanted > size * _PER_CHARACTER + seconds * _PER_SECOND + _ONCE

    def spend(self, update: str) -> None:
        """Account for one message."""
        self._spent += len(update.encode()) + _MESSAGE_OVERHEAD
