"""Google and Microsoft on loopback, for tests: who gives tokens, and where the official SDKs would send."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx2
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.scripted_api import json_answer
from tests.server import Answer, Received, Server, reply, whole

PROJECT, REGION = "my-proj", "us-east5"
TOKEN = "ya29.a-token-of-google-0123456789-"


@functools.cache
def private_key() -> str:
    """A key of a service account, made now."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def service_account(path: Path, server: Server) -> Path:
    """The file of a service account whose tokens come from the server."""
    info = {
        "type": "service_account",
        "project_id": PROJECT,
        "private_key_id": "1",
        "private_key": private_key(),
        "client_email": "class@my-proj.iam.gserviceaccount.com",
        "client_id": "1",
        "token_uri": f"{server.url}/token",
    }
    path.write_text(json.dumps(info))
    return path


class Clouds:
    """Answers as Google does, and gives tokens that end after `lifetime` seconds.

    Attributes:
        tokens: How many were given.
    """

    def __init__(self) -> None:
        self.tokens = 0
        self.lifetime = 3600.0
        self.refusal: Answer | None = None
        self.answer: Callable[[Received], Answer] = answer

    def respond(self, request: Received) -> Answer:
        """The server's answer."""
        if request.headers.get("metadata-flavor") == "Google":
            return self._metadata(request)
        if request.path == "/token":
            return self.refusal or self._token()
        if request.path.startswith("/identity"):
            assert request.headers["x-identity-header"] == "a-header-of-the-machine"
            return self._token(expires_on="4102444800")
        if request.path.startswith("/sts"):
            assert parse_qs(request.body.decode())["subject_token"] == ["a-token-of-the-cluster"]
            return self._token()
        return self.answer(request)

    def _token(self, **more: str) -> Answer:
        self.tokens += 1
        ends = {
            "expires_in": self.lifetime,
            **more,
            "issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
        }
        return json_answer({"access_token": f"{TOKEN}{self.tokens}", "token_type": "Bearer", **ends})

    def _metadata(self, request: Received) -> Answer:
        flavor = ("metadata-flavor", "Google")
        path = request.path.partition("?")[0]
        if path.endswith("/project-id"):
            text = PROJECT.encode()
            return Answer(headers=(("content-type", "application/text"), flavor), pieces=[text], framing="length")
        if path.endswith("/token"):
            self.tokens += 1
            return json_answer({"access_token": f"{TOKEN}{self.tokens}", "expires_in": self.lifetime}, 200, flavor)
        return json_answer({"email": "a@b", "scopes": [], "aliases": []}, 200, flavor)


def answer(request: Received) -> Answer:
    """A reply, streamed if that was asked for."""
    if "count" in request.path:
        return json_answer({"input_tokens": 7})
    if request.method == "GET":
        return json_answer({"data": [], "has_more": False})
    return reply("hi") if b'"stream":true' in request.body else whole("hi")


def refused(status: int, name: str, text: str, *, as_list: bool = False) -> Answer:
    """An error as Google gives it."""
    body: Any = {"error": {"code": status, "message": text, "status": name}}
    return json_answer([body] if as_list else body, status)


class Capture:
    """The requests that a client of the official SDK would send; nothing is sent."""

    def __init__(self) -> None:
        self.requests: list[httpx2.Request] = []
        self.client = httpx2.Client(transport=httpx2.MockTransport(self._take))

    def _take(self, request: httpx2.Request) -> httpx2.Response:
        request.read()
        self.requests.append(request)
        return httpx2.Response(418, json={"error": {"message": "taken"}})

    @property
    def last(self) -> httpx2.Request:
        """The last one."""
        return self.requests[-1]
