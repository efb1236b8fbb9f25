"""Looks up the value of a template: attributes and items, with no call and no computed attribute."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Iterable, Mapping
from contextlib import suppress
from itertools import islice
from types import BuiltinMethodType, MethodType
from typing import Any

from ..errors import CellError, did_you_mean
from .template_parser import Step, Template

_LOOK = " Look at the value."
_MAX_NAMES = 2000  # names or keys that are compared to find similar ones


def template_value(template: Template, value: Any) -> Any:
    """The value at the end of the template's steps from the variable's `value`.

    Raises:
        CellError: An attribute or item does not exist, is private or is a method.
    """
    for number, step in enumerate(template.steps, 1):
        where = template.place(number)
        value = _attribute(value, str(step.key), where) if step.is_attribute else _item(value, step, where)
    return value


def _attribute(value: Any, name: str, where: str) -> Any:
    """The attribute `name` of `value`: an own one, one of its class, a slot or a property.

    A property runs, since its author declared it as data; `__getattr__` and `__getattribute__` never run, since they
    compute their answer.
    """
    if name.startswith("_"):
        raise CellError(f"{where} is refused: an underscore in front says private. Put it in a variable first.")
    is_class = issubclass(type(value), type)
    try:
        inspect.getattr_static(value, name)
    except AttributeError:
        near = suggestion(name, [*_attributes(value), *_keys(value)])
        raise CellError(f"{where} does not exist: {_kind(value)} holds no {name}.{near or _LOOK}") from None
    try:
        result = type.__getattribute__(value, name) if is_class else object.__getattribute__(value, name)
    except Exception as error:
        raise CellError(f"{where} cannot be read: {type(error).__name__}. Put it in a variable first.") from error
    if isinstance(result, MethodType | BuiltinMethodType) and result.__self__ is value:
        raise CellError(f"{where} is refused: a method, and nothing is called. Put its result in a variable first.")
    return result


def _item(value: Any, step: Step, where: str) -> Any:
    """The item under the key; `__missing__` of a dictionary is not used."""
    get = getattr(type(value), "__getitem__", None)
    if get is None:
        raise CellError(f"{where} does not exist: {_kind(value)} has no items.{_LOOK}")
    try:
        if isinstance(value, dict) and step.key not in value:
            raise KeyError
        return get(value, step.key)
    except TypeError:
        seen = f"{_kind(value)} does not take {step.typed}"
    except KeyError:
        seen = f"{_kind(value)} has no {step.typed}"
    except IndexError:
        seen = f"{_kind(value)} has no {step.typed} among its {len(value):,} items"
    except Exception as error:
        raise CellError(f"{where} cannot be read: {type(error).__name__}. Put it in a variable first.") from error
    keys = _keys(value)
    there = f" It has {', '.join(key[:40] for key in keys[:5])}." if keys else _LOOK
    raise CellError(f"{where} does not exist: {seen}.{suggestion(str(step.key), keys) or there}")


def _attributes(value: Any) -> list[str]:
    """The public data attributes of `value`, as a template writes them."""
    with suppress(Exception):
        known = type.__dir__(value) if issubclass(type(value), type) else object.__dir__(value)
        public = [name for name in known if not name.startswith("_")]
        return [f".{name}" for name in public if not inspect.isroutine(inspect.getattr_static(value, name))]
    return []


def _keys(value: Any) -> list[str]:
    """The keys of a mapping or the columns of a table, as a template writes them."""
    with suppress(Exception):
        keys = value if isinstance(value, Mapping) else object.__getattribute__(value, "columns")
        return [f'["{key}"]' if isinstance(key, str) else f"[{key}]" for key in islice(keys, _MAX_NAMES)]
    return []


def _kind(value: Any) -> str:
    return f"the {type(value).__name__}"


def suggestion(missing: str, known: Iterable[str]) -> str:
    """A sentence with the known names that are similar to `missing`; `""` if there are none."""
    bare = {name.strip('[".]').casefold(): name for name in islice(known, _MAX_NAMES)}
    near = difflib.get_close_matches(missing.casefold(), bare, n=3, cutoff=0.5)
    return did_you_mean(bare[name] for name in near)
