"""Classes as JSON Schemas, and replies as their objects."""

from __future__ import annotations

import enum
import json
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Annotated, Any, Literal, TypedDict

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_magic import CellError
from claude_magic.wire.schema import Misfit, parsed, schema


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


@dataclass
class Point:
    x: float
    y: float = 0.0


@dataclass
class Shape:
    name: Annotated[str, "what it is called"]
    points: list[Point]
    colour: Colour | None
    kind: Literal["open", "closed"] = "open"
    made: date | None = None
    tags: list[str] = field(default_factory=list, metadata={"description": "any words"})


class Movie(TypedDict, total=False):
    title: str
    year: int


@dataclass
class Tree:
    value: int
    children: list[Tree]


def test_a_dataclass_is_a_closed_object() -> None:
    made = schema(Shape)
    assert made["required"] == ["name", "points", "colour"]
    assert made["additionalProperties"] is False
    assert made["properties"]["name"] == {"type": "string", "description": "what it is called"}
    assert made["properties"]["tags"]["description"] == "any words"
    assert made["$defs"]["Point"]["additionalProperties"] is False
    jsonschema.Draft202012Validator.check_schema(made)


def test_a_class_may_hold_itself() -> None:
    jsonschema.Draft202012Validator.check_schema(schema(Tree))
    tree = parsed('{"value": 1, "children": [{"value": 2, "children": []}]}', Tree)
    assert tree == Tree(1, [Tree(2, [])])


def test_a_typed_dict_says_what_is_required() -> None:
    assert schema(Movie)["required"] == []
    assert parsed('{"title": "M"}', Movie) == {"title": "M"}


def test_a_schema_is_taken_as_it_is() -> None:
    given_schema = {"type": "array", "items": {"type": "integer"}}
    assert schema(given_schema) is given_schema
    assert parsed("[1, 2]", given_schema) == [1, 2]


def test_a_pydantic_model_is_closed_and_its_limits_are_told_in_words() -> None:
    pydantic = pytest.importorskip("pydantic")
    model = pydantic.create_model("Model", age=(int, pydantic.Field(ge=0, description="in years")), name=(str, "x"))
    made = schema(model)
    assert made["additionalProperties"] is False
    assert made["properties"]["age"] == {"type": "integer", "description": "in years (minimum: 0)"}
    assert parsed('{"age": 3}', model).age == 3
    with pytest.raises(Misfit, match="age"):
        parsed('{"age": -1}', model)


def test_what_cannot_be_expressed_names_its_field() -> None:
    @dataclass
    class Odd:
        when: complex

    with pytest.raises(CellError, match=r"Odd\.when"):
        schema(Odd)
    with pytest.raises(CellError, match="no pydantic model"):
        schema(int)


@pytest.mark.parametrize(
    "text", ['{"x": 1}', ' \ufeff{"x": 1} ', 'Here:\n\n```json\n{"x": 1}\n```\nDone.', '```\n{"x": 1}\n```']
)
def test_json_is_found_in_a_reply(text: str) -> None:
    assert parsed(text, Point) == Point(1.0)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nothing", "not JSON"),
        ('{"x": "warm"}', "warm"),
        ('{"y": 1}', "'x' is a required"),
        ('{"x": 1, "z": 2}', "'z'"),
    ],
)
def test_a_reply_that_does_not_fit_shows_both(text: str, said: str) -> None:
    with pytest.raises(Misfit) as error:
        parsed(text, Point)
    assert "does not fit Point" in str(error.value)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


POINTS = st.builds(Point, st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
SHAPES = st.builds(
    Shape,
    st.text(),
    st.lists(POINTS),
    st.none() | st.sampled_from(Colour),
    st.sampled_from(["open", "closed"]),
    st.none() | st.dates(),
    st.lists(st.text()),
)


def plain(value: Any) -> Any:
    return value.value if isinstance(value, enum.Enum) else value.isoformat()


@given(SHAPES)
def test_what_fits_comes_back_as_it_was(shape: Shape) -> None:
    text = json.dumps(asdict(shape), default=plain)
    jsonschema.validate(json.loads(text), schema(Shape))
    assert parsed(text, Shape) == shape
