"""The last lines of a terminal, drawn again and again while a reply grows, by `rich.live`."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.live import Live
from rich.segment import Segment
from rich.text import Text

from .rich_markdown import rich_markdown

_LINES_KEPT_FREE = 3  # what is higher than the screen could not be taken away again


class LiveRegion:
    """Text and a status line that can be replaced and taken away."""

    def __init__(self) -> None:
        self._live = Live(
            console=Console(),
            auto_refresh=False,  # no thread of its own
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._live.start()

    def draw(self, text: str, status: str) -> None:
        """Replaces what is shown.

        Args:
            text: Markdown, without control characters; only its last lines are shown if it is higher than the screen.
        """
        parts: list[RenderableType] = [rich_markdown(text)] if text else []
        if status:
            parts.append(Text(status, style="dim", no_wrap=True, overflow="ellipsis"))
        self._live.update(_LastLines(Group(*parts)), refresh=True)

    def clear(self) -> None:
        """Removes it; the cursor returns to where it began."""
        self._live.update("")
        self._live.stop()


class _LastLines:
    """The last lines of a renderable, as many as the screen has."""

    def __init__(self, content: RenderableType) -> None:
        self._content = content

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Segment]:
        lines = console.render_lines(self._content, options, pad=False)
        for number, line in enumerate(lines[-max(1, options.size.height - _LINES_KEPT_FREE) :]):
            if number:
                yield Segment.line()
            yield from line
