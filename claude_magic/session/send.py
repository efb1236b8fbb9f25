"""From settings, options and a question to a request, and to what comes back."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from ..api import credentials
from ..api.accumulator import Accumulator
from ..api.client import Client
from ..api.connect import connect, replay
from ..api.endpoints.count_tokens import count
from ..api.endpoints.messages import messages
from ..api.interrupt import Interrupt
from ..api.mcp_tokens import refuse_tokens
from ..api.provider import Provider
from ..api.transports.connections import is_debugging
from ..errors import CellError, ClaudeError, ExchangeError, Interrupted, NotRecorded, SettingsError
from ..prompt.attachments.limits import check_size
from ..prompt.options.options import Options
from ..settings import Claude
from ..wire import Events, Exchange, Headers, Request
from ..wire.history import history
from ..wire.message_rules import problems, takes_prefill
from . import local_model
from .conversation import digest
from .ledger import Caller, Ledger
from .provider import is_local, local_unstarted, offline_providers, provider

Found = TypeVar("Found")
_NO_DEBUG = (
    "http.client's debug output is left out here, as an answer may repeat the key: claude.last.request is what was "
    "sent, claude.last.headers and claude.last.events what came back"
)


@dataclass(frozen=True, kw_only=True)
class SessionContext:
    """What it takes to ask.

    Attributes:
        pool: Connections that are kept.
        carry: Sends a request from elsewhere; `None` to send it from here.
    """

    settings: Claude
    pool: Any
    books: Ledger
    carry: Callable[[Request], Exchange] | None = None


@dataclass(frozen=True, kw_only=True)
class RequestParts:
    """What a cell asks.

    Attributes:
        new: The messages of this cell, as the API's JSON.
        replayed: From what thinking blocks are bound to, to the messages before them.
        system: A system prompt of its own; `None` leaves it to the options and the settings.
        body: All of the request's body, sent as it is; `None` to make it of the rest.
        headers: Further headers.
    """

    new: list[dict[str, Any]]
    replayed: Callable[[str], list[Any]] = lambda _: []
    system: str | None = None
    body: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class PendingRequest:
    """One question, and who asks it."""

    options: Options
    question: RequestParts
    asker: Caller

    def accumulator(self, settings: Claude) -> Accumulator:
        """Its exchange before anything has arrived."""
        return Accumulator(Request(method="POST", url="", body={"model": self.options.model or settings.model}))


def send(means: SessionContext, asking: PendingRequest, growing: Accumulator, interrupt: Interrupt) -> Exchange:
    """The exchange, really asked or given again; look at its `error`.

    Raises:
        CellError: It cannot be sent, such as for a key in it, or a budget.
        SettingsError: Nobody can be asked.
    """
    settings, options, question = means.settings, asking.options, asking.question
    if means.books.may_replay(settings, asking.asker):
        replayed = _replay(means, asking, growing, interrupt)
        if replayed is not None:
            return replayed
    asked = provider(settings, growing, interrupt)
    request = _request(settings, options, question, asked)
    if options.turns:
        _refuse_turns(request.body or {})
    growing.set_request(request, model_note=asked.model_note)
    client = connect(settings, asked, pool=means.pool, interrupt=interrupt, accumulator=growing)
    with means.books.open(
        settings, request, asking.asker, provider=asked.name, client=client, accumulator=growing
    ) as entry:
        if means.carry is None:
            entry.exchange = client.stream(request, growing)
        else:
            entry.exchange = _send_elsewhere(means.carry, request, growing)
    exchange = entry.result
    if is_debugging():
        exchange = replace(exchange, notes=(*exchange.notes, _NO_DEBUG))
    return local_model.with_notes(exchange, settings, question.new) if asked.local else exchange


def _send_elsewhere(carry: Callable[[Request], Exchange], request: Request, growing: Accumulator) -> Exchange:
    """An exchange that took place elsewhere, with its events brought here for whoever writes them down."""
    try:
        exchange = carry(request)
    except ClaudeError as error:
        return growing.exchange(error)
    if isinstance(exchange.events, Events):
        growing.add_batches(exchange.events.batches)
    return exchange


def _replay(
    means: SessionContext, asking: PendingRequest, growing: Accumulator, interrupt: Interrupt
) -> Exchange | None:
    """The recorded answer, given again; `None` if the question is to be sent.

    Raises:
        NotRecorded: It is not to be sent, and there is no answer.
    """
    settings, books, asker = means.settings, means.books, asking.asker
    several = list[Request]()
    for request in offline_requests(settings, asking, sends=not books.never_sends(settings)):
        several.append(request)
        recorded = books.recorded_answer(settings, request, asker)
        if recorded is not None:
            growing.set_request(request, model_note=recorded.model_note)
            exchange = replay(settings, recorded, interrupt=interrupt).stream(request, growing)
            return books.close_replay(settings, exchange, recorded, asker)
    if books.never_sends(settings):  # of what it may have been, what differs least
        raise min((books.not_recorded_error(settings, each) for each in several), key=lambda error: len(str(error)))
    return None


def offline_requests(settings: Claude, asking: PendingRequest, *, sends: bool) -> Iterator[Request]:
    """The requests that the question may have become when it was recorded; nobody is asked for them.

    Args:
        sends: Whether it is sent if it is not recorded.
    """
    for asked in offline_providers(settings, sends=sends):
        yield _request(settings, asking.options, asking.question, asked)


def preview_request(means: SessionContext, asking: PendingRequest) -> Request:
    """The request as it would be sent, as far as that is known without a key."""
    try:
        if is_local(means.settings):
            asked = local_unstarted(means.settings)
        else:
            asked = provider(means.settings, asking.accumulator(means.settings), Interrupt())
    except SettingsError:
        asked = None
    if asked is None:
        return next(offline_requests(means.settings, asking, sends=True))
    return _request(means.settings, asking.options, asking.question, asked)


def count_request(means: SessionContext, asking: PendingRequest) -> tuple[Request, int | str]:
    """The request that would be sent, and its input tokens, or why they are unknown; it is not sent.

    Raises:
        CellError: It cannot be sent.
        SettingsError: Nobody can be asked.
    """
    if means.books.never_sends(means.settings):
        return preview_request(means, asking), "nothing is sent while only recorded answers are given"

    def prepare(client: Client, asked: Provider) -> tuple[Request, int | str]:
        request = build_request(means, asking, asked)
        try:
            return request, count(client, request)
        except ExchangeError as error:
            return request, str(error)

    return with_transport(means, prepare)


def with_transport(means: SessionContext, look: Callable[[Client, Provider], Found]) -> Found:
    """What `look` finds at the endpoint, which answers nothing and takes no money for it.

    Raises:
        NotRecorded: Only recorded answers are given.
        SettingsError: Nobody can be asked.
        Interrupted: The reader stopped it.
    """
    if means.books.never_sends(means.settings):
        raise NotRecorded("nothing is sent while only recorded answers are given: this needs the endpoint.")
    growing, interrupt = Accumulator(Request(method="POST", url="")), Interrupt()
    try:
        asked = provider(means.settings, growing, interrupt)
        client = connect(means.settings, asked, pool=means.pool, interrupt=interrupt, accumulator=growing)
        return look(client, asked)
    except KeyboardInterrupt:
        raise Interrupted("stopped while the endpoint was looked at; nothing was asked of a model.") from None


def build_request(means: SessionContext, asking: PendingRequest, asked: Provider) -> Request:
    """The request of a question.

    Raises:
        CellError: It cannot be sent.
    """
    return _request(means.settings, asking.options, asking.question, asked)


def thinking_key(body: Mapping[str, Any]) -> str:
    """What thinking blocks are bound to: a digest of model, system prompt and tools."""
    return digest(body.get("model"), body.get("system"), body.get("tools"))


def _request(settings: Claude, options: Options, question: RequestParts, asked: Provider) -> Request:
    model = options.model or asked.model or settings.model
    system = next((s for s in (question.system, options.system, settings.system) if s is not None), "")
    fields = {**({"system": system} if system else {}), **options.body()}
    said: Sequence[Mapping[str, Any]]
    said = history([*question.replayed(thinking_key({**fields, "model": model})), *question.new]).messages
    if not said and question.body is None:
        raise CellError("the message is empty: there is nothing to send.")
    if asked.local:
        fields, said = local_model.adapted(fields, said)
    version = options.api_version or settings.api_version
    headers = {**question.headers, **options.header}
    given = question.body or {}
    _refuse_keys({**fields, "model": model, "messages": question.new, **given}, [version, *headers.values()], asked)
    request = messages(
        base_url=asked.base_url,
        api_version=version,
        model=model,
        max_tokens=local_model.max_tokens(settings, local=asked.local)
        if options.max_tokens is None
        else options.max_tokens,
        messages=list(said),
        stream=settings.stream if options.stream is None else options.stream,
        fields=fields,
        headers=headers,
    )
    if question.body is not None:
        request = replace(request, body=question.body)
    if asked.credential is not None:
        request = replace(request, headers=Headers([*request.headers.items(), asked.credential.placeholder]))
    check_size(request.content)
    return request


def _refuse_turns(body: Mapping[str, Any]) -> None:
    """Look at turns that were written by hand: what the API would refuse is refused here, and nothing is sent."""
    said, model = body["messages"], str(body["model"])
    if said[-1]["role"] == "assistant" and not takes_prefill(model):
        raise CellError(
            f"--turns: {model} refuses a prefilled reply, and the last turn is assistant:. Nothing was sent: "
            "end with a user turn, or ask a model up to 4.5, such as claude-haiku-4-5."
        )
    for problem in problems(said, model=model, thinking=body.get("thinking")):
        raise CellError(f"--turns: the API would refuse these turns: {problem.text.rstrip('.')}. Nothing was sent.")


def _refuse_keys(fields: Mapping[str, Any], headers: list[str], asked: Provider) -> None:
    """Look for a key in what this cell sends; what is replayed was looked at when it was sent."""
    try:
        sent = json.dumps(fields, ensure_ascii=False, allow_nan=False)
    except (ValueError, TypeError) as error:
        raise CellError(f"the request is not JSON: {error}. Look at --param.") from None
    credentials.refuse_keys("\n".join((sent, *headers)), asked.credential, *credentials.in_use())
    refuse_tokens(fields)
