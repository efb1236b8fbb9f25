"""The attachments, shown above the reply: thumbnails that we made, and titled lines.

Nothing is loaded: the address of an attachment is text, and an image is in the page itself.
"""

from __future__ import annotations

import base64
import html
from collections.abc import Iterable

from ...wire.attachment_kinds import image_type
from ..text.plain import plain

Attached = tuple[str, str, str, bytes]
"""Of an attachment: title, kind, what was done to it, and a small image or `b""`."""

_MOST_BYTES = 10_000  # of one image; larger ones are left to their line
_MOST_IMAGES = 12
_MOST_LINES = 50
_LONGEST = 300

_ALL = "display:flex;flex-wrap:wrap;gap:8px 16px;margin:0 0 0.6em"
_ONE = (
    "display:flex;align-items:center;gap:8px;max-width:100%;overflow-wrap:anywhere;"
    "color:var(--jp-ui-font-color2,#6b6b6b);font-family:var(--jp-ui-font-family,system-ui,sans-serif);"
    "font-size:var(--jp-ui-font-size1,13px);line-height:1.4"
)
_IMAGE = (
    "max-width:96px;max-height:64px;width:auto;height:auto;margin:0;background:#fff;"
    "border:1px solid var(--jp-border-color2,#e0e0e0)"
)
_TITLE = "color:var(--jp-ui-font-color1,#333);font-weight:600"


def thumbnails_html(attachments: Iterable[Attached], notes: Iterable[str] = ()) -> str:
    """HTML of attachments, and of notes on what else is sent, safe to show; `""` if there are none."""
    pieces: list[str] = []
    images = 0
    all_attachments = list(attachments)
    for title, kind, note, thumbnail in all_attachments[:_MOST_LINES]:
        image = _image(thumbnail) if images < _MOST_IMAGES else ""
        images += bool(image)
        words = [f'<span style="{_TITLE}">{_safe(title)}</span>', *map(_safe, filter(None, (kind, note)))]
        pieces.append(f'<div class="cm-attachment" style="{_ONE}">{image}<span>{" · ".join(words)}</span></div>')
    if len(all_attachments) > _MOST_LINES:
        pieces.append(f'<div style="{_ONE}">{_more(all_attachments)}</div>')
    pieces += [f'<div class="cm-attachment" style="{_ONE}"><span>{_safe(note)}</span></div>' for note in notes]
    return f'<div class="cm-attached" style="{_ALL}">{"".join(pieces)}</div>' if pieces else ""


def lines(attachments: Iterable[Attached], notes: Iterable[str] = ()) -> str:
    """The same for a terminal, one line each; `""` if there are none."""
    all_attachments = list(attachments)
    result = [
        f"attached: {' · '.join(_one_line(word) for word in (title, kind, note) if word)}"
        for title, kind, note, _ in all_attachments[:_MOST_LINES]
    ]
    more = [_more(all_attachments)] if len(all_attachments) > _MOST_LINES else []
    return "\n".join([*result, *more, *map(_one_line, notes)])


def _image(thumbnail: bytes) -> str:
    media_type = image_type(thumbnail)
    if not media_type or len(thumbnail) > _MOST_BYTES:
        return ""
    data = base64.b64encode(thumbnail).decode("ascii")
    return f'<img src="data:{media_type};base64,{data}" alt="" style="{_IMAGE}">'


def _more(attachments: list[Attached]) -> str:
    return f"… and {len(attachments) - _MOST_LINES:,} more"


def _safe(text: str) -> str:
    return html.escape(_one_line(text))


def _one_line(text: str) -> str:
    line = " ".join(plain(text).split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"
