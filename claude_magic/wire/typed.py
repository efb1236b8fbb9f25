"""JSON values as Python objects of a type, checked on the way.

One walk checks and converts, so that a dataclass needs no validator installed; pydantic checks its own models.
An annotation may be any of which `schema.of_type` makes a schema.
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
from collections.abc import Callable, Iterable, Sequence
from typing import Any

PLAIN: dict[Any, str] = {str: "string", int: "integer", float: "number", bool: "boolean", type(None): "null"}
ARRAYS: dict[Any, Callable[[Iterable[Any]], Any]] = {
    **{kind: kind for kind in (list, tuple, set, frozenset)},
    **{getattr(collections.abc, name): list for name in ("Sequence", "MutableSequence", "Collection", "Iterable")},
    **{getattr(collections.abc, name): set for name in ("Set", "MutableSet")},
}
MAPS = (dict, collections.abc.Mapping, collections.abc.MutableMapping)
_ZULU = re.compile("[zZ]$")  # which Python 3.10 does not read
FORMATS: dict[Any, tuple[str, Callable[[str], Any]]] = {
    datetime.datetime: ("date-time", lambda text: datetime.datetime.fromisoformat(_ZULU.sub("+00:00", text))),
    datetime.date: ("date", datetime.date.fromisoformat),
    datetime.time: ("time", lambda text: datetime.time.fromisoformat(_ZULU.sub("+00:00", text))),
    uuid.UUID: ("uuid", uuid.UUID),
}
_JSON_TYPES: dict[str, Any] = {"string": str, "number": (int, float), "null": type(None), "array": list, "object": dict}
_QUALIFIERS = ("Required", "NotRequired", "ReadOnly", "ClassVar")


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


def made(value: Any, kind: Any, path: str = "") -> Any:
    """The object of type `kind` that the JSON `value` stands for.

    Raises:
        Unfit: It stands for none.
    """
    kind = bare(kind)[0]
    origin, inner = typing.get_origin(kind) or kind, typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        return _first_that_fits(value, inner, path)
    if origin is typing.Literal or _is_enum(kind):
        return same(value, choices(kind), path)
    if is_alias(kind):
        return made(value, kind.__value__, path)
    if is_model(kind):
        return _model(value, kind, path)
    if is_record(kind):
        found = made_fields(value, fields(kind), path)
        return found if is_typed_dict(kind) else _called(kind, found, path)
    if origin in ARRAYS:
        return _array(value, origin, inner, path)
    if origin in MAPS:
        _expect(value, "object", path)
        return {key: made(item, inner[1], f"{path}/{key}") for key, item in value.items()} if inner else value
    return _scalar(value, kind, path)


def made_fields(value: Any, wanted: Sequence[Field], path: str = "") -> dict[str, Any]:
    """The named values of a JSON object; those that may be missing, and are, stay missing.

    Raises:
        Unfit: One does not fit, is missing, or was not asked for.
    """
    _expect(value, "object", path)
    by_name = {field.name: field for field in wanted}
    for field in wanted:
        if field.required and field.name not in value:
            raise Unfit(path, f"{field.name!r} is a required property, seen {seen(value)}")
    for name in value:
        if name not in by_name:
            known = shortened(", ".join(map(repr, by_name)) or "none")
            raise Unfit(path, f"{seen(name)} is not one of its properties {known}")
    return {name: made(item, by_name[name].kind, f"{path}/{name}") for name, item in value.items()}


def fields(kind: Any) -> list[Field]:
    """What a dataclass is made from, or a TypedDict holds.

    Raises:
        NameError: An annotation names what does not exist.
    """
    hints = typing.get_type_hints(kind, include_extras=True)
    if is_typed_dict(kind):
        return [_key(name, hint, kind.__required_keys__) for name, hint in hints.items()]
    missing = dataclasses.MISSING
    return [
        Field(
            name=field.name,
            kind=hints[field.name],
            required=field.default is missing and field.default_factory is missing,
            description=str(field.metadata.get("description") or ""),
        )
        for field in kind.__dataclass_fields__.values()  # with those that are only given to __post_init__
        if field.init and hints[field.name] is not typing.ClassVar and "ClassVar" not in bare(hints[field.name])[2]
    ]


def bare(kind: Any) -> tuple[Any, str, frozenset[str]]:
    """A type without what is written around it; its description, and the names of its qualifiers."""
    description, qualifiers = "", set()
    while True:
        name = getattr(typing.get_origin(kind), "_name", None)
        if typing.get_origin(kind) is typing.Annotated:
            description = description or _described(kind.__metadata__)
            kind = kind.__origin__
        elif name in _QUALIFIERS:
            qualifiers.add(str(name))
            kind = typing.get_args(kind)[0]
        elif isinstance(kind, dataclasses.InitVar):
            kind = kind.type
        elif hasattr(kind, "__supertype__"):  # a NewType
            kind = kind.__supertype__
        else:
            return kind, description, frozenset(qualifiers)


def choices(kind: Any) -> list[tuple[Any, Any]]:
    """What JSON may say for a Literal or an Enum, and what each stands for."""
    listed = list(kind) if _is_enum(kind) else typing.get_args(kind)
    return [(one.value if isinstance(one, enum.Enum) else one, one) for one in listed]


def is_typed_dict(kind: Any) -> bool:
    """Whether `kind` is a TypedDict, that of typing_extensions included."""
    return isinstance(kind, type) and issubclass(kind, dict) and hasattr(kind, "__required_keys__")


def is_record(kind: Any) -> bool:
    """Whether `kind` is a class whose fields can be listed."""
    return isinstance(kind, type) and (dataclasses.is_dataclass(kind) or is_typed_dict(kind))


def is_model(kind: Any) -> bool:
    """Whether `kind` is a model class of pydantic's, which is not imported for asking."""
    return isinstance(kind, type) and hasattr(kind, "model_json_schema") and hasattr(kind, "model_validate_json")


def is_alias(kind: Any) -> bool:
    """Whether `kind` was made by a `type` statement."""
    return type(kind).__name__ == "TypeAliasType"


def is_of(value: Any, name: str) -> bool:
    """Whether a JSON value is of the JSON type `name`; 1.0 is an integer, as JSON Schema has it."""
    if isinstance(value, bool) or name == "boolean":
        return isinstance(value, bool) and name == "boolean"
    if name == "integer":
        return isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    return isinstance(value, _JSON_TYPES.get(name, ()))


def seen(value: object) -> str:
    """`value`, short."""
    return shortened(repr(value))


def shortened(text: str, limit: int = 80) -> str:
    """`text`, its middle left out if it is long."""
    return text if len(text) <= limit else f"{text[: limit * 2 // 3]}…{text[-limit // 3 :]}"


def _is_enum(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, enum.Enum)


def _key(name: str, hint: Any, required: frozenset[str]) -> Field:
    """A TypedDict's field; its own qualifier counts more than `required`, which misses those in strings."""
    qualifiers = bare(hint)[2]
    return Field(
        name=name,
        kind=hint,
        required="NotRequired" not in qualifiers and ("Required" in qualifiers or name in required),
    )


def _described(notes: Iterable[Any]) -> str:
    """The text among the notes of an Annotated: a `str`, pydantic's `Field(description=...)` or a `Doc`."""
    for note in notes:
        for text in (note, getattr(note, "description", None), getattr(note, "documentation", None)):
            if isinstance(text, str):
                return text
    return ""


def _expect(value: Any, name: str, path: str) -> None:
    if not is_of(value, name):
        raise Unfit(path, f"{seen(value)} is not of type {name!r}")


def _first_that_fits(value: Any, kinds: Sequence[Any], path: str) -> Any:
    errors = []
    for kind in kinds:
        try:
            return made(value, kind, path)
        except Unfit as error:
            errors.append((bare(kind)[0], error))
    others = [error for kind, error in errors if kind is not type(None)]
    deepest = max(others, key=lambda error: error.path.count("/"))
    if len(others) == 1 or deepest.path != path:
        raise deepest
    names = ", ".join(getattr(kind, "__name__", str(kind)) for kind, _ in errors)
    raise Unfit(path, f"{seen(value)} is none of {shortened(names)}")


def same(value: Any, pairs: Sequence[tuple[Any, Any]], path: str) -> Any:
    """What the first of `pairs` of JSON and meaning that is `value` means; Unfit if none is."""
    for json_value, meant in pairs:
        if json_value == value and isinstance(json_value, bool) == isinstance(value, bool):
            return meant
    raise Unfit(path, f"{seen(value)} is not one of {seen([json_value for json_value, _ in pairs])}")


def _model(value: Any, kind: Any, path: str) -> Any:
    try:
        return kind.model_validate_json(json.dumps(value))
    except ValueError as error:
        if not hasattr(error, "errors"):
            raise Unfit(path, f"{error}, seen {seen(value)}") from None
        first = error.errors(include_url=False, include_context=False)[0]
        where = path + "".join(f"/{step}" for step in first["loc"])
        raise Unfit(where, f"{first['msg']}, seen {seen(first['input'])}") from None


def _called(kind: Any, arguments: dict[str, Any], path: str) -> Any:
    try:
        return kind(**arguments)
    except (ValueError, TypeError, AssertionError) as error:
        raise Unfit(path, f"{kind.__name__} refused it: {error}; seen {seen(arguments)}") from error


def _array(value: Any, origin: Any, inner: tuple[Any, ...], path: str) -> Any:
    _expect(value, "array", path)
    if origin is tuple and inner and inner[-1] is not Ellipsis:
        if len(value) != len(inner):
            raise Unfit(path, f"{seen(value)} has not {len(inner)} items")
        kinds: Sequence[Any] = inner
    else:
        kinds = [inner[0] if inner else Any] * len(value)
    items = [made(item, kind, f"{path}/{at}") for at, (item, kind) in enumerate(zip(value, kinds, strict=True))]
    try:
        return ARRAYS[origin](items)
    except TypeError as error:
        raise Unfit(path, f"{seen(value)} makes no {origin.__name__}: {error}") from None


def _scalar(value: Any, kind: Any, path: str) -> Any:
    if kind in (Any, object):
        return value
    if kind in FORMATS:
        name, read = FORMATS[kind]
        _expect(value, "string", path)
        try:
            return read(value)
        except ValueError:
            raise Unfit(path, f"{seen(value)} is not a {name!r}") from None
    _expect(value, PLAIN[type(None) if kind is None else kind], path)
    try:
        return kind(value) if kind in (int, float) else value
    except OverflowError:
        raise Unfit(path, f"{seen(value)} is too large for a number") from None
