"""Named values of given types, as one pydantic model: their JSON Schema, and JSON checked and made into them.

Types are exact (`True` and "5" are no `int`; 5.0 is, as JSON has it). The model's fields have names of ours, and the
names on the wire are aliases, so that any name will do.
"""

from __future__ import annotations

import json
import re
import typing
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...errors import CellError
from ...wire import fix_surrogates
from ...wire.short_text import one_line, short_repr
from . import classes

_CONFIG = {"strict": True, "allow_inf_nan": False, "regex_engine": "python-re", "protected_namespaces": ()}
_DEEPEST = 10  # classes within classes, for an error
_MOST_FAULTS = 3  # in one line
MISSING: Any = type("Missing", (), {})()  # in the place of a default; None is one


class Unfit(ValueError):
    """JSON that is not of the types wanted: where it stands, what is wrong, and what was seen, in one line."""


@dataclass(frozen=True, kw_only=True)
class Field:
    """One named value.

    Attributes:
        name: On the wire, unless an alias of pydantic's stands in its annotation.
        annotation: Its type; pydantic's `Field` may stand in it, or be the default.
        default: As Python has it; `MISSING` if there is none.
        place: What an error calls it; `""` for its name, after what it is of.
    """

    name: str
    annotation: Any
    default: Any = MISSING
    description: str = ""
    place: str = ""


class Model:
    """The values of several fields.

    Attributes:
        names: On the wire, in the order of the fields.
    """

    def __init__(self, fields: Sequence[Field], where: str) -> None:
        """Build it.

        Args:
            where: What the fields are of, for errors.

        Raises:
            CellError: A field cannot be expressed; it is named.
        """
        self._where = where
        self._untold: set[str] = set()
        self._model = _built(fields, where, self._untold)
        own = self._model.model_fields.values()
        self.names = [_wire_name(each) for each in own]
        self._ours = dict(zip(self.names, self._model.model_fields, strict=True))
        self._has_default = {name for name, each in zip(self.names, own, strict=True) if not each.is_required()}

    def schema(self) -> dict[str, Any]:
        """The JSON Schema of an object with these fields, and no others.

        Raises:
            CellError: A field cannot be expressed; it is named.
        """
        from .json_schema import Generator, for_request

        try:
            whole = self._model.model_json_schema(schema_generator=Generator)
        except Exception as error:  # of any class of pydantic's
            raise _no_schema(self._where, error) from None
        whole.pop("title", None)
        whole.setdefault("properties", {})
        whole.setdefault("required", [])
        for name, own in self._ours.items():
            if own in self._untold:
                whole["properties"][name].pop("default", None)
        return for_request(whole)

    def values(self, arguments: Any) -> dict[str, Any]:
        """What `given`, from JSON, stands for, by the names on the wire; what is missing stays missing.

        Raises:
            Unfit: It stands for nothing.
        """
        model = self._validate(arguments)
        return {name: getattr(model, own) for name, own in self._ours.items() if own in model.model_fields_set}

    def default(self, name: str) -> Any:
        """A default that pydantic's `Field` gives; `MISSING` if there is none."""
        field = self._model.model_fields[self._ours[name]]
        return field.get_default(call_default_factory=True) if name in self._has_default else MISSING

    def _validate(self, arguments: Any) -> Any:
        from pydantic import ValidationError

        try:
            text = _text(arguments)
            try:
                return self._model.model_validate_json(text)
            except ValidationError as error:
                whole = _text(_with_whole_numbers(arguments))
                if whole == text:
                    raise
                try:
                    return self._model.model_validate_json(whole)
                except ValidationError:
                    raise error from None
        except ValidationError as error:
            raise Unfit(_line(error, self.names)) from _cause(error)
        except RecursionError:
            raise Unfit("it is nested too deeply") from None
        except Unfit:
            raise
        except Exception as error:  # what a class of the reader's raises
            raise Unfit(f"{type(error).__name__}: {error}") from error


def _built(fields: Sequence[Field], where: str, without_default: set[str]) -> Any:
    """The model; the names of its fields whose defaults JSON cannot say are added to `untold`."""
    import pydantic

    names = {f"claude_magic_{at}": field for at, field in enumerate(fields)}
    config: Any = {
        **_CONFIG,
        "extra": "forbid",
        "alias_generator": lambda own: names[own].name if own in names else own,  # a dataclass in it asks, too
    }
    definitions = {}
    for own, field in names.items():
        definitions[own], is_told = _field(field, field.place or f"{where}.{field.name}")
        if not is_told:
            without_default.add(own)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of defaults and aliases that are of no use here
        return pydantic.create_model("Arguments", __config__=config, **definitions)  # type: ignore[call-overload]


def _field(field: Field, where: str) -> tuple[tuple[Any, Any], bool]:
    """A field as pydantic takes it, tried alone so that an error names it, and whether its default can be told."""
    import pydantic

    from .json_schema import Generator

    if name := classes.old_model(field.annotation):
        raise CellError(
            f"no schema for {where}: {name} is a model of pydantic 1. Derive it from pydantic.BaseModel of pydantic 2."
        )
    annotation, default = classes.readable(field.annotation), field.default
    if type(default).__name__ == "FieldInfo":
        annotation, default = typing.Annotated[annotation, default], MISSING
    own: dict[str, Any] = {"description": field.description} if field.description else {}
    own |= {} if default is MISSING else {"default": default}
    config: Any = {**_CONFIG, "populate_by_name": True}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            pair = (annotation, pydantic.Field(**own))
            alone: Any = pydantic.create_model("Alone", __config__=config, it=pair)
            schema = alone.model_json_schema(schema_generator=Generator, by_alias=False)["properties"]["it"]
    except Exception as error:  # of any class of pydantic's, or the reader's
        for name, inner in classes.fields(field.annotation) if where.count(".") < _DEEPEST else ():
            _field(Field(name=name, annotation=inner), f"{where}.{name}")  # one of them is at fault, and says so
        problem = _no_schema(where, error)
        raise problem from (NameError(str(problem)) if "is not defined" in str(problem) else None)
    try:
        alone.model_validate_json(json.dumps({"it": schema["default"]} if "default" in schema else {"it": None}))
    except Exception:  # it does not fit its own type
        return pair, "default" not in schema
    return pair, True


def _no_schema(where: str, error: Exception) -> CellError:
    if missing := re.search("you should define `(.+?)`|name '(.+?)' is not defined", str(error)):
        return CellError(
            f"no schema for {where}: name {(missing[1] or missing[2])!r} is not defined. Annotations must name what a "
            "cell above defines, outside of functions."
        )
    reason = one_line(str(error).partition(" Set `arbitrary_types")[0].partition("\n\nFor further")[0], 200).rstrip(".")
    reason = reason.removeprefix("Unable to generate pydantic-core schema for ")
    return CellError(f"no schema for {where}: JSON has no form for this: {reason}. Give it another type.")


def _wire_name(info: Any) -> str:
    alias = info.validation_alias
    if not isinstance(alias, str):
        first = getattr(alias, "choices", [None])[0]  # of an AliasChoices
        alias = first if isinstance(first, str) else info.alias
    return str(alias)


def _text(arguments: Any) -> str:
    try:
        if isinstance(arguments, Mapping):
            arguments = {str(name): value for name, value in arguments.items()}
        return fix_surrogates(json.dumps(arguments, ensure_ascii=False, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise Unfit(f"{short_repr(arguments)} is not JSON: {error}") from None


def _with_whole_numbers(value: Any) -> Any:
    """`value` with integers in the place of numbers such as 5.0."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, Mapping):
        return {name: _with_whole_numbers(inner) for name, inner in value.items()}
    return [_with_whole_numbers(inner) for inner in value] if isinstance(value, list) else value


def _line(error: Any, names: Sequence[str]) -> str:
    """The errors that lie deepest: of the branches of a union, that is the one that was meant."""
    details = error.errors(include_url=False, include_context=False)
    deepest = max(len(each["loc"]) for each in details)
    deep = [each for each in details if len(each["loc"]) == deepest]
    lines = [f"{'/'.join(map(str, each['loc']))}: {each['msg']}".removeprefix(": ") for each in deep[:_MOST_FAULTS]]
    known = ""
    if deepest == 1 and deep[0]["type"] == "extra_forbidden":
        known = f"; there is {', '.join(map(repr, names)) or 'nothing else'}"
    return f"{'; '.join(one_line(each, 200) for each in lines)}, seen {short_repr(deep[0]['input'])}{known}"


def _cause(error: Any) -> BaseException | None:
    """What a class of the reader's raised."""
    inner = (each.get("ctx", {}).get("error") for each in error.errors(include_url=False, include_input=False))
    return next((each for each in inner if isinstance(each, BaseException)), None)
