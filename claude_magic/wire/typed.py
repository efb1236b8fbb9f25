"""JSON values as Python objects of a type, checked on the way.

One walk checks and converts, so that a dataclass needs no validator installed; pydantic checks its own models.
An annotation may be any of which `schema.of_type` makes a schema.
"""

from __future__ import annotations

import json
import types
import typing
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from . import formats, kinds
from .kinds import Field
from .limits import check, limits
from .unfit import Unfit, seen, shortened

_JSON_TYPES: dict[str, Any] = {"string": str, "number": (int, float), "null": type(None), "array": list, "object": dict}


def made(value: Any, kind: Any, path: str = "") -> Any:
    """The object of type `kind` that the JSON `value` stands for.

    Raises:
        Unfit: It stands for none.
    """
    if kinds.is_foreign(kind):
        return _model(value, kind, path)
    found = _made_of_bare(value, kinds.bare(kind)[0], path)
    check(value, found, limits(kinds.notes(kind)), path)
    return found


def _made_of_bare(value: Any, kind: Any, path: str) -> Any:
    origin, inner = typing.get_origin(kind) or kind, typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        return _first_that_fits(value, inner, path)
    if origin is typing.Literal or kinds.is_enum(kind):
        return same(value, kinds.choices(kind), path)
    if kinds.is_alias(kind):
        return made(value, kind.__value__, path)
    if kinds.is_model(kind) or kinds.is_foreign(kind):
        return _model(value, kind, path)
    if kinds.is_record(kind):
        found = made_fields(value, kinds.fields(kind), path)
        return found if kinds.is_typed_dict(kind) else _called(kind, found, path)
    if origin in kinds.ARRAYS:
        return _array(value, origin, inner, path)
    if origin in kinds.MAPS:
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


def is_of(value: Any, name: str) -> bool:
    """Whether a JSON value is of the JSON type `name`; 1.0 is an integer, as JSON Schema has it."""
    if isinstance(value, bool) or name == "boolean":
        return isinstance(value, bool) and name == "boolean"
    if name == "integer":
        return isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    return isinstance(value, _JSON_TYPES.get(name, ()))


def _expect(value: Any, name: str, path: str) -> None:
    if not is_of(value, name):
        raise Unfit(path, f"{seen(value)} is not of type {name!r}")


def _first_that_fits(value: Any, variants: Sequence[Any], path: str) -> Any:
    errors = []
    for kind in variants:
        try:
            return made(value, kind, path)
        except Unfit as error:
            errors.append((kinds.bare(kind)[0], error))
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
        text = json.dumps(value)
        return kind.model_validate_json(text) if kinds.is_model(kind) else adapter(kind).validate_json(text)
    except ValueError as error:
        if not hasattr(error, "errors"):
            raise Unfit(path, f"{error}, seen {seen(value)}") from None
        first = error.errors(include_url=False, include_context=False)[0]
        where = path + "".join(f"/{step}" for step in first["loc"])
        raise Unfit(where, f"{first['msg']}, seen {seen(first['input'])}") from None


def adapter(kind: Any) -> Any:
    """Pydantic's own way to a type, which is of pydantic's."""
    import pydantic

    return pydantic.TypeAdapter(kind)


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
        wanted: Sequence[Any] = inner
    else:
        wanted = [inner[0] if inner else Any] * len(value)
    items = [made(item, kind, f"{path}/{at}") for at, (item, kind) in enumerate(zip(value, wanted, strict=True))]
    try:
        return kinds.ARRAYS[origin](items)
    except TypeError as error:
        raise Unfit(path, f"{seen(value)} makes no {origin.__name__}: {error}") from None


def _scalar(value: Any, kind: Any, path: str) -> Any:
    if kind in (Any, object):
        return value
    if kind is Decimal:
        try:
            return formats.decimal(value)
        except ValueError:
            raise Unfit(path, f"{seen(value)} is not a decimal number") from None
    if kind in formats.FORMATS:
        name, read = formats.FORMATS[kind]
        _expect(value, "string", path)
        try:
            return read(value)
        except ValueError:
            raise Unfit(path, f"{seen(value)} is not a {name!r}") from None
    _expect(value, kinds.PLAIN[type(None) if kind is None else kind], path)
    try:
        return kind(value) if kind in (int, float) else value
    except OverflowError:
        raise Unfit(path, f"{seen(value)} is too large for a number") from None
