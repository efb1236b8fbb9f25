"""Fields with types, as one pydantic model: generates their JSON Schema, and validates JSON into their values.

Types are exact (`True` and "5" are not an `int`; 5.0 is, as in JSON). The model's own field names are generated, and
the names in the JSON are aliases, so that any name is possible.
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
_DEEPEST = 10  # levels of nested classes that are searched for the cause of an error
_MOST_FAULTS = 3  # errors in one message
MISSING: Any = type("Missing", (), {})()  # stands for no default; None is a default


class Unfit(ValueError):
    """JSON that does not match the types; the message says where, what is wrong and what was received, on one line."""


@dataclass(frozen=True, kw_only=True)
class Field:
    """A named value with its type.

    Attributes:
        name: The name in the JSON, unless the annotation has a pydantic alias.
        annotation: The type; it may contain pydantic's `Field`, which may also be the default.
        default: The default value; `MISSING` if there is none.
        place: The name in errors; `""` for `where.name`.
    """

    name: str
    annotation: Any
    default: Any = MISSING
    description: str = ""
    place: str = ""


class Model:
    """The values of several fields.

    Attributes:
        names: The names in the JSON, in the order of the fields.
    """

    def __init__(self, fields: Sequence[Field], where: str) -> None:
        """Builds the model.

        Args:
            where: The owner of the fields, for errors.

        Raises:
            CellError: A field cannot be expressed; it is named.
        """
        self._where = where
        self._without_default: set[str] = set()
        self._model = _create_model(fields, where, self._without_default)
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
            if own in self._without_default:
                whole["properties"][name].pop("default", None)
        return for_request(whole)

    def values(self, arguments: Any) -> dict[str, Any]:
        """The values of the arguments, by their names in the JSON; missing arguments stay missing.

        Raises:
            Unfit: They do not match the types.
        """
        model = self._validate(arguments)
        return {name: getattr(model, own) for name, own in self._ours.items() if own in model.model_fields_set}

    def default(self, name: str) -> Any:
        """The default of a field; `MISSING` if it has none."""
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
        except Exception as error:  # raised by one of the user's classes
            raise Unfit(f"{type(error).__name__}: {error}") from error


def _create_model(fields: Sequence[Field], where: str, without_default: set[str]) -> Any:
    """The model; adds the fields whose defaults cannot be written as JSON to `without_default`."""
    import pydantic

    names = {f"claude_magic_{at}": field for at, field in enumerate(fields)}
    config: Any = {
        **_CONFIG,
        "extra": "forbid",
        "alias_generator": lambda own: (
            names[own].name if own in names else own
        ),  # also called for the fields of dataclasses
    }
    definitions = {}
    for own, field in names.items():
        definitions[own], has_json_default = _field(field, field.place or f"{where}.{field.name}")
        if not has_json_default:
            without_default.add(own)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about defaults and aliases, which do not matter here
        return pydantic.create_model("Arguments", __config__=config, **definitions)  # type: ignore[call-overload]


def _field(field: Field, where: str) -> tuple[tuple[Any, Any], bool]:
    """The definition for pydantic, checked alone so that errors name the field; whether JSON can hold its default."""
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
    except Exception as error:  # any class, of pydantic or of the user
        for name, inner in classes.fields(field.annotation) if where.count(".") < _DEEPEST else ():
            _field(Field(name=name, annotation=inner), f"{where}.{name}")  # the field at fault raises its own error
        problem = _no_schema(where, error)
        raise problem from (NameError(str(problem)) if "is not defined" in str(problem) else None)
    try:
        alone.model_validate_json(json.dumps({"it": schema["default"]} if "default" in schema else {"it": None}))
    except Exception:  # the default does not match its own type
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
    """`value` with numbers such as 5.0 as integers."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, Mapping):
        return {name: _with_whole_numbers(inner) for name, inner in value.items()}
    return [_with_whole_numbers(inner) for inner in value] if isinstance(value, list) else value


def _line(error: Any, names: Sequence[str]) -> str:
    """A message with the most deeply nested errors: in a union, those of the intended branch."""
    details = error.errors(include_url=False, include_context=False)
    deepest = max(len(each["loc"]) for each in details)
    deep = [each for each in details if len(each["loc"]) == deepest]
    lines = [f"{'/'.join(map(str, each['loc']))}: {each['msg']}".removeprefix(": ") for each in deep[:_MOST_FAULTS]]
    known = ""
    if deepest == 1 and deep[0]["type"] == "extra_forbidden":
        known = f"; there is {', '.join(map(repr, names)) or 'nothing else'}"
    return f"{'; '.join(one_line(each, 200) for each in lines)}, seen {short_repr(deep[0]['input'])}{known}"


def _cause(error: Any) -> BaseException | None:
    """The exception that one of the user's classes raised; `None` if none did."""
    inner = (each.get("ctx", {}).get("error") for each in error.errors(include_url=False, include_input=False))
    return next((each for each in inner if isinstance(each, BaseException)), None)
