"""Structured output: the schema of a type, and replies parsed into values of it.

The API returns objects only; any other type (a list, a union, a number) is wrapped as the property `value`.
Source: https://docs.anthropic.com/en/docs/build-with-claude/structured-outputs
"""

from __future__ import annotations

import json
import re
import typing
from collections.abc import Callable, Mapping
from typing import Any

from ...errors import CellError, ClaudeError
from ...wire.fences import code
from ...wire.partial_json import loads_strict
from ...wire.short_text import one_line, short_repr, shorten
from .model import Field, Model, Unfit
from .strict_mode import strict_schema

_VALUE = "value"


class Misfit(ClaudeError):
    """A reply that does not match the requested schema; it is kept in `claude.last`."""


def schema(kind: Any) -> dict[str, Any]:
    """The JSON Schema for a type: a class, `list[Item]`, a union; a dict is returned unchanged.

    Raises:
        CellError: It is not a type, or a field has no schema; the error names it.
    """
    if isinstance(kind, dict):
        return kind
    whole = _whole(kind)
    return strict_schema(whole if _is_object(whole) else _wrap(whole))


def parse_reply(text: str, kind: Any) -> Any:
    """The JSON in `text` as a value of `kind`; for a schema, as plain JSON.

    Raises:
        Misfit: It does not match; the message shows what was expected and received.
        CellError: `kind` has no schema.
    """
    name = "the schema" if isinstance(kind, dict) else _name(kind)
    is_wrapped = not isinstance(kind, dict) and not _is_object(_whole(kind))
    try:
        value = json_of(text)
        if isinstance(kind, dict):
            _fit(value, kind)
            return value
        if is_wrapped and isinstance(value, dict) and list(value) == [_VALUE]:
            value = value[_VALUE]
        return _model(kind).values({_VALUE: value})[_VALUE]
    except Unfit as error:
        raise _misfit(name, re.sub(rf"(^|; ){_VALUE}(: |(?=/))", r"\1", str(error))) from error.__cause__
    except RecursionError:
        raise _misfit(name, "it is nested too deeply") from None


def _model(kind: Any) -> Model:
    is_type = isinstance(kind, type) or typing.get_origin(kind) is not None or hasattr(kind, "__value__")
    if not is_type or kind in (type, object):
        raise CellError(
            f"no schema for {shorten(repr(kind))}: it is no type. Name a class (a pydantic model, a dataclass, a "
            "TypedDict), a type such as list[Item], or a dict that is a JSON Schema."
        )
    return Model([Field(name=_VALUE, annotation=kind, place=_name(kind))], _name(kind))


def _name(kind: Any) -> str:
    return str(getattr(kind, "__name__", kind)) if isinstance(kind, type) and not typing.get_args(kind) else repr(kind)


def _whole(kind: Any) -> dict[str, Any]:
    """The schema of a type: its root is not a reference, and it has only the definitions that are used."""
    outer = _model(kind).schema()
    root, definitions = dict(outer["properties"][_VALUE]), outer.get("$defs", {})
    while "$ref" in root:
        name = root.pop("$ref").rpartition("/")[2]
        root = {**definitions[name], **root}
    if root.get("type") == "object" and "properties" not in root and "patternProperties" not in root:
        raise CellError(
            f"no schema for {_name(kind)}: a structured reply has fields named beforehand, and a dict has none. "
            "Ask for a list of a class with a key and a value."
        )
    left, used = [root], dict[str, Any]()
    while left:
        for name in re.findall(r'"\$ref": "#/\$defs/([^"]+)"', json.dumps(left.pop())):
            if name not in used:
                used[name] = definitions[name]
                left.append(definitions[name])
    return {**root, **({"$defs": {name: definitions[name] for name in definitions if name in used}} if used else {})}


def _is_object(whole: Mapping[str, Any]) -> bool:
    return whole.get("type") == "object"


def _wrap(whole: dict[str, Any]) -> dict[str, Any]:
    definitions = whole.pop("$defs", None)
    outer = {"type": "object", "properties": {_VALUE: whole}, "required": [_VALUE], "additionalProperties": False}
    return {**outer, "$defs": definitions} if definitions else outer


def json_of(text: str) -> Any:
    """The JSON of a text, or of its first `json` code block, or of its first code block."""
    text = text.strip().removeprefix("\ufeff").strip()
    reads: tuple[Callable[[], str], ...] = (lambda: text, lambda: code(text, "json"), lambda: code(text))
    for read in reads:
        try:
            return loads_strict(read())
        except (ValueError, CellError):
            continue
    raise Unfit(f"{short_repr(text)} is not JSON")


def _fit(value: Any, schema: dict[str, Any]) -> None:
    """Raises Unfit unless `value` matches the schema. Formats are not checked, and no reference is fetched."""
    import jsonschema
    import referencing

    checker: Any = jsonschema.validators.validator_for(schema, default=jsonschema.Draft202012Validator)
    try:
        errors = checker(schema, registry=referencing.Registry()).iter_errors(value)
        best: Any = jsonschema.exceptions.best_match
        error = best(errors)
    except (jsonschema.exceptions._WrappedReferencingError, jsonschema.exceptions.UnknownType, re.error) as wrong:
        raise CellError(
            f"the schema cannot be used: {shorten(str(wrong))}. The reply is in claude.last.text."
        ) from None
    if error is not None:
        what = short_repr(error.instance)
        rule = shorten(str(error.message).replace(repr(error.instance), what, 1), 200)
        rule = rule if what in rule else f"{rule}, seen {what}"
        raise Unfit("".join(f"/{step}" for step in error.absolute_path) + (": " if error.absolute_path else "") + rule)


def _misfit(name: str, rule: str) -> Misfit:
    return Misfit(f"the reply does not fit {name}: {one_line(rule)}. It is in claude.last.text.")
