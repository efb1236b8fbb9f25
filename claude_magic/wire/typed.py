"""JSON values as Python objects of a type, checked on the way: what fits an annotation, and the object it is.

One walk checks and converts, so that a dataclass needs no validator installed. Only a schema given as a dict is
checked by jsonschema, which comes with every Jupyter; without it (IPython alone) a small check of our own stands
in, which knows `type`, `enum`, `const`, `properties`, `required`, `items`, `anyOf` and references within the schema.
"""

from __future__ import annotations

import collections.abc
import dataclasses
import datetime
import enum
import json
import re
import types
import typing
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Any

PLAIN: dict[Any, str] = {str: "string", int: "integer", float: "number", bool: "boolean", type(None): "null"}
ARRAYS: dict[Any, Callable[[Iterable[Any]], Any]] = {
    list: list,
    tuple: tuple,
    set: set,
    frozenset: frozenset,
    collections.abc.Sequence: list,
    collections.abc.MutableSequence: list,
    collections.abc.Collection: list,
    collections.abc.Iterable: list,
    collections.abc.Set: set,
}
MAPS = (dict, collections.abc.Mapping, collections.abc.MutableMapping)
_UTC = re.compile("[zZ]$")
FORMATS: dict[Any, tuple[str, Callable[[str], Any]]] = {
    datetime.datetime: ("date-time", lambda text: datetime.datetime.fromisoformat(_UTC.sub("+00:00", text))),
    datetime.date: ("date", datetime.date.fromisoformat),
    datetime.time: ("time", lambda text: datetime.time.fromisoformat(_UTC.sub("+00:00", text))),
    uuid.UUID: ("uuid", uuid.UUID),
}
_QUALIFIERS = ("Required", "NotRequired", "ReadOnly", "ClassVar", "Final")


class Unfit(ValueError):
    """A value that is not of its type.

    Attributes:
        path: Where it stands, such as `/points/0/x`; `""` for the whole.
        rule: What was expected and what was seen.
    """

    def __init__(self, path: str, rule: str) -> None:
        super().__init__(f"{path}: {rule}" if path else rule)
        self.path = path
        self.rule = rule


@dataclasses.dataclass(frozen=True, kw_only=True)
class Field:
    """One named value of an object, or one parameter of a function."""

    name: str
    kind: Any
    required: bool = True
    description: str = ""


def seen(value: object, limit: int = 80) -> str:
    """`value` in one line, its middle left out if it is long."""
    text = repr(value)
    return text if len(text) <= limit else f"{text[: limit * 3 // 4]}…{text[-limit // 4 :]}"


def is_typed_dict(kind: Any) -> bool:
    """Whether `kind` is a TypedDict, that of typing_extensions included."""
    return isinstance(kind, type) and issubclass(kind, dict) and hasattr(kind, "__required_keys__")


def is_record(kind: Any) -> bool:
    """Whether `kind` is a class whose fields can be listed."""
    return isinstance(kind, type) and (dataclasses.is_dataclass(kind) or is_typed_dict(kind))


def is_model(kind: Any) -> bool:
    """Whether `kind` is a class of pydantic's, which is never imported for asking."""
    return isinstance(kind, type) and hasattr(kind, "model_json_schema") and hasattr(kind, "model_validate_json")


def is_alias(kind: Any) -> bool:
    """Whether `kind` was made by a `type` statement."""
    return type(kind).__name__ == "TypeAliasType"


def members(kind: Any) -> tuple[Any, ...]:
    """The types of a union; `()` if `kind` is none."""
    return typing.get_args(kind) if typing.get_origin(kind) in (typing.Union, types.UnionType) else ()


def bare(kind: Any) -> tuple[Any, str, frozenset[str]]:
    """A type without what is written around it; its description, and the names of its qualifiers."""
    description, qualifiers = "", set()
    while True:
        origin = typing.get_origin(kind)
        name = getattr(origin, "_name", "") or getattr(origin, "__name__", "")
        if origin is typing.Annotated:
            description = description or _description(kind.__metadata__)
            kind = kind.__origin__
        elif name in _QUALIFIERS:
            qualifiers.add(name)
            kind = typing.get_args(kind)[0]
        elif isinstance(kind, dataclasses.InitVar):
            kind = kind.type
        elif hasattr(kind, "__supertype__"):
            kind = kind.__supertype__
        else:
            return kind, description, frozenset(qualifiers)


def fields(kind: Any) -> list[Field]:
    """What a dataclass is made from, or a TypedDict holds.

    Raises:
        NameError: An annotation names what does not exist.
    """
    hints = typing.get_type_hints(kind, include_extras=True)
    if is_typed_dict(kind):
        return [_key(name, hint, kind.__required_keys__) for name, hint in hints.items()]
    found = []
    for field in kind.__dataclass_fields__.values():
        if not field.init or typing.get_origin(hints[field.name]) is typing.ClassVar:
            continue
        required = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        inner, description, _ = bare(hints[field.name])
        description = str(field.metadata.get("description") or description)
        found.append(Field(name=field.name, kind=inner, required=required, description=description))
    return [field for field in found if field.kind is not typing.ClassVar]


def made(value: Any, kind: Any, path: str = "") -> Any:
    """The object of type `kind` that the JSON `value` stands for.

    Args:
        kind: Any annotation of which `schema.of_type` makes a schema.

    Raises:
        Unfit: It stands for none.
    """
    kind = bare(kind)[0]
    origin, inner = typing.get_origin(kind) or kind, typing.get_args(kind)
    if members(kind):
        return _first_that_fits(value, inner, path)
    if origin is typing.Literal:
        return _same(value, {_json_of(one): one for one in inner}, path)
    if is_alias(kind):
        return made(value, kind.__value__, path)
    if is_model(kind):
        return _model(value, kind, path)
    if is_record(kind):
        found = made_fields(value, fields(kind), path)
        return found if is_typed_dict(kind) else _called(kind, found, path)
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return _same(value, {_json_of(one): one for one in kind}, path)
    if kind in FORMATS:
        return _of_format(value, *FORMATS[kind], path)
    if origin in ARRAYS:
        return _array(value, origin, inner, path)
    if origin in MAPS:
        expect(value, "object", path)
        return {key: made(item, inner[1], f"{path}/{key}") for key, item in value.items()} if inner else value
    return _scalar(value, kind, path)


def made_fields(value: Any, wanted: list[Field], path: str = "") -> dict[str, Any]:
    """The named values of a JSON object; those that may be missing and are, stay missing.

    Raises:
        Unfit: One does not fit, is missing, or was not asked for.
    """
    expect(value, "object", path)
    by_name = {field.name: field for field in wanted}
    for field in wanted:
        if field.required and field.name not in value:
            raise Unfit(path, f"{field.name!r} is a required property, seen {seen(value)}")
    for name in value:
        if name not in by_name:
            known = ", ".join(map(repr, by_name)) or "none"
            raise Unfit(path, f"{seen(name)} is no property of it (they are {seen_names(known)})")
    return {name: made(item, by_name[name].kind, f"{path}/{name}") for name, item in value.items()}


def expect(value: Any, name: str, path: str) -> None:
    """Raise Unfit unless `value` is of the JSON type `name`."""
    if not is_of(value, name):
        raise Unfit(path, f"{seen(value)} is not of type {name!r}")


def is_of(value: Any, name: str) -> bool:
    """Whether a JSON value is of the JSON type `name`; 1.0 is an integer, as in JSON Schema."""
    if isinstance(value, bool):
        return name == "boolean"
    if name == "integer":
        return isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    known = {"string": str, "number": (int, float), "null": type(None), "array": list, "object": dict}
    return isinstance(value, known.get(name, ()))
