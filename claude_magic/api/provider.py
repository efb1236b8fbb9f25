"""Where requests go: the API, another endpoint, or the model on this machine."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from ..settings import ANTHROPIC
from .credentials import Credential


@dataclass(frozen=True, kw_only=True)
class Provider:
    """An endpoint, its credential, and facts about its models.

    Attributes:
        credential: `None` if the endpoint needs none.
        model: The only model there is; `None` if the endpoint has many.
        model_note: A note on the model shown to the user, or `""`.
        local: Whether it is the model on this machine, which has defaults of its own and takes fewer fields.
    """

    base_url: str
    credential: Credential | None
    model: str | None = None
    model_note: str = ""
    local: bool = False

    @property
    def name(self) -> str:
        """`anthropic`, `local`, or the host of another endpoint."""
        if self.local:
            return "local"
        return "anthropic" if self.base_url == ANTHROPIC else urlsplit(self.base_url).netloc
