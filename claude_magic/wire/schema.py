"""JSON Schemas of Python classes, and replies as objects of them.

Objects allow no further properties, as structured output asks; a schema given as a dict is taken as it is.
Source: https://docs.anthropic.com/en/docs/build-with-claude/structured-outputs
"""

from __future__ import annotations

import dataclasses
import datetime
import enum
import json
import types
import typing
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..errors import CellError, ClaudeError
from .fences import code

_PLAIN = {str: "string", int: "integer", float: "number", bool: "boolean", type(None): "null"}
_FORMATS: dict[type, tuple[str, Callable[[str], Any]]] = {
    datetime.datetime: ("date-time", datetime.datetime.fromisoformat),
    datetime.date: ("date", datetime.date.fromisoformat),
    uuid.UUID: ("uuid", uuid.UUID),
}
_LIMITS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength")
_REFUSED = (*_LIMITS, "pattern", "maxItems", "uniqueItems", "default", "title")


class Misfit(ClaudeError):
    """A reply that is not of the form that was asked for; it is kept in `claude.last`."""


def schema(kind: Any) -> dict[str, Any]:
    """The JSON Schema of a pydantic model, dataclass, TypedDict, or of a schema itself.

    Raises:
        CellError: A field cannot be expressed; it is named.
    """
    if isinstance(kind, dict):
        return kind
    if hasattr(kind, "model_json_schema"):
        closed: dict[str, Any] = _closed(kind.model_json_schema())
        return closed
    if not dataclasses.is_dataclass(kind) and not typing.is_typeddict(kind):
        raise CellError(f"--schema: {kind!r:.80} is no pydantic model, dataclass, TypedDict or JSON Schema.")
    definitions: dict[str, Any] = {}
    top = of_type(kind, kind.__name__, definitions)
    own = definitions[kind.__name__]
    if json.dumps(top) in json.dumps(definitions):
        return {**top, "$defs": definitions}
    rest = {name: value for name, value in definitions.items() if name != kind.__name__}
    return {**own, "$defs": rest} if rest else own


def parsed(text: str, kind: Any) -> Any:
    """`text` as an object of `kind`; for a schema, as plain JSON.

    Raises:
        Misfit: It is not of that form; the message shows both.
    """
    name = getattr(kind, "__name__", "the schema")
    try:
        value = _json(text)
    except ValueError:
        raise Misfit(f"the reply does not fit {name}: not JSON: {_seen(text)}. It is in claude.last.text.") from None
    if hasattr(kind, "model_validate"):
        return _by_pydantic(value, kind)
    _validate(value, schema(kind), name)
    return value if isinstance(kind, dict) else _made(value, kind)


def of_type(kind: Any, where: str, definitions: dict[str, Any]) -> dict[str, Any]:
    """The schema of any annotation; classes are put into `definitions`.

    Raises:
        CellError: It cannot be expressed; `where` says which field it is of.
    """
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Annotated:
        described = next((note for note in inner[1:] if isinstance(note, str)), "")
        return {**of_type(inner[0], where, definitions), **({"description": described} if described else {})}
    if origin in (typing.Union, types.UnionType):
        return {"anyOf": [of_type(one, where, definitions) for one in inner]}
    if origin is typing.Literal:
        return {"enum": list(inner)}
    if origin in (list, tuple, set, Sequence) or kind in (list, tuple, set):
        wanted = [one for one in inner if one is not Ellipsis]
        return {"type": "array", "items": of_type(wanted[0], f"{where}[]", definitions) if wanted else {}}
    if kind in _PLAIN:
        return {"type": _PLAIN[kind]}
    if kind in _FORMATS:
        return {"type": "string", "format": _FORMATS[kind][0]}
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return {"enum": [member.value for member in kind]}
    if hasattr(kind, "model_json_schema"):
        closed: dict[str, Any] = _closed(kind.model_json_schema())
        return closed
    if dataclasses.is_dataclass(kind) or typing.is_typeddict(kind):
        return _reference(kind, definitions)
    raise CellError(f"--schema: {where} is {kind!r:.80}, which JSON Schema cannot express here. Choose another type.")


def _reference(kind: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    name = kind.__name__
    if name not in definitions:
        definitions[name] = {}
        hints = typing.get_type_hints(kind, include_extras=True)
        described = {f.name: f.metadata.get("description") for f in _fields(kind)}
        properties = {}
        for field, hint in hints.items():
            properties[field] = of_type(_unwrapped(hint), f"{name}.{field}", definitions)
            if described.get(field):
                properties[field]["description"] = described[field]
        definitions[name] = {
            "type": "object",
            "properties": properties,
            "required": [field for field in hints if field in _required(kind)],
            "additionalProperties": False,
        }
    return {"$ref": f"#/$defs/{name}"}


def _fields(kind: Any) -> tuple[Any, ...]:
    return dataclasses.fields(kind) if dataclasses.is_dataclass(kind) else ()


def _required(kind: Any) -> set[str]:
    if typing.is_typeddict(kind):
        return set(kind.__required_keys__)
    missing = dataclasses.MISSING
    return {f.name for f in _fields(kind) if f.default is missing and f.default_factory is missing}


def _unwrapped(hint: Any) -> Any:
    """A TypedDict's field without Required or NotRequired."""
    name = getattr(typing.get_origin(hint), "_name", "")
    return typing.get_args(hint)[0] if name in ("Required", "NotRequired") else hint


def _closed(value: Any) -> Any:
    """A schema as structured output takes it: closed objects, limits told in words."""
    if isinstance(value, list):
        return [_closed(item) for item in value]
    if not isinstance(value, dict):
        return value
    kept = {name: _closed(inner) for name, inner in value.items() if name not in _REFUSED or isinstance(inner, dict)}
    told = ", ".join(f"{name}: {value[name]}" for name in _REFUSED[:-2] if name in value and name not in kept)
    if told:
        kept["description"] = f"{kept.get('description', '')} ({told})".strip()
    if kept.get("type") == "object" and "properties" in kept:
        kept["additionalProperties"] = False
    return kept


def _json(text: str) -> Any:
    try:
        return json.loads(text.strip().removeprefix("\ufeff"))
    except ValueError:
        try:
            return json.loads(code(text))
        except CellError:
            raise ValueError("no JSON") from None


def _by_pydantic(value: Any, kind: Any) -> Any:
    try:
        return kind.model_validate(value)
    except ValueError as error:
        first = error.errors()[0] if hasattr(error, "errors") else {"loc": (), "msg": str(error)}
        where = "/".join(map(str, first["loc"]))
        raise _misfit(kind.__name__, where, str(first["msg"]), value) from None


def _validate(value: Any, wanted: Mapping[str, Any], name: str) -> None:
    """Check with jsonschema, which comes with every Jupyter; without it only objects' classes check."""
    try:
        import jsonschema
    except ImportError:
        return
    checker = jsonschema.Draft202012Validator(wanted, format_checker=jsonschema.FormatChecker())
    error = jsonschema.exceptions.best_match(checker.iter_errors(value))
    if error is not None:
        raise _misfit(name, "/".join(map(str, error.absolute_path)), error.message, value)


def _made(value: Any, kind: Any) -> Any:
    """JSON that fits `kind`, as an object of it."""
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Annotated:
        return _made(value, inner[0])
    if origin in (typing.Union, types.UnionType):
        return _of_one(value, inner)
    if origin in (list, tuple, set, Sequence) and inner:
        items = [_made(item, inner[0]) for item in value]
        return {tuple: tuple, set: set}.get(origin, list)(items)
    if kind in _FORMATS:
        return _FORMATS[kind][1](value)
    if kind is float:
        return float(value)
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return kind(value)
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        hints = typing.get_type_hints(kind, include_extras=True)
        return kind(**{name: _made(item, hints[name]) for name, item in value.items()})
    return value


def _of_one(value: Any, kinds: Sequence[Any]) -> Any:
    """`value` as the first of `kinds` whose schema it fits."""
    for kind in kinds:
        definitions: dict[str, Any] = {}
        wanted = {**of_type(kind, "union", definitions), "$defs": definitions}
        try:
            _validate(value, wanted, "")
            return _made(value, kind)
        except (Misfit, ValueError, TypeError, AttributeError):
            continue
    return value


def _misfit(name: str, where: str, why: str, value: Any) -> Misfit:
    place = f"/{where}: " if where else ""
    reason = " ".join(why.split())[:200]
    return Misfit(f"the reply does not fit {name}: {place}{reason}. Seen: {_seen(json.dumps(value))}.")


def _seen(text: str) -> str:
    shown = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return shown if len(shown) <= 120 else f"{shown[:120]}…"
