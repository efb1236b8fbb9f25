"""Recordings that travel: a text file made for git, an exchange a line, its keys in order.

It holds what was asked and what came back, and of the headers only what a lesson shows: no key, no
cookie, no organisation, no address of a server.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from ..concurrency import Lock
from ..errors import APIError, NotRecorded, SettingsError
from ..wire import Block, Exchange, Headers, Request, TimedEvent
from ..wire.answer import Answer
from ..wire.message import fix_json_surrogates
from ..wire.recorded_answer import RecordedAnswer
from . import recorded_results
from .request_diff import nearest

_SENT = ("anthropic-version", "anthropic-beta")
_KEPT_HEADERS = ("content-type", "date", "request-id", "retry-after", "server")
_LIMITS = ("anthropic-ratelimit-", "anthropic-priority-")
_LONGEST = 86_400.0  # seconds of an answer
_MAY_PASS = (401, 403, 408, 409, 429)


@dataclass(frozen=True, kw_only=True)
class Recording:
    """What a file holds.

    Attributes:
        answers: By the identity of the request, in the order they came.
        bodies: Of the requests, in order.
    """

    path: Path
    answers: Mapping[str, Sequence[RecordedAnswer]]
    bodies: Sequence[Mapping[str, Any]]

    def answer(self, request: Request, number: int) -> RecordedAnswer | None:
        """The answer to a request that is asked for the `number`-th time, from 0; `None` if it was never asked.

        Asked more often than it was recorded, it gets the last answer again.
        """
        known = self.answers.get(request.identity, ())
        return known[min(number, len(known) - 1)] if known else None

    def results(self, exchange: Exchange) -> list[Block] | None:
        """The results that the calls of a recorded reply got; `None` if what came next is not there."""
        return recorded_results.results(self.bodies, exchange)

    def not_recorded(self, request: Request) -> NotRecorded:
        """The error that says what differs from the nearest request."""
        return NotRecorded(
            f"not recorded in {self.path}: {nearest(request.body or {}, self.bodies)} Nothing was sent. "
            "Undo that, record again, or run claude.replay(None)."
        )

    def __repr__(self) -> str:
        days = sorted({each.when[:10] for several in self.answers.values() for each in several})
        of = f", of {days[0]}" + f" to {days[-1]}" * (len(days) > 1) if days else ""
        count = sum(map(len, self.answers.values()))
        return f"answers come from {self.path}: {count} recorded {'exchange' if count == 1 else 'exchanges'}{of}"


def read(path: Path) -> Recording:
    """The recording in a file.

    Raises:
        SettingsError: It cannot be read, or is no recording.
    """
    answers: dict[str, list[RecordedAnswer]] = {}
    bodies: list[Mapping[str, Any]] = []
    try:
        lines = [line for line in path.expanduser().read_text(encoding="utf-8-sig").split("\n") if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        said = error.strerror if isinstance(error, OSError) else "it is not text"
        raise SettingsError(f"the recording cannot be read: {path}: {said}. claude.record(path) makes one.") from None
    for number, line in enumerate(lines, 1):
        try:
            request, recorded = _parse_line(json.loads(line))
            identity = request.identity
        except (ValueError, TypeError, KeyError, AttributeError, ArithmeticError, RecursionError) as error:
            raise SettingsError(
                f"not a recording: {path}, line {number}: {type(error).__name__}: {str(error)[:80]}. "
                "It is what claude.record(path) wrote."
            ) from None
        answers.setdefault(identity, []).append(recorded)
        bodies.append(request.body or {})
    return Recording(path=path, answers=answers, bodies=bodies)


class Recorder:
    """Writes a notebook's exchanges; a place that asks again replaces what it had recorded.

    The file is written whole after each exchange, so that it is never half of one; until the first,
    what stands there is left alone.

    Args:
        hide: From a text to the same without anything shaped like a key.
    """

    def __init__(self, path: Path, hide: Callable[[str], str]) -> None:
        self.path = path
        self._target = path.expanduser().absolute()  # the notebook may change its folder
        self._hide = hide
        self._lines: dict[str, str] = {}
        self._lock = Lock()

    def record(self, place: str, exchange: Exchange) -> None:
        """Keep an exchange, if it is one that can be given again.

        Raises:
            SettingsError: The file cannot be written; what stood there is untouched.
        """
        if self.take(place, exchange):
            self.write()

    def take(self, place: str, exchange: Exchange) -> bool:
        """As `record`, without writing; whether there is something new."""
        if not _is_answer(exchange):
            return False
        text = self._hide(line(exchange))
        with self._lock:
            self._lines[place] = text
        return True

    def write(self) -> None:
        """Write the file, if anything was recorded; that it could be is told at once.

        Raises:
            SettingsError: The file cannot be written; what stood there is untouched.
        """
        if not self._target.parent.is_dir():
            raise SettingsError(
                f"the recording cannot be written: {self.path}: there is no such folder. Make it first."
            )
        with self._lock:
            if self._lines:
                self._write("".join(each + "\n" for each in self._lines.values()))

    def _write(self, text: str) -> None:
        beside = self._target.with_name(f".{self._target.name}.{os.getpid()}")
        try:
            beside.write_text(text, encoding="utf-8", newline="\n")
            beside.replace(self._target)
        except OSError as error:
            with suppress(OSError):
                beside.unlink(missing_ok=True)
            raise SettingsError(
                f"the recording cannot be written: {self.path}: {error.strerror}. Choose another place."
            ) from None

    def __repr__(self) -> str:
        return f"recording this notebook's exchanges in {self.path}: {len(self._lines)} so far"


def line(exchange: Exchange) -> str:
    """An exchange as one line of JSON."""
    return json.dumps(fix_json_surrogates(_as_json(exchange)), sort_keys=True, ensure_ascii=False)


def _is_answer(exchange: Exchange) -> bool:
    """Whether the endpoint would answer the same again: a whole reply, or a refusal of the request itself."""
    error = exchange.error
    if isinstance(error, APIError):
        return 400 <= error.status < 500 and error.status not in _MAY_PASS
    if exchange.answer is not None:
        return error is None and not Answer.of_kept(exchange.answer.kept()).dropped
    return error is None and exchange.message.stop_reason is not None


def _as_json(exchange: Exchange) -> dict[str, Any]:
    request, error = exchange.request, exchange.error
    answer: dict[str, Any] = {"status": exchange.status or 200, "headers": dict(_header_pairs(exchange.headers))}
    if isinstance(error, APIError):
        answer["body"] = error.body
    elif exchange.answer is not None:
        answer["answer"] = json.loads(exchange.answer.kept())
    elif exchange.events:
        answer["events"] = [[round(event.seconds, 4), event.event, event.data] for event in exchange.events]
    else:
        answer["body"] = exchange.message.body
    return {
        "recorded": exchange.replayed or exchange.began,
        "request": {
            "method": request.method,
            "endpoint": request.target,
            "headers": {name.lower(): value for name, value in request.headers.items() if name.lower() in _SENT},
            "body": request.body,
        },
        "response": answer,
        "seconds": round(exchange.seconds, 4),
        "first_token_seconds": None if exchange.first_token_seconds is None else round(exchange.first_token_seconds, 4),
        "model_note": exchange.model_note,
    }


def _header_pairs(headers: Headers) -> Iterator[tuple[str, str]]:
    for name, value in headers.items():
        if name.lower() in _KEPT_HEADERS or name.lower().startswith(_LIMITS):
            yield name.lower(), value


def _parse_line(value: dict[str, Any]) -> tuple[Request, RecordedAnswer]:
    asked, came = value["request"], value["response"]
    if not isinstance(asked["body"], dict | None):
        raise ValueError("the request has no body")
    request = Request(method=str(asked["method"]), url=str(asked["endpoint"]), body=asked["body"])
    events = [TimedEvent(_seconds(at), str(event), str(data)) for at, event, data in came.get("events", ())]
    first = value.get("first_token_seconds")
    status = int(came["status"])
    if not 100 <= status <= 999:
        raise ValueError(f"the status is {status}")
    answer = Answer.of_kept(json.dumps(came["answer"])) if "answer" in came else None
    if answer is None and not events and status < 300 and not isinstance(came["body"], dict):
        raise ValueError("the answer is neither events nor an object")
    return request, RecordedAnswer(
        when=datetime.fromisoformat(value["recorded"]).isoformat(timespec="milliseconds"),
        status=status,
        headers=Headers((str(name), str(text)) for name, text in came["headers"].items()),
        events=events,
        body=None if events or answer is not None else came["body"],
        answer=answer,
        seconds=_seconds(value["seconds"]),
        first_token_seconds=None if first is None else _seconds(first),
        model_note=str(value.get("model_note", "")),
    )


def _seconds(value: Any) -> float:
    """A time of an answer; of a hostile file, nobody waits for it until tomorrow."""
    seconds = float(value)
    if not 0 <= seconds <= _LONGEST:
        raise ValueError(f"no answer takes {seconds} s")
    return seconds
