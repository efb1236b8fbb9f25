"""A reply that is still growing, as HTML: pages that are finished, and a tail that is drawn again and again.

A value: to advance it gives a new one, so a reader's interrupt in the middle leaves the old one whole.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..reply.reply import Passage, passage_html, source_html
from .slices import Open, Slice, first_slice, tail

PAGE_SIZE = 3_000
_LATER = "shown when the reply is complete"


@dataclass(frozen=True, kw_only=True)
class LivePages:
    """How far a growing reply has been cut into pages.

    Attributes:
        pages: HTML of the finished ones.
        passage: Which passage of the reply is growing.
        at: How much of that passage is in finished pages.
        opened: What goes on there.
        pending: HTML of finished passages that wait for their page to fill.
        pending_size: Characters of source in them.
    """

    pages: tuple[str, ...] = ()
    passage: int = 0
    at: int = 0
    opened: Open | None = None
    pending: str = ""
    pending_size: int = 0

    def advance(self, found: list[Passage], *, raw: bool) -> LivePages:
        """Where it stands now that `found` has arrived."""
        live = self
        while live.passage < len(found):
            passage = found[live.passage]
            if passage.kind == "text":
                live = live._cut(passage.source, raw)
            if live.passage == len(found) - 1:
                break
            live = live._next_passage(passage, raw)
        return live

    def tail_html(self, found: list[Passage], *, raw: bool) -> str:
        """What is not in a finished page yet; thoughts only once they are complete."""
        growing = found[self.passage] if self.passage < len(found) else None
        if growing is None or growing.kind == "thinking":
            return self.pending
        return self.pending + self._rest(growing, raw)

    def _cut(self, source: str, raw: bool) -> LivePages:
        live, pages = self, list[str]()
        while (slice_ := first_slice(source, live.at, PAGE_SIZE, live.opened)) is not None:
            pages.append(live.pending + _slice_html(slice_, raw))
            live = replace(live, at=slice_.end, opened=slice_.opened, pending="", pending_size=0)
        return replace(live, pages=(*self.pages, *pages)) if pages else self

    def _next_passage(self, passage: Passage, raw: bool) -> LivePages:
        """The passage is complete: the next one grows."""
        pending = self.pending + self._rest(passage, raw)
        size = self.pending_size + len(passage.source) - self.at
        full = size >= PAGE_SIZE
        return LivePages(
            pages=(*self.pages, pending) if full else self.pages,
            passage=self.passage + 1,
            pending="" if full else pending,
            pending_size=0 if full else size,
        )

    def _rest(self, passage: Passage, raw: bool) -> str:
        if passage.kind != "text":
            return passage_html(passage, raw=raw, brief=_LATER)
        return _slice_html(tail(passage.source, self.at, self.opened), raw)


def _slice_html(slice_: Slice, raw: bool) -> str:
    if not slice_.raw.strip():
        return ""
    return source_html(slice_.raw if raw else slice_.source, raw=raw)
