"""Tools from Python functions."""

from __future__ import annotations

import asyncio
import collections
import copy
import enum
import functools
import inspect
import json
import operator
import pickle
import re
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, NewType, Optional, TypeVar, Union

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claude_magic.errors import ArgumentsError, CellError, ClaudeError
from claude_magic.tools.schema.docstrings import documentation
from claude_magic.tools.schema.from_function import mark, schema_of, tool_of
from claude_magic.wire.tool import Tool

pydantic = pytest.importorskip("pydantic")
typing_extensions = pytest.importorskip("typing_extensions")
beta_tool = pytest.importorskip("anthropic").beta_tool


class Unit(enum.Enum):
    CELSIUS = "c"
    FAHRENHEIT = "f"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


@dataclass(frozen=True)
class Point:
    """Where something is."""

    x: float
    y: float = 0.0


class Size(NamedTuple):
    width: int
    height: Annotated[int, "in pixels"] = 10


class Movie(typing_extensions.TypedDict, total=False):
    title: str
    year: typing_extensions.Required[int]


@dataclass
class Tree:
    value: int
    children: list[Tree] = field(default_factory=list)


class City(pydantic.BaseModel):
    name: str = pydantic.Field(min_length=1)
    at: Point | None = None


@pydantic.dataclasses.dataclass
class Bounded:
    n: int = pydantic.Field(ge=1, description="how many")


UserId = NewType("UserId", int)
Names = typing_extensions.TypeAliasType("Names", list[str])
Number = TypeVar("Number", int, float)


def argument(annotation: Any, **default: Any) -> dict[str, Any]:
    """The schema of an argument with this annotation; what it refers to stands in its place."""
    whole = schema_of(taking(annotation, **default))["input_schema"]
    return inlined(whole["properties"]["x"], whole.get("$defs", {}))


def inlined(schema: Any, definitions: Mapping[str, Any]) -> Any:
    if isinstance(schema, list):
        return [inlined(item, definitions) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        beside = {name: value for name, value in schema.items() if name != "$ref"}
        schema = {**definitions[schema["$ref"].rpartition("/")[2]], **beside}
    return {name: inlined(item, definitions) for name, item in schema.items()}


def taking(annotation: Any, **default: Any) -> Callable[[Any], Any]:
    """A function that gives its argument back."""

    def same(x: Any = None) -> Any:
        return x

    same.__annotations__ = {"x": annotation}
    same.__defaults__ = (default["default"],) if default else None
    return same


def given_to(annotation: Any, value: Any) -> Any:
    return tool_of(taking(annotation)).run({"x": value})  # type: ignore[misc]


def test_a_function_becomes_a_definition() -> None:
    def get_weather(city: str, days: int = 3, unit: Literal["c", "f"] = "c") -> dict[str, Any]:
        """Weather of a place.

        Slow, and only for Europe.

        Args:
            city: Its name,
                such as Rome.
            days (int): How many.

        Returns:
            Degrees by day.

        Raises:
            ValueError: No such city.
        """
        return {"city": city, "days": days, "unit": unit}

    assert schema_of(get_weather) == {
        "name": "get_weather",
        "description": "Weather of a place.\n\nSlow, and only for Europe.\n\nReturns: Degrees by day.",
        "input_schema": {
            "type": "object",
            "properties": {
                "city": {"type": "string", "description": "Its name,\nsuch as Rome."},
                "days": {"type": "integer", "description": "How many.", "default": 3},
                "unit": {"type": "string", "enum": ["c", "f"], "default": "c"},
            },
            "required": ["city"],
            "additionalProperties": False,
        },
    }
    tool = tool_of(get_weather)
    assert tool.run is not None
    assert tool.run({"city": "Rome", "days": 2.0}) == {"city": "Rome", "days": 2, "unit": "c"}
    assert (tool.name, tool.approve, tool.parallel) == ("get_weather", True, False)
    assert list(tool_of(get_weather, strict=True).definition) == ["name", "description", "input_schema", "strict"]


NUMPY = """Weather of a place.

Slow.

Parameters
----------
city : str
    Its name.
days, hours : int
    How many.

Returns
-------
dict
    Degrees.

Warnings
--------
Costs money.

Examples
--------
>>> f("Rome")
"""
SPHINX = """Weather of a place.

Slow.

:param str city: Its name.
:param days: How many.
:type days: int
:param hours: How many.
:returns: Degrees.
:raises ValueError: Never.
"""
GOOGLE = """Weather of a place.

    Slow.

    Args:
        city (str): Its name.
        days: How many.
        hours (int, optional): How many.

    Returns:
        dict: Degrees.
"""
EPYDOC = """Weather of a place.

Slow.

@param city: Its name.
@param days: How many.
@param hours: How many.
@return: Degrees.
"""


@pytest.mark.parametrize("docstring", [NUMPY, SPHINX, GOOGLE, EPYDOC])
def test_docstrings_of_every_style_say_the_same(docstring: str) -> None:
    found = documentation(docstring)
    assert found.text.startswith("Weather of a place.\n\nSlow.\n\nReturns: Degrees.")
    assert found.arguments == {"city": "Its name.", "days": "How many.", "hours": "How many."}
    assert ("Costs money." in found.text) == (docstring is NUMPY)
    assert "ValueError" not in found.text
    assert ">>>" not in found.text


@pytest.mark.parametrize("text", ["", None, "   "])
def test_no_docstring_is_no_description(text: str | None) -> None:
    def bare() -> None: ...

    bare.__doc__ = text
    assert list(schema_of(bare)) == ["name", "input_schema"]


@given(st.text() | st.lists(st.sampled_from(["Args:", "  x: y", ":param", ":type x", "----", "Parameters", "@p", ""])))
def test_any_docstring_is_read(text: Any) -> None:
    found = documentation(text if isinstance(text, str) else "\n".join(text))
    assert isinstance(found.text, str)


def test_what_is_annotated_counts_more_than_the_docstring() -> None:
    def f(
        a: Annotated[int, "from a note"],
        b: Annotated[int, pydantic.Field(description="from a field")],
        c: Annotated[int, typing_extensions.Doc("from a doc")],
        d: int,
        e: Annotated[Optional[Point], "from a note"] = None,  # noqa: UP045
    ) -> None:
        """Do.

        Args:
            a: from the docstring
            b: from the docstring
            c: from the docstring
            d: from the docstring
            e: from the docstring
        """

    told = {name: each["description"] for name, each in schema_of(f)["input_schema"]["properties"].items()}
    assert told == {
        "a": "from a note",
        "b": "from a field",
        "c": "from a doc",
        "d": "from the docstring",
        "e": "from a note",
    }


@pytest.mark.parametrize(
    ("annotation", "expected", "value", "made"),
    [
        (str, {"type": "string"}, "a", "a"),
        (int, {"type": "integer"}, 3.0, 3),
        (float, {"type": "number"}, 3, 3.0),
        (bool, {"type": "boolean"}, True, True),
        (None, {"type": "null"}, None, None),
        (Any, {}, [1, None], [1, None]),
        (inspect.Parameter.empty, {}, "any", "any"),
        (Number, {"anyOf": [{"type": "integer"}, {"type": "number"}]}, 0.5, 0.5),
        (int | None, {"anyOf": [{"type": "integer"}, {"type": "null"}]}, None, None),
        (Union[int, str], {"anyOf": [{"type": "integer"}, {"type": "string"}]}, "1", "1"),  # noqa: UP007
        (Literal["a", 1, None], {"enum": ["a", 1, None]}, None, None),
        (Unit, {"type": "string", "enum": ["c", "f"]}, "f", Unit.FAHRENHEIT),
        (Level, {"type": "integer", "enum": [1, 2]}, 2, Level.HIGH),
        (list, {"type": "array", "items": {}}, [1, "a"], [1, "a"]),
        (list[int], {"type": "array", "items": {"type": "integer"}}, [1], [1]),
        (tuple[int, ...], {"type": "array", "items": {"type": "integer"}}, [1, 2], (1, 2)),
        (Sequence[str], {"type": "array", "items": {"type": "string"}}, ["a"], ["a"]),
        (Iterable[str], {"type": "array", "items": {"type": "string"}}, ["a"], ["a"]),
        (set[int], {"type": "array", "items": {"type": "integer"}, "uniqueItems": True}, [1, 2, 1], {1, 2}),
        (collections.deque[int], {"type": "array", "items": {"type": "integer"}}, [1], collections.deque([1])),
        (dict, {"type": "object", "additionalProperties": True}, {"a": 1}, {"a": 1}),
        (
            dict[str, Level],
            {"type": "object", "additionalProperties": {"type": "integer", "enum": [1, 2]}},
            {"a": 1},
            {"a": Level.LOW},
        ),
        (dict[int, str], {"type": "object", "additionalProperties": {"type": "string"}}, {"1": "a"}, {1: "a"}),
        (Mapping[str, int], {"type": "object", "additionalProperties": {"type": "integer"}}, {"a": 1}, {"a": 1}),
        (UserId, {"type": "integer"}, 1, 1),
        (datetime, {"type": "string", "format": "date-time"}, "2026-01-02T03:04:05", datetime(2026, 1, 2, 3, 4, 5)),
        (date, {"type": "string", "format": "date"}, "2026-01-02", date(2026, 1, 2)),
        (time, {"type": "string", "format": "time"}, "03:04:05", time(3, 4, 5)),
        (timedelta, {"type": "string", "format": "duration"}, "P1DT2H0.5S", timedelta(1, 7200.5)),
        (Path, {"type": "string", "format": "path"}, "a/b", Path("a/b")),
        (uuid.UUID, {"type": "string", "format": "uuid"}, str(uuid.UUID(int=1)), uuid.UUID(int=1)),
        (Annotated[int, pydantic.Field(ge=1, lt=9)], {"type": "integer", "minimum": 1, "exclusiveMaximum": 9}, 8, 8),
        (pydantic.PositiveInt, {"type": "integer", "exclusiveMinimum": 0}, 1, 1),
        (Annotated[str, pydantic.Field(pattern="^a")], {"type": "string", "pattern": "^a"}, "ab", "ab"),
        (
            Annotated[list[Annotated[str, pydantic.Field(max_length=2)]], pydantic.Field(min_length=1)],
            {"type": "array", "items": {"type": "string", "maxLength": 2}, "minItems": 1},
            ["ab"],
            ["ab"],
        ),
        (
            Annotated[str, pydantic.StringConstraints(to_upper=True, max_length=2)],
            {"type": "string", "maxLength": 2},
            "ab",
            "AB",
        ),
        (Annotated[int, pydantic.AfterValidator(lambda n: n + 1)], {"type": "integer"}, 1, 2),
    ],
)
def test_an_annotation_has_its_schema_and_its_conversion(annotation: Any, expected: Any, value: Any, made: Any) -> None:
    if annotation is inspect.Parameter.empty:
        function = taking(Any)
        function.__annotations__ = {}
        assert schema_of(function)["input_schema"]["properties"]["x"] == expected
    assert argument(annotation) == expected
    jsonschema.validate(value if annotation != set[int] else [1, 2], expected)
    found = given_to(annotation, value)
    assert (found, type(found)) == (made, type(made))


@pytest.mark.parametrize(
    ("annotation", "value", "made"),
    [
        (Point, {"x": 1}, Point(1.0)),
        (list[Point], [{"x": 1, "y": 2}], [Point(1.0, 2.0)]),
        (Size, {"width": 3}, Size(3)),
        (Movie, {"year": 2000}, {"year": 2000}),
        (Tree, {"value": 1, "children": [{"value": 2}]}, Tree(1, [Tree(2)])),
        (City, {"name": "Rome", "at": {"x": 1}}, City(name="Rome", at=Point(1.0))),
        (Bounded, {"n": 2}, Bounded(2)),
        (Names, ["a"], ["a"]),
        (Decimal, 12.50, Decimal("12.5")),
        (Decimal, "12.50", Decimal("12.50")),
        (pydantic.HttpUrl, "https://example.com/", pydantic.HttpUrl("https://example.com/")),
        (tuple[int, str], [1, "a"], (1, "a")),
    ],
)
def test_a_value_of_a_class_is_made(annotation: Any, value: Any, made: Any) -> None:
    whole = schema_of(taking(annotation))["input_schema"]
    jsonschema.Draft202012Validator.check_schema(whole)
    jsonschema.validate({"x": value}, whole)
    assert given_to(annotation, value) == made


def test_a_named_tuple_is_an_object_of_its_fields() -> None:
    assert schema_of(taking(Size))["input_schema"]["$defs"]["Size"]["properties"] == {
        "width": {"type": "integer"},
        "height": {"type": "integer", "description": "in pixels", "default": 10},
    }


@pytest.mark.parametrize(
    ("annotation", "default", "told"),
    [
        (int, 3, 3),
        (str, "", ""),
        (Unit, Unit.CELSIUS, "c"),
        (Point, Point(1.0), {"x": 1.0, "y": 0.0}),
        (Size, Size(1), {"width": 1, "height": 10}),
        (City, City(name="Rome"), {"name": "Rome", "at": None}),
        (tuple[int, ...], (1, 2), [1, 2]),
        (timedelta, timedelta(hours=-1.5), "-PT1H30M"),
        (date, date(2026, 1, 2), "2026-01-02"),
        (Path, Path("a"), "a"),
        (Any, None, None),
        (Names, ["a"], ["a"]),
    ],
)
def test_a_default_is_told_as_json(annotation: Any, default: Any, told: Any) -> None:
    found = schema_of(taking(annotation, default=default))["input_schema"]
    jsonschema.Draft202012Validator.check_schema(found)
    assert found["properties"]["x"]["default"] == told
    assert found["required"] == []
    function = taking(annotation, default=default)
    assert tool_of(function).run({}) is default  # type: ignore[misc]
    assert tool_of(function).run({"x": told}) == default  # type: ignore[misc]


@pytest.mark.parametrize("default", [object(), float("nan"), "not a number", "9" * 5000, {1: 2}, b"x"])
def test_a_default_that_json_has_not_is_left_to_the_function(default: Any) -> None:
    function = taking(str if isinstance(default, str) and len(default) > 99 else int, default=default)
    assert "default" not in schema_of(function)["input_schema"]["properties"]["x"]
    assert tool_of(function).run({}) is default  # type: ignore[misc]


def test_a_default_that_may_be_secret_is_not_told() -> None:
    def f(api_key: str = "hidden-value", monkey: str = "seen") -> None: ...

    assert "hidden-value" not in json.dumps(schema_of(f))
    assert schema_of(f)["input_schema"]["properties"]["monkey"]["default"] == "seen"


def test_a_default_of_none_may_be_passed() -> None:
    def f(city: str = None, n: Annotated[int, "how many"] = None) -> Any:  # type: ignore[assignment]  # noqa: RUF013
        return city, n

    properties = schema_of(f)["input_schema"]["properties"]
    assert properties["city"] == {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None}
    assert properties["n"]["description"] == "how many"
    assert tool_of(f).run({"city": None, "n": 3}) == (None, 3)  # type: ignore[misc]


def test_a_field_of_pydantic_as_default_is_understood() -> None:
    def f(
        n: int = pydantic.Field(3, ge=1, description="how many"),
        from_: str = pydantic.Field(alias="from"),
        tags: Annotated[list[str], pydantic.Field(default_factory=lambda: ["a"])] = ...,  # type: ignore[assignment]
    ) -> Any:
        return n, from_, tags

    def g(tags: Annotated[list[str], pydantic.Field(default_factory=lambda: ["a"])]) -> Any:
        return tags

    found = schema_of(f)["input_schema"]
    assert found["properties"]["n"] == {"type": "integer", "minimum": 1, "description": "how many", "default": 3}
    assert found["required"] == ["from"]
    assert tool_of(f).run({"from": "here", "tags": []}) == (3, "here", [])  # type: ignore[misc]
    assert tool_of(g).run({}) == ["a"]  # type: ignore[misc]


class Frame:  # as a DataFrame: a class that JSON knows nothing of
    pass


@pytest.mark.parametrize("annotation", [bytes, Frame, Callable[[int], int], list[Frame], type])
def test_what_cannot_be_expressed_names_function_parameter_and_annotation(annotation: Any) -> None:
    named = annotation.__name__ if annotation in (bytes, Frame, type) else ""
    with pytest.raises(CellError, match=rf"no schema for same\.x: JSON has no form for .*{named}") as error:
        tool_of(taking(annotation))
    assert "\n" not in str(error.value)


def test_any_number_of_arguments_is_refused() -> None:
    def args(a: int, *rest: int) -> None: ...
    def kwargs(a: int, **more: int) -> None: ...

    for function, named in ((args, r"\*rest"), (kwargs, r"\*\*more")):
        with pytest.raises(CellError, match=rf"no schema for \w+: {named} takes any number"):
            tool_of(function)


@pytest.mark.parametrize(
    "name", ["größe", "a" * 65, "_hidden", "model_config", "schema", "copy", "json", "self_", "p0"]
)
def test_any_name_of_a_parameter_is_offered_as_the_api_takes_it_and_reaches_the_function(name: str) -> None:
    made: dict[str, Any] = {}
    exec(f"def f({name}: int, other: str = 'x'): return {name}, other\ndef {name}(x: int): return x", made)
    tool = tool_of(made["f"])
    offered, other = tool.definition["input_schema"]["properties"]
    assert re.fullmatch(r"[a-zA-Z0-9_.-]{1,64}", offered)
    assert (offered == name, other) == (name.isascii() and len(name) < 65, "other")
    assert tool.run({offered: 3}) == (3, "x")  # type: ignore[misc]
    with pytest.raises(ArgumentsError, match="Field required"):
        tool.run({"other": "y"})  # type: ignore[misc]
    assert tool_of(made[name]).run({"x": 1}) == 1  # type: ignore[misc]
    assert re.fullmatch(r"[a-zA-Z0-9_-]{1,128}", tool_of(made[name]).name)


def test_a_name_that_is_given_must_be_legal() -> None:
    for wrong in ("", "a b", "a" * 129, "a\n", "größe"):
        with pytest.raises(CellError, match="a tool cannot be called"):
            tool_of(test_any_docstring_is_read, name=wrong)


def ask(city: str, /, days: int = 3, *, unit: Unit = Unit.CELSIUS) -> Any:
    """Ask."""
    return city, days, unit


async def wait(n: int) -> int:
    """Wait."""
    return n


class Station:
    """A station."""

    def __init__(self, name: str) -> None:
        self.name = name

    def weather(self, day: int) -> Any:
        """Its weather."""
        return self.name, day

    @classmethod
    def of(cls, name: str) -> Any:
        """One of that name."""
        return cls, name

    @staticmethod
    def twice(n: int) -> int:
        """Twice."""
        return 2 * n

    def __call__(self, n: int) -> Any:
        """Call it."""
        return self.name, n


def timed(function: Any) -> Any:
    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return "timed", function(*args, **kwargs)

    return wrapper


@pytest.mark.parametrize(
    ("function", "name", "description", "arguments", "result"),
    [
        (ask, "ask", "Ask.", {"city": "Rome", "unit": "f"}, ("Rome", 3, Unit.FAHRENHEIT)),
        (Station("A").weather, "weather", "Its weather.", {"day": 1}, ("A", 1)),
        (Station.of, "of", "One of that name.", {"name": "B"}, (Station, "B")),
        (Station.twice, "twice", "Twice.", {"n": 2}, 4),
        (Station("C"), "Station", "Call it.", {"n": 2}, ("C", 2)),
        (functools.partial(ask, "Rome"), "ask", "Ask.", {"days": 1}, ("Rome", 1, Unit.CELSIUS)),
        (functools.partial(ask, days=9), "ask", "Ask.", {"city": "Rome"}, ("Rome", 9, Unit.CELSIUS)),
        (timed(ask), "ask", "Ask.", {"city": "Rome"}, ("timed", ("Rome", 3, Unit.CELSIUS))),
        (functools.partial(Station("D").weather), "weather", "Its weather.", {"day": 1}, ("D", 1)),
        (functools.lru_cache(ask), "ask", "Ask.", {"city": "Rome"}, ("Rome", 3, Unit.CELSIUS)),
        (len, "len", "Return the number of items in a container.", {"obj": [1, 2]}, 2),
    ],
)
def test_whatever_can_be_called_becomes_a_tool(
    function: Any, name: str, description: str, arguments: Any, result: Any
) -> None:
    tool = tool_of(function)
    assert (tool.name, tool.definition["description"]) == (name, description)
    assert set(tool.definition["input_schema"]["properties"]) >= set(arguments)
    assert not {"self", "cls"} & set(tool.definition["input_schema"]["properties"])
    assert tool.run is not None
    assert tool.run(arguments) == result


def test_what_is_bound_is_left_out() -> None:
    assert list(schema_of(functools.partial(ask, days=9))["input_schema"]["properties"]) == ["city", "unit"]
    assert list(schema_of(functools.partial(ask, "Rome"))["input_schema"]["properties"]) == ["days", "unit"]


def test_positional_arguments_keep_their_places() -> None:
    def f(a: int = 1, b: int = 2, /, c: int = 3) -> Any:
        return a, b, c

    assert tool_of(f).run({"b": 5}) == (1, 5, 3)  # type: ignore[misc]
    assert tool_of(f).run({"c": 5}) == (1, 2, 5)  # type: ignore[misc]


def test_a_coroutine_is_handed_over() -> None:
    found = tool_of(wait).run({"n": 3})  # type: ignore[misc]
    assert inspect.iscoroutine(found)
    assert asyncio.run(found) == 3


def test_a_function_without_a_name_takes_one() -> None:
    with pytest.raises(CellError, match="a tool cannot be called '<lambda>'"):
        tool_of(lambda x: x)
    assert tool_of(lambda x: x, name="same").name == "same"
    assert tool_of(lambda x: x, called="same").name == "same"
    assert tool_of(ask, called="other").name == "ask"


def test_what_python_does_not_tell_is_an_error() -> None:
    with pytest.raises(CellError, match="no schema for max: Python does not tell its parameters"):
        tool_of(max)
    with pytest.raises(CellError, match=r"no schema for print: (\*args takes any number|Python does not tell)"):
        tool_of(print)  # Python tells since 3.11
    with pytest.raises(CellError, match="no tool: 3 cannot be called"):
        tool_of(3)
    with pytest.raises(CellError, match="no tool: weather needs 'self'"):
        tool_of(Station.weather)
    assert tool_of(operator.neg).run({"a": 3}) == -3  # type: ignore[misc]


def test_a_definition_is_taken_as_it_is() -> None:
    definition = {"type": "web_search_20250305", "name": "web_search"}
    assert tool_of(definition) == Tool(definition=definition, run=None)
    assert tool_of(tool_of(definition)) == Tool(definition=definition, run=None)
    assert schema_of(definition) == definition


@mark(approve=False, parallel=True, strict=True, name="marked_so")
def marked(n: Annotated[int, pydantic.Field(ge=1)] = 1) -> int:
    """Marked."""
    return n


@mark
def plainly(n: int) -> int:
    return n


def test_a_marked_function_stays_itself() -> None:
    assert plainly(3) == 3
    assert pickle.loads(pickle.dumps(marked)) is marked
    assert str(inspect.signature(plainly)) == "(n: 'int') -> 'int'"
    tool = tool_of(marked)
    assert (tool.name, tool.approve, tool.parallel) == ("marked_so", False, True)
    assert tool.definition["strict"] is True
    assert "strict" not in tool_of(plainly).definition
    assert tool_of(marked, approve=True, name="other").approve
    assert tool_of(functools.partial(marked)).name == "marked_so"


def test_a_strict_tool_takes_the_reduced_form_and_is_still_checked() -> None:
    assert tool_of(marked).definition["input_schema"]["properties"]["n"] == {
        "type": "integer",
        "description": "{default: 1, minimum: 1}",
    }
    with pytest.raises(ArgumentsError, match="greater than or equal to 1, seen 0"):
        tool_of(marked).run({"n": 0})  # type: ignore[misc]


def test_methods_are_marked_in_their_class() -> None:
    class Lab:
        @mark(approve=False)
        def measure(self, n: int) -> int:
            return n

        @mark(approve=False)
        @classmethod
        def of(cls, n: int) -> int:
            return n

        @mark(approve=False)
        @staticmethod
        def free(n: int) -> int:
            return n

    for function in (Lab().measure, Lab.of, Lab.free, Lab().of, Lab().free):
        tool = tool_of(function)
        assert (list(tool.definition["input_schema"]["properties"]), tool.approve) == (["n"], False)
        assert tool.run is not None
        assert tool.run({"n": 1}) == 1


def test_a_fault_is_told_where_the_function_is_marked() -> None:
    with pytest.raises(CellError, match=r"no schema for f\.data: JSON has no form for .*Frame"):

        @mark
        def f(data: Frame) -> None: ...

    with pytest.raises(CellError, match="cannot be called"):
        mark(3)
    with pytest.raises(CellError, match="len cannot be marked"):
        mark(len)


def test_local_classes_are_found_where_a_function_is_marked() -> None:
    @dataclass
    class Local:
        n: int

    @mark(approve=False)
    def f(it: Local, others: list[Local]) -> Any:
        return it.n, len(others)

    assert tool_of(f).run({"it": {"n": 3}, "others": []}) == (3, 0)  # type: ignore[misc]

    def closed(it: Local) -> Any:
        return isinstance(it, Local)

    assert tool_of(closed).run({"it": {"n": 3}}) is True  # type: ignore[misc]


def test_a_name_that_comes_later_is_looked_for_again() -> None:
    namespace: dict[str, Any] = {"mark": mark, "__name__": "__main__"}
    exec("@mark(approve=False)\ndef f(it: 'Later', n: list['Later'] = ()) -> 'Never': return it", namespace)
    with pytest.raises(CellError, match=r"no schema for f\.it: .*'Later'.* is not defined"):
        tool_of(namespace["f"])
    exec("import enum\nclass Later(enum.Enum):\n    A = 'a'", namespace)
    assert tool_of(namespace["f"]).run({"it": "a"}) is namespace["Later"].A  # type: ignore[misc]
    assert not tool_of(namespace["f"]).approve


@pytest.mark.parametrize("annotation", ["1 +", "[", "1/0", "'a' * 10**6 + 1"])
def test_an_annotation_that_is_none_is_one_line(annotation: str) -> None:
    with pytest.raises(CellError, match=r"no schema for same\.x: its annotation .* cannot be read") as error:
        mark(taking(annotation))
    assert len(str(error.value)) < 500
    assert "\n" not in str(error.value)


def test_return_annotations_do_not_matter() -> None:
    def f(x: int) -> Nowhere:  # type: ignore[name-defined]  # noqa: F821
        return x

    assert tool_of(f).run({"x": 1}) == 1  # type: ignore[misc]


DEEP: Any = []
for _ in range(100_000):
    DEEP = [DEEP]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"n": "3"}, "f was not called: n: Input should be a valid integer, seen '3'."),
        ({"n": True}, "n: Input should be a valid integer, seen True."),
        ({"n": 3.5}, "n: Input should be a valid integer, seen 3.5."),
        ({"n": float("nan")}, "is not JSON"),
        ({"n": None}, "n: Input should be a valid integer, seen None."),
        ({}, "n: Field required, seen {}."),
        ({"n": 1, "more": 1}, "more: Extra inputs are not permitted, seen 1; there is 'n', 'points'."),
        ({"n": 1, "points": [{"x": "warm"}]}, "points/0/x: Input should be a valid number, seen 'warm'."),
        ([1], "Input should be an object, seen [1]."),
        ("x", "Input should be an object, seen 'x'."),
        (None, "Input should be an object, seen None."),
        ({"n": "a" * 1_000_000}, "n: Input should be a valid integer, seen 'aaa"),
        ({"n": 1, "\x1b]52;c;" + "a" * 1_000_000: 1}, "Extra inputs are not permitted"),
        ({"n": "\u202e\x1b[2J\n\ud800"}, "n: Input should be a valid integer"),
        ({"n": 1, "points": [{"x": 1, "\x1b[2J\n" * 100_000: 2}]}, "Unexpected keyword argument, seen 2"),
        ({"n": DEEP}, "f was not called: "),
        ({"n": 10**5000, "points": 10**5000}, "is not JSON"),
        ({1: 2, "n": 1}, "1: Extra inputs are not permitted"),
    ],
    ids=map(str, range(18)),
)
def test_wrong_arguments_are_one_line_and_nothing_is_called(arguments: Any, said: str) -> None:
    called = []

    def f(n: int, points: list[Point] = ()) -> None:  # type: ignore[assignment]
        called.append(n)

    tool = tool_of(f)
    assert tool.run is not None
    with pytest.raises(ArgumentsError) as error:
        tool.run(arguments)
    message = str(error.value)
    assert said in message
    assert message.isprintable()
    assert len(message) < 600
    assert called == []
    assert isinstance(error.value, ClaudeError)


def test_an_error_of_the_function_is_its_own() -> None:
    def f(n: int) -> None:
        raise TypeError("mine")

    with pytest.raises(TypeError, match="mine"):
        tool_of(f).run({"n": 1})  # type: ignore[misc]


def test_a_function_cannot_change_what_the_conversation_keeps() -> None:
    def f(items: dict[str, Any], rows: list) -> None:  # type: ignore[type-arg]
        items["inner"].clear()
        rows.append(1)

    arguments = {"items": {"inner": [1]}, "rows": []}
    before = copy.deepcopy(arguments)
    tool_of(f).run(arguments)  # type: ignore[misc]
    assert arguments == before


@pytest.mark.parametrize(
    ("annotation", "value", "said"),
    [
        (Annotated[int, pydantic.Field(ge=1)], 0, "x: Input should be greater than or equal to 1, seen 0"),
        (Annotated[float, pydantic.Field(gt=0)], 0, "x: Input should be greater than 0, seen 0"),
        (Annotated[int, pydantic.Field(multiple_of=5)], 7, "x: Input should be a multiple of 5, seen 7"),
        (Annotated[str, pydantic.Field(max_length=2)], "abc", "x: String should have at most 2 characters, seen 'abc'"),
        (Annotated[str, pydantic.Field(pattern="^a")], "b", "x: String should match pattern '^a', seen 'b'"),
        (
            Annotated[date, pydantic.Field(ge=date(2026, 1, 1))],
            "2025-01-01",
            "or equal to 2026-01-01, seen '2025-01-01'",
        ),
        (Annotated[Decimal, pydantic.Field(ge=1)], "0.5", "x: Input should be greater than or equal to 1, seen '0.5'"),
        (Decimal, "NaN", "x: Input should be a finite number, seen 'NaN'"),
        (float, 10**400, "x: Input should be a finite number"),
        (timedelta, "1 parsec", "x: Input should be a valid duration"),
        (timedelta, "P" + "9" * 12 + "W", "x: Input should be a valid duration"),
        (timedelta, "P", "x: Input should be a valid duration"),
        (Unit, "k", "x: Input should be 'c' or 'f', seen 'k'"),
        (Level, True, "x: Value error, True is a truth value, and not one of [1, 2]"),
        (City, {"name": ""}, "x/name: String should have at least 1 character"),
        (Bounded, {"n": 0}, "x/n: Input should be greater than or equal to 1, seen 0"),
        (pydantic.HttpUrl, "no url", "x: Input should be a valid URL"),
    ],
)
def test_a_limit_is_told_as_it_is_broken(annotation: Any, value: Any, said: str) -> None:
    with pytest.raises(ArgumentsError) as error:
        given_to(annotation, value)
    assert said in str(error.value)


def test_a_pattern_that_is_none_is_told_at_once() -> None:
    with pytest.raises(CellError, match=r"no schema for same\.x: .*unterminated subpattern"):
        tool_of(taking(Annotated[str, pydantic.Field(pattern="(")]))


@pytest.mark.process
def test_nothing_heavy_is_imported_until_a_function_is_marked() -> None:
    source = (
        "import sys\nimport claude_magic.tools.schema.from_function, claude_magic.tools.schema.reply\n"
        "print([name for name in ('pydantic', 'docstring_parser', 'jsonschema') if name in sys.modules])\n"
    )
    ran = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


# The official SDK as an oracle. Where it differs on purpose: it tells titles, and leaves `required` out if it is empty.


def search(query: str, limit: int = 10, tags: list[str] | None = None, exact: bool = False) -> str:
    """Search the library.

    All of it.

    Args:
        query: What to look for.
        limit: At most so many.
    """
    return query


def place(at: Point, others: list[Point], by_name: dict[str, float], note: str | None = None) -> str:
    """Place."""
    return ""


def limited(
    n: Annotated[int, pydantic.Field(ge=1, le=9, description="how many")],
    word: Annotated[str, pydantic.Field(min_length=1, max_length=5, pattern="^[a-z]+$")],
    when: datetime,
    where: Path,
    how_long: timedelta,
    id: uuid.UUID,
) -> str:
    """Limit."""
    return ""


def free(anything, other: Any = 3, maybe: int | str = "x") -> str:  # type: ignore[no-untyped-def]
    """Anything."""
    return ""


def movies(movie: Movie, tree: Tree, pair: tuple[int, str], more: set[int]) -> str:
    """Movies."""
    return ""


def level(it: Union[str, int, None], mixed: Literal[1, "a"]) -> str:  # noqa: UP007
    """Level."""
    return ""


def plain(schema: Any) -> Any:
    """A schema without what the two write differently."""
    if isinstance(schema, list):
        return [plain(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    dropped = {"title"} if isinstance(schema.get("title"), str) else set()
    kept = {name: plain(item) for name, item in schema.items() if name not in dropped}
    if kept.get("required") == []:
        del kept["required"]
    if len(kept.get("anyOf", ())) == 1:  # ours wraps a reference that has a description
        kept |= kept.pop("anyOf")[0]
    return kept


@pytest.mark.parametrize("function", [search, place, limited, free, level, movies])
def test_the_official_sdk_makes_the_same_of_a_function(function: Any) -> None:
    theirs = plain(beta_tool(function).to_dict())
    ours = plain(schema_of(function))
    if function is movies:  # a TypedDict and a dataclass are closed here, as a reply's are
        for each in ("Movie", "Tree"):
            assert ours["input_schema"]["$defs"][each].pop("additionalProperties") is False
            theirs["input_schema"]["$defs"][each].pop("additionalProperties", None)
    if function is place:
        assert ours["input_schema"]["$defs"]["Point"].pop("additionalProperties") is False
        assert ours["input_schema"]["$defs"]["Point"].pop("description") == "Where something is."
        theirs["input_schema"]["$defs"]["Point"].pop("description", None)  # which pydantic leaves out before 2.14
    assert ours == theirs


# Properties: our check against jsonschema under our own schema, and against pydantic.

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-2, 3)
    | st.sampled_from([1.0, 0.5, -0.5, "a", "c", "", "1.50", "1e5", "aa"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["x", "y", "year", "title", "width", "value", "children"]), inner, max_size=3)
    ),
    max_leaves=6,
)
NUMBERS = st.integers(-9, 9) | st.floats(-9, 9)
LEAVES: list[tuple[Any, Any]] = [  # a type, and JSON that often fits it
    (str, st.text(max_size=3)),
    (int, st.integers() | st.sampled_from([1.0, 1e300])),
    (float, st.integers() | st.floats(allow_nan=False, allow_infinity=False)),
    (bool, st.booleans()),
    (None, st.none()),
    (Any, VALUES),
    (Unit, st.sampled_from(["c", "f"])),
    (Level, st.sampled_from([1, 2, 2.0])),
    (Point, st.fixed_dictionaries({"x": NUMBERS}, optional={"y": NUMBERS})),
    (Size, st.fixed_dictionaries({"width": st.integers()}, optional={"height": st.integers()})),
    (Movie, st.fixed_dictionaries({"year": st.integers()}, optional={"title": st.text(max_size=3)})),
    (Tree, st.fixed_dictionaries({"value": st.integers(), "children": st.just([{"value": 1}])})),
    (Decimal, NUMBERS | st.decimals(-9, 9, places=2).map(str)),
    (Path, st.sampled_from(["", "a", "a/b"])),
    (UserId, st.integers()),
    (Literal["a", 1, None], st.sampled_from(["a", 1, None, 1.0])),
    (Annotated[int, pydantic.Field(ge=0, lt=2)], st.integers(-1, 2)),
    (Annotated[float, pydantic.Field(multiple_of=0.5)], st.sampled_from([0, 0.5, 1, 0.7, 1e300])),
    (Annotated[str, pydantic.Field(min_length=1, pattern="a")], st.sampled_from(["", "a", "ba", "b"])),
    (Annotated[list[int], pydantic.Field(max_length=1)], st.lists(st.integers(), max_size=2)),
    (Annotated[dict[str, Any], pydantic.Field(min_length=1)], st.dictionaries(st.text(max_size=2), VALUES, max_size=2)),
    (Annotated[int | None, pydantic.Field(gt=0)], st.sampled_from([0, 1, None, "a"])),
    (Names, st.lists(st.text(max_size=2), max_size=2)),
]


def tuples(one: Any, two: Any) -> Any:
    return tuple[one[0], two[0]], st.tuples(one[1], two[1]).map(list)


KINDS = st.recursive(
    st.sampled_from(LEAVES),
    lambda inner: st.one_of(
        inner.map(lambda one: (list[one[0]], st.lists(one[1], max_size=2))),
        inner.map(lambda one: (tuple[one[0], ...], st.lists(one[1], max_size=2))),
        st.builds(tuples, inner, inner),
        inner.map(lambda one: (dict[str, one[0]], st.dictionaries(st.text(max_size=2), one[1], max_size=2))),
        inner.map(lambda one: (Sequence[one[0]], st.lists(one[1], max_size=2))),
        st.builds(lambda one, two: (Union[one[0], two[0]], one[1] | two[1]), inner, inner),  # noqa: UP007
        inner.map(lambda one: (Optional[one[0]], one[1] | st.none())),  # noqa: UP045
        inner.map(lambda one: (Annotated[one[0], "told"], one[1])),
    ),
    max_leaves=3,
)
PASSED = [
    inspect.Parameter.POSITIONAL_ONLY,
    inspect.Parameter.POSITIONAL_OR_KEYWORD,
    inspect.Parameter.KEYWORD_ONLY,
]
PARAMETERS = st.lists(
    st.tuples(KINDS, st.sampled_from(PASSED), st.booleans()),
    max_size=4,
).map(lambda listed: sorted(listed, key=lambda each: each[1:]))
GONE = object()


def function_of(listed: Any, called: list[Any]) -> Any:
    """A function with these kinds of parameters, which notes its calls."""
    found, optional = [], False
    for at, ((annotation, _), kind, is_optional) in enumerate(listed):
        optional = is_optional or (optional and kind is not inspect.Parameter.KEYWORD_ONLY)
        default = GONE if optional else inspect.Parameter.empty
        found.append(inspect.Parameter(f"p{at}", kind, default=default, annotation=annotation))
    signature = inspect.Signature(found)

    def f(*args: Any, **kwargs: Any) -> str:
        bound = signature.bind(*args, **kwargs)
        called.append(dict(bound.arguments))
        return "result"

    f.__signature__ = signature  # type: ignore[attr-defined]
    return f


def written(value: Any) -> Any:
    """JSON of what was made, to compare it with what was given."""
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, Point | Tree):
        return {name: written(item) for name, item in asdict(value).items()}
    if isinstance(value, Size):
        return {name: written(item) for name, item in value._asdict().items()}
    if isinstance(value, dict):
        return {name: written(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [written(item) for item in value]
    return float(value) if isinstance(value, Decimal) else str(value) if isinstance(value, Path) else value


def is_covered(seen: Any, made: Any) -> bool:
    """Whether `made` says what `seen` does, more only where a class has defaults."""
    if isinstance(seen, dict):
        return isinstance(made, dict) and all(name in made and is_covered(seen[name], made[name]) for name in seen)
    if isinstance(seen, list):
        return isinstance(made, list) and len(seen) == len(made) and all(map(is_covered, seen, made))
    if isinstance(seen, str) and isinstance(made, float):
        return float(seen) == made
    if seen == "" and made == ".":
        return True  # the path of nothing
    return bool(seen == made)


@given(PARAMETERS, st.data())
@settings(max_examples=4 * settings.default.max_examples)
def test_what_is_called_is_what_the_schema_allows(listed: Any, data: Any) -> None:
    called: list[Any] = []
    tool = tool_of(function_of(listed, called))
    whole = tool.definition["input_schema"]
    jsonschema.Draft202012Validator.check_schema(whole)
    near = {name: kind[1] for name, (kind, _, _) in zip(whole["properties"], listed, strict=True)}
    far = st.dictionaries(st.sampled_from([*near, "other"]), VALUES, max_size=len(listed))
    absent = [name for name in near if name not in whole["required"]]
    required = {name: near[name] for name in whole["required"]}
    fitting = st.fixed_dictionaries(required, optional={name: near[name] for name in absent})
    arguments = data.draw(fitting | fitting | far)
    allowed = jsonschema.Draft202012Validator(whole).is_valid(arguments)
    assert tool.run is not None
    if not allowed:
        with pytest.raises(ArgumentsError):
            tool.run(arguments)
        assert called == []
        return
    assert tool.run(copy.deepcopy(arguments)) == "result"
    (values,) = called
    passed = {name: written(value) for name, value in values.items() if value is not GONE}
    assert set(passed) == set(arguments)
    assert is_covered(arguments, passed)


STRICTLY = st.recursive(
    st.sampled_from([str, int, bool, None, Point, Unit, Literal["a", "b"], list[int], dict[str, bool]]),
    lambda inner: st.builds(lambda one: list[one], inner) | st.builds(lambda one: Optional[one], inner),  # type: ignore[valid-type]  # noqa: UP045
    max_leaves=2,
)


@given(STRICTLY, VALUES)
def test_what_pydantic_takes_strictly_is_taken_with_the_same_result(annotation: Any, value: Any) -> None:
    try:
        closed = pydantic.create_model("M", __config__={"extra": "forbid", "strict": True}, x=(annotation, ...))
        theirs = closed.model_validate_json(json.dumps({"x": value})).x
    except pydantic.ValidationError:
        return
    assert given_to(annotation, value) == theirs
