"""A call of an endpoint that sends no message, read for the official SDKs: their method, and its arguments."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from ..api.endpoints.catalog import Endpoint, find, parameters
from .call import Call
from .formatting import Variable

Value = str | Variable
_BY_ITSELF = {"accept", "content-type"}  # headers that an SDK sets


@dataclass(frozen=True, kw_only=True)
class EndpointCall:
    """What a program has to say.

    Attributes:
        endpoint: `None` for one that is not known.
        method: The SDK's method, such as `files.list`; `""` for its generic `get`, `post` and so on.
        path: The values of what varies in the path, by name.
        query: Parameters, with lists of those that are repeated; the SDK's names if there is a method.
        body: The fields of the body; `None` for none.
        files: Of each file: the name of its part, its name, its type, and its path (`""` if unknown).
        headers: Those that differ from what the SDK sends.
    """

    endpoint: Endpoint | None
    method: str
    path: Mapping[str, str]
    query: Mapping[str, Any]
    body: Mapping[str, Any] | None
    files: Sequence[tuple[str, str, str, str]] = ()
    headers: Mapping[str, Value] = field(default_factory=dict)

    @property
    def answer(self) -> str:
        return "json" if self.endpoint is None else self.endpoint.answer

    @property
    def is_plain_query(self) -> bool:
        """Whether each parameter stands once, so that a mapping can say them; the SDKs write lists differently."""
        return all(isinstance(value, str) for value in self.query.values())

    @property
    def beta(self) -> dict[str, Value]:
        """The `anthropic-beta` header, if it is not the method's own; a default header would lose against that."""
        value = self.headers.get("anthropic-beta")
        return {} if value is None else {"anthropic-beta": value}


def endpoint_call(call: Call, *, has_methods: bool = True) -> EndpointCall:
    """The call, read.

    Args:
        has_methods: Whether the SDK has methods for endpoints.
    """
    target = urlsplit(call.request.target)
    endpoint = find(call.request.method, target.path)
    pairs = parse_qsl(target.query, keep_blank_values=True)
    body, files = _body_and_files(call)
    query = _grouped(pairs)
    known = has_methods and endpoint is not None and _fits(endpoint, query, body, files)
    headers = {name.lower(): value for name, value in call.explicit_headers if name.lower() not in _BY_ITSELF}
    if known and endpoint is not None and headers.get("anthropic-beta") == endpoint.beta:
        headers.pop("anthropic-beta", None)
    return EndpointCall(
        endpoint=endpoint,
        method=endpoint.sdk if known and endpoint is not None else "",
        path={} if endpoint is None else parameters(endpoint, target.path),
        query=_nested(query) if known else query,
        body=body,
        files=files,
        headers=headers,
    )


def multipart_parts(call: Call) -> list[Mapping[str, Any]] | None:
    """The parts of a body that is `multipart/form-data`, each as the panel shows it; `None` for JSON."""
    content_type = call.request.headers.get("content-type", "")
    parts = (call.request.body or {}).get("multipart")
    if not content_type.startswith("multipart/form-data") or not isinstance(parts, list):
        return None
    paths = iter(getattr(call.request.upload, "paths", ()))  # gone from a request of the journal
    return [part if "value" in part else {**part, "path": next(paths, "")} for part in parts]


def answer_kind(call: Call) -> str:
    """How the answer comes: `json`, `jsonl`, `sse` or `binary`."""
    endpoint = find(call.request.method, urlsplit(call.request.target).path)
    return "json" if endpoint is None else endpoint.answer


def download_name(call: Call) -> str | None:
    """A name for the file that the answer goes into; `None` if it is no file."""
    path = urlsplit(call.request.target).path
    endpoint = find(call.request.method, path)
    if endpoint is None or endpoint.answer != "binary":
        return None
    return re.sub(r"[^\w.-]", "_", [*parameters(endpoint, path).values(), "answer"][-2])


def _body_and_files(call: Call) -> tuple[Mapping[str, Any] | None, list[tuple[str, str, str, str]]]:
    parts = multipart_parts(call)
    if parts is None:
        return call.body, []
    fields = {part["name"]: part["value"] for part in parts if "value" in part}
    files = [
        (part["name"], part.get("filename", ""), part["content_type"], part["path"])
        for part in parts
        if "value" not in part
    ]
    return fields or None, files


def _grouped(pairs: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """The parameters by name: a list of what is repeated, or named as one."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name.endswith("[]"):
            found.setdefault(name, []).append(value)
        elif name in found:
            found[name] = [*([found[name]] if isinstance(found[name], str) else found[name]), value]
        else:
            found[name] = value
    return found


def _nested(query: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters as the SDK names them: `ids[]` is `ids`, `created_at[gt]` a field of `created_at`."""
    found: dict[str, Any] = {}
    for name, value in query.items():
        outer, bracket, inner = name.removesuffix("[]").partition("[")
        if bracket:
            found.setdefault(outer, {})[inner.removesuffix("]")] = value
        else:
            found[outer] = int(value) if outer == "limit" and str(value).isdecimal() else value
    return found


def _fits(
    endpoint: Endpoint, query: Mapping[str, Any], body: Mapping[str, Any] | None, files: Sequence[tuple[str, ...]]
) -> bool:
    """Whether the SDK's method can say all of it."""
    fields = {name.rstrip("!") for name in endpoint.fields}
    needed = {name.rstrip("!") for name in endpoint.fields if name.endswith("!")}
    given = {*(body or {}), *(name.removesuffix("[]") for name, *_ in files)}
    return bool(endpoint.sdk) and set(query) <= set(endpoint.query) and given <= fields and needed <= given
