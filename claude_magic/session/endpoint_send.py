"""Sends a call of any endpoint through the client and the ledger, like every request, and reads its answer.

    exchange = EndpointSender(sender=session.sender, settings=settings, caller=caller).send(call)

Nothing here asks for approval: `magics` does that before, for what `catalog.changes` names.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from urllib.parse import unquote

from ..api import credentials
from ..api.accumulator import Accumulator
from ..api.answers import answer_exchange
from ..api.connect import connect, replay
from ..api.credentials import Credential, Secret
from ..api.endpoint_advice import outcome_note
from ..api.endpoints.catalog import find
from ..api.interrupt import Interrupt
from ..api.mcp_tokens import refuse_tokens
from ..api.provider import Provider
from ..api.saved_files import SavedFile
from ..errors import CellError, Interrupted, NotRecorded, SettingsError
from ..settings import Claude
from ..wire import Exchange, Headers, Request
from ..wire.headers import client_headers
from ..wire.presenter import Presenter, SilentPresenter
from ..wire.request import json_text
from .ask import Worker, wait_for
from .endpoint_call import EndpointCall
from .ledger import Caller
from .provider import endpoint_provider, is_local, local_unstarted, shown_cloud, unsigned_provider
from .send import Sender

_JSON = "application/json"


@dataclass(frozen=True, kw_only=True)
class EndpointSender:
    """Sends calls of endpoints for a cell.

    Attributes:
        presenter: Shows what has arrived.
        save: Where the answer's body is written to; `None` to hold it.
    """

    sender: Sender
    settings: Claude
    caller: Caller
    presenter: Presenter = field(default_factory=SilentPresenter)
    save: SavedFile | None = None

    def send(self, call: EndpointCall) -> Exchange:
        """The exchange, read in a thread of its own, really or from a recording; look at its `error`.

        Stop is obeyed at once.

        Raises:
            CellError: It cannot be sent, or only recorded answers are given and there is none.
            SettingsError: There is no key for it, or no endpoint.
        """
        accumulator = Accumulator(Request(method=call.method, url=call.target))
        worker = Worker(partial(self._exchange, call), accumulator, self.presenter)
        if wait_for([worker]):
            return worker.result()
        stopped = worker.stop()
        note = outcome_note(stopped.request)
        return stopped.with_error(Interrupted(f"stopped after {stopped.seconds:.1f} s. {note}".rstrip()))

    def _exchange(self, call: EndpointCall, accumulator: Accumulator, interrupt: Interrupt) -> Exchange:
        settings, caller, ledger = self.settings, self.caller, self.sender.ledger
        if self.save is not None:
            self.save.check()
        never_sends = ledger.replays.never_sends(settings)
        if never_sends or (settings.replay == "on" and not caller.again and not call.changes):
            replayed = self._replay(call, accumulator, interrupt)
            if replayed is not None:
                return replayed
        provider = endpoint_provider(settings, call.path, accumulator, interrupt)
        request = build_request(settings, call, provider)
        accumulator.set_request(request)
        connections = self.sender.connections()
        client = connect(settings, provider, pool=connections, interrupt=interrupt, accumulator=accumulator)
        with ledger.open(
            settings, request, caller, provider=provider.name, client=client, accumulator=accumulator, priced=False
        ) as entry:
            entry.exchange = _with_notes(answer_exchange(client, request, accumulator, save=self.save), call)
        return entry.result

    def _replay(self, call: EndpointCall, accumulator: Accumulator, interrupt: Interrupt) -> Exchange | None:
        """The recorded answer, given again; `None` if the call is to be sent.

        Raises:
            NotRecorded: It is not to be sent, and there is no answer.
        """
        settings, caller, ledger, replays = self.settings, self.caller, self.sender.ledger, self.sender.ledger.replays
        request = build_request(settings, call, unsigned_provider(settings))
        recorded = replays.answer(settings, request, caller, None if replays.recording else ledger.journal(settings))
        if recorded is None:
            if not replays.never_sends(settings):
                return None
            raise NotRecorded(
                f"no answer to {call.method} {call.target} is recorded, and only recorded answers are given. "
                "Nothing was sent. Set Claude.replay = 'on', or end the recording with claude.replay(None)."
            )
        accumulator.set_request(request)
        client = replay(settings, recorded, interrupt=interrupt)
        exchange = answer_exchange(client, request, accumulator, save=self.save)
        return ledger.close_replay(settings, exchange, recorded, caller)


def _with_notes(exchange: Exchange, call: EndpointCall) -> Exchange:
    """The exchange, with notes on what is left out or differs from what the user may expect."""
    endpoint = find(call.method, call.path)
    beta = call.headers.get("anthropic-beta")
    if endpoint is not None and endpoint.beta and beta is not None and endpoint.beta not in beta:
        exchange = exchange.with_notes(f"anthropic-beta is what you gave, without this endpoint's own: {endpoint.beta}")
    answer = exchange.answer
    if answer is None or not answer.left_out:
        return exchange
    note = f"{answer.left_out:,} of {answer.count:,} lines are not held; write all of them to a file: -o path"
    return exchange.with_notes(note)


def preview_request(settings: Claude, call: EndpointCall) -> Request:
    """The request as it would be sent, as far as that is known without a key; no local model is started."""
    if (cloud := shown_cloud(settings)) is not None:
        return build_request(settings, call, cloud)
    try:
        if not call.uses_admin_key and is_local(settings):
            return build_request(settings, call, local_unstarted(settings))
        accumulator = Accumulator(Request(method=call.method, url=""))
        return build_request(settings, call, endpoint_provider(settings, call.path, accumulator, Interrupt()))
    except SettingsError:
        name = "$ANTHROPIC_ADMIN_KEY" if call.uses_admin_key else ""
        credential = Credential(source="", secret=Secret(""), display_value=name)
        return build_request(settings, call, replace(unsigned_provider(settings), credential=credential))


def build_request(settings: Claude, call: EndpointCall, provider: Provider) -> Request:
    """The request of a call, with the name of its key where the key will be.

    Raises:
        CellError: It holds a key, or cannot be JSON.
    """
    endpoint = find(call.method, call.path)
    version = call.api_version or settings.api_version
    is_file = endpoint is not None and endpoint.answer in ("binary", "jsonl")
    headers = {
        "anthropic-version": version,
        **({"anthropic-beta": endpoint.beta} if endpoint is not None and endpoint.beta else {}),
        **({"content-type": "application/json"} if call.method != "GET" else {}),
        **client_headers("application/binary" if is_file else _JSON),
    }
    if call.upload is not None:
        headers["content-type"] = call.upload.content_type
    headers.update(call.headers)
    _refuse_keys(call, version)
    return provider.address(
        Request(
            method=call.method,
            url=f"{provider.base_url}{call.target}",
            headers=Headers((name, value) for name, value in headers.items() if value),
            body=call.body if call.upload is None else call.upload.description,
            upload=call.upload,
        )
    )


def _refuse_keys(call: EndpointCall, version: str) -> None:
    body = call.body if call.upload is None else call.upload.description
    try:
        text = json_text(body)
    except (ValueError, RecursionError) as error:
        raise CellError(f"the body is not JSON: {str(error)[:200]}. Nothing was sent.") from None
    texts = (text, version, *call.headers.values(), unquote(call.path), *(text for pair in call.query for text in pair))
    credentials.refuse_keys("\n".join(texts), *credentials.in_use())
    refuse_tokens(body or {})
