"""JSON Schemas of Python types, in the form that structured output takes, and replies as objects of them.

What structured output does not take (limits, patterns, defaults) is told in the description, as the official
SDK does; unlike there, a map of free keys stays one and a reference keeps its description. What the API refuses
beyond that (classes that hold themselves, maps), the API says. A schema given as a dict is taken as it is.
Source: https://docs.anthropic.com/en/docs/build-with-claude/structured-outputs
"""

from __future__ import annotations

import inspect
import json
import re
import sys
import types
import typing
from collections.abc import Callable, Container, Hashable, Mapping, Sequence, Set
from typing import Any

from ..errors import CellError, ClaudeError
from . import typed
from .fences import code
from .typed import Field, Unfit, seen, shortened

Definitions = dict[Any, tuple[str, dict[str, Any]]]
_FORMATS = frozenset(["date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"])


class Misfit(ClaudeError):
    """A reply that is not of the form that was asked for; it is kept in `claude.last`."""


def schema(kind: Any) -> dict[str, Any]:
    """The JSON Schema of a pydantic model, dataclass, TypedDict, or of a schema itself.

    Raises:
        CellError: A field cannot be expressed; it is named.
    """
    if isinstance(kind, dict):
        return kind
    if typed.is_model(kind):
        return accepted(_of_model(kind, kind.__name__))
    if not typed.is_record(kind):
        raise CellError(
            f"no schema for {shortened(repr(kind))}: it is no pydantic model, dataclass, TypedDict or JSON Schema. "
            "Name a class, or a dict that is a schema."
        )
    definitions: Definitions = {}
    top = of_type(kind, kind.__name__, definitions)
    _, own = definitions[kind]
    if json.dumps(top)[1:-1] not in json.dumps(list(definitions.values())):
        top = own
        del definitions[kind]
    return accepted(_with_definitions(top, definitions))


def of_fields(fields: Sequence[Field], where: str) -> dict[str, Any]:
    """The schema of an object with these fields, such as the arguments of a function, whole.

    Args:
        where: What the fields are of, for errors.

    Raises:
        CellError: A field cannot be expressed; it is named.
    """
    definitions: Definitions = {}
    return _with_definitions(_object(fields, where, definitions), definitions)


def of_type(kind: Any, where: str, definitions: Definitions) -> dict[str, Any]:
    """The schema of an annotation; classes are put into `definitions` and referred to.

    Raises:
        CellError: It cannot be expressed; `where` says which field it is of.
    """
    kind, description, _ = typed.bare(kind)
    return _described(_of_bare(kind, where, definitions), description)


def parsed(text: str, kind: Any) -> Any:
    """The JSON in `text` as an object of `kind`; for a schema, as plain JSON.

    Raises:
        Misfit: It is not of that form; the message shows both.
        CellError: `kind` is none of which there is a schema.
    """
    schema(kind)
    name = "the schema" if isinstance(kind, dict) else kind.__name__
    try:
        value = json_of(text)
        if not isinstance(kind, dict):
            return typed.made(value, kind)
        _fit(value, kind)
    except Unfit as error:
        raise _misfit(name, str(error)) from error.__cause__
    except RecursionError:
        raise _misfit(name, "it is nested too deeply") from None
    return value


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
    kept |= {key: left.pop(key) for key in ("enum", "const") if key in left and _is_plain(left[key])}
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


def _of_bare(kind: Any, where: str, definitions: Definitions) -> dict[str, Any]:
    origin, inner = typing.get_origin(kind) or kind, typing.get_args(kind)
    if not isinstance(kind, Hashable):
        raise _no_form(kind, where)
    if kind in (Any, object):
        return {}
    if origin in (typing.Union, types.UnionType):
        return {"anyOf": [of_type(one, where, definitions) for one in inner]}
    if kind is None or kind in typed.PLAIN:
        return {"type": typed.PLAIN[type(None) if kind is None else kind]}
    if kind in typed.FORMATS:
        return {"type": "string", "format": typed.FORMATS[kind][0]}
    if origin in typed.ARRAYS:
        return _array(origin, inner, where, definitions)
    if origin in typed.MAPS and (not inner or typed.bare(inner[0])[0] is str):
        return {
            "type": "object",
            "additionalProperties": of_type(inner[1], f"{where}[]", definitions) if inner else True,
        }
    if typed.is_model(kind) or typed.is_record(kind) or typed.is_alias(kind):
        return _reference(kind, where, definitions)
    values = [value for value, _ in typed.choices(kind)] if origin is typing.Literal or isinstance(kind, type) else []
    if values and _is_plain(values):
        return {"enum": values}
    raise _no_form(kind, where)


def _described(made: dict[str, Any], description: str) -> dict[str, Any]:
    if not description:
        return made
    return {**({"anyOf": [made]} if "$ref" in made else made), "description": description}


def _no_form(kind: Any, where: str) -> CellError:
    name = kind.__name__ if isinstance(kind, type) and not typing.get_args(kind) else repr(kind)
    return CellError(f"no schema for {where}: JSON has no form for {shortened(name)}. Give it another type.")


def _array(origin: Any, inner: tuple[Any, ...], where: str, definitions: Definitions) -> dict[str, Any]:
    if origin is tuple and inner and inner[-1] is not Ellipsis:
        kinds = [of_type(one, f"{where}[{at}]", definitions) for at, one in enumerate(inner)]
        return {"type": "array", "prefixItems": kinds, "minItems": len(kinds), "maxItems": len(kinds)}
    if not inner:
        return {"type": "array"}
    unique = {"uniqueItems": True} if issubclass(origin, Set) else {}
    return {"type": "array", "items": of_type(inner[0], f"{where}[]", definitions), **unique}


def _reference(kind: Any, where: str, definitions: Definitions) -> dict[str, Any]:
    if kind not in definitions:
        taken = {name for name, _ in definitions.values()}
        name = next(n for n in (f"{kind.__name__}{i}" for i in ("", *range(2, len(taken) + 3))) if n not in taken)
        definitions[kind] = (name, {})  # before its fields, one of which may be of this class
        if typed.is_model(kind):
            made = _of_model(kind, where, f"#/$defs/{name}.{{model}}")
            inner = made.pop("$defs", {}).items()
            definitions.update({(kind, each): (f"{name}.{each}", its_schema) for each, its_schema in inner})
        elif typed.is_alias(kind):
            made = of_type(kind.__value__, where, definitions)
        else:
            made = _object(_fields(kind, where), where, definitions, _documentation(kind))
        definitions[kind] = (name, made)
    return {"$ref": f"#/$defs/{definitions[kind][0]}"}


def _of_model(kind: Any, where: str, template: str = "#/$defs/{model}") -> dict[str, Any]:
    try:
        made: dict[str, Any] = kind.model_json_schema(ref_template=template)
    except Exception as error:  # of any of pydantic's classes
        at = next((f".{name}" for name, field in kind.model_fields.items() if _is_odd(field)), "")
        why = shortened(" ".join(str(error).split()), 200)
        raise CellError(f"no schema for {where}{at}: {why}. Give it another type.") from None
    return made


def _is_odd(field: Any) -> bool:
    """Whether this field of a model has no schema."""
    try:
        sys.modules["pydantic"].TypeAdapter(field.annotation).json_schema()
    except Exception:
        return True
    return False


def _object(fields: Sequence[Field], where: str, definitions: Definitions, description: str = "") -> dict[str, Any]:
    properties = {}
    for field in fields:
        made = of_type(field.kind, f"{where}.{field.name}", definitions)
        properties[field.name] = _described(made, field.description)
    return {
        "type": "object",
        **({"description": description} if description else {}),
        "properties": properties,
        "required": [field.name for field in fields if field.required],
        "additionalProperties": False,
    }


def _fields(kind: Any, where: str) -> list[Field]:
    try:
        return typed.fields(kind)
    except (NameError, TypeError, AttributeError, SyntaxError) as error:
        raise CellError(
            f"no schema for {where}: {error}. Annotations must name what a cell above defines, outside of functions."
        ) from None


def _documentation(kind: Any) -> str:
    """What its author wrote about a class; not the signature that a dataclass has in its place."""
    text = inspect.cleandoc(vars(kind).get("__doc__") or "")
    return "" if text.startswith(f"{kind.__name__}(") else text


def _with_definitions(top: dict[str, Any], definitions: Definitions) -> dict[str, Any]:
    return {**top, "$defs": dict(definitions.values())} if definitions else top


def _is_plain(values: Any) -> bool:
    """Whether all of these, or this one, can stand in an `enum`."""
    listed = values if isinstance(values, list) else [values]
    return bool(listed) and all(one is None or isinstance(one, (str, int, float)) for one in listed)


def json_of(text: str) -> Any:
    """The JSON that a text is, or that is in its first block of JSON, or of anything."""
    text = text.strip().removeprefix("\ufeff").strip()
    reads: tuple[Callable[[], str], ...] = (lambda: text, lambda: code(text, "json"), lambda: code(text))
    for read in reads:
        try:
            return json.loads(read(), parse_constant=_refuse)
        except (ValueError, CellError):
            continue
    raise Unfit("", f"{seen(text)} is not JSON")


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _fit(value: Any, wanted: dict[str, Any]) -> None:
    """Raise Unfit unless `value` fits a schema; formats are notes, as the standard has it.

    jsonschema checks, which comes with every Jupyter; in IPython alone, where it may be missing, only
    types, enumerations, properties and items are looked at. Nothing is ever fetched.
    """
    try:
        import jsonschema
        import referencing
    except ImportError:
        _fit_simply(value, wanted, "")
        return
    checker: Any = jsonschema.validators.validator_for(wanted, default=jsonschema.Draft202012Validator)
    try:
        errors = checker(wanted, registry=referencing.Registry()).iter_errors(value)
        best: Any = jsonschema.exceptions.best_match
        error = best(errors)
    except (jsonschema.exceptions._WrappedReferencingError, jsonschema.exceptions.UnknownType, re.error) as wrong:
        raise CellError(
            f"the schema cannot be used: {shortened(str(wrong))}. The reply is in claude.last.text."
        ) from None
    if error is not None:
        what = seen(error.instance)
        rule = shortened(str(error.message).replace(repr(error.instance), what, 1), 200)
        rule = rule if what in rule else f"{rule}, seen {what}"
        raise Unfit("".join(f"/{step}" for step in error.absolute_path), rule)


def _fit_simply(value: Any, wanted: Any, path: str) -> None:
    if not isinstance(wanted, dict):
        return
    names = wanted.get("type", [])
    names = [names] if isinstance(names, str) else names
    if names and not any(typed.is_of(value, name) for name in names):
        raise Unfit(path, f"{seen(value)} is not of type {', '.join(map(repr, names))}")
    if "enum" in wanted:
        typed.same(value, [(one, one) for one in wanted["enum"]], path)
    if isinstance(value, list):
        for at, item in enumerate(value):
            _fit_simply(item, wanted.get("items"), f"{path}/{at}")
    if isinstance(value, dict):
        missing = [name for name in wanted.get("required", []) if name not in value]
        if missing:
            raise Unfit(path, f"{missing[0]!r} is a required property, seen {seen(value)}")
        for name, item in value.items():
            inner = wanted.get("properties", {}).get(name, wanted.get("additionalProperties"))
            if inner is False:
                raise Unfit(path, f"{seen(name)} is none of its properties, seen {seen(value)}")
            _fit_simply(item, inner, f"{path}/{name}")


def _misfit(name: str, rule: str) -> Misfit:
    line = " ".join("".join(c if c.isprintable() else " " for c in rule).split())
    return Misfit(f"the reply does not fit {name}: {shortened(line, 400)}. It is in claude.last.text.")
