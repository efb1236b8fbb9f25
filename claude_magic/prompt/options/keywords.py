"""Reads options given as keyword arguments: the names of the line, with underscores, and the same rules for values.

`attach=["df"]` is `-a df`, `no_stream=True` is `--no-stream`, `as_="json"` is `--as json`; a list repeats an option, a
dict gives its pairs. `None` and `False` leave an option out.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from ...errors import CellError
from .option import Option, Scope
from .options import Options, Pair, check, nearest
from .table import SERVER_TOOLS, all_options, find, in_scope

_OBJECTS = {"attach", "schema"}  # options that take the thing itself besides its name
_PAIRS = {"param", "header"}
_SEVERAL_PAIRS = {"query", "file"}


def options_of(keywords: Mapping[str, Any]) -> Options:
    """The options of a call of `claude`.

    Raises:
        CellError: There is no such option, or its value is invalid.
    """
    return _read(keywords, all_options())


def options_of_many(keywords: Mapping[str, Any], others: Collection[str] = ()) -> Options:
    """The options of `claude.map` and `claude.count`, which show no reply and attach nothing.

    Args:
        others: Further arguments of the call, which a misspelled name may have meant.

    Raises:
        CellError: There is no such option there, or its value is invalid.
    """
    return _read(keywords, in_scope(Scope.MAP), others)


def check_flags(**flags: object) -> None:
    """Refuses what is neither True nor False: to Python the text "no" is true.

    Raises:
        CellError: One of them is something else.
    """
    for name, value in flags.items():
        if not isinstance(value, bool):
            raise CellError(f"{name} is True or False: {value!r}.")


def grading_keywords(keywords: Mapping[str, Any]) -> dict[str, Any]:
    """Those keywords of `claude.map` that also apply to the model that grades."""
    return {name: value for name, value in keywords.items() if _find(name) in in_scope(Scope.GRADE)}


def _read(keywords: Mapping[str, Any], allowed: Collection[Option], others: Collection[str] = ()) -> Options:
    values: dict[str, Any] = {}
    fields = {field for option in allowed for field in (option.target, option.also) if field}
    for name, value in keywords.items():
        option = _find(name)
        if option is None or not {option.target, option.also or option.target} <= fields:
            raise CellError(_unknown(name, allowed, others))
        if value is not None:
            _keep(values, name, option, value)
    return check(Options(**values))


def _unknown(name: str, allowed: Collection[Option], others: Collection[str]) -> str:
    """Why `name` is no option there, and what to write."""
    short = find(f"-{name}")
    if short is not None and name not in ("", "-"):
        return f"no option {name!r}: from Python it is called {short.keyword}."
    known = sorted({each.keyword for each in allowed})
    if _find(name) is not None:
        return f"{name!r} is an option of claude(...) and %%claude; this call takes {', '.join(known)}."
    return f"no option {name!r}.{nearest(name, [*known, *others])}"


def _find(name: str) -> Option | None:
    """The option that has this name on the line, or that sets the field of this name."""
    option = find("--" + name.removesuffix("_").replace("_", "-"))
    if option is not None or name != "fresh":
        return option or next((each for each in all_options() if each.target == name), None)
    return Option(names=("--fresh",), help="")


def _keep(values: dict[str, Any], name: str, option: Option, value: Any) -> None:
    target = option.target
    if target == "server_tools" and name == "server_tools":
        for each in _several(value):
            _keep(values, str(each).replace("-", "_"), _server_tool(str(each)), True)
    elif not option.words:
        check_flags(**{name: value})
        if name in ("stream", "panel", "no_stream", "no_panel"):
            values[target] = value != name.startswith("no_")
        elif value:
            _add(values, option, True if option.read is str else option.read())
    elif isinstance(value, bool) and option.is_optional:
        if value:
            _add(values, option, option.omitted)
    elif target in _PAIRS:
        if not isinstance(value, Mapping):
            raise CellError(f"{name} takes a dict: {value!r}.")
        values[target] = {**values.get(target, {}), **value}
    elif target in _SEVERAL_PAIRS:
        if not isinstance(value, Mapping):
            raise CellError(f"{name} takes a dict: {value!r}.")
        given = [Pair(str(each), str(one)) for each, inner in value.items() for one in _several(inner)]
        values[target] = (*values.get(target, ()), *given)
    elif target == "compare":
        values[target] = _word(name, option, *_compare_words(value))
    elif option.gather:
        for each in _several(value):
            _add(values, option, each if _is_object(target, each) else _word(name, option, each))
    else:
        _add(values, option, value if _is_object(target, value) else _word(name, option, value))


def _server_tool(name: str) -> Option:
    option = find(f"--{name.replace('_', '-')}")
    if option is None or option.target != "server_tools":
        raise CellError(
            f"no server tool {name!r}.{nearest(name, list(SERVER_TOOLS))} Known: {', '.join(SERVER_TOOLS)}."
        )
    return option


def _is_object(target: str, value: Any) -> bool:
    return target in _OBJECTS and not isinstance(value, str)


def _add(values: dict[str, Any], option: Option, value: Any) -> None:
    if option.also:
        values[option.also] = True
    values[option.target] = (*values.get(option.target, ()), value) if option.gather else value


def _several(value: Any) -> Iterator[Any]:
    """The items of a list, or the value itself."""
    if isinstance(value, list | tuple | set | frozenset):
        yield from value
    else:
        yield value


def _word(name: str, option: Option, *values: Any) -> Any:
    """The value that the option reads, as if it had been typed."""
    for value in values:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise CellError(f"{name} takes {_expected(option)}, not {type(value).__name__}: {value!r:.80}.")
    try:
        return option.read(*(value if isinstance(value, str) else repr(value) for value in values))
    except ValueError as error:
        raise CellError(f"{name} {error}: {values[-1]!r:.80}.") from None


def _expected(option: Option) -> str:
    return "a number" if option.words[0] in ("N", "X") and option.target not in _OBJECTS else "text"


def _compare_words(value: Any) -> list[str]:
    """The words `NAME=A,B` of a dict of lists, or the words themselves."""
    if isinstance(value, Mapping):
        return [f"{name}={','.join(map(str, _several(each)))}" for name, each in value.items()]
    return [each if isinstance(each, str) else repr(each) for each in _several(value)]


def words_of(keywords: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    """The same options as words of a cell's first line.

    Raises:
        CellError: A value is an object, which a line cannot hold.
    """
    for name, value in keywords.items():
        option = _find(name)
        if option is None or value is None or (value is False and option.target not in ("stream", "panel")):
            continue
        dashed = option.names[-1]
        if value is True or value is False:
            yield (f"--no-{option.target}",) if value is False else (dashed,)
        elif isinstance(value, Mapping):
            pairs = (
                (each, inner if isinstance(inner, str) and name == "header" else json.dumps(inner))
                for each, inner in value.items()
            )
            yield from ((dashed, *_compare_words(value)),) if name == "compare" else ((dashed, *pair) for pair in pairs)
        else:
            for each in _several(value):
                if not isinstance(each, str | int | float):
                    raise CellError(f"{name}: a snippet keeps names, not a {type(each).__name__}. Give its name.")
                yield dashed, str(each)
