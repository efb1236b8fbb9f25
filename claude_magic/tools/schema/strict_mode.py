"""A JSON Schema in the form that structured output and strict tools take.

What they do not take (limits, patterns, defaults) is told in the description, as the official SDK does; unlike
there, a map of free keys stays one and a reference keeps its description. What the API refuses beyond that
(classes that hold themselves, maps), the API says.
Source: https://docs.anthropic.com/en/docs/build-with-claude/structured-outputs
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from typing import Any

_FORMATS = frozenset(["date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"])


def accepted(full: Mapping[str, Any]) -> dict[str, Any]:
    """A schema as structured output takes it; `full` stays as it is."""
    left = dict(full)
    kept: dict[str, Any] = {}
    if "$defs" in left:
        kept["$defs"] = {name: accepted(inner) for name, inner in left.pop("$defs").items()}
    if "$ref" in left:
        told = {"description": left["description"]} if "description" in left else {}
        return kept | ({"anyOf": [{"$ref": left["$ref"]}], **told} if told else {"$ref": left["$ref"]})
    kind = left.pop("type", None)
    variants = [(key, left.pop(key)) for key in ("anyOf", "oneOf", "allOf") if key in left]
    kept |= {key: left.pop(key) for key in ("enum", "const") if key in left and is_plain(left[key])}
    for key, inner in variants[:1]:
        kept["allOf" if key == "allOf" else "anyOf"] = [accepted(one) for one in inner]
    if not variants and kind is not None and not kept.keys() & {"enum", "const"}:
        kept["type"] = kind
    kept |= {key: left.pop(key) for key in ("description", "title") if key in left}
    if kept.get("type") is not None:
        kept |= _ACCEPTED.get(str(kind), _nothing_accepted)(left)
    if left:
        leftover = "{" + ", ".join(f"{key}: {value}" for key, value in left.items()) + "}"
        kept["description"] = "\n\n".join(filter(None, [kept.get("description", ""), leftover]))
    return kept


def _object_accepted(left: dict[str, Any]) -> dict[str, Any]:
    more = left.pop("additionalProperties", False)
    properties = {name: accepted(inner) for name, inner in left.pop("properties", {}).items()}
    required = {"required": list(left.pop("required"))} if "required" in left else {}
    if not properties and more not in (False, None):
        return {"additionalProperties": more if more is True else accepted(more), **required}
    return {"properties": properties, "additionalProperties": False, **required}


def _array_accepted(left: dict[str, Any]) -> dict[str, Any]:
    kept = {"items": accepted(left.pop("items"))} if isinstance(left.get("items"), dict) else {}
    return kept | _moved_or_last(left, "minItems", (0, 1))


def _nothing_accepted(left: dict[str, Any]) -> dict[str, Any]:
    return {}


def _string_accepted(left: dict[str, Any]) -> dict[str, Any]:
    return _moved_or_last(left, "format", _FORMATS)


def _moved_or_last(left: dict[str, Any], key: str, allowed: Container[Any]) -> dict[str, Any]:
    """The key taken out of `left` if its value is allowed; otherwise it stands there last, as in the SDK's."""
    if key not in left:
        return {}
    value = left.pop(key)
    if value in allowed:
        return {key: value}
    left[key] = value
    return {}


_ACCEPTED: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "object": _object_accepted,
    "array": _array_accepted,
    "string": _string_accepted,
}


def is_plain(values: Any) -> bool:
    """Whether all of these, or this one, can stand in an `enum`."""
    listed = values if isinstance(values, list) else [values]
    return bool(listed) and all(one is None or isinstance(one, (str, int, float)) for one in listed)
