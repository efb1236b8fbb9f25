"""A request, as data: transports sign it, the panel shows it. It never holds a credential."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar
from urllib.parse import urlsplit

from .headers import Headers
from .message import fix_surrogates
from .short_text import Bytes, Object, ShortRepr


@dataclass(frozen=True, kw_only=True, repr=False)
class Request(ShortRepr):
    """An HTTP request.

    Attributes:
        headers: Without the credential; in an `Exchange`, the name of its source, such as
            `$ANTHROPIC_API_KEY`, stands in its place.
        body: The API's JSON; `None` where the method has none.
    """

    method: str
    url: str
    headers: Headers = field(default_factory=Headers)
    body: Mapping[str, Any] | None = None
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
        """A digest of everything that reaches the model: the path and the body, whatever the order of its fields.

        Host, headers and key are no part of it, nor is `stream`, which only says how the answer is transmitted.
        """
        body = {name: value for name, value in (self.body or {}).items() if name != "stream"}
        text = fix_surrogates(json.dumps(body, sort_keys=True, ensure_ascii=False, separators=(",", ":")))
        return hashlib.sha256(f"{self.method} {self.endpoint}\n{text}".encode()).hexdigest()

    @property
    def endpoint(self) -> str:
        """The path of the URL from the API version on, such as `/v1/messages`, without a prefix of the server."""
        path = urlsplit(self.url).path
        return path[max(path.rfind("/v1/"), 0) :]
