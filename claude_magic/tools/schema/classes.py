"""Adapts classes and annotations that pydantic reads differently, or not at all.

A class of the user gets pydantic's hook `__get_pydantic_core_schema__`; it is not changed otherwise.
Source: https://docs.pydantic.dev/latest/concepts/types/#customizing-validation-with-__get_pydantic_core_schema__
"""

from __future__ import annotations

import collections.abc
import dataclasses
import enum
import functools
import inspect
import sys
import types
import typing
from collections.abc import Callable, Iterable
from typing import Any

_HOOK = "__get_pydantic_core_schema__"
_LISTS = (collections.abc.Iterable, collections.abc.Collection)


def readable(annotation: Any) -> Any:
    """`annotation` as pydantic reads it exactly; an `Iterable` is a list, since it would be checked after the call."""
    _prepare(annotation, set())
    return _exact(annotation)


def notes(annotation: Any) -> tuple[Any, ...]:
    """What is noted around a type."""
    return tuple(annotation.__metadata__) if typing.get_origin(annotation) is typing.Annotated else ()


def description(several: Iterable[Any]) -> str:
    """The text among notes: a `str`, pydantic's `Field(description=...)` or a `Doc`."""
    for note in several:
        for text in (note, getattr(note, "description", None), getattr(note, "documentation", None)):
            if isinstance(text, str):
                return text
    return ""


def descriptions(cls: Any) -> dict[str, str]:
    """What the notes of a class's annotations say of its fields."""
    try:
        hints = typing.get_type_hints(cls, include_extras=True)
    except Exception:  # pydantic has read them in another way
        return {}
    texts = {name: description(notes(_without_qualifiers(hint))) for name, hint in hints.items()}
    dataclass_fields = dataclasses.fields(cls) if dataclasses.is_dataclass(cls) else ()
    texts |= {
        each.name: str(each.metadata["description"]) for each in dataclass_fields if each.metadata.get("description")
    }
    return {name: text for name, text in texts.items() if text}


def fields(annotation: Any) -> list[tuple[str, Any]]:
    """The fields of the classes in an annotation, with their own annotations."""
    if not isinstance(annotation, type) or typing.get_args(annotation):
        return [each for inner in typing.get_args(annotation) for each in fields(inner)]
    if is_model(annotation):
        return _fields_of_model(annotation)
    return list(_hints(annotation).items()) if _is_record(annotation) else []


def _fields_of_model(model: Any) -> list[tuple[str, Any]]:
    return [(name, info.annotation) for name, info in model.model_fields.items()]


def fields_made_by_the_class(cls: Any) -> list[str]:
    """The fields of a dataclass that nobody gives it."""
    return [each.name for each in dataclasses.fields(cls) if not each.init]


def documentation(cls: Any) -> str:
    """What its author wrote about a class; not the signature that Python writes in its place."""
    text = inspect.cleandoc(vars(cls).get("__doc__") or "")
    return "" if text.startswith((f"{cls.__name__}(", "An enumeration.")) else text


def is_model(kind: Any) -> bool:
    return isinstance(kind, type) and hasattr(kind, "model_json_schema") and hasattr(kind, "model_validate_json")


def old_model(annotation: Any, deep: int = 10) -> str:
    """The name of a model of pydantic 1, which pydantic 2 does not know, in a type; `""` if there is none."""
    own: Any = annotation if isinstance(annotation, type) and not typing.get_args(annotation) else None
    if own is not None and not is_model(own) and hasattr(own, "__fields__") and hasattr(own, "parse_obj"):
        return str(own.__name__)
    inner = [*typing.get_args(annotation), *(hint for _, hint in fields(annotation))] if deep else []
    return next(filter(None, (old_model(each, deep - 1) for each in inner)), "")


def is_typed_dict(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, dict) and hasattr(kind, "__required_keys__")


def _is_record(cls: type) -> bool:
    return dataclasses.is_dataclass(cls) or is_typed_dict(cls) or (issubclass(cls, tuple) and hasattr(cls, "_fields"))


def _without_qualifiers(hint: Any) -> Any:
    """A type without `Required`, `NotRequired`, `ReadOnly` or `InitVar` around it."""
    while getattr(typing.get_origin(hint), "_name", "") in ("Required", "NotRequired", "ReadOnly"):
        hint = typing.get_args(hint)[0]
    return hint.type if isinstance(hint, dataclasses.InitVar) else hint


def _prepare(annotation: Any, seen: set[Any]) -> None:
    """Give the hook to the classes in an annotation that need one, and to those in their fields."""
    for inner in typing.get_args(annotation):
        if not isinstance(inner, str | bytes | int):
            _prepare(inner, seen)
    if not isinstance(annotation, type) or typing.get_args(annotation) or annotation in seen:
        return
    seen.add(annotation)
    if _is_record(annotation):
        for hint in _hints(annotation).values():
            _prepare(hint, seen)
    if _HOOK in vars(annotation):
        return
    if is_typed_dict(annotation) and type(annotation).__module__ == "typing" and sys.version_info < (3, 12):
        _give(annotation, _typed_dict)
    elif issubclass(annotation, enum.Enum) and any(isinstance(each.value, int) for each in annotation):
        _give(annotation, _enum)


def _hints(cls: Any) -> dict[str, Any]:
    try:
        return {
            name: _without_qualifiers(hint) for name, hint in typing.get_type_hints(cls, include_extras=True).items()
        }
    except Exception:  # pydantic will say what cannot be read
        return {}


def _give(cls: Any, hook: Callable[[Any, Any], Any]) -> None:
    try:
        setattr(cls, _HOOK, classmethod(lambda _, source, go_on: hook(source, go_on)))
    except (AttributeError, TypeError):  # a class that takes no attributes is read as pydantic reads it
        return


def _enum(source: Any, go_on: Any) -> Any:
    """True equals 1, and is none of an enumeration of numbers."""
    from pydantic_core import core_schema

    check = functools.partial(_no_truth_value, values=[each.value for each in source])
    return core_schema.no_info_before_validator_function(check, go_on(source))


def _no_truth_value(value: Any, *, values: Iterable[Any]) -> Any:
    """The value, unless it is True or False, and only equals one of the values: True equals 1."""
    if isinstance(value, bool) and not any(each is value for each in values):
        raise ValueError(f"{value} is a truth value, and not one of {list(values)}")
    return value


def _typed_dict(source: Any, go_on: Any) -> Any:
    """A TypedDict of `typing`, which pydantic refuses before Python 3.12, as one of `typing_extensions`."""
    import typing_extensions

    hints = typing.get_type_hints(source, include_extras=True)
    fields = {}
    for name, hint in hints.items():
        own = getattr(typing.get_origin(hint), "_name", "")
        is_required = own == "Required" or (own != "NotRequired" and name in source.__required_keys__)
        wrap: Any = typing_extensions.Required if is_required else typing_extensions.NotRequired
        fields[name] = wrap[_without_qualifiers(hint)]
    make: Any = typing_extensions.TypedDict
    same = make(source.__name__, fields)
    same.__module__, same.__qualname__, same.__doc__ = source.__module__, source.__qualname__, source.__doc__
    return go_on.generate_schema(same)


def _exact(annotation: Any) -> Any:
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if annotation in _LISTS or origin in _LISTS:
        return list[_exact(inner[0])] if inner else list  # type: ignore[misc]
    if origin is typing.Literal and any(type(each) is int for each in inner):
        from pydantic import BeforeValidator

        return typing.Annotated[annotation, BeforeValidator(functools.partial(_no_truth_value, values=inner))]
    if origin is typing.Annotated:
        return typing.Annotated[(_exact(inner[0]), *annotation.__metadata__)]
    if origin in (typing.Union, types.UnionType):
        return typing.Union[tuple(_exact(each) for each in inner)]  # noqa: UP007
    if origin in (list, dict, set, frozenset, tuple) and inner:
        return origin[tuple(each if each is Ellipsis else _exact(each) for each in inner)]
    return annotation
