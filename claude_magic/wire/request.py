"""A request, as data: transports sign it, the panel shows it. It never holds a credential."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol
from urllib.parse import unquote, urlsplit

from .headers import Headers
from .message import fix_surrogates
from .short_text import Bytes, Object, ShortRepr


@dataclass(frozen=True, kw_only=True)
class Hosting:
    """Where a request goes that a platform answers instead of the API itself.

    Attributes:
        platform: Its name, such as `bedrock`.
        settings: What chooses the place there, such as `region`, by the names of the settings of `Claude`.
        request: The request in the form in which the platform receives it.
    """

    platform: str
    settings: Mapping[str, str]
    request: Request

    def difference(self, request: Request) -> dict[str, Any]:
        """What is not in `request` itself, as JSON: `of_difference` makes the same of it, and of `request`."""
        sent, asked = self.request.body or {}, request.body or {}
        return {
            "platform": self.platform,
            "settings": dict(self.settings),
            "url": self.request.url,
            "headers": [*self.request.headers.items()],
            "fields": {name: value for name, value in sent.items() if name not in asked or value != asked[name]},
            "without": [name for name in asked if name not in sent],
        }

    @classmethod
    def of_difference(cls, difference: Mapping[str, Any], request: Request) -> Hosting:
        """The form of `request` that a platform received."""
        kept = {name: value for name, value in (request.body or {}).items() if name not in difference["without"]}
        body = None if request.body is None else {**kept, **difference["fields"]}
        headers = Headers((name, value) for name, value in difference["headers"])
        form = Request(method=request.method, url=difference["url"], headers=headers, body=body, upload=request.upload)
        return cls(platform=difference["platform"], settings=difference["settings"], request=form)


class Upload(Protocol):
    """A body that is no JSON, and is read while it is sent; iterated, its bytes, anew each time."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[bytes]: ...


@dataclass(frozen=True, kw_only=True, repr=False)
class Request(ShortRepr):
    """An HTTP request.

    Attributes:
        headers: Without the credential; in an `Exchange`, the name of its source, such as
            `$ANTHROPIC_API_KEY`, stands in its place.
        body: The API's JSON; `None` where the method has none. Of an upload, a description of its parts.
        upload: What is sent instead of `body`; `None` for JSON.
        files: The path of each attached file, by the base64 data that is sent for it.
        hosting: The platform that receives it in another form; `None` for the API and servers like it.
    """

    method: str
    url: str
    headers: Headers = field(default_factory=Headers)
    body: Mapping[str, Any] | None = None
    upload: Upload | None = field(default=None, repr=False, compare=False)
    files: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)
    hosting: Hosting | None = field(default=None, repr=False, compare=False)
    _full_value: ClassVar[str] = "its .body and .content"

    def __post_init__(self) -> None:
        if type(self.body) is dict:
            object.__setattr__(self, "body", Object(self.body))

    @functools.cached_property
    def content(self) -> bytes:
        """The body as sent: compact JSON in UTF-8.

        Raises:
            ValueError: The body holds a value that JSON does not have, such as NaN.
        """
        if self.body is None:
            return b""
        text = json.dumps(self.body, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        return Bytes(fix_surrogates(text).encode())

    @functools.cached_property
    def identity(self) -> str:
        """A digest of the path, the query, the body, whatever the order of its fields, and the platform that is asked.

        Host, region, headers and key are no part of it, nor is `stream`, which only says how the answer is transmitted,
        nor the folder that an uploaded file is in, nor the earlier reply that a cached request is compared with.
        """
        body = {name: value for name, value in (self.body or {}).items() if name not in ("stream", "diagnostics")}
        parts = body.get("multipart")
        if isinstance(parts, list):
            body["multipart"] = [_without_path(part) for part in parts]
        text = fix_surrogates(json.dumps(body, sort_keys=True, ensure_ascii=False, separators=(",", ":")))
        platform = "" if self.hosting is None else f"\n{self.hosting.platform}"
        return hashlib.sha256(f"{self.method} {self.target}\n{text}{platform}".encode()).hexdigest()

    @property
    def endpoint(self) -> str:
        """The path of the URL from the API version on, such as `/v1/messages`, without a prefix of the server."""
        path = urlsplit(self.url).path
        return path[max(path.rfind("/v1/"), 0) :]

    @property
    def target(self) -> str:
        """`endpoint` with the query."""
        query = urlsplit(self.url).query
        return f"{self.endpoint}?{query}" if query else self.endpoint

    @property
    def on_wire(self) -> Request:
        """The request as it is sent: for a platform with another form of requests, in that form."""
        return self if self.hosting is None else self.hosting.request

    @property
    def is_message(self) -> bool:
        """Whether it asks for a message, and not something else of the API."""
        return self.method == "POST" and self.endpoint == "/v1/messages"

    @property
    def summary(self) -> str:
        """Method, path and query, as people write them: `GET /v1/files?limit=5`."""
        return f"{self.method} {unquote(self.target)}"


def _without_path(part: Any) -> Any:
    return {name: value for name, value in part.items() if name != "path"} if isinstance(part, Mapping) else part


def json_text(value: Any) -> str:
    """The JSON of a body, to look for what must not be sent.

    Raises:
        ValueError: It is none, or has names of several types in one object: `1` and `"1"` would be one name.
    """
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, sort_keys=True)
    except TypeError as error:
        several = "not supported between" in str(error)  # what sorting names says
        raise ValueError("the names of an object are of several types" if several else str(error)) from None
