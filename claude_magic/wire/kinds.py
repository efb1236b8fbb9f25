"""What an annotation says: its type, its description, its choices, and the fields of a class.

No library is imported for asking: pydantic's and typing_extensions' own are known by their attributes.
"""

from __future__ import annotations

import collections
import collections.abc
import dataclasses
import enum
import typing
from collections.abc import Callable, Iterable
from typing import Any

PLAIN: dict[Any, str] = {str: "string", int: "integer", float: "number", bool: "boolean", type(None): "null"}
ARRAYS: dict[Any, Callable[[Iterable[Any]], Any]] = {
    **{kind: kind for kind in (list, tuple, set, frozenset, collections.deque)},
    **{getattr(collections.abc, name): list for name in ("Sequence", "MutableSequence", "Collection", "Iterable")},
    **{getattr(collections.abc, name): set for name in ("Set", "MutableSet")},
}
MAPS = (dict, collections.abc.Mapping, collections.abc.MutableMapping)
UNTOLD: Any = type("Untold", (), {})()  # in place of a default; dataclasses.MISSING cannot stand as one
_QUALIFIERS = ("Required", "NotRequired", "ReadOnly", "ClassVar")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Field:
    """One named value of an object, or one parameter of a function.

    Attributes:
        default: As Python has it; `UNTOLD` if there is none.
    """

    name: str
    kind: Any
    required: bool = True
    description: str = ""
    default: Any = UNTOLD


def fields(kind: Any) -> list[Field]:
    """What a dataclass or NamedTuple is made from, or a TypedDict holds.

    Raises:
        NameError: An annotation names what does not exist.
    """
    hints = typing.get_type_hints(kind, include_extras=True)
    if is_typed_dict(kind):
        return [_key(name, hint, kind.__required_keys__) for name, hint in hints.items()]
    missing = dataclasses.MISSING
    if is_named_tuple(kind):
        defaults = kind._field_defaults
        return [
            Field(
                name=name, kind=hints.get(name, Any), required=name not in defaults, default=defaults.get(name, UNTOLD)
            )
            for name in kind._fields
        ]
    return [
        Field(
            name=field.name,
            kind=hints[field.name],
            required=field.default is missing and field.default_factory is missing,
            description=str(field.metadata.get("description") or ""),
            default=UNTOLD if field.default is missing else field.default,
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
        elif isinstance(kind, typing.TypeVar):
            kind = kind.__bound__ or (typing.Union[kind.__constraints__] if kind.__constraints__ else Any)  # noqa: UP007
        else:
            return kind, description, frozenset(qualifiers)


def notes(kind: Any) -> tuple[Any, ...]:
    """What is noted around a type, the innermost first."""
    if typing.get_origin(kind) is typing.Annotated:
        return (*notes(kind.__origin__), *kind.__metadata__)
    if getattr(typing.get_origin(kind), "_name", None) in _QUALIFIERS:
        return notes(typing.get_args(kind)[0])
    return notes(kind.__supertype__) if hasattr(kind, "__supertype__") else ()


def choices(kind: Any) -> list[tuple[Any, Any]]:
    """What JSON may say for a Literal or an Enum, and what each stands for."""
    listed = list(kind) if is_enum(kind) else typing.get_args(kind)
    return [(one.value if isinstance(one, enum.Enum) else one, one) for one in listed]


def is_typed_dict(kind: Any) -> bool:
    """Whether `kind` is a TypedDict, that of typing_extensions included."""
    return isinstance(kind, type) and issubclass(kind, dict) and hasattr(kind, "__required_keys__")


def is_record(kind: Any) -> bool:
    """Whether `kind` is a class whose fields can be listed."""
    return isinstance(kind, type) and (dataclasses.is_dataclass(kind) or is_typed_dict(kind) or is_named_tuple(kind))


def is_named_tuple(kind: Any) -> bool:
    """Whether `kind` is a tuple class whose items have names."""
    return isinstance(kind, type) and issubclass(kind, tuple) and hasattr(kind, "_field_defaults")


def is_model(kind: Any) -> bool:
    """Whether `kind` is a model class of pydantic's, which is not imported for asking."""
    return isinstance(kind, type) and hasattr(kind, "model_json_schema") and hasattr(kind, "model_validate_json")


def is_foreign(kind: Any) -> bool:
    """Whether only pydantic knows what `kind` is: one of its own types, or a note that is more than a limit."""
    if typing.get_origin(kind) is typing.Annotated:
        return any(_is_foreign_note(note) for note in notes(kind)) or is_foreign(kind.__origin__)
    own = isinstance(kind, type) and not typing.get_args(kind) and not is_model(kind)
    return own and (hasattr(kind, "__get_pydantic_core_schema__") or hasattr(kind, "__pydantic_validator__"))


def _is_foreign_note(note: Any) -> bool:
    own = type(note)
    if own.__name__ == "FieldInfo":
        return any(_is_foreign_note(inner) for inner in note.metadata)
    if own.__name__ == "_PydanticGeneralMetadata":
        return not vars(note).keys() <= {"pattern"}
    return (
        own.__module__.startswith("pydantic.")
        or own.__name__ == "Predicate"
        or hasattr(own, "__get_pydantic_core_schema__")
    )


def is_alias(kind: Any) -> bool:
    """Whether `kind` was made by a `type` statement."""
    return type(kind).__name__ == "TypeAliasType"


def is_enum(kind: Any) -> bool:
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
