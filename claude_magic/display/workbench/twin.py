"""What stands in the place of a workbench where its kernel is gone: what was last asked, and the reply."""

from __future__ import annotations

from ...wire import Exchange
from ..panel.panel import static_panel
from ..reply.reply import reply_bundle
from ..text.excerpt import safe_content
from ..text.plain import plain
from .style import twin_style

_TITLE = "Claude workbench"
_CLOSED = f"{_TITLE}: it needs its kernel. Run this cell to open it again."


def twin(name: str, asked: str = "", exchange: Exchange | None = None) -> dict[str, str]:
    """The mime bundle that a notebook keeps.

    Args:
        name: The class by which the live widget hides it.
        asked: The `%%claude` cell that asks the same; `""` if nothing was asked yet.
        exchange: The last one; `None` if there was none.
    """
    inner, text = f'<div class="cm-closed">{_CLOSED}</div>', _CLOSED
    if asked:
        inner += f'<pre class="cm-asked">{safe_content(asked)}</pre>'
        text += f"\n\n{plain(asked)}"
    if exchange is not None:
        reply = reply_bundle(exchange)
        inner += reply.get("text/html", "") + (static_panel(exchange) if exchange.status is not None else "")
        text += f"\n\n{reply.get('text/plain', '')}".rstrip()
    classes = f"cm-static-workbench {name}"
    return {"text/html": f'{twin_style()}<div class="{classes}">{inner}</div>', "text/plain": text}
