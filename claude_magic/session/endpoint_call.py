"""A call of any endpoint of the API, checked before anything is sent.

    call = endpoint_call("GET", "/v1/files", base_url=settings.base_url, query={"limit": 5})

`endpoint_send` sends it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from ..api.endpoints.catalog import changes, is_ambiguous, is_of_organization
from ..api.multipart import Multipart, multipart
from ..errors import CellError
from ..prompt.options.options import check_header

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_SAFE = "/:@!$&'()*+,;=~-._"
_UNRESERVED = re.compile(r"%(?:2[DE]|3\d|4[1-9A-F]|5[0-9AF]|6[1-9A-F]|7[0-9AE])", re.IGNORECASE)
_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_JSON = "application/json"


@dataclass(frozen=True, kw_only=True)
class EndpointCall:
    """A call of an endpoint; `endpoint_call` makes and checks one.

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
        return self.method == "POST" and self.path.rstrip("/") == "/v1/messages"

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
    if not isinstance(path, str):
        raise CellError(f"the path is a {type(path).__name__}. It looks like '/v1/models'.")
    for name, value in (headers or {}).items():
        check_header(str(name), value, "header")
    checked, typed = checked_path(path, base_url)
    pairs = files.items() if isinstance(files, Mapping) else files
    is_stored = checked == "/v1/files"  # where only plain text may become a document
    upload = multipart(body or {}, pairs, text_by_name=not is_stored) if files else None
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

    The path decides which key is sent, so one that a server could read as another path is refused.

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
    if is_ambiguous(bare, urlsplit(base_url).path) or "//" in bare or "\\" in unquote(bare):
        raise CellError(f"not a path of the API: {path[:100]!r}: it may lead elsewhere. Write it out.")
    return quote(bare, safe=_SAFE + "%"), tuple(parse_qsl(typed, keep_blank_values=True))


def _of_whole_address(address: str, base_url: str) -> str:
    given, ours = urlsplit(address), urlsplit(base_url)
    if (given.scheme, given.netloc) != (ours.scheme, ours.netloc) or not given.path.startswith(ours.path):
        raise CellError(
            f"the address leads to {given.netloc.rpartition('@')[2]}, and Claude.base_url is {base_url}. "
            "Nothing was sent. Set Claude.base_url to it, if your key may go there."
        )
    path = given.path.removeprefix(ours.path.rstrip("/"))
    return f"{path}?{given.query}" if given.query else path


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
