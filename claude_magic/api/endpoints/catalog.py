"""Every endpoint of the API as dated data (`endpoints.json`): its purpose, how its list is paged, which key it needs.

An endpoint that is not listed can be called too; nothing is assumed about it.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any
from urllib.parse import unquote

ORGANIZATION = "/v1/organizations/"
_FREE_POSTS = ("/v1/messages", "/v1/messages/count_tokens")
_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_IGNORED = re.compile(r"[\x00-\x20\x7f]|[^\x00-\x7f]")
_AFTER_NAME = re.compile(r"[;?#].*", re.DOTALL)
_MOST_DECODINGS = 3


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """One endpoint.

    Attributes:
        verb: `GET`, `POST`, `PUT`, `PATCH` or `DELETE`.
        path: With its parameters by name, as in `/v1/files/{file_id}`.
        summary: What it does, in a line.
        paging: How its list is paged: `after_id` (with `has_more` and `last_id`), `page` (with `next_page`), `report`
            (with both `has_more` and `next_page`); `""` if it is no list, or one without pages.
        query: The parameters it takes; a name that ends with `[]` may be repeated.
        beta: The `anthropic-beta` header that it needs; `""` for none.
        body: `json`, or `multipart` for files.
        answer: `json`, `jsonl`, `binary`, or `sse` for events.
        key: `api`; `admin` for the organization; `scoped` for a key with a scope of its own.
        sdk: The method of the official Python SDK, such as `files.list`; `""` if it has none.
        fields: The arguments of that method which make its body; `!` after those that it needs.
    """

    verb: str
    path: str
    summary: str
    paging: str = ""
    query: Sequence[str] = ()
    beta: str = ""
    body: str = "json"
    answer: str = "json"
    key: str = "api"
    sdk: str = ""
    fields: Sequence[str] = ()

    @functools.cached_property
    def pattern(self) -> re.Pattern[str]:
        """Matches the paths of this endpoint, with a group for each parameter."""
        pieces = _PLACEHOLDER.split(self.path)
        return re.compile(
            "".join(re.escape(piece) if at % 2 == 0 else f"(?P<{piece}>[^/]+)" for at, piece in enumerate(pieces))
        )

    @property
    def names(self) -> list[str]:
        """The names of the parameters in its path, in order."""
        return _PLACEHOLDER.findall(self.path)


@functools.cache
def endpoints() -> tuple[Endpoint, ...]:
    """All known endpoints: Messages first, then what most readers look for."""
    return tuple(Endpoint(**each) for each in _data()["endpoints"])


def as_of() -> str:
    """The date of the data, in ISO 8601."""
    return str(_data()["date"])


def find(verb: str, path: str) -> Endpoint | None:
    """The endpoint that a request goes to; `None` if it is not known.

    Args:
        path: Without the query.
    """
    matches = [each for each in endpoints() if each.verb == verb and each.pattern.fullmatch(path)]
    return min(matches, key=lambda each: len(each.names), default=None)  # `/files/me` before `/files/{id}`


def parameters(endpoint: Endpoint, path: str) -> dict[str, str]:
    """The values of the parameters in `path`, by name."""
    match = endpoint.pattern.fullmatch(path)
    return {} if match is None else {name: unquote(value) for name, value in match.groupdict().items()}


def search(words: str) -> list[Endpoint]:
    """The endpoints whose verb, path or summary hold all these words; all of them for `""`."""
    wanted = words.lower().split()
    return [
        each
        for each in endpoints()
        if all(word in f"{each.verb} {each.path} {each.summary} {each.sdk}".lower() for word in wanted)
    ]


def changes(verb: str, path: str) -> bool:
    """Whether a request changes, creates or deletes something: all but GET, messages, and counting their tokens."""
    return verb not in ("GET", "HEAD") and not (verb == "POST" and path.rstrip("/") in _FREE_POSTS)


def is_of_organization(path: str) -> bool:
    """Whether a path needs the admin key."""
    return f"{path}/".startswith(ORGANIZATION)


def is_ambiguous(path: str, prefix: str = "") -> bool:
    """Whether a server may read a path otherwise than it is written, so that it had to have the other key.

    Some decode `%2F`, ignore case, spaces and what follows a `;` or `%3F`, or join slashes.

    Args:
        path: Percent-encoded.
        prefix: The path of the base URL.
    """
    lenient = f"{prefix}{path}"
    for _ in range(_MOST_DECODINGS):
        lenient = unquote(lenient)
    names = [_IGNORED.sub("", _AFTER_NAME.sub("", name).casefold()) for name in re.split(r"[/\\]", lenient)]
    read = "".join(f"/{name}" for name in names if name) + "/"
    return any(name in (".", "..") for name in names) or (ORGANIZATION in read) != is_of_organization(path)


@functools.cache
def _data() -> dict[str, Any]:
    text = resources.files(__package__).joinpath("endpoints.json").read_text(encoding="utf-8")
    data: dict[str, Any] = json.loads(text)
    return data
