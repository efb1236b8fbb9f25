"""`--openai`: the request of a cell in OpenAI's form, for the compatibility endpoint of the API."""

from __future__ import annotations

from dataclasses import replace

from ..api.credentials import Credential
from ..api.provider import Provider
from ..errors import CellError
from ..settings import PLATFORMS, Claude
from .provider import is_local


def bearer(provider: Provider) -> Provider:
    """The provider, whose key is sent as a bearer token, as OpenAI's clients do."""
    known = provider.credential
    if not isinstance(known, Credential) or known.bearer:
        return provider
    shown = known.display_value or "$ANTHROPIC_API_KEY"
    return replace(provider, credential=replace(known, bearer=True, display_value=shown))


def refuse_other_providers(settings: Claude) -> None:
    """Refuses providers that have no such endpoint.

    Raises:
        CellError: One of them answers.
    """
    if settings.provider in PLATFORMS or is_local(settings):
        name = settings.provider if settings.provider in PLATFORMS else "the local model"
        raise CellError(f"--openai: {name} is not asked in OpenAI's form. Nothing was sent: leave --openai out.")
