"""JSON Schemas of Python types: of a class for structured output, or of fields such as a function's arguments.

Source: https://json-schema.org/draft/2020-12
"""

from __future__ import annotations

import inspect
import json
import sys
import types
import typing
from collections.abc import Hashable, Sequence, Set
from decimal import Decimal
from typing import Any

from ..errors import CellError
from . import formats, kinds
from .accepted import accepted, is_plain
from .defaults import beside, tell_defaults
from .kinds import Field
from .limits import limited, limits
from .typed import adapter
from .unfit import one_line, shortened

Definitions = dict[Any, tuple[str, dict[str, Any]]]


def schema(kind: Any) -> dict[str, Any]:
    """The JSON Schema of a pydantic model, dataclass, TypedDict, or of a schema itself.

    Raises:
        CellError: A field cannot be expressed; it is named.
    """
    if isinstance(kind, dict):
        return kind
    if kinds.is_model(kind):
        return accepted(_of_model(kind, kind.__name__))
    if not kinds.is_record(kind):
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
    top = _object(fields, where, definitions)
    told = [(top, fields)]
    for kind, (_, its_schema) in definitions.items():
        if kinds.is_record(kind):
            told.append((its_schema, kinds.fields(kind)))
    for whole, its_fields in told:
        tell_defaults(whole, its_fields)
    return _with_definitions(top, definitions)


def of_type(kind: Any, where: str, definitions: Definitions) -> dict[str, Any]:
    """The schema of an annotation; classes are put into `definitions` and referred to.

    Raises:
        CellError: It cannot be expressed; `where` says which field it is of.
    """
    bare, description, _ = kinds.bare(kind)
    if kinds.is_foreign(kind) and not kinds.is_record(bare):
        return _of_foreign(kind, where, definitions)
    try:
        found = limits(kinds.notes(kind))
    except ValueError as error:
        raise CellError(f"no schema for {where}: {error}. Mend it.") from None
    return _described(limited(_of_bare(bare, where, definitions), found), description)


def _of_bare(kind: Any, where: str, definitions: Definitions) -> dict[str, Any]:
    origin, inner = typing.get_origin(kind) or kind, typing.get_args(kind)
    if not isinstance(kind, Hashable):
        raise _no_form(kind, where)
    if kind in (Any, object):
        return {}
    if origin in (typing.Union, types.UnionType):
        return {"anyOf": [of_type(one, where, definitions) for one in inner]}
    if kind is None or kind in kinds.PLAIN:
        return {"type": kinds.PLAIN[type(None) if kind is None else kind]}
    if kind is Decimal:
        return {"anyOf": [{"type": "number"}, {"type": "string", "pattern": formats.DECIMAL}]}
    if kind in formats.FORMATS:
        return {"type": "string", "format": formats.FORMATS[kind][0]}
    if origin in kinds.ARRAYS:
        return _array(origin, inner, where, definitions)
    if origin in kinds.MAPS and (not inner or kinds.bare(inner[0])[0] is str):
        return {
            "type": "object",
            "additionalProperties": of_type(inner[1], f"{where}[]", definitions) if inner else True,
        }
    if kinds.is_foreign(kind) and not kinds.is_record(kind):
        return _of_foreign(kind, where, definitions)
    if kinds.is_model(kind) or kinds.is_record(kind) or kinds.is_alias(kind):
        return _reference(kind, where, definitions)
    values = [value for value, _ in kinds.choices(kind)] if origin is typing.Literal or isinstance(kind, type) else []
    if values and is_plain(values):
        return {"enum": values}
    raise _no_form(kind, where)


def _described(made: dict[str, Any], description: str) -> dict[str, Any]:
    return beside(made, {"description": description}) if description else made


def _no_form(kind: Any, where: str) -> CellError:
    name = kind.__name__ if isinstance(kind, type) and not typing.get_args(kind) else repr(kind)
    return CellError(f"no schema for {where}: JSON has no form for {shortened(name)}. Give it another type.")


def _array(origin: Any, inner: tuple[Any, ...], where: str, definitions: Definitions) -> dict[str, Any]:
    if origin is tuple and inner and inner[-1] is not Ellipsis:
        items = [of_type(one, f"{where}[{at}]", definitions) for at, one in enumerate(inner)]
        return {"type": "array", "prefixItems": items, "minItems": len(items), "maxItems": len(items)}
    if not inner:
        return {"type": "array"}
    unique = {"uniqueItems": True} if issubclass(origin, Set) else {}
    return {"type": "array", "items": of_type(inner[0], f"{where}[]", definitions), **unique}


def _reference(kind: Any, where: str, definitions: Definitions) -> dict[str, Any]:
    if kind not in definitions:
        taken = {name for name, _ in definitions.values()}
        name = next(n for n in (f"{kind.__name__}{i}" for i in ("", *range(2, len(taken) + 3))) if n not in taken)
        definitions[kind] = (name, {})  # before its fields, one of which may be of this class
        if kinds.is_model(kind) or kinds.is_foreign(kind):
            whole = _of_model(kind, where, f"#/$defs/{name}.{{model}}")
            inner = whole.pop("$defs", {}).items()
            definitions.update({(kind, each): (f"{name}.{each}", its_schema) for each, its_schema in inner})
        elif kinds.is_alias(kind):
            whole = of_type(kind.__value__, where, definitions)
        else:
            whole = _object(_fields(kind, where), where, definitions, _documentation(kind))
        definitions[kind] = (name, whole)
    return {"$ref": f"#/$defs/{definitions[kind][0]}"}


def _of_foreign(kind: Any, where: str, definitions: Definitions) -> dict[str, Any]:
    """The schema of a type that only pydantic knows; its definitions stand among the others."""
    prefix = f"_{len(definitions)}"
    whole = _of_model(kind, where, f"#/$defs/{prefix}.{{model}}")
    inner = whole.pop("$defs", {}).items()
    definitions.update({(prefix, each): (f"{prefix}.{each}", its_schema) for each, its_schema in inner})
    return whole


def _of_model(kind: Any, where: str, template: str = "#/$defs/{model}") -> dict[str, Any]:
    try:
        known = kind if kinds.is_model(kind) else adapter(kind)
        write = known.model_json_schema if kinds.is_model(kind) else known.json_schema
        whole: dict[str, Any] = write(ref_template=template)
    except Exception as error:  # of any of pydantic's classes
        listed = getattr(kind, "model_fields", {})
        at = next((f".{name}" for name, field in listed.items() if _is_odd(field)), "")
        raise CellError(f"no schema for {where}{at}: {one_line(str(error), 200)}. Give it another type.") from None
    return whole


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
        own = of_type(field.kind, f"{where}.{field.name}", definitions)
        properties[field.name] = _described(own, field.description)
    return {
        "type": "object",
        **({"description": description} if description else {}),
        "properties": properties,
        "required": [field.name for field in fields if field.required],
        "additionalProperties": False,
    }


def _fields(kind: Any, where: str) -> list[Field]:
    try:
        return kinds.fields(kind)
    except (NameError, TypeError, AttributeError, SyntaxError) as error:
        raise CellError(
            f"no schema for {where}: {error}. Annotations must name what a cell above defines, outside of functions."
        ) from (error if isinstance(error, NameError) else None)


def _documentation(kind: Any) -> str:
    """What its author wrote about a class; not the signature that a dataclass has in its place."""
    text = inspect.cleandoc(vars(kind).get("__doc__") or "")
    return "" if text.startswith(f"{kind.__name__}(") else text


def _with_definitions(top: dict[str, Any], definitions: Definitions) -> dict[str, Any]:
    return {**top, "$defs": dict(definitions.values())} if definitions else top
