"""Types as JSON Schemas, and replies as their objects."""

from __future__ import annotations

import copy
import enum
import json
import math
import uuid
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import InitVar, asdict, dataclass, field, make_dataclass
from datetime import date, datetime, time, timedelta, timezone
from typing import Annotated, Any, ClassVar, Literal, NewType, Optional, TypedDict, Union

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claude_magic import CellError
from claude_magic.errors import ClaudeError
from claude_magic.tools.schema.model import Field, Model, Unfit
from claude_magic.tools.schema.reply import Misfit, parse_reply, schema

pydantic = pytest.importorskip("pydantic")
typing_extensions = pytest.importorskip("typing_extensions")


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


UserId = NewType("UserId", int)


@dataclass(frozen=True)
class Point:
    """Where something is."""

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


@dataclass
class Everything:
    points: tuple[Point, ...]
    pair: tuple[int, str]
    some: frozenset[int]
    by_name: dict[str, Point]
    either: int | list[Optional[str]] | Point  # noqa: UP045
    level: Level
    when: datetime
    at: time
    id: uuid.UUID
    user: UserId
    flag: Literal[True, 1, "1", None]
    later: date | str
    anything: Any
    start: Annotated[Point, "where it begins"]
    words: Sequence[str] = ()
    count: InitVar[int] = 0
    shared: ClassVar[int] = 3
    length: int = field(init=False, default=0)

    def __post_init__(self, count: int) -> None:
        self.length = count


class Movie(TypedDict, total=False):
    title: str
    year: typing_extensions.Required[int]


class Book(typing_extensions.TypedDict):
    """A book."""

    title: str
    published: typing_extensions.NotRequired[Annotated[date, "the first time"]]


@dataclass
class Tree:
    value: int
    children: list[Tree]


@dataclass
class Left:
    rights: list[Right]


@dataclass
class Right:
    left: Left | None


class Weather(pydantic.BaseModel):
    """The weather of a place."""

    city: str = pydantic.Field(min_length=1, description="its name")
    degrees: float = pydantic.Field(ge=-90, le=60)
    sky: Literal["clear", "grey"] = "clear"
    kind: Literal["weather"]
    colours: list[Colour] = pydantic.Field(min_length=1, max_length=3)
    at: datetime | None = None
    home: pydantic.HttpUrl | None = None
    tomorrow: Weather | None = None
    range: tuple[int, int] = (0, 1)
    level: Level


class Strict(pydantic.BaseModel, strict=True):
    when: date
    places: tuple[str, ...]


@dataclass
class Report:
    today: Weather
    strict: Strict


def full(kind: Any) -> dict[str, Any]:
    """The schema of a type, before what structured output does not take is told in words."""
    return Model([Field(name="it", annotation=kind)], "Where").schema()


def made(value: Any, kind: Any) -> Any:
    """What JSON stands for as a value of a type."""
    return Model([Field(name="it", annotation=kind)], "Where").values({"it": value})["it"]


class Cat(pydantic.BaseModel):
    kind: Literal["cat"]


class Dog(pydantic.BaseModel):
    kind: Literal["dog"]


@dataclass
class Picky2:
    n: int


class Odd:
    pass


def test_a_dataclass_is_a_closed_object() -> None:
    made_of = schema(Shape)
    assert made_of["required"] == ["name", "points", "colour"]
    assert made_of["additionalProperties"] is False
    assert made_of["properties"]["name"] == {"type": "string", "description": "what it is called"}
    assert made_of["properties"]["tags"]["description"] == "any words"
    assert made_of["$defs"] == {
        "Point": {
            "type": "object",
            "description": "Where something is.",
            "properties": {"x": {"type": "number"}, "y": {"type": "number", "description": "{default: 0.0}"}},
            "required": ["x"],
            "additionalProperties": False,
        },
        "Colour": {"enum": ["red", "blue"]},
    }


def test_every_kind_of_field_has_its_schema() -> None:
    point = {"$ref": "#/$defs/Point"}
    pair = {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "string"}], "minItems": 2, "maxItems": 2}
    nullable = {"anyOf": [{"type": "string"}, {"type": "null"}]}
    whole = full(Everything)
    assert whole["properties"]["it"] == {"$ref": "#/$defs/Everything"}
    assert whole["$defs"]["Everything"]["properties"] == {
        "points": {"type": "array", "items": point},
        "pair": pair,
        "some": {"type": "array", "items": {"type": "integer"}, "uniqueItems": True},
        "by_name": {"type": "object", "additionalProperties": point},
        "either": {"anyOf": [{"type": "integer"}, {"type": "array", "items": nullable}, point]},
        "level": {"$ref": "#/$defs/Level"},
        "when": {"type": "string", "format": "date-time"},
        "at": {"type": "string", "format": "time"},
        "id": {"type": "string", "format": "uuid"},
        "user": {"type": "integer"},
        "flag": {"enum": [True, 1, "1", None]},
        "later": {"anyOf": [{"type": "string", "format": "date"}, {"type": "string"}]},
        "anything": {},
        "start": {**point, "description": "where it begins"},
        "words": {"type": "array", "items": {"type": "string"}, "default": []},
        "count": {"type": "integer", "default": 0},
    }


def test_what_structured_output_does_not_take_is_told_in_words() -> None:
    properties = schema(Everything)["properties"]
    assert properties["some"] == {
        "type": "array",
        "items": {"type": "integer"},
        "description": "{uniqueItems: True}",
    }
    assert "prefixItems" not in properties["pair"]
    assert "maxItems: 2" in properties["pair"]["description"]


@pytest.mark.parametrize("kind", [Shape, Everything, Movie, Book, Tree, Left, Weather, Strict, Report])
def test_every_schema_is_valid_and_every_object_of_fields_closed(kind: Any) -> None:
    found = schema(kind)
    jsonschema.Draft202012Validator.check_schema(found)
    for each in [found, *found.get("$defs", {}).values()]:
        if "properties" in each:
            assert each["additionalProperties"] is False
            assert isinstance(each["required"], list)


def test_a_class_may_hold_itself() -> None:
    assert schema(Tree)["type"] == "object"
    assert schema(Tree)["properties"]["children"]["items"] == {"$ref": "#/$defs/Tree"}
    assert list(schema(Tree)["$defs"]) == ["Tree"]
    tree = parse_reply('{"value": 1, "children": [{"value": 2, "children": []}]}', Tree)
    assert tree == Tree(1, [Tree(2, [])])
    assert parse_reply('{"rights": [{"left": {"rights": []}}]}', Left) == Left([Right(Left([]))])


def test_two_classes_of_one_name_stay_two() -> None:
    inner = make_dataclass("Point", [("z", int)])
    outer = make_dataclass("Outer", [("a", Point), ("b", inner)])
    assert len(schema(outer)["$defs"]) == 2
    assert [list(each["properties"]) for each in schema(outer)["$defs"].values()] in (
        [["x", "y"], ["z"]],
        [["z"], ["x", "y"]],
    )
    assert parse_reply('{"a": {"x": 1}, "b": {"z": 2}}', outer) == outer(Point(1), inner(2))


def test_a_typed_dict_says_what_is_required_even_in_strings() -> None:
    assert schema(Movie)["required"] == ["year"]
    assert schema(Book)["required"] == ["title"]
    assert schema(Book)["description"] == "A book."
    assert "description" not in schema(Movie)
    assert schema(Book)["properties"]["published"]["description"] == "the first time"
    assert parse_reply('{"title": "B", "published": "2020-02-29"}', Book) == {
        "title": "B",
        "published": date(2020, 2, 29),
    }
    with pytest.raises(Misfit, match="/year: Field required"):
        parse_reply('{"title": "M"}', Movie)


def test_a_schema_is_taken_as_it_is() -> None:
    given_schema = {"type": "array", "items": {"type": "integer", "minimum": 1}}
    before = copy.deepcopy(given_schema)
    assert schema(given_schema) is given_schema
    assert parse_reply("[1, 2]", given_schema) == [1, 2]
    with pytest.raises(Misfit, match=r"the schema: /1: 0 is less than the minimum of 1\. It is in claude\.last\.text"):
        parse_reply("[1, 0]", given_schema)
    assert given_schema == before


def test_a_schema_fetches_nothing(server: Any) -> None:
    with pytest.raises(CellError, match="the schema cannot be used"):
        parse_reply("1", {"$ref": f"{server.url}/schema.json"})
    assert server.received == []


@pytest.mark.parametrize("model", [Weather, Strict])
def test_a_model_is_sent_as_the_official_sdk_sends_it(model: Any) -> None:
    anthropic = pytest.importorskip("anthropic")
    theirs = anthropic.transform_schema(model)
    if "$ref" in theirs:  # a root that is only a reference: the API refuses it
        theirs = {**theirs["$defs"]["Weather"], "$defs": theirs["$defs"]}
    assert without(schema(model), "title") == without(theirs, "title")


def test_a_model_keeps_its_maps_and_the_descriptions_of_its_references() -> None:
    model = pydantic.create_model(
        "Model", by_name=(dict[str, int], ...), free=(dict, ...), sky=(Colour, pydantic.Field(description="its colour"))
    )
    properties = schema(model)["properties"]
    assert properties["by_name"] == {"type": "object", "additionalProperties": {"type": "integer"}}
    assert properties["free"]["additionalProperties"] is True
    assert properties["sky"] == {"anyOf": [{"$ref": "#/$defs/Colour"}], "description": "its colour"}


def test_a_model_checks_its_own_limits() -> None:
    weather = '{"city": "Rome", "degrees": %s, "kind": "weather", "colours": ["red"], "level": 2}'
    assert parse_reply(weather % 21, Weather).colours == [Colour.RED]
    with pytest.raises(
        Misfit, match=r"Weather: /degrees: Input should be less than or equal to 60, seen 99\. It is in"
    ):
        parse_reply(weather % 99, Weather)
    strict = parse_reply('{"when": "2020-01-02", "places": ["Rome"]}', Strict)
    assert strict == Strict(when=date(2020, 1, 2), places=("Rome",))


def test_a_model_may_stand_in_a_dataclass() -> None:
    today = {"city": "Rome", "degrees": 1, "kind": "weather", "colours": ["red"], "level": 1}
    today["tomorrow"] = {**today, "city": "Pisa"}
    reply = {"today": today, "strict": {"when": "2020-01-02", "places": []}}
    jsonschema.validate(reply, schema(Report))
    report = parse_reply(json.dumps(reply), Report)
    assert report.today.tomorrow.city == "Pisa"
    del reply["today"]["tomorrow"]["level"]  # type: ignore[attr-defined]
    with pytest.raises(Misfit, match="/today/tomorrow/level: Field required"):
        parse_reply(json.dumps(reply), Report)


@dataclass
class Trip:
    stops: list[Annotated[dict[str, Odd], "odd"]]


@dataclass
class Unknown:
    where: Nowhere  # type: ignore[name-defined]  # noqa: F821


def test_what_cannot_be_expressed_names_its_place() -> None:
    outer = make_dataclass("Outer", [("trips", list[Trip])])
    with pytest.raises(CellError, match=r"no schema for Outer\.trips\.stops: JSON has no form for .*Odd"):
        schema(outer)
    for odd in (Callable[[int], int], type, "text", bytes, [1], Odd):
        with pytest.raises(CellError, match=r"no schema for Where\.it: "):
            full(odd)
    with pytest.raises(CellError, match=r"no schema for Unknown\.?: name 'Nowhere' is not defined"):
        schema(Unknown)


def test_what_a_model_cannot_express_names_its_field() -> None:
    odd = pydantic.create_model("Odd", fine=(int, 1), use=(Callable[[int], int], ...))
    with pytest.raises(CellError, match=r"no schema for Odd\.use: .*Cannot generate a JsonSchema") as error:
        schema(odd)
    assert "\n" not in str(error.value)
    with pytest.raises(CellError, match=r"no schema for Outer\.inner\.use: "):
        schema(make_dataclass("Outer", [("inner", odd)]))


@pytest.mark.parametrize("kind", ["Shape", None, Shape("a", [], None), Weather.model_construct(), [1], 3, object, type])
def test_a_wrong_kind_is_told(kind: Any) -> None:
    for use in (schema, lambda kind: parse_reply("{}", kind)):
        with pytest.raises(CellError, match=r"it is no type\. Name a class"):
            use(kind)


VALUE = "value"


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (list[Point], '[{"x": 1}]', [Point(1.0)]),
        (list[Weather], "[]", []),
        (Point | Picky2 | None, "null", None),
        (Point | Picky2, '{"n": 2}', Picky2(2)),
        (int, "3", 3),
        (Colour, '"red"', Colour.RED),
        (Literal["a", "b"], '"b"', "b"),
        (Optional[date], '"2020-02-29"', date(2020, 2, 29)),  # noqa: UP045
        (tuple[Point, ...], '[{"x": 1}]', (Point(1.0),)),
        (typing_extensions.TypeAliasType("Points", list[Point]), '[{"x": 1}]', [Point(1.0)]),
        (Annotated[Union[Cat, Dog], pydantic.Field(discriminator="kind")], '{"kind": "dog"}', Dog(kind="dog")),  # noqa: UP007
    ],
)
def test_what_is_no_object_is_asked_for_as_a_value_and_unwrapped(kind: Any, text: str, value: Any) -> None:
    found = schema(kind)
    jsonschema.Draft202012Validator.check_schema(found)
    assert (found["type"], list(found["properties"]), found["additionalProperties"]) == ("object", [VALUE], False)
    assert not {"oneOf", "discriminator"} & set(json.dumps(found).replace('"', " ").split())
    wrapped = json.dumps({VALUE: json.loads(text)})
    jsonschema.validate(json.loads(wrapped), found)
    assert parse_reply(wrapped, kind) == parse_reply(text, kind) == value


@pytest.mark.parametrize("kind", [dict[str, Point], dict[str, int], dict, Mapping[str, Weather]])
def test_a_dict_of_free_keys_is_one_clear_line(kind: Any) -> None:
    with pytest.raises(CellError, match=r"has fields named beforehand, and a dict has none\. Ask for a list"):
        schema(kind)


def test_a_model_of_pydantic_1_is_one_clear_line() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pydantic.v1 import BaseModel

    class Old(BaseModel):
        n: int

    for kind in (Old, list[Old], make_dataclass("Outer", [("old", Old)])):
        with pytest.raises(CellError, match=r"Old.* is a model of pydantic 1") as error:
            schema(kind)
        assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "text",
    [
        '{"x": 1}',
        ' \ufeff{"x": 1} ',
        'Here:\n\n```json\n{"x": 1}\n```\nDone.',
        '```\n{"x": 1}\n```',
        '```python\nx = 1\n```\n\n~~~JSON\n{"x": 1}\n~~~',
        '```json\n{"x":\n1}',
    ],
)
def test_json_is_found_in_a_reply(text: str) -> None:
    assert parse_reply(text, Point) == Point(1.0)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nothing", "'nothing' is not JSON"),
        ("", "'' is not JSON"),
        ('{"x": "warm"}', "/x: Input should be a valid number, seen 'warm'"),
        ('{"x": true}', "/x: Input should be a valid number, seen True"),
        ('{"x": null}', "/x: Input should be a valid number, seen None"),
        ('{"y": 1}', "/x: Field required, seen {'y': 1}"),
        ('{"x": 1, "z": 2}', "/z: Unexpected keyword argument, seen 2"),
        ("[1]", "Point: Input should be an object, seen [1]"),
        ('{"x": NaN}', "is not JSON"),
        ('{"x": 1' + "0" * 400 + "}", "/x: Input should be a finite number"),
        ("[" * 100_000, "nested too deeply"),
        ('{"x": "' + "a" * 100_000 + '"}', "/x: Input should be a valid number"),
        ('{"x": "\u202e\\u001b[2J\\n"}', "/x: Input should be a valid number"),
    ],
)
def test_a_reply_that_does_not_fit_shows_both_in_one_line(text: str, said: str) -> None:
    with pytest.raises(Misfit) as error:
        parse_reply(text, Point)
    message = str(error.value)
    assert message.startswith("the reply does not fit Point: ")
    assert message.endswith(". It is in claude.last.text.")
    assert said in message
    assert message.isprintable()
    assert len(message) < 500
    assert isinstance(error.value, ClaudeError)


def test_the_deepest_misfit_of_a_union_is_told() -> None:
    either = make_dataclass("Either", [("one", int | Point | None)])
    with pytest.raises(Misfit, match="/one/Point/x: Input should be a valid number, seen 'warm'"):
        parse_reply('{"one": {"x": "warm"}}', either)
    with pytest.raises(Misfit, match=r"/one/int: .* integer; /one/Point: Input should be an object, seen 'warm'"):
        parse_reply('{"one": "warm"}', either)


@dataclass
class Picky:
    n: int

    def __post_init__(self) -> None:
        if self.n < 0:
            raise ValueError("n must not be negative")


def test_what_a_class_refuses_does_not_fit() -> None:
    with pytest.raises(Misfit, match=r"Picky: Value error, n must not be negative, seen \{'n': -1\}"):
        parse_reply('{"n": -1}', Picky)


def test_true_is_not_one() -> None:
    assert made(True, Literal[1, True]) is True
    assert made(1, Literal[True, 1]) == 1
    assert made(1, Literal[True, 1]) is not True
    with pytest.raises(Unfit):
        made(True, Level)


def test_a_named_alias_is_a_definition() -> None:
    names = typing_extensions.TypeAliasType("Names", list[str])
    kind = make_dataclass("Team", [("names", names), ("more", names)])
    assert schema(kind)["$defs"] == {"Names": {"type": "array", "items": {"type": "string"}}}
    assert parse_reply('{"names": ["a"], "more": []}', kind) == kind(["a"], [])


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
ZONES = st.none() | st.integers(-23, 23).map(lambda hours: timezone(timedelta(hours=hours)))
EVERYTHING = st.builds(
    Everything,
    points=st.lists(POINTS).map(tuple),
    pair=st.tuples(st.integers(), st.text()),
    some=st.frozensets(st.integers()),
    by_name=st.dictionaries(st.text(), POINTS),
    either=st.integers() | st.lists(st.none() | st.text()) | POINTS,
    level=st.sampled_from(Level),
    when=st.datetimes(timezones=ZONES),
    at=st.times(),
    id=st.uuids(),
    user=st.integers(),
    flag=st.sampled_from([True, 1, "1", None]),
    later=st.dates(),
    anything=st.none() | st.text() | st.lists(st.integers()),
    start=POINTS,
    words=st.lists(st.text()),
    count=st.just(0),
)


def plain(value: Any) -> Any:
    if isinstance(value, enum.Enum):
        return value.value
    return str(value) if isinstance(value, uuid.UUID) else list(value) if hasattr(value, "union") else value.isoformat()


def written(value: Any) -> str:
    known = {name: inner for name, inner in asdict(value).items() if name != "length"}
    return json.dumps(known, default=plain)


@given(SHAPES | EVERYTHING)
def test_what_fits_comes_back_as_it_was(value: Any) -> None:
    text = written(value)
    jsonschema.validate({"it": json.loads(text)}, full(type(value)))
    jsonschema.validate(json.loads(text), schema(type(value)))
    assert parse_reply(text, type(value)) == value
    assert parse_reply(f"Here it is:\n\n```json\n{text}\n```", type(value)) == value


KINDS = st.recursive(
    st.sampled_from(
        [str, int, float, bool, None, Any, Colour, Level, Point, Shape, Literal["a", 1, None], Movie, Book]
    ),
    lambda inner: st.one_of(
        st.builds(lambda one: list[one], inner),  # type: ignore[valid-type]
        st.builds(lambda one: tuple[one, ...], inner),  # type: ignore[valid-type]
        st.builds(lambda one, two: tuple[one, two], inner, inner),  # type: ignore[valid-type]
        st.builds(lambda one: dict[str, one], inner),  # type: ignore[valid-type]
        st.builds(lambda one: Mapping[str, one], inner),  # type: ignore[valid-type]
        st.builds(lambda one, two: Union[one, two], inner, inner),  # type: ignore[valid-type]  # noqa: UP007
        st.builds(lambda one: Annotated[one, "told"], inner),
    ),
    max_leaves=4,
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.just(1.0) | st.just(0.5) | st.sampled_from(["a", "red", ""]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["x", "y", "year", "title", "name", "points", "colour"]), inner, max_size=4)
    ),
    max_leaves=6,
)


def is_made(value: Any, kind: Any) -> bool:
    try:
        made(value, kind)
    except Unfit:
        return False
    return True


@given(KINDS, VALUES)
@settings(max_examples=3 * settings.default.max_examples)
def test_what_is_made_is_what_the_schema_allows(kind: Any, value: Any) -> None:
    whole = full(kind)
    jsonschema.Draft202012Validator.check_schema(whole)
    allowed = jsonschema.Draft202012Validator(whole).is_valid({"it": value})
    assert is_made(value, kind) == allowed


@given(SHAPES)
def test_pydantic_makes_the_same(shape: Shape) -> None:
    assert pydantic.TypeAdapter(Shape).validate_json(written(shape)) == parse_reply(written(shape), Shape)


def without(value: Any, *names: str) -> Any:
    """A schema without these keywords, which are texts or numbers; a property of that name stays."""
    if isinstance(value, dict):
        dropped = {name for name in names if name in value and not isinstance(value[name], dict)}
        return {name: without(inner, *names) for name, inner in value.items() if name not in dropped}
    return [without(item, *names) for item in value] if isinstance(value, list) else value


@given(st.floats())
def test_numbers_that_json_has_not_are_refused(number: float) -> None:
    text = json.dumps({"x": number})
    if math.isfinite(number):
        assert parse_reply(text, Point) == Point(number)
    else:
        with pytest.raises(Misfit, match="is not JSON"):
            parse_reply(text, Point)
