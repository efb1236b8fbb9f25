"""Composes a client: HTTP with the provider's credential, its platform, and retries; or a recorded answer."""

from __future__ import annotations

from ..settings import Claude
from ..wire.recorded_answer import RecordedAnswer
from .accumulator import Accumulator
from .client import Client
from .interrupt import Interrupt
from .platforms.transport import PlatformTransport
from .provider import Provider
from .transports.base import Transport
from .transports.network import NetworkTransport, Pool
from .transports.repetition import RepetitionLimit
from .transports.replay import ReplayTransport
from .transports.retry import RetryTransport


def connect(
    settings: Claude, provider: Provider, *, pool: Pool, interrupt: Interrupt, accumulator: Accumulator | None = None
) -> Client:
    """A client for one exchange with `provider`; nothing is sent yet.

    Args:
        settings: Time limits and the number of retries.
        pool: The connections to reuse.
        interrupt: Stops whatever the client is doing.
        accumulator: Shows the waits between tries; `None` if nobody watches.
    """
    transport: Transport = NetworkTransport(
        pool=pool,
        credential=provider.credential,
        connect_timeout=settings.connect_timeout,
        timeout=settings.timeout,
        interrupt=interrupt,
        address="Claude.base_url" if provider.platform is None else provider.platform.address_settings,
    )
    if provider.platform is not None:
        transport = PlatformTransport(inner=transport, platform=provider.platform, credential=provider.credential)
    if provider.local:
        transport = RepetitionLimit(inner=transport)
    transport = RetryTransport(
        inner=transport,
        max_retries=settings.max_retries,
        interrupt=interrupt,
        rate_limit=pool.rate_limit,
        pace=pool.pace,
        accumulator=accumulator,
    )
    return Client(transport=transport, credential=provider.credential, platform=provider.platform)


def replay(settings: Claude, recorded: RecordedAnswer, *, interrupt: Interrupt) -> Client:
    """A client that replays a recorded answer to any request; it has no network and no credential."""
    transport = ReplayTransport(recorded=recorded, speed=settings.replay_speed, interrupt=interrupt)
    return Client(transport=transport, credential=None)
