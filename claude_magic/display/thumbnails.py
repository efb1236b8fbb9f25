"""What was attached, as it is shown above the reply: our own bytes, small, or a titled line."""

from __future__ import annotations

import base64
import html
from collections.abc import Iterable

from .plain import plain

_MOST_BYTES = 30_000  # of one thumbnail
_STYLE = "display:inline-flex;align-items:center;gap:6px;margin:0 12px 6px 0;color:var(--jp-ui-font-color2,#666)"


def shown(attachments: Iterable[tuple[str, str, str, bytes]]) -> str:
    """HTML for attachments.

    Args:
        attachments: Of each: title, kind, what was done to it, and a small PNG or `b""`.
    """
    return f'<div class="cm-attached">{"".join(_one(*attachment) for attachment in attachments)}</div>'


def _one(title: str, kind: str, note: str, thumbnail: bytes) -> str:
    words = " · ".join(filter(None, (plain(title), plain(kind), plain(note))))
    picture = ""
    if thumbnail.startswith(b"\x89PNG") and len(thumbnail) <= _MOST_BYTES:
        data = base64.b64encode(thumbnail).decode()
        picture = f'<img src="data:image/png;base64,{data}" alt="" style="max-height:64px">'
    return f'<span style="{_STYLE}">{picture}{html.escape(words)}</span>'
