"""`claude.count` and `--count`: how many tokens each portion of a request is, as the endpoint counts them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ..api.client import Client
from ..api.endpoints.count_tokens import count as count_tokens
from ..api.provider import Provider
from ..api.token_breakdown import Portion, breakdown, total
from ..session.send import PendingRequest, SessionContext, build_request, with_transport
from ..wire import Headers, Request


class Count(Sequence[Portion]):
    """The portions of a request; shown, they are a table. `int()` gives the tokens of all."""

    def __init__(self, found: Sequence[Portion]) -> None:
        self._portions = found

    @property
    def total(self) -> int:
        """Tokens of the whole request."""
        return total(self._portions)

    def __int__(self) -> int:
        return self.total

    def __len__(self) -> int:
        return len(self._portions)

    def __getitem__(self, index: Any) -> Any:
        return self._portions[index]

    def __repr__(self) -> str:
        return self._repr_mimebundle_()["text/plain"]

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        from ..display.tables.token_counts import token_counts

        return token_counts(self._portions)


def of_question(means: SessionContext, asking: PendingRequest) -> Count:
    """The count of what would be sent; nothing is answered, and it costs nothing.

    Raises:
        ExchangeError: The endpoint does not count, or does not answer.
    """

    def count(client: Client, asked: Provider) -> list[Portion]:
        request = build_request(means, asking, asked)
        return breakdown(request, lambda each: count_tokens(client, each))

    return Count(with_transport(means, count))


def of_request(means: SessionContext, request: Request) -> Count:
    """The count of a request that was sent before."""

    def count(client: Client, asked: Provider) -> list[Portion]:
        headers = [pair for pair in request.headers.items() if pair[0].lower() not in ("x-api-key", "authorization")]
        here = replace(request, url=f"{asked.base_url}{request.endpoint}", headers=Headers(headers))
        return breakdown(here, lambda each: count_tokens(client, each))

    return Count(with_transport(means, count))
