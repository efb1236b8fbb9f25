"""The API's endpoints as state machines, behind the scripted server: what is created is there, what is deleted is gone.

    def test_a_file_is_there_after_its_upload(api: ScriptedAPI, shell: Shell) -> None:
        api.files.add("notes.txt", b"hello")
        ...

A part is an object with `answer(asked) -> Answer | None`; `ScriptedAPI.parts` lists them, in order, and a request that
no part answers is a 404 as the API gives it, or the next answer of `server.script` if it asks for a message.
"""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Protocol
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.scripted_api.batches import Batches
from tests.scripted_api.files import Files
from tests.scripted_api.models import Models
from tests.scripted_api.organization import Organization
from tests.scripted_api.wire import Asked, error, json_answer
from tests.server import Answer, Received, Server

KEY = "test-key-8d1f6a0e2b"
ADMIN_KEY = "test-admin-key-51c07e9d44"


class Part(Protocol):
    """Some endpoints and their state."""

    def answer(self, asked: Asked) -> Answer | None: ...


@dataclass
class Clock:
    """The time of the scripted API; only a test moves it."""

    now: datetime = field(default_factory=lambda: datetime(2026, 11, 28, 12, tzinfo=timezone.utc))

    def advance(self, **how: float) -> None:
        self.now += timedelta(**how)

    def __call__(self) -> datetime:
        return self.now


class ScriptedAPI:
    """All endpoints of one server.

    Attributes:
        misplaced: Requests that carried the wrong one of the two keys; a test asserts that there are none.
    """

    def __init__(self, server: Server, *, key: str = KEY, admin_key: str = ADMIN_KEY) -> None:
        self.clock = Clock()
        self.models = Models()
        self.files = Files(self.clock)
        self.organization = Organization(self.clock)
        self.batches = Batches()
        self.parts: list[Part] = [self.models, self.files, self.organization, self.batches]
        self.server = server
        self.misplaced: list[str] = []
        self._keys = key, admin_key
        self._lock = threading.Lock()
        server.respond = self.answer

    @property
    def calls(self) -> list[str]:
        """Method and path of what was asked, in order."""
        return [f"{each.method} {each.path}" for each in self.server.received]

    def answer(self, received: Received) -> Answer | None:
        with self._lock:
            return self._answer(self._asked(received))

    def _answer(self, asked: Asked) -> Answer | None:
        if refused := self._refusal(asked):
            return refused
        if asked.method == "POST" and asked.path == "/v1/messages/count_tokens":
            return json_answer({"input_tokens": max(1, len(json.dumps(asked.json)) // 4)})
        for part in self.parts:
            if (found := part.answer(asked)) is not None:
                return found
        if asked.path in ("/v1/messages", "/v1/complete"):
            return None
        return error(404, "not_found_error", f"Not found: {asked.path}")

    def _asked(self, received: Received) -> Asked:
        parts = urlsplit(received.path)
        return Asked(
            method=received.method,
            path=unquote(parts.path),
            query=parse_qsl(parts.query, keep_blank_values=True),
            headers=received.headers,
            body=received.body,
        )

    def _refusal(self, asked: Asked) -> Answer | None:
        """A 401 without the right key, as the API has it."""
        given = asked.headers.get("x-api-key") or asked.headers.get("authorization", "").removeprefix("Bearer ")
        ordinary, admin = self._keys
        wanted = admin if asked.path.startswith("/v1/organizations/") else ordinary
        if given == wanted:
            return None
        if given in self._keys:
            self.misplaced.append(f"{asked.method} {asked.path}")
        return error(401, "authentication_error", "invalid x-api-key", ("x-should-retry", "false"))


__all__ = ["ADMIN_KEY", "KEY", "Asked", "Clock", "Part", "ScriptedAPI", "error", "json_answer"]
