"""AWS on loopback, for tests: frames of its event stream, signatures computed again, and a frozen time."""

from __future__ import annotations

import base64
import binascii
import json
import struct
from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from typing import Any
from unittest import mock

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials

from tests.server import Answer, Received, text_events

ACCESS_KEY = "AKIDEXAMPLE"
SECRET_KEY = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
TOKEN = "SESSTOK"
REGION = "us-east-1"
NOW = datetime(2026, 1, 1, tzinfo=timezone.utc)
BASE_URLS = {
    "bedrock": "ANTHROPIC_BEDROCK_BASE_URL",
    "bedrock-mantle": "ANTHROPIC_BEDROCK_MANTLE_BASE_URL",
    "aws": "ANTHROPIC_AWS_BASE_URL",
}
SERVICES = {"bedrock": "bedrock", "bedrock-mantle": "bedrock-mantle", "aws": "aws-external-anthropic"}
_DATA = {":event-type": "chunk", ":content-type": "application/json", ":message-type": "event"}
_KINDS = (("content-type", "application/vnd.amazon.eventstream"), ("x-amzn-requestid", "0b1f-amazon"))


def frame(payload: bytes, headers: Mapping[str, str]) -> bytes:
    """One frame of an event stream."""
    packed = b"".join(
        bytes([len(name)]) + name.encode() + b"\x07" + struct.pack(">H", len(value.encode())) + value.encode()
        for name, value in headers.items()
    )
    prelude = struct.pack(">II", 16 + len(packed) + len(payload), len(packed))
    whole = prelude + struct.pack(">I", binascii.crc32(prelude)) + packed + payload
    return whole + struct.pack(">I", binascii.crc32(whole))


def chunk(data: Mapping[str, Any] | str) -> bytes:
    """A frame with one event of the API."""
    text = data if isinstance(data, str) else json.dumps(data)
    payload = {"bytes": base64.b64encode(text.encode()).decode(), "p": "abcdefghi"}
    return frame(json.dumps(payload).encode(), _DATA)


def exception(kind: str, text: str) -> bytes:
    """A frame that ends a stream with an exception of the service."""
    headers = {":exception-type": kind, ":content-type": "application/json", ":message-type": "exception"}
    return frame(json.dumps({"message": text}).encode(), headers)


def error_frame(code: str, text: str) -> bytes:
    """A frame that ends a stream with an error of the protocol."""
    return frame(b"", {":message-type": "error", ":error-code": code, ":error-message": text})


def frames(*texts: str, **start: Any) -> list[bytes]:
    """The frames of a reply of one text block; the last has the figures of the platform too."""
    *events, last = text_events(texts, **start)
    figures = {"inputTokenCount": 8, "outputTokenCount": 3, "invocationLatency": 500, "firstByteLatency": 100}
    return [chunk(each) for each in events] + [chunk({**last, "amazon-bedrock-invocationMetrics": figures})]


def streamed(pieces: Iterable[bytes], **how: Any) -> Answer:
    """An answer of these frames."""
    return Answer(headers=_KINDS, pieces=[*pieces], **how)


def refused(status: int, kind: str, text: str, name: str = "message") -> Answer:
    """An error as AWS gives it."""
    headers = (
        ("content-type", "application/json"),
        ("x-amzn-requestid", "0b1f-amazon"),
        ("x-amzn-errortype", f"{kind}:http://internal.amazon.com/coral/com.amazon.bedrock/"),
    )
    return Answer(status=status, headers=headers, pieces=[json.dumps({name: text}).encode()], framing="length")


def signature(request: Received, service: str, token: str | None = None, region: str = REGION) -> str:
    """The `Authorization` that botocore gives the request, for the headers that it says are signed."""
    names = request.headers["authorization"].partition("SignedHeaders=")[2].partition(",")[0].split(";")
    headers = {name: request.headers[name] for name in names if name not in ("host", "x-amz-date")}
    again = AWSRequest(
        method=request.method,
        url=f"http://{request.headers['host']}{request.path}",
        headers=headers,
        data=request.body,
    )
    then = datetime.strptime(request.headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc)
    with mock.patch("botocore.auth.get_current_datetime", return_value=then):
        SigV4Auth(ReadOnlyCredentials(ACCESS_KEY, SECRET_KEY, token), service, region).add_auth(again)
    return str(again.headers["Authorization"])
