"""Asking: from settings, options and a question to a request, and to what comes back."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from ..api import credentials
from ..api.client import Client
from ..api.counting import counted
from ..api.endpoints.messages import messages
from ..api.growing import Growing
from ..api.interrupt import Interrupt
from ..api.transports.base import Transport
from ..api.transports.direct import Direct
from ..api.transports.replay import Replay
from ..api.transports.retrying import Retrying
from ..cell.limits import check_size
from ..cell.options import Options
from ..conversation.conversation import digest
from ..errors import CellError, ClaudeError, ExchangeError, Interrupted
from ..settings import Claude
from ..wire import Exchange, Headers, Request
from .books import Asker, Books
from .provider import Provider, provider, unasked
from .running import Running, wait

_LAST_WORDS = 0.2  # seconds that a stopped exchange has to be written down


class Reader(Protocol):
    """Shows an exchange: while it grows, and when it is done."""

    def show(self, exchange: Exchange, note: str = "") -> None: ...

    def finish(self, exchange: Exchange) -> None: ...


class Readers(Protocol):
    """Shows several exchanges side by side."""

    def show(self, exchanges: Sequence[Exchange]) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Question:
    """What a cell asks.

    Attributes:
        new: The messages of this cell, as the API's JSON.
        replayed: From what thinking blocks are bound to, to the messages before them.
        system: A system prompt of its own; `None` leaves it to the options and the settings.
    """

    new: list[dict[str, Any]]
    replayed: Callable[[str], list[Any]] = lambda _: []
    system: str | None = None


def ask(
    settings: Claude,
    options: Options,
    question: Question,
    *,
    pool: Any,
    books: Books,
    asker: Asker,
    reader: Reader | None = None,
) -> Exchange:
    """The exchange that `question` and `options` ask for; look at its `error`.

    Raises:
        CellError: It cannot be sent, such as for a key in it, or a budget.
        SettingsError: Nobody can be asked.
    """
    running = _running(settings, options, question, pool, books, asker)

    def show() -> None:
        if reader is not None:
            reader.show(running.growing.exchange(), running.growing.note)

    if not wait([running], show):
        return _stopped(running)
    if isinstance(running.outcome, ClaudeError) and reader is not None:
        reader.finish(running.growing.exchange(running.outcome))
    return running.result()


def ask_times(
    settings: Claude,
    options: Options,
    question: Question,
    *,
    pool: Any,
    books: Books,
    asker: Asker,
    reader: Readers,
) -> list[Exchange]:
    """The same question asked `options.times` times, at once; in the order they were asked.

    Raises:
        CellError: It cannot be sent.
        SettingsError: Nobody can be asked.
    """
    askers = [
        replace(asker, cell=f"{asker.cell}/{number}", place=f"{asker.place}/{number}")
        for number in range(1, options.times + 1)
    ]
    several = [_running(settings, options, question, pool, books, each) for each in askers]
    if not wait(several, lambda: reader.show([running.growing.exchange() for running in several])):
        return [running.outcome if isinstance(running.outcome, Exchange) else _stopped(running) for running in several]
    return [running.result() for running in several]


def _running(settings: Claude, options: Options, question: Question, pool: Any, books: Books, asker: Asker) -> Running:
    model = options.model or settings.model
    growing, interrupt = Growing(Request(method="POST", url="", body={"model": model})), Interrupt()

    def exchange() -> Exchange:
        if books.may_replay(settings, asker):
            replayed = _replayed(settings, options, question, books, asker, growing, interrupt)
            if replayed is not None:
                return replayed
        asked = provider(settings, growing, interrupt)
        request = _request(settings, options, question, asked)
        growing.requests(request, model_note=asked.model_note)
        transport = _transport(settings, asked, pool, growing, interrupt)
        client = Client(transport=transport, credential=asked.credential, timeout=settings.timeout)
        return books.sent(
            settings,
            growing,
            asker,
            request=request,
            provider=asked.name,
            count=lambda: counted(transport, request, asked.credential),
            send=lambda: client.send(request, growing),
        )

    return Running(exchange, growing, interrupt)


def _replayed(
    settings: Claude,
    options: Options,
    question: Question,
    books: Books,
    asker: Asker,
    growing: Growing,
    interrupt: Interrupt,
) -> Exchange | None:
    """The recorded answer, given again; `None` if the question is to be sent.

    Raises:
        NotRecorded: It is not to be sent, and there is no answer.
    """
    first: Request | None = None
    for asked in unasked(settings):
        request = _request(settings, options, question, asked)
        first = first or request
        recorded = books.recorded(settings, request, asker)
        if recorded is not None:
            growing.requests(request, model_note=recorded.model_note)
            transport = Replay(recorded=recorded, speed=settings.replay_speed, interrupt=interrupt)
            exchange = Client(transport=transport, credential=None, timeout=math.inf).send(request, growing)
            return books.replayed(settings, exchange, recorded, asker)
    if books.never_sends(settings) and first is not None:
        raise books.not_recorded(settings, first)
    return None


def prepared(settings: Claude, options: Options, question: Question, *, pool: Any) -> tuple[Request, int | str]:
    """The request that would be sent, and its input tokens, or why they are unknown; it is not sent.

    Raises:
        CellError: It cannot be sent.
        SettingsError: Nobody can be asked.
    """
    growing, interrupt = Growing(Request(method="POST", url="")), Interrupt()
    try:
        asked = provider(settings, growing, interrupt)
        request = _request(settings, options, question, asked)
        try:
            transport = _transport(settings, asked, pool, growing, interrupt)
            return request, counted(transport, request, asked.credential)
        except ExchangeError as error:
            return request, str(error)
    except KeyboardInterrupt:
        raise Interrupted("stopped while the tokens were counted; nothing was sent.") from None


def frame(body: Mapping[str, Any]) -> str:
    """What thinking blocks are bound to: a digest of model, system prompt and tools."""
    return digest(body.get("model"), body.get("system"), body.get("tools"))


def _request(settings: Claude, options: Options, question: Question, asked: Provider) -> Request:
    model = options.model or asked.model or settings.model
    system = next((s for s in (question.system, options.system, settings.system) if s is not None), "")
    fields = {**({"system": system} if system else {}), **options.body()}
    version = options.api_version or settings.api_version
    _refuse_keys({**fields, "model": model, "messages": question.new}, [version, *options.header.values()], asked)
    request = messages(
        base_url=asked.base_url,
        api_version=version,
        model=model,
        max_tokens=settings.max_tokens if options.max_tokens is None else options.max_tokens,
        messages=[*question.replayed(frame({**fields, "model": model})), *question.new],
        stream=settings.stream if options.stream is None else options.stream,
        fields=fields,
        headers=options.header,
    )
    if asked.credential is not None:
        headers = Headers([*request.headers.items(), asked.credential.placeholder])
        request = Request(method=request.method, url=request.url, headers=headers, body=request.body)
    check_size(request.content)
    return request


def _refuse_keys(fields: Mapping[str, Any], headers: list[str], asked: Provider) -> None:
    """Look for a key in what this cell sends; what is replayed was looked at when it was sent."""
    try:
        sent = json.dumps(fields, ensure_ascii=False, allow_nan=False)
    except (ValueError, TypeError) as error:
        raise CellError(f"the request is not JSON: {error}. Look at --param.") from None
    credentials.refuse_keys("\n".join((sent, *headers)), asked.credential)


def _transport(settings: Claude, asked: Provider, pool: Any, growing: Growing, interrupt: Interrupt) -> Transport:
    direct = Direct(
        pool=pool,
        credential=asked.credential,
        connect_timeout=settings.connect_timeout,
        timeout=settings.timeout,
        interrupt=interrupt,
        loopback=asked.loopback,
    )
    return Retrying(inner=direct, max_retries=settings.max_retries, interrupt=interrupt, tell=growing.waits)


def _stopped(running: Running) -> Exchange:
    """What had arrived when the reader pressed stop; its worker notices at once, and closes the books on it."""
    running.wait(_LAST_WORDS)
    exchange = running.outcome if isinstance(running.outcome, Exchange) else running.growing.exchange()
    return exchange.failed(_interrupted(running.growing))


def _interrupted(growing: Growing) -> Interrupted:
    exchange = growing.exchange()
    kept = f"the {len(exchange.text):,} characters that had arrived are in claude.last.text"
    return Interrupted(f"stopped after {exchange.seconds:.1f} s; {kept if exchange.text else 'nothing had arrived'}.")
