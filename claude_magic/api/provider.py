"""Where requests go: the API, another endpoint, a platform that hosts Claude, or the model on this machine."""

from __future__ import annotations

from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from ..settings import ANTHROPIC
from ..wire import Headers, Request
from .credentials import Signer
from .platforms.platform import Platform


@dataclass(frozen=True, kw_only=True)
class Provider:
    """An endpoint, its credential, and facts about its models.

    Attributes:
        credential: `None` if the endpoint needs none.
        model: The only model there is; `None` if the endpoint has many.
        model_note: A note on the model shown to the user, or `""`.
        local: Whether it is the model on this machine, which has defaults of its own and takes fewer fields.
        platform: The cloud that hosts Claude there; `None` for the API and servers like it.
    """

    base_url: str
    credential: Signer | None
    model: str | None = None
    model_note: str = ""
    local: bool = False
    platform: Platform | None = None

    @property
    def name(self) -> str:
        """`anthropic`, `local`, the name of a platform, or the host of another endpoint."""
        if self.local:
            return "local"
        if self.platform is not None:
            return self.platform.name
        return "anthropic" if self.base_url == ANTHROPIC else urlsplit(self.base_url).netloc

    def address(self, request: Request) -> Request:
        """`request` with the names of its credential, and for a platform in the form in which it is received there.

        Raises:
            CellError: The platform lacks what it asks for; nothing was sent.
        """
        if self.credential is not None:
            request = replace(request, headers=Headers([*request.headers.items(), *self.credential.placeholders]))
        return request if self.platform is None else self.platform.address(request)
