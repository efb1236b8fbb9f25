"""Recordings of a notebook's exchanges, to be shared: a text file for git with one exchange a line, keys sorted.

It holds requests and responses, and few of their headers: no key, no cookie, no organisation, no address of a server.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from ..browser import in_browser
from ..concurrency import Lock
from ..errors import APIError, NotRecorded, SettingsError
from ..wire import Block, Exchange, Headers, Request, TimedEvent
from ..wire.answer import Answer
from ..wire.gateway import COST as GATEWAY_COST
from ..wire.headers import REQUEST_IDS
from ..wire.message import fix_json_surrogates
from ..wire.recorded_answer import RecordedAnswer
from ..wire.request import Hosting
from .recorded_results import recorded_results
from .request_diff import describe_nearest

_REQUEST_HEADERS = ("anthropic-version", "anthropic-beta")
_RESPONSE_HEADERS = ("content-type", "date", *REQUEST_IDS, "retry-after", "server", GATEWAY_COST)
_LIMIT_HEADERS = ("anthropic-ratelimit-", "anthropic-priority-")
_MAX_SECONDS = 86_400.0  # of an answer
_TEMPORARY = (401, 403, 408, 409, 429)  # errors that do not depend on the request alone


@dataclass(frozen=True, kw_only=True)
class Recording:
    """The content of a file.

    Attributes:
        answers: By the identity of the request, in the order of the file.
        elsewhere: The same, whatever platform answered, for readers who ask another one.
        bodies: The bodies of the requests, in order.
    """

    path: Path
    answers: Mapping[str, Sequence[RecordedAnswer]]
    elsewhere: Mapping[str, Sequence[RecordedAnswer]]
    bodies: Sequence[Mapping[str, Any]]

    def answer(self, request: Request, number: int) -> RecordedAnswer | None:
        """Answer number `number` (from 0) to a request; `None` if there is none.

        Numbers beyond the recorded answers get the last one.
        """
        known = self.answers.get(request.identity) or self.elsewhere.get(_bare_identity(request), ())
        return known[min(number, len(known) - 1)] if known else None

    def results(self, exchange: Exchange) -> list[Block] | None:
        """The results of the tool calls of a recorded reply; `None` if the request after it is not recorded."""
        return recorded_results(self.bodies, exchange)

    def not_recorded(self, request: Request) -> NotRecorded:
        """The error for a request without an answer, with its differences from the most similar one."""
        return NotRecorded(
            f"not recorded in {self.path}: {describe_nearest(request.body or {}, self.bodies)} Nothing was sent. "
            "Undo the change, record again, or run claude.replay(None)."
        )

    def __repr__(self) -> str:
        days = sorted({each.when[:10] for several in self.answers.values() for each in several})
        dates = f", of {days[0]}" + f" to {days[-1]}" * (len(days) > 1) if days else ""
        count = sum(map(len, self.answers.values()))
        return f"answers come from {self.path}: {count} recorded {'exchange' if count == 1 else 'exchanges'}{dates}"


def read_recording(path: Path) -> Recording:
    """The recording in a file.

    Raises:
        SettingsError: It cannot be read, or is not a recording.
    """
    answers: dict[str, list[RecordedAnswer]] = {}
    elsewhere: dict[str, list[RecordedAnswer]] = {}
    bodies: list[Mapping[str, Any]] = []
    try:
        lines = [line for line in path.expanduser().read_text(encoding="utf-8-sig").split("\n") if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        advice = "claude.record(path) writes one."
        if in_browser() and "json" in path.name:
            advice = "JupyterLite takes a name with json in it for one JSON document: rename it to .recording.txt."
        raise SettingsError(f"the recording cannot be read: {path}: {reason}. {advice}") from None
    for number, line in enumerate(lines, 1):
        try:
            request, recorded = _parse_line(json.loads(line))
            identity, bare = request.identity, _bare_identity(request)
        except (ValueError, TypeError, KeyError, AttributeError, ArithmeticError, RecursionError) as error:
            raise SettingsError(
                f"not a recording: {path}, line {number}: {type(error).__name__}: {str(error)[:80]}. "
                "Use a file that claude.record(path) wrote."
            ) from None
        answers.setdefault(identity, []).append(recorded)
        elsewhere.setdefault(bare, []).append(recorded)
        bodies.append(request.body or {})
    return Recording(path=path, answers=answers, elsewhere=elsewhere, bodies=bodies)


def _bare_identity(request: Request) -> str:
    """The identity of a request, whatever platform is asked."""
    return replace(request, hosting=None).identity


class Recorder:
    """Writes a notebook's exchanges; a later exchange of the same place replaces the earlier one.

    The whole file is written after each exchange, so that it is never incomplete; until the first exchange, an
    existing file stays unchanged.

    Args:
        hide: Redacts API keys.
    """

    def __init__(self, path: Path, hide: Callable[[str], str]) -> None:
        self.path = path
        self._target = path.expanduser().absolute()  # the notebook may change its folder
        self._hide = hide
        self._lines: dict[str, str] = {}
        self._lock = Lock()

    def record(self, place: str, exchange: Exchange) -> None:
        """Adds an exchange and writes the file, if the exchange can be replayed.

        Raises:
            SettingsError: The file cannot be written; the existing one is unchanged.
        """
        if self.add(place, exchange):
            self.write()

    def add(self, place: str, exchange: Exchange) -> bool:
        """Adds an exchange without writing the file; returns whether it can be replayed."""
        if not _is_answer(exchange):
            return False
        text = self._hide(to_line(exchange))
        with self._lock:
            self._lines[place] = text
        return True

    def write(self) -> None:
        """Writes the file, if there is an exchange; checks the folder in any case.

        Raises:
            SettingsError: The file cannot be written; the existing one is unchanged.
        """
        if not self._target.parent.is_dir():
            raise SettingsError(
                f"the recording cannot be written: {self.path}: there is no such folder. Create it first."
            )
        with self._lock:
            if self._lines:
                self._write("".join(each + "\n" for each in self._lines.values()))

    def _write(self, text: str) -> None:
        temporary = self._target.with_name(f".{self._target.name}.{os.getpid()}")
        try:
            temporary.write_text(text, encoding="utf-8", newline="\n")
            temporary.replace(self._target)
        except OSError as error:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise SettingsError(
                f"the recording cannot be written: {self.path}: {error.strerror}. Choose another place."
            ) from None

    def __repr__(self) -> str:
        return f"recording this notebook's exchanges in {self.path}: {len(self._lines)} so far"


def to_line(exchange: Exchange) -> str:
    """An exchange as one line of JSON."""
    return json.dumps(fix_json_surrogates(_as_json(exchange)), sort_keys=True, ensure_ascii=False)


def _is_answer(exchange: Exchange) -> bool:
    """Whether it can be replayed: a complete reply, or an error that the request itself causes."""
    error = exchange.error
    if isinstance(error, APIError):
        return 400 <= error.status < 500 and error.status not in _TEMPORARY
    if exchange.answer is not None:
        return error is None and not Answer.from_json(exchange.answer.to_json()).dropped
    return error is None and exchange.message.stop_reason is not None


def _as_json(exchange: Exchange) -> dict[str, Any]:
    request, error = exchange.request, exchange.error
    answer: dict[str, Any] = {"status": exchange.status or 200, "headers": dict(_header_pairs(exchange.headers))}
    if isinstance(error, APIError):
        answer["body"] = error.body
    elif exchange.answer is not None:
        kept = json.loads(exchange.answer.to_json())
        answer["answer"] = {name: value for name, value in kept.items() if name != "path"}  # it is of this machine
    elif exchange.events:
        answer["events"] = [[round(event.seconds, 4), event.event, event.data] for event in exchange.events]
    else:
        answer["body"] = exchange.message.body
    return {
        "recorded": exchange.replayed or exchange.began,
        "request": {
            "method": request.method,
            "endpoint": request.target,
            "headers": {
                name.lower(): value for name, value in request.headers.items() if name.lower() in _REQUEST_HEADERS
            },
            "body": request.body,
            **({"platform": request.hosting.platform} if request.hosting is not None else {}),
        },
        "response": answer,
        "seconds": round(exchange.seconds, 4),
        "first_token_seconds": None if exchange.first_token_seconds is None else round(exchange.first_token_seconds, 4),
        "model_note": exchange.model_note,
    }


def _header_pairs(headers: Headers) -> Iterator[tuple[str, str]]:
    for name, value in headers.items():
        if name.lower() in _RESPONSE_HEADERS or name.lower().startswith(_LIMIT_HEADERS):
            yield name.lower(), value


def _parse_line(value: dict[str, Any]) -> tuple[Request, RecordedAnswer]:
    sent, received = value["request"], value["response"]
    if not isinstance(sent["body"], dict | None):
        raise ValueError("the request has no body")
    request = Request(method=str(sent["method"]), url=str(sent["endpoint"]), body=sent["body"])
    if platform := str(sent.get("platform", "")):
        request = replace(request, hosting=Hosting(platform=platform, settings={}, request=request))
    events = [TimedEvent(_seconds(at), str(event), str(data)) for at, event, data in received.get("events", ())]
    first = value.get("first_token_seconds")
    status = int(received["status"])
    if not 100 <= status <= 999:
        raise ValueError(f"the status is {status}")
    answer = Answer.from_json(json.dumps(received["answer"])) if "answer" in received else None
    if answer is None and not events and status < 300 and not isinstance(received["body"], dict):
        raise ValueError("the answer is neither events nor an object")
    return request, RecordedAnswer(
        when=datetime.fromisoformat(value["recorded"]).isoformat(timespec="milliseconds"),
        status=status,
        headers=Headers((str(name), str(text)) for name, text in received["headers"].items()),
        events=events,
        body=None if events or answer is not None else received["body"],
        answer=answer,
        seconds=_seconds(value["seconds"]),
        first_token_seconds=None if first is None else _seconds(first),
        model_note=str(value.get("model_note", "")),
    )


def _seconds(value: Any) -> float:
    """A time within an answer; checked, so that a malicious file cannot cause an endless wait."""
    seconds = float(value)
    if not 0 <= seconds <= _MAX_SECONDS:
        raise ValueError(f"no answer takes {seconds} s")
    return seconds
