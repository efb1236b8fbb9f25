"""What was measured, as a printed table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

HEADINGS = ("what", "ours", "peer", "floor", "ratio", "goal", "met")


@dataclass(frozen=True, kw_only=True)
class Row:
    """One measurement, every cell as it is printed.

    Attributes:
        peer: What a reader would use instead.
        floor: The least that could be spent.
        goal: `""` if there is none.
        met: `None` if there is no goal.
    """

    what: str
    ours: str
    peer: str = ""
    floor: str = ""
    ratio: str = ""
    goal: str = ""
    met: bool | None = None

    @property
    def cells(self) -> tuple[str, ...]:
        met = "" if self.met is None else "✓" if self.met else "✗"
        return (self.what, self.ours, self.peer, self.floor, self.ratio, self.goal, met)


@dataclass(frozen=True, kw_only=True)
class Section:
    """Measurements of one kind.

    Attributes:
        title: What is measured, and who the peer and the floor are.
        notes: What else came out, a line each.
    """

    title: str
    rows: Sequence[Row]
    notes: Sequence[str] = ()


def table(sections: Iterable[Section]) -> str:
    """All sections, in columns of one width."""
    sections = list(sections)
    lines = [HEADINGS, *(row.cells for section in sections for row in section.rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    printed = [_line(HEADINGS, widths), "─" * (sum(widths) + 2 * len(widths) - 2)]
    for section in sections:
        printed += [section.title, *(_line(row.cells, widths) for row in section.rows)]
        printed += [f"    {note}" for note in section.notes]
        printed.append("")
    return "\n".join(printed).rstrip()


def milliseconds(seconds: float) -> str:
    """`seconds`, with three digits that mean something."""
    value = seconds * 1000
    digits = 0 if value >= 100 else 1 if value >= 10 else 2
    return f"{value:,.{digits}f} ms"


def kilobytes(size: float) -> str:
    """`size` in units of 1,000 bytes."""
    return f"{size / 1000:,.0f} KB" if size < 10_000_000 else f"{size / 1e6:,.0f} MB"


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *middle, last = (
        cell.ljust(width) if place in (0, 5) else cell.rjust(width)
        for place, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )
    return "  ".join((first, *middle, last)).rstrip()
