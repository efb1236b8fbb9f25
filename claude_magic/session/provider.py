"""Which provider answers: the API, another endpoint, a platform, or the small model on this machine."""

from __future__ import annotations

from collections.abc import Iterator

from ..api import credentials, platforms
from ..api.accumulator import Accumulator
from ..api.credentials import Credential, Secret
from ..api.endpoints.catalog import is_of_organization
from ..api.interrupt import Interrupt
from ..api.provider import Provider
from ..browser import KEY_RISK, in_browser
from ..errors import ClaudeError, SettingsError, Unsupported
from ..settings import ANTHROPIC, PLATFORMS, Claude, check_url
from ..wire.headers import RANDOM_KEY


def find_provider(settings: Claude, accumulator: Accumulator, interrupt: Interrupt) -> Provider:
    """The provider that answers now; starts the local model if needed.

    Raises:
        SettingsError: There is no key, no endpoint, and no local model.
    """
    if is_local(settings):
        return _start_local(settings, accumulator, interrupt)
    if settings.provider in PLATFORMS:
        return _platform_provider(settings)
    credential = credentials.find()
    base_url = check_url(settings.base_url, allow_http=settings.allow_http)
    if credential is None and base_url == ANTHROPIC:
        auto = "" if settings.provider == "auto" or in_browser() else " Or set Claude.provider = 'auto'."
        raise SettingsError(_no_key() + auto)
    return Provider(base_url=base_url, credential=credential)


def endpoint_provider(settings: Claude, path: str, accumulator: Accumulator, interrupt: Interrupt) -> Provider:
    """The provider for a path: `/v1/organizations/` gets the admin key, everything else the ordinary one.

    Raises:
        SettingsError: There is no key for it, or no endpoint.
    """
    if not is_of_organization(path) or settings.provider in PLATFORMS:
        return find_provider(settings, accumulator, interrupt)
    base_url = check_url(settings.base_url, allow_http=settings.allow_http)
    credential = credentials.find(admin=True)
    if credential is None:
        raise SettingsError(
            "no admin key: $ANTHROPIC_ADMIN_KEY is empty, and the ordinary key is not sent to /v1/organizations/. "
            f"{'Run' if in_browser() else 'Set it, or run'} claude.login(admin=True)."
        )
    return Provider(base_url=base_url, credential=credential)


def shown_cloud(settings: Claude) -> Provider | None:
    """The cloud that answers, to show what would be sent: only what is known without asking the network.

    `None` if it is no cloud.
    """
    try:
        platform = platforms.find(settings, asks=False)
        if platform is None:
            return None
        return Provider(base_url=platform.base_url, credential=platform.known_credential(), platform=platform)
    except SettingsError:  # something is missing: sending will say so
        return unsigned_provider(settings)


def why_uncounted(settings: Claude) -> str:
    """Why a cloud does not count tokens; `""` if it does, or if it is no cloud. Nothing is asked of the network.

    Raises:
        SettingsError: A setting is missing.
    """
    platform = platforms.find(settings, asks=False)
    try:
        if platform is not None:
            platform.require("count_tokens")
    except Unsupported as error:
        return str(error).removesuffix(" Nothing was sent.")
    return ""


def offline_providers(settings: Claude, *, sends: bool) -> Iterator[Provider]:
    """The providers that may have answered when a request was recorded; no key is needed, and no model is started.

    Args:
        sends: Whether what is not recorded is sent; then a request to the API gets no answer of the local model.
    """
    yield unsigned_provider(settings)
    if settings.provider in PLATFORMS:
        return
    if sends and not _answers_locally(settings):
        return
    from .. import local

    yield Provider(
        base_url=settings.base_url, credential=None, model=local.name(settings.local_model) or None, local=True
    )


def unsigned_provider(settings: Claude) -> Provider:
    """The provider that is not local, to build a request that is not sent; its settings may be incomplete."""
    platform = platforms.find(settings, offline=True)
    if platform is None:
        return Provider(base_url=settings.base_url, credential=None)
    return Provider(base_url=platform.base_url, credential=None, platform=platform)


def base_url(settings: Claude) -> str:
    """The address of the provider that is not local, as far as it is known without asking anybody."""
    return unsigned_provider(settings).base_url


def platform_status(settings: Claude) -> tuple[str, dict[str, str], str]:
    """The platform's title, what chooses the place there, and where its credentials come from; never their value."""
    platform = platforms.find(settings, offline=True)
    if platform is None:
        return "not there yet", {}, "unknown"
    try:
        platform = platforms.find(settings) or platform
        source = f"from {platform.find_credential().source}"
    except SettingsError as error:
        source = str(error)
    return platform.data.title, dict(platform.settings), source


def _platform_provider(settings: Claude) -> Provider:
    platform = platforms.find(settings)
    if platform is None:
        raise SettingsError(f"Claude.provider = {settings.provider!r} is not there yet: choose another one.")
    return Provider(base_url=platform.base_url, credential=platform.find_credential(), platform=platform)


def _answers_locally(settings: Claude) -> bool:
    try:
        return is_local(settings)
    except ClaudeError:  # a key that cannot be read: sending will say so
        return False


def local_unstarted(settings: Claude) -> Provider:
    """The local model, to show what would be sent to it."""
    from .. import local

    return Provider(
        base_url=_LOOPBACK,
        credential=Credential(source="the local model", secret=Secret(""), display_value=RANDOM_KEY),
        model=local.name(settings.local_model) or None,
        model_note=_NOT_CLAUDE,
        local=True,
    )


def is_local(settings: Claude) -> bool:
    """Whether the local model answers."""
    if settings.provider != "auto":
        return settings.provider == "local"
    if settings.base_url_is_configured or credentials.find() is not None:
        return False
    from .. import local

    return local.is_installed() or bool(settings.local_model)


def _start_local(settings: Claude, accumulator: Accumulator, interrupt: Interrupt) -> Provider:
    from .. import local

    def set_note(note: str) -> None:
        accumulator.note = note

    model = local.start(settings.local_model, watch=set_note, is_interrupted=interrupt.is_set)
    return Provider(
        base_url=model.base_url,
        credential=Credential(source="the local model", secret=Secret(model.key), display_value=RANDOM_KEY),
        model=model.name,
        model_note=_NOT_CLAUDE,
        local=True,
    )


_NOT_CLAUDE = "a small local model, not Claude"
_LOOPBACK = "http://127.0.0.1"


def _no_key() -> str:
    """Why there is no provider, and the ways on."""
    if in_browser():
        return (
            "no API key. Two ways on: claude.replay('NAME.recording.txt') answers from a recording, without a key; or "
            f"run `from claude_magic import claude; claude.login()` in a cell: {KEY_RISK}, so use one with a low "
            "spending limit, and delete it afterwards. Or set Claude.base_url to a server that lets web pages ask."
        )
    from .. import local

    return (
        "no API key: $ANTHROPIC_API_KEY is empty. Three ways on: set it (or run `from claude_magic import claude; "
        f"claude.login()`); or install the local model: {local.install_command() or local.INSTALL}; "
        "or set Claude.base_url to a server such as Ollama."
    )
