"""`claude.count` and `--count`: the tokens of each portion of a request, as the endpoint counts them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..api.endpoints.count_tokens import count as count_tokens
from ..api.token_breakdown import Portion, breakdown, total
from ..errors import CellError
from ..prompt.options.keywords import options_of_many
from ..prompt.options.options import Options
from ..session.model_list import list_for_alias
from ..session.preview import uncounted_note
from ..session.prompt import Prompt
from ..session.request import build_request, model_name
from ..session.session import Session
from ..wire import Exchange, Headers
from ..wire.headers import is_credential_name


class Count(Sequence[Portion]):
    """The portions of a request; displayed, they are a table. `int()` gives the sum.

    Attributes:
        note: What is not counted; `""` if all is.
    """

    def __init__(self, portions: Sequence[Portion], note: str = "") -> None:
        self._portions = portions
        self.note = note

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

        return token_counts(self._portions, self.note)


def count(session: Session, what: Any, keywords: Mapping[str, Any]) -> Count:
    """The tokens of a text, or of an exchange's request.

    Raises:
        CellError: It is neither.
        ExchangeError: The endpoint does not count, or does not answer.
    """
    options = options_of_many(keywords)
    if isinstance(what, Exchange):
        return _count_exchange(session, options, what)
    if not isinstance(what, str):
        raise CellError(f"claude.count takes a text or an exchange, not {type(what).__name__}.")
    return count_prompt(session, Prompt(options=options, text=what))


def count_prompt(session: Session, prompt: Prompt, cell: str = "") -> Count:
    """The tokens of the request that a prompt would send; no model is asked, and it costs nothing.

    Raises:
        ExchangeError: The endpoint does not count, or does not answer.
    """
    settings = session.settings_for(prompt.options)
    prompt = session.recall_files(session.recall(prompt, settings, cell)[0], settings)
    with session.sender.endpoint(settings) as (client, provider):
        list_for_alias(client, provider, settings, model_name(settings, provider, prompt))
        request = build_request(settings, provider, prompt.uploaded_only)
        return Count(breakdown(request, lambda each: count_tokens(client, each)), uncounted_note(prompt))


def _count_exchange(session: Session, options: Options, exchange: Exchange) -> Count:
    """The tokens of a request that was sent before; it may have gone to another endpoint."""
    request, settings = exchange.request, session.settings_for(options)
    headers = [pair for pair in request.headers.items() if not is_credential_name(pair[0])]
    with session.sender.endpoint(settings) as (client, provider):
        url = f"{provider.base_url}{request.endpoint}"
        request = replace(request, url=url, headers=Headers(headers), hosting=None)
        return Count(breakdown(request, lambda each: count_tokens(client, each)))
