"""A call of any endpoint of the API: checked, sent through the client and the ledger like every request, and read.

    call = endpoint_call("GET", "/v1/files", base_url=settings.base_url, query={"limit": 5})
    exchange = run_call(sender, settings, call, caller, SilentPresenter())  # in a thread; Stop is obeyed
    exchange = send_call(sender, settings, call, caller, accumulator, interrupt)  # the same, in the calling thread

Nothing here asks for approval: `magics` does that before, for what `catalog.changes` names.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from ..api import credentials
from ..api.accumulator import Accumulator
from ..api.answers import answer_exchange
from ..api.connect import connect, replay
from ..api.credentials import Credential, Secret
from ..api.endpoint_advice import outcome_note
from ..api.endpoints.catalog import changes, find, is_of_organization
from ..api.interrupt import Interrupt
from ..api.mcp_tokens import refuse_tokens
from ..api.multipart import Multipart, multipart
from ..api.provider import Provider
from ..api.saved_files import SavedFile
from ..errors import CellError, Interrupted, NotRecorded, SettingsError
from ..settings import Claude
from ..wire import Exchange, Headers, Request
from ..wire.presenter import Presenter
from .ask import Worker, wait_for
from .ledger import Caller
from .provider import endpoint_provider, is_local, local_unstarted
from .send import Sender

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_SAFE = "/:@!$&'()*+,;=~-._"
_UNRESERVED = re.compile(r"%(?:2[DE]|3\d|4[1-9A-F]|5[0-9AF]|6[1-9A-F]|7[0-9AE])", re.IGNORECASE)
_DOTS = re.compile(r"(?:^|/)\.{1,2}(?:/|$)")
_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_JSON = "application/json"


@dataclass(frozen=True, kw_only=True)
class EndpointCall:
    """What is asked of an endpoint; `endpoint_call` makes and checks one.

    Attributes:
        path: Percent-encoded, without the query.
        query: Names and values, in order; a name may come several times.
        headers: Further headers; a value of `""` leaves a header of ours out.
        body: The API's JSON; `None` for none. With `upload`, the fields beside the files are part of that instead.
        upload: The files; `None` for JSON.
        api_version: `None` for the setting's.
    """

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    upload: Multipart | None = None
    api_version: str | None = None

    @property
    def changes(self) -> bool:
        """Whether it changes, creates or deletes something, so that whoever sends it is asked first."""
        return changes(self.method, self.path)

    @property
    def is_message(self) -> bool:
        """Whether it asks for a message, which has a price and a presenter of its own."""
        return self.method == "POST" and self.path == "/v1/messages"

    @property
    def uses_admin_key(self) -> bool:
        """Whether the admin key is sent with it, and never the ordinary one."""
        return is_of_organization(self.path)

    @property
    def target(self) -> str:
        """Path and query as they are sent."""
        return f"{self.path}?{urlencode(self.query, quote_via=quote, safe='')}" if self.query else self.path

    def with_query(self, name: str, value: str) -> EndpointCall:
        """The same call, with another value of a parameter."""
        return replace(self, query=(*(pair for pair in self.query if pair[0] != name), (name, value)))


def endpoint_call(
    method: str,
    path: str,
    *,
    base_url: str,
    query: Mapping[str, Any] | Iterable[tuple[str, Any]] = (),
    headers: Mapping[str, str] | None = None,
    body: Mapping[str, Any] | None = None,
    files: Mapping[str, Any] | Iterable[tuple[str, Any]] = (),
    api_version: str | None = None,
) -> EndpointCall:
    """A call, checked before anything is sent.

    Args:
        path: `/v1/models`, with a query if need be; or the whole address, if it is one of `base_url`.
        query: A list gives a name several times; `None` leaves it out.
        files: By the name of the part: a path, bytes, or (file name, path or bytes, type); the body is multipart.

    Raises:
        CellError: It cannot be sent.
    """
    method = method.upper()
    if method not in METHODS:
        raise CellError(f"no such method: {method[:20]!r}. Choose one of {', '.join(METHODS)}.")
    checked, typed = checked_path(path, base_url)
    pairs = files.items() if isinstance(files, Mapping) else files
    upload = multipart(body or {}, pairs) if files else None
    if body is not None and not isinstance(body, Mapping):
        raise CellError(f"the body is a {type(body).__name__}. The API takes an object: {{ … }}.")
    if method == "GET" and (body is not None or upload is not None):
        raise CellError("a GET has no body. Leave it out, or use --query.")
    return EndpointCall(
        method=method,
        path=checked,
        query=(*typed, *query_pairs(query)),
        headers={name.lower(): value for name, value in (headers or {}).items()},
        body=None if upload is not None else body,
        upload=upload,
        api_version=api_version,
    )


def checked_path(path: str, base_url: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    """The path as it is sent, and the query that was typed with it.

    A path decides which key is sent, so it is read as a server may read it: with nothing that leads elsewhere.

    Raises:
        CellError: It is none, or leads to another host.
    """
    if "://" in path.split("?")[0]:
        path = _of_whole_address(path, base_url)
    bare, _, typed = path.partition("?")
    if not bare.startswith("/") or bare.startswith("//") or "\\" in bare or "#" in path or not path.isprintable():
        raise CellError(f"not a path of the API: {path[:100]!r}. It looks like /v1/models; %claude --get lists them.")
    if left := _PLACEHOLDER.findall(bare):
        raise CellError(f"{bare} has a gap: {{{left[0]}}}. Write the id in its place. Nothing was sent.")
    bare = _UNRESERVED.sub(lambda found: unquote(found[0]), bare)
    if _DOTS.search(unquote(bare)) or "//" in bare or "\\" in unquote(bare):
        raise CellError(f"not a path of the API: {path[:100]!r}: it leads elsewhere. Write it out.")
    return quote(bare, safe=_SAFE + "%"), tuple(parse_qsl(typed, keep_blank_values=True))


def _of_whole_address(address: str, base_url: str) -> str:
    asked, ours = urlsplit(address), urlsplit(base_url)
    if (asked.scheme, asked.netloc) != (ours.scheme, ours.netloc) or not asked.path.startswith(ours.path):
        raise CellError(
            f"the address leads to {asked.netloc.rpartition('@')[2]}, and Claude.base_url is {base_url}. "
            "Nothing was sent. Set Claude.base_url to it, if your key may go there."
        )
    path = asked.path.removeprefix(ours.path.rstrip("/"))
    return f"{path}?{asked.query}" if asked.query else path


def query_pairs(query: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> Iterator[tuple[str, str]]:
    """Names and values as text, one pair each; `None` is left out.

    Raises:
        CellError: A value is neither text, number nor Boolean.
    """
    for name, value in query.items() if isinstance(query, Mapping) else query:
        several = value if isinstance(value, list | tuple | set | frozenset) else (value,)
        for each in several:
            if each is None:
                continue
            if not isinstance(each, str | int | float):
                raise CellError(f"the query parameter {name!r} is a {type(each).__name__}. Give text or a number.")
            yield str(name), str(each).lower() if isinstance(each, bool) else str(each)


def build_request(settings: Claude, call: EndpointCall, provider: Provider) -> Request:
    """The request of a call, with the name of its key where the key will be.

    Raises:
        CellError: It holds a key, or cannot be JSON.
    """
    endpoint = find(call.method, call.path)
    version = call.api_version or settings.api_version
    headers = {
        "anthropic-version": version,
        **({"anthropic-beta": endpoint.beta} if endpoint is not None and endpoint.beta else {}),
        **({"content-type": "application/json"} if call.method != "GET" else {}),
        "accept": "application/binary" if endpoint is not None and endpoint.answer in ("binary", "jsonl") else _JSON,
        "accept-encoding": "identity",
        "user-agent": "claude-magic",
    }
    if call.upload is not None:
        headers["content-type"] = call.upload.content_type
    headers.update(call.headers)
    _refuse_keys(call, version)
    credential = [] if provider.credential is None else [provider.credential.placeholder]
    return Request(
        method=call.method,
        url=f"{provider.base_url}{call.target}",
        headers=Headers([*((name, value) for name, value in headers.items() if value), *credential]),
        body=call.body if call.upload is None else call.upload.description,
        upload=call.upload,
    )


def _refuse_keys(call: EndpointCall, version: str) -> None:
    body = call.body if call.upload is None else call.upload.description
    try:
        sent = json.dumps(body, ensure_ascii=False, allow_nan=False)
    except (ValueError, TypeError, RecursionError) as error:
        raise CellError(f"the body is not JSON: {str(error)[:200]}. Nothing was sent.") from None
    texts = (sent, version, *call.headers.values(), unquote(call.path), *(text for pair in call.query for text in pair))
    credentials.refuse_keys("\n".join(texts), *credentials.in_use())
    refuse_tokens(body or {})


def preview_request(settings: Claude, call: EndpointCall) -> Request:
    """The request as it would be sent, as far as that is known without a key; no local model is started."""
    try:
        if not call.uses_admin_key and is_local(settings):
            return build_request(settings, call, local_unstarted(settings))
        accumulator = Accumulator(Request(method=call.method, url=""))
        return build_request(settings, call, endpoint_provider(settings, call.path, accumulator, Interrupt()))
    except SettingsError:
        name = "$ANTHROPIC_ADMIN_KEY" if call.uses_admin_key else ""
        credential = Credential(source="", secret=Secret(""), display_value=name)
        return build_request(settings, call, Provider(base_url=settings.base_url, credential=credential))


def send_call(
    sender: Sender,
    settings: Claude,
    call: EndpointCall,
    caller: Caller,
    accumulator: Accumulator,
    interrupt: Interrupt,
    *,
    save: SavedFile | None = None,
    each: Callable[[Any], object] | None = None,
) -> Exchange:
    """The exchange, really sent or given again from a recording; look at its `error`.

    Args:
        save: Where the answer's body is written to; `None` to hold it.
        each: Called with each JSON line of the answer, which is then not held.

    Raises:
        CellError: It cannot be sent, or only recorded answers are given and there is none.
        SettingsError: There is no key for it, or no endpoint.
    """
    ledger = sender.ledger
    if save is not None:
        save.check()
    never_sends = ledger.replays.never_sends(settings)
    if never_sends or (settings.replay == "on" and not caller.again and not call.changes):
        replayed = _replay(sender, settings, call, caller, accumulator, interrupt, save=save, each=each)
        if replayed is not None:
            return replayed
    provider = endpoint_provider(settings, call.path, accumulator, interrupt)
    request = build_request(settings, call, provider)
    accumulator.set_request(request)
    client = connect(settings, provider, pool=sender.connections(), interrupt=interrupt, accumulator=accumulator)
    with ledger.open(
        settings, request, caller, provider=provider.name, client=client, accumulator=accumulator, priced=False
    ) as entry:
        entry.exchange = _with_notes(answer_exchange(client, request, accumulator, save=save, each=each), call)
    return entry.result


def _replay(
    sender: Sender,
    settings: Claude,
    call: EndpointCall,
    caller: Caller,
    accumulator: Accumulator,
    interrupt: Interrupt,
    *,
    save: SavedFile | None,
    each: Callable[[Any], object] | None,
) -> Exchange | None:
    """The recorded answer, given again; `None` if the call is to be sent.

    Raises:
        NotRecorded: It is not to be sent, and there is no answer.
    """
    ledger, replays = sender.ledger, sender.ledger.replays
    request = build_request(settings, call, Provider(base_url=settings.base_url, credential=None))
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
    exchange = answer_exchange(client, request, accumulator, save=save, each=each)
    return ledger.close_replay(settings, exchange, recorded, caller)


def _with_notes(exchange: Exchange, call: EndpointCall) -> Exchange:
    """The exchange, with what is left out or differs from what the reader may expect."""
    notes = list(exchange.notes)
    endpoint = find(call.method, call.path)
    given = call.headers.get("anthropic-beta")
    if endpoint is not None and endpoint.beta and given is not None and endpoint.beta not in given:
        notes.append(f"anthropic-beta is what you gave, without this endpoint's own: {endpoint.beta}")
    answer = exchange.answer
    if answer is not None and answer.left_out:
        notes.append(
            f"{answer.left_out:,} of {answer.count:,} lines are not held; write all of them to a file: -o path"
        )
    return replace(exchange, notes=tuple(notes)) if len(notes) > len(exchange.notes) else exchange


def run_call(
    sender: Sender,
    settings: Claude,
    call: EndpointCall,
    caller: Caller,
    presenter: Presenter,
    *,
    save: SavedFile | None = None,
    each: Callable[[Any], object] | None = None,
) -> Exchange:
    """The exchange, read in a thread of its own while `presenter` shows what has arrived; Stop is obeyed at once.

    Raises:
        CellError: It cannot be sent.
        SettingsError: There is no key for it, or no endpoint.
    """

    def send(accumulator: Accumulator, interrupt: Interrupt) -> Exchange:
        return send_call(sender, settings, call, caller, accumulator, interrupt, save=save, each=each)

    worker = Worker(send, Accumulator(Request(method=call.method, url=call.target)), presenter)
    if wait_for([worker]):
        return worker.result()
    stopped = worker.stop()
    note = outcome_note(stopped.request)
    return stopped.with_error(Interrupted(f"stopped after {stopped.seconds:.1f} s. {note}".rstrip()))
