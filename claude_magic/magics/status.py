"""What `%claude` alone prints: what is set, and where the key comes from."""

from __future__ import annotations

from .. import __version__
from ..errors import ClaudeError
from ..settings import Claude


def card(settings: Claude) -> str:
    """The status of the next request, a fact a line; never the key's value."""
    from .provider import is_local

    try:
        local = is_local(settings)
    except ClaudeError:
        local = False
    facts = {
        "model": "the small local model, not Claude" if local else settings.model,
        "max_tokens": str(settings.max_tokens),
        "endpoint": "this machine" if local else settings.base_url,
        "key": "none needed" if local else _key(),
        "conversation": "none: each cell stands alone",
        "version": f"claude-magic {__version__}",
    }
    return "\n".join(f"{name:<14}{value}" for name, value in facts.items()) + "\n\nOptions: %%claude --help"


def _key() -> str:
    from ..api import credentials

    try:
        credential = credentials.find()
    except ClaudeError as error:
        return str(error)
    return f"from {credential.source}" if credential else "none: set $ANTHROPIC_API_KEY, or run claude.login()"
