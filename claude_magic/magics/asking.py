"""Asking: from settings, options and a question to a request, and to what comes back."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ..api import credentials
from ..api.client import Client
from ..api.counting import counted
from ..api.endpoints.messages import messages
from ..api.growing import Growing
from ..api.interrupt import Interrupt
from ..api.transports.base import Transport
from ..api.transports.direct import Direct
from ..api.transports.retrying import Retrying
from ..cell.limits import check_size
from ..cell.options import Options
from ..conversation.conversation import digest
from ..errors import CellError, ClaudeError, ExchangeError, Interrupted
from ..settings import Claude
from ..wire import Exchange, Headers, Request
from .provider import Provider, provider
from .running import Running, wait


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


def ask(settings: Claude, options: Options, question: Question, *, pool: Any, reader: Reader | None = None) -> Exchange:
    """The exchange that `question` and `options` ask for; look at its `error`.

    Raises:
        CellError: It cannot be sent, such as for a key in it.
        SettingsError: Nobody can be asked.
    """
    running = _running(settings, options, question, pool)

    def show() -> None:
        if reader is not None:
            reader.show(running.growing.exchange(), running.growing.note)

    if not wait([running], show):
        return running.growing.exchange(_interrupted(running.growing))
    if isinstance(running.outcome, ClaudeError) and reader is not None:
        reader.finish(running.growing.exchange(running.outcome))
    return running.result()


def ask_times(settings: Claude, options: Options, question: Question, *, pool: Any, reader: Readers) -> list[Exchange]:
    """The same question asked `options.times` times, at once; in the order they were asked.

    Raises:
        CellError: It cannot be sent.
        SettingsError: Nobody can be asked.
    """
    several = [_running(settings, options, question, pool) for _ in range(options.times)]
    if not wait(several, lambda: reader.show([running.growing.exchange() for running in several])):
        return [
            running.outcome
            if isinstance(running.outcome, Exchange)
            else running.growing.exchange(_interrupted(running.growing))
            for running in several
        ]
    return [running.result() for running in several]


def _running(settings: Claude, options: Options, question: Question, pool: Any) -> Running:
    model = options.model or settings.model
    growing, interrupt = Growing(Request(method="POST", url="", body={"model": model})), Interrupt()

    def exchange() -> Exchange:
        asked = provider(settings, growing, interrupt)
        request = _request(settings, options, question, asked)
        growing.requests(request, model_note=asked.model_note)
        transport = _transport(settings, asked, pool, growing, interrupt)
        return Client(transport=transport, credential=asked.credential, timeout=settings.timeout).send(request, growing)

    return Running(exchange, growing, interrupt)


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


def _interrupted(growing: Growing) -> Interrupted:
    exchange = growing.exchange()
    kept = f"the {len(exchange.text):,} characters that had arrived are in claude.last.text"
    return Interrupted(f"stopped after {exchange.seconds:.1f} s; {kept if exchange.text else 'nothing had arrived'}.")
