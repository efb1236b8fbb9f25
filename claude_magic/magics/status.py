"""What `%claude` alone prints: what is set, and where the key comes from."""

from __future__ import annotations

from .. import __version__
from ..errors import ClaudeError
from ..settings import Claude


def card(settings: Claude) -> str:
    """The status of the next request, a fact a line; never the key's value."""
    from .provider import is_local

    try:
        settings, sources = settings.effective()
        local = is_local(settings)
    except ClaudeError as error:
        return str(error)
    from_where = {name: f"   (from {source})" for name, source in sources.items()}
    facts = {
        "model": "the small local model, not Claude" if local else settings.model + from_where.pop("model", ""),
        "max_tokens": str(settings.max_tokens) + from_where.pop("max_tokens", ""),
        "endpoint": "this machine" if local else settings.base_url,
        "key": "none needed" if local else _key(),
        "conversation": settings.conversation or "none: each cell stands alone",
        "version": f"claude-magic {__version__}",
    }
    facts.update({name: f"{getattr(settings, name)!r}{where}" for name, where in from_where.items()})
    return "\n".join(f"{name:<16}{value}" for name, value in facts.items()) + "\n\nOptions: %%claude --help"


def _key() -> str:
    from ..api import credentials

    try:
        credential = credentials.find()
    except ClaudeError as error:
        return str(error)
    return f"from {credential.source}" if credential else "none: set $ANTHROPIC_API_KEY, or run claude.login()"
