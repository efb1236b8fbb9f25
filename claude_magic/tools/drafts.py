"""Converts JSON Schemas of older drafts, and invalid ones, to JSON Schema 2020-12.

Source: https://json-schema.org/draft/2020-12/release-notes
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import unquote

from ..errors import CellError

Schema = dict[str, Any]

DEFINITIONS = "#/$defs/"
_MAPS = ("properties", "patternProperties", "$defs", "dependentSchemas")
_LISTS = ("anyOf", "oneOf", "allOf", "prefixItems")
_SINGLE = ("items", "contains", "additionalProperties", "propertyNames", "not", "if", "then", "else")
_SINGLE_TOO = ("unevaluatedItems", "unevaluatedProperties")
_TYPES = {
    "int": "integer",
    "long": "integer",
    "float": "number",
    "double": "number",
    "decimal": "number",
    "str": "string",
    "text": "string",
    "bool": "boolean",
    "list": "array",
    "dict": "object",
    "map": "object",
    "none": "null",
}
_MOST_FAULTS = 200


def current(schema: Schema, notes: list[str]) -> Schema:
    """Converts `schema` in place to the current draft; its references point into its `$defs`.

    Args:
        notes: A note is added for all that was left out.

    Raises:
        CellError: It is not a schema at all.
    """
    schema.pop("$schema", None)
    for each in _walk(schema):
        _translate(each)
    _lift_required(schema)
    _without_faults(schema, notes)
    return _with_definitions(schema, notes)


def _walk(schema: Any) -> Iterator[Schema]:
    """`schema` and its subschemas, outer ones first; it may be changed during the walk."""
    left = [schema]
    while left:
        each = left.pop()
        if not isinstance(each, dict):
            continue
        yield each
        for key in (*_MAPS, "definitions"):
            left.extend(each[key].values() if isinstance(each.get(key), dict) else ())
        for key in _LISTS:
            left.extend(each[key] if isinstance(each.get(key), list) else ())
        left.extend(each[key] for key in (*_SINGLE, *_SINGLE_TOO) if isinstance(each.get(key), dict))


def _translate(schema: Schema) -> None:
    """Translates keywords and types of older drafts, OpenAPI and Python."""
    if isinstance(schema.get("definitions"), dict):
        schema["$defs"] = {**schema.pop("definitions"), **(schema.get("$defs") or {})}
    if isinstance(schema.get("items"), list):
        schema["prefixItems"] = schema.pop("items")
        if "additionalItems" in schema:
            schema["items"] = schema.pop("additionalItems")
    for limit, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if isinstance(schema.get(exclusive), bool) and schema.pop(exclusive) and limit in schema:
            schema[exclusive] = schema.pop(limit)
    kind = schema.get("type")
    if isinstance(kind, str):
        schema["type"] = _TYPES.get(kind.lower(), kind.lower())
        if schema["type"] == "any":
            del schema["type"]
    if schema.get("nullable") is True and isinstance(schema.get("type"), str):
        schema["type"] = [schema["type"], "null"]
        del schema["nullable"]
    if isinstance(schema.get("required"), list):
        schema["required"] = list(dict.fromkeys(name for name in schema["required"] if isinstance(name, str)))


def _lift_required(schema: Schema) -> None:
    """Moves `required: true` of an argument, as in draft 3, to its object."""
    for each in _walk(schema):
        properties = each.get("properties")
        for name, inner in properties.items() if isinstance(properties, dict) else ():
            if isinstance(inner, dict) and isinstance(inner.get("required"), bool) and inner.pop("required"):
                required = each.get("required")
                each["required"] = [*(required if isinstance(required, list) else []), name]


def _without_faults(schema: Schema, notes: list[str]) -> None:
    """Removes what is not valid JSON Schema, and notes it.

    Raises:
        CellError: There are too many faults.
    """
    import jsonschema

    validator = jsonschema.Draft202012Validator(jsonschema.Draft202012Validator.META_SCHEMA)
    repaired: list[list[Any]] = []
    while paths := sorted((list(error.absolute_path) for error in validator.iter_errors(schema)), key=len):
        if len(repaired) == _MOST_FAULTS or not paths[-1]:
            raise CellError("its input schema is no JSON Schema. Correct it.")
        _leave_out(schema, paths[-1], notes, again=paths[-1] in repaired)
        repaired.append(paths[-1])


def _leave_out(schema: Schema, path: list[Any], notes: list[str], *, again: bool) -> None:
    """Removes the value at `path`; an invalid subschema becomes one that allows all, with the old value described."""
    *outer, last = path
    holder: Any = schema
    for step in outer:
        holder = holder[step]
    removed = json.dumps(holder[last], ensure_ascii=False)[:200]
    place = "/".join(map(str, path))
    notes.append(f"its input schema is not valid at {place}: {removed} is left out")
    if not again and (last in _SINGLE or (outer and outer[-1] in (*_MAPS, *_LISTS))):
        holder[last] = {"description": removed}
        return
    del holder[last]
    if isinstance(holder, dict):
        holder["description"] = "\n".join(filter(None, [_text(holder.get("description")), f"({last}: {removed})"]))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _with_definitions(schema: Schema, notes: list[str]) -> Schema:
    """`schema` with all references into `$defs`; one whose target is missing becomes a schema that allows all."""
    whole = json.loads(json.dumps(schema))
    definitions: Schema = schema.setdefault("$defs", {})
    names: dict[str, str] = {}
    left: list[Schema] = [schema]
    while left:
        for each in list(_walk(left.pop())):
            reference = each.get("$ref", each.get("$dynamicRef"))
            if reference is None:
                continue
            each.pop("$dynamicRef", None)
            if (name := _definition(str(reference), whole, definitions, names, left.append)) is None:
                _leave_open(each, str(reference), notes)
            else:
                each["$ref"] = DEFINITIONS + name
    if not definitions:
        del schema["$defs"]
    return schema


def _definition(
    reference: str, whole: Schema, definitions: Schema, names: dict[str, str], walk: Callable[[Schema], object]
) -> str | None:
    """The name of the target in `definitions`, where it is added if necessary; `None` if it is missing."""
    reference = reference.replace("#/definitions/", DEFINITIONS, 1)
    name = reference.removeprefix(DEFINITIONS)
    if reference.startswith(DEFINITIONS) and unquote(name) in definitions:
        return name
    if reference not in names:
        target = _target(reference, whole)
        if not isinstance(target, dict):
            return None
        base = re.sub(r"[^A-Za-z0-9_-]+", ".", reference).strip(".") or "root"
        names[reference] = next(
            n for n in (f"{base}{'_' * i}" for i in range(len(definitions) + 1)) if n not in definitions
        )
        definitions[names[reference]] = target = json.loads(json.dumps(target))
        target.pop("$defs", None)
        walk(target)
    return names[reference]


def _target(reference: str, whole: Schema) -> Any:
    """The target of a JSON pointer; `None` if it is missing. Source: https://www.rfc-editor.org/rfc/rfc6901"""
    if not reference.startswith("#") or (len(reference) > 1 and not reference.startswith("#/")):
        return next((each for each in _walk(whole) if f"#{each.get('$anchor')}" == reference), None)
    at: Any = whole
    for step in reference[2:].split("/") if reference != "#" else ():
        step = unquote(step).replace("~1", "/").replace("~0", "~")
        if isinstance(at, list) and step.isdecimal() and int(step) < len(at):
            at = at[int(step)]
        elif isinstance(at, dict) and step in at:
            at = at[step]
        else:
            return None
    return at


def _leave_open(schema: Schema, reference: str, notes: list[str]) -> None:
    schema.pop("$ref", None)
    notes.append(f"its input schema refers to {reference}, which is not there")
    remark = f"(of the form {reference}, which is not described here)"
    schema["description"] = "\n".join(filter(None, [_text(schema.get("description")), remark]))
