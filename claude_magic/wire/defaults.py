"""Defaults told in a schema, where JSON can say them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from .as_json import as_json
from .kinds import UNTOLD, Field
from .typed import made

_SECRET = frozenset(["key", "apikey", "token", "secret", "password", "passwd", "credential", "credentials"])
_LONGEST = 2000  # characters of JSON


def tell_defaults(whole: dict[str, Any], fields: Sequence[Field]) -> None:
    """Put the defaults of these fields into the schema of an object; what may be secret stays away."""
    for field in fields:
        if field.default is not UNTOLD and not _SECRET & set(field.name.lower().split("_")):
            told = _told(field)
            properties = whole["properties"]
            properties[field.name] = beside(properties[field.name], told)


def beside(made: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    """A schema with more keywords, which do not stand beside a reference."""
    return {**({"anyOf": [made]} if "$ref" in made and more else made), **more}


def _told(field: Field) -> dict[str, Any]:
    """The default as a keyword; none if JSON has no form for it, it does not fit its type, or is long."""
    try:
        default = as_json(field.default)
        made(default, field.kind)
        return {"default": default} if len(json.dumps(default)) <= _LONGEST else {}
    except Exception:  # whatever a class of the reader's does, the function can still be called
        return {}
