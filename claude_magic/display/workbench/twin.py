"""The static output of a workbench, shown where its kernel is gone: the last request and its reply."""

from __future__ import annotations

from ...wire import Exchange
from ..panel.panel import static_panel
from ..reply.reply import reply_bundle
from ..text.excerpt import safe_content
from ..text.plain import plain
from .style import twin_style

_TITLE = "Claude workbench"
_CLOSED = f"{_TITLE}: it needs its kernel. Run this cell to open it again."


def twin(name: str, source: str = "", exchange: Exchange | None = None) -> dict[str, str]:
    """The mime bundle of the static output.

    Args:
        name: The CSS class by which the live widget hides it.
        source: The `%%claude` cell that sends the last request; `""` if there is none.
        exchange: The last exchange; `None` before the first.
    """
    inner, text = f'<div class="cm-closed">{_CLOSED}</div>', _CLOSED
    if source:
        inner += f'<pre class="cm-cell">{safe_content(source)}</pre>'
        text += f"\n\n{plain(source)}"
    if exchange is not None:
        reply = reply_bundle(exchange)
        inner += reply.get("text/html", "") + (static_panel(exchange) if exchange.status is not None else "")
        text += f"\n\n{reply.get('text/plain', '')}".rstrip()
    classes = f"cm-static-workbench {name}"
    return {"text/html": f'{twin_style()}<div class="{classes}">{inner}</div>', "text/plain": text}
