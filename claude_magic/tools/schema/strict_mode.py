"""Converts a JSON Schema to the subset that structured output and strict tools accept.

Unsupported keywords (limits, patterns, defaults) move to the description, as in the official SDK; unlike the SDK, maps
with arbitrary keys are kept, and references keep their descriptions. What the API does not accept (recursive classes,
maps) is left to the API to refuse.
Source: https://docs.anthropic.com/en/docs/build-with-claude/structured-outputs
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from typing import Any

_FORMATS = frozenset(["date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"])


def strict_schema(full: Mapping[str, Any]) -> dict[str, Any]:
    """The schema in the supported subset; `full` is not modified."""
    left = dict(full)
    result: dict[str, Any] = {}
    if "$defs" in left:
        result["$defs"] = {name: strict_schema(inner) for name, inner in left.pop("$defs").items()}
    if "$ref" in left:
        description = {"description": left["description"]} if "description" in left else {}
        return result | ({"anyOf": [{"$ref": left["$ref"]}], **description} if description else {"$ref": left["$ref"]})
    kind = left.pop("type", None)
    variants = [(key, left.pop(key)) for key in ("anyOf", "oneOf", "allOf") if key in left]
    result |= {key: left.pop(key) for key in ("enum", "const") if key in left and is_plain(left[key])}
    for key, inner in variants[:1]:
        result["allOf" if key == "allOf" else "anyOf"] = [strict_schema(one) for one in inner]
    if not variants and kind is not None and not result.keys() & {"enum", "const"}:
        result["type"] = kind
    result |= {key: left.pop(key) for key in ("description", "title") if key in left}
    if result.get("type") is not None:
        result |= _CONVERTERS.get(str(kind), _nothing)(left)
    if left:
        leftover = "{" + ", ".join(f"{key}: {value}" for key, value in left.items()) + "}"
        result["description"] = "\n\n".join(filter(None, [result.get("description", ""), leftover]))
    return result


def _strict_object(left: dict[str, Any]) -> dict[str, Any]:
    more = left.pop("additionalProperties", False)
    properties = {name: strict_schema(inner) for name, inner in left.pop("properties", {}).items()}
    required = {"required": list(left.pop("required"))} if "required" in left else {}
    if not properties and more not in (False, None):
        return {"additionalProperties": more if more is True else strict_schema(more), **required}
    return {"properties": properties, "additionalProperties": False, **required}


def _strict_array(left: dict[str, Any]) -> dict[str, Any]:
    result = {"items": strict_schema(left.pop("items"))} if isinstance(left.get("items"), dict) else {}
    return result | _moved_or_last(left, "minItems", (0, 1))


def _nothing(left: dict[str, Any]) -> dict[str, Any]:
    return {}


def _strict_string(left: dict[str, Any]) -> dict[str, Any]:
    return _moved_or_last(left, "format", _FORMATS)


def _moved_or_last(left: dict[str, Any], key: str, allowed: Container[Any]) -> dict[str, Any]:
    """Moves the key out of `left` if its value is allowed, otherwise to its end, as the SDK does."""
    if key not in left:
        return {}
    value = left.pop(key)
    if value in allowed:
        return {key: value}
    left[key] = value
    return {}


_CONVERTERS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "object": _strict_object,
    "array": _strict_array,
    "string": _strict_string,
}


def is_plain(values: Any) -> bool:
    """Whether the value, or every value of a list, is allowed in an `enum`."""
    items = values if isinstance(values, list) else [values]
    return bool(items) and all(one is None or isinstance(one, (str, int, float)) for one in items)
