"""Asking: one thread exchanges, the reader's thread shows what has arrived.

The reader's thread only ever waits for a tenth of a second, so that an interrupt is obeyed at
once whatever the network does, and a display that fails does not lose the reply.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import Any, Protocol

from ..api import credentials
from ..api.client import Client
from ..api.endpoints.messages import messages
from ..api.growing import Growing
from ..api.interrupt import Interrupt
from ..api.transports.direct import Direct
from ..api.transports.retrying import Retrying
from ..cell.options import Options
from ..errors import CellError, Interrupted
from ..settings import Claude
from ..wire import Exchange, Headers, Request
from .provider import Provider, provider

_TICK = 0.1  # seconds between two looks at what has arrived


class Reader(Protocol):
    """Shows an exchange: while it grows, and when it is done."""

    def show(self, exchange: Exchange, note: str = "") -> None: ...

    def finish(self, exchange: Exchange) -> None: ...


def ask(settings: Claude, options: Options, text: str, *, pool: Any, reader: Reader | None = None) -> Exchange:
    """The exchange that `text` and `options` ask for; look at its `error`.

    Raises:
        CellError: Nothing can be sent: the text is empty, or holds a key.
        SettingsError: Nobody can be asked.
    """
    if not text.strip():
        raise CellError("the cell is empty: there is nothing to send. Write the message in the lines below %%claude.")
    model = options.model or settings.model
    growing, interrupt = Growing(Request(method="POST", url="", body={"model": model})), Interrupt()

    def exchange() -> Exchange:
        asked = provider(settings, growing, interrupt)
        request = _request(settings, options, text, asked)
        growing.requests(request, model_note=asked.model_note)
        return _client(settings, asked, pool, growing, interrupt).send(request, growing)

    return _in_another_thread(exchange, growing, interrupt, reader)


def _request(settings: Claude, options: Options, text: str, asked: Provider) -> Request:
    system = settings.system if options.system is None else options.system
    request = messages(
        base_url=asked.base_url,
        api_version=options.api_version or settings.api_version,
        model=options.model or asked.model or settings.model,
        max_tokens=settings.max_tokens if options.max_tokens is None else options.max_tokens,
        messages=[{"role": "user", "content": text}],
        stream=settings.stream if options.stream is None else options.stream,
        fields={**({"system": system} if system else {}), **options.body()},
        headers=options.header,
    )
    try:
        sent = request.content.decode()
    except (ValueError, TypeError) as error:
        raise CellError(f"the request is not JSON: {error}. Look at --param.") from None
    credentials.refuse_keys("\n".join((sent, *request.headers.values())), asked.credential)
    if asked.credential is None:
        return request
    shown = Headers([*request.headers.items(), asked.credential.placeholder])
    return Request(method=request.method, url=request.url, headers=shown, body=request.body)


def _client(settings: Claude, asked: Provider, pool: Any, growing: Growing, interrupt: Interrupt) -> Client:
    direct = Direct(
        pool=pool,
        credential=asked.credential,
        connect_timeout=settings.connect_timeout,
        timeout=settings.timeout,
        interrupt=interrupt,
        loopback=asked.loopback,
    )
    retrying = Retrying(inner=direct, max_retries=settings.max_retries, interrupt=interrupt, tell=growing.waits)
    return Client(transport=retrying, credential=asked.credential, timeout=settings.timeout)


def _in_another_thread(
    exchange: Callable[[], Exchange], growing: Growing, interrupt: Interrupt, reader: Reader | None
) -> Exchange:
    outcome: list[Exchange | BaseException] = []
    done = threading.Event()

    def work() -> None:
        try:
            outcome.append(exchange())
        except BaseException as error:
            outcome.append(error)
        finally:
            done.set()

    threading.Thread(target=work, name="claude-magic", daemon=True).start()
    try:
        while not done.wait(_TICK):
            if reader is not None:
                with contextlib.suppress(Exception):
                    reader.show(growing.exchange(), growing.note)
    except KeyboardInterrupt:
        interrupt.set()
        return growing.exchange(_interrupted(growing))
    if isinstance(outcome[0], BaseException):
        raise outcome[0]
    return outcome[0]


def _interrupted(growing: Growing) -> Interrupted:
    exchange = growing.exchange()
    kept = f"the {len(exchange.text):,} characters that had arrived are in claude.last.text"
    return Interrupted(f"stopped after {exchange.seconds:.1f} s; {kept if exchange.text else 'nothing had arrived'}.")
