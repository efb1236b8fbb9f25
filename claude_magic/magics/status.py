"""What `%claude` alone prints: the settings, where the key comes from, and what was used so far."""

from __future__ import annotations

from importlib.metadata import version

from ..browser import in_browser
from ..errors import ClaudeError
from ..settings import PLATFORMS, Claude
from ..wire.short_text import dollars
from .claude import ClaudeHandle


def card(handle: ClaudeHandle) -> str:
    """The status of the next request, one fact a line; never the key's value."""
    from ..session.local_model import max_tokens
    from ..session.provider import is_local

    try:
        settings, sources = handle.settings.effective()
        local = is_local(settings)
    except ClaudeError as error:
        return str(error)
    origins = {name: f"   (from {source})" for name, source in sources.items()}
    facts = {
        "model": "the small local model, not Claude" if local else _model(settings) + origins.pop("model", ""),
        "max_tokens": str(max_tokens(settings, local=local))
        + origins.pop("max_tokens", "   (the local model's own)" if local else ""),
        "temperature": _temperature(local),
        **_endpoint(settings, local),
        "conversation": settings.conversation or "none: each cell stands alone",
        "answers": _answers(handle, settings),
        "budget": _budget(handle, settings),
        "rate limits": _limits(handle),
        "journal": _journal(handle, settings),
        "version": f"claude-magic {version('claude-magic')}",
    }
    for name, where in origins.items():
        if name not in facts:
            facts[name] = f"{getattr(settings, name)!r}{where}"
    lines = [f"{name:<15} {value}" for name, value in facts.items() if value]
    usage = ["", repr(handle.usage)] if handle.session.has_ledger else []
    return "\n".join([*lines, *usage, "", "Options: %claude --help"])


def _model(settings: Claude) -> str:
    from ..session.model_list import model_id

    model = model_id(settings, settings.model)
    return model if model == settings.model else f"{settings.model}, which is {model}"


def _temperature(local: bool) -> str:
    """The temperature sent by default: to the API, none."""
    if not local:
        return ""
    from ..local.request import TEMPERATURE

    return f"{TEMPERATURE}   (the local model's own)"


def _endpoint(settings: Claude, local: bool) -> dict[str, str]:
    """Where requests go, and what opens it."""
    if local:
        return {"endpoint": "this machine", "key": "none needed"}
    if settings.provider not in PLATFORMS:
        return {"endpoint": settings.base_url, "key": _key()}
    from ..session.provider import base_url, platform_status

    title, place, source = platform_status(settings)
    return {"provider": f"{settings.provider}: {title}", **place, "endpoint": base_url(settings), "key": source}


def _key() -> str:
    from ..api import credentials

    try:
        credential = credentials.find()
    except ClaudeError as error:
        return str(error)
    if credential is None:
        return f"none: {'' if in_browser() else 'set $ANTHROPIC_API_KEY, or '}run claude.login()"
    return f"from {credential.source}"


def _answers(handle: ClaudeHandle, settings: Claude) -> str:
    """Where answers come from, if not from the endpoint alone."""
    recording = handle.session.ledger.replays.recording if handle.session.has_ledger else None
    if recording is not None:
        return f"only from {recording.path}: nothing is sent"
    return {
        "on": "from the journal where they are recorded, else from the endpoint",
        "only": "only from the journal: nothing is sent",
    }.get(settings.replay, "")


def _budget(handle: ClaudeHandle, settings: Claude) -> str:
    limits = []
    if settings.budget_usd is not None:
        remaining = handle.session.ledger.budget.remaining(settings.budget_usd)
        limits.append(f"{dollars(remaining)} of {dollars(settings.budget_usd)} left in this kernel")
    if settings.budget_usd_per_day is not None:
        limits.append(f"{dollars(settings.budget_usd_per_day)} a day, all notebooks together")
    return "; ".join(limits)


def _limits(handle: ClaudeHandle) -> str:
    """What is left by the headers of the last reply."""
    if handle.last is None:
        return ""
    from ..wire.rate_limits import rate_limits

    return ", ".join(f"{each.kind} {each.amount}" for each in rate_limits(handle.last.headers))


def _journal(handle: ClaudeHandle, settings: Claude) -> str:
    from ..session.ledger import journal_path

    path = journal_path(settings)
    if path is None:
        return "none is kept"
    return f"{path}, in the memory of this page: reloading ends it" if in_browser() else str(path)
