"""A cloud that hosts Claude, as a value: its address, its data, and the functions in which it differs from the API.

    platform = platforms.find(settings)  # region, project and so on are known, or an error says what is not
    provider = Provider(base_url=platform.base_url, credential=platform.find_credential(), platform=platform)

To add one: a module with `platform(settings, *, offline) -> Platform`, its name in `platforms._MODULES`, and its dated
data in a JSON file of its name beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from ...errors import Unsupported
from ...wire import Request
from ...wire.request import Hosting
from ..credentials import Signer
from ..transports.base import ResponseStream
from .data import PlatformData
from .features import FEATURES, features


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """An error of a platform, of which is to be said what to do.

    Attributes:
        status: HTTP status; 200 for an error inside a stream.
        kind: The platform's own name of the error, such as `ThrottlingException`; `""` if it sent none.
        model: As it was sent.
    """

    status: int
    kind: str
    message: str
    model: str
    credential: Signer | None


def _unchanged_request(request: Request) -> Request:
    return request


def _unchanged_response(response: ResponseStream) -> ResponseStream:
    return response


def _no_advice(refusal: Refusal) -> str | None:
    return None


def _none_known() -> Signer | None:
    return None


def _is_unauthorized(refusal: Refusal) -> bool:
    return refusal.status == 401


@dataclass(frozen=True, kw_only=True)
class Platform:
    """A cloud that hosts Claude.

    Requests to it are built like those to the API, for `base_url`; `rewrite` gives them the form that it takes.

    Attributes:
        data: Its models, and what it lacks: dated data.
        settings: What chooses the place there, by the names of the settings, such as `region`; never a secret.
        address_settings: The settings that choose the host, for messages, such as `Claude.region`.
        find_credential: Finds what opens it; raises `SettingsError` if there is nothing.
        known_credential: What opens it, as far as the environment says; `None` if that has to be asked of the network,
            of files or of programs.
        rewrite: The request in the platform's own form, without the credential; the same answer for the same request.
        read: The response with a body as the API sends it: JSON, or server-sent events.
        advise: What to do about an error, in a sentence; `None` where the general advice fits.
        has_ended: Whether an error may be that the credential has ended, so that a new one could help.
    """

    data: PlatformData
    base_url: str
    settings: Mapping[str, str]
    address_settings: str
    find_credential: Callable[[], Signer] = field(repr=False)
    known_credential: Callable[[], Signer | None] = field(default=_none_known, repr=False)
    rewrite: Callable[[Request], Request] = field(default=_unchanged_request, repr=False)
    read: Callable[[ResponseStream], ResponseStream] = field(default=_unchanged_response, repr=False)
    advise: Callable[[Refusal], str | None] = field(default=_no_advice, repr=False)
    has_ended: Callable[[Refusal], bool] = field(default=_is_unauthorized, repr=False)

    @property
    def name(self) -> str:
        """As in `Claude.provider`."""
        return self.data.name

    def address(self, request: Request) -> Request:
        """`request` with the form in which it is received there.

        Raises:
            Unsupported: The platform lacks what it asks for, or it is too large; nothing was sent.
        """
        self.check(request)
        form = self.rewrite(request)
        most = self.data.largest.get("bytes", 0)
        if most and request.upload is None and len(form.content) > most:
            raise Unsupported(
                f"{self.data.title} takes {most / 1e6:.0f} MB at most, and the request has "
                f"{len(form.content) / 1e6:.1f} MB. Nothing was sent. Attach less or smaller files."
            )
        return replace(request, hosting=Hosting(platform=self.name, settings=self.settings, request=form))

    def check(self, request: Request) -> None:
        """Refuses a request for what the platform lacks.

        Raises:
            Unsupported: It does; nothing was sent.
        """
        for feature in features(request):
            self.require(feature)

    def require(self, feature: str) -> None:
        """Refuses what the platform lacks.

        Args:
            feature: Its name in `FEATURES`.

        Raises:
            Unsupported: It lacks it; nothing was sent.
        """
        lack = self.data.lacks.get(feature)
        if lack is None:
            return
        hint = f" {lack['instead']}" if lack.get("instead") else ""
        raise Unsupported(
            f"{self.data.title} has no {FEATURES[feature]} (as of {lack.get('as_of') or self.data.as_of}). "
            f"Nothing was sent.{hint}"
        )
