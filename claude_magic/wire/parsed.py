"""Replies as objects of the type, or of the schema, that was asked for."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from ..errors import CellError, ClaudeError
from . import typed
from .fences import code
from .schema import schema
from .unfit import Unfit, one_line, seen, shortened


class Misfit(ClaudeError):
    """A reply that is not of the form that was asked for; it is kept in `claude.last`."""


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
    return Misfit(f"the reply does not fit {name}: {one_line(rule)}. It is in claude.last.text.")
