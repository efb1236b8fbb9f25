"""Types as JSON Schemas, and replies as their objects."""

from __future__ import annotations

import copy
import enum
import json
import math
import sys
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import InitVar, asdict, dataclass, field, make_dataclass
from datetime import date, datetime, time, timedelta, timezone
from typing import Annotated, Any, ClassVar, Literal, NewType, Optional, TypedDict, Union

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claude_magic import CellError
from claude_magic.errors import ClaudeError
from claude_magic.wire.accepted import accepted
from claude_magic.wire.kinds import Field
from claude_magic.wire.parsed import Misfit, parsed
from claude_magic.wire.schema import of_fields, of_type, schema
from claude_magic.wire.typed import Unfit, made

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
            "properties": {"x": {"type": "number"}, "y": {"type": "number"}},
            "required": ["x"],
            "additionalProperties": False,
        }
    }


def test_every_kind_of_field_has_its_schema() -> None:
    point = {"$ref": "#/$defs/Point"}
    pair = {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "string"}], "minItems": 2, "maxItems": 2}
    nullable = {"anyOf": [{"type": "string"}, {"type": "null"}]}
    definitions: dict[Any, Any] = {}
    whole = of_type(Everything, "Everything", definitions)
    assert whole == {"$ref": "#/$defs/Everything"}
    assert definitions[Everything][1]["properties"] == {
        "points": {"type": "array", "items": point},
        "pair": pair,
        "some": {"type": "array", "items": {"type": "integer"}, "uniqueItems": True},
        "by_name": {"type": "object", "additionalProperties": point},
        "either": {"anyOf": [{"type": "integer"}, {"type": "array", "items": nullable}, point]},
        "level": {"enum": [1, 2]},
        "when": {"type": "string", "format": "date-time"},
        "at": {"type": "string", "format": "time"},
        "id": {"type": "string", "format": "uuid"},
        "user": {"type": "integer"},
        "flag": {"enum": [True, 1, "1", None]},
        "later": {"anyOf": [{"type": "string", "format": "date"}, {"type": "string"}]},
        "anything": {},
        "start": {"anyOf": [point], "description": "where it begins"},
        "words": {"type": "array", "items": {"type": "string"}},
        "count": {"type": "integer"},
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
    assert schema(Tree)["$ref"] == "#/$defs/Tree"
    tree = parsed('{"value": 1, "children": [{"value": 2, "children": []}]}', Tree)
    assert tree == Tree(1, [Tree(2, [])])
    assert parsed('{"rights": [{"left": {"rights": []}}]}', Left) == Left([Right(Left([]))])


def test_two_classes_of_one_name_stay_two() -> None:
    inner = make_dataclass("Point", [("z", int)])
    outer = make_dataclass("Outer", [("a", Point), ("b", inner)])
    assert list(schema(outer)["$defs"]) == ["Point", "Point2"]
    assert parsed('{"a": {"x": 1}, "b": {"z": 2}}', outer) == outer(Point(1), inner(2))


def test_a_typed_dict_says_what_is_required_even_in_strings() -> None:
    assert schema(Movie)["required"] == ["year"]
    assert schema(Book)["required"] == ["title"]
    assert schema(Book)["description"] == "A book."
    assert "description" not in schema(Movie)
    assert schema(Book)["properties"]["published"]["description"] == "the first time"
    assert parsed('{"title": "B", "published": "2020-02-29"}', Book) == {"title": "B", "published": date(2020, 2, 29)}
    with pytest.raises(Misfit, match="'year' is a required property"):
        parsed('{"title": "M"}', Movie)


def test_a_schema_is_taken_as_it_is() -> None:
    given_schema = {"type": "array", "items": {"type": "integer", "minimum": 1}}
    before = copy.deepcopy(given_schema)
    assert schema(given_schema) is given_schema
    assert parsed("[1, 2]", given_schema) == [1, 2]
    with pytest.raises(Misfit, match=r"the schema: /1: 0 is less than the minimum of 1\. It is in claude\.last\.text"):
        parsed("[1, 0]", given_schema)
    assert given_schema == before


def test_a_schema_fetches_nothing(server: Any) -> None:
    with pytest.raises(CellError, match="the schema cannot be used"):
        parsed("1", {"$ref": f"{server.url}/schema.json"})
    assert server.received == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"a": "x"}', "/a: 'x' is not of type 'integer'"),
        ("{}", "'a' is a required property, seen {}"),
        ('{"a": 1, "b": [1, "x"]}', "/b/1: 'x' is not of type 'number', 'null'"),
        ('{"a": 1, "c": "z"}', "/c: 'z' is not one of ['x', 'y']"),
        ('{"a": 1, "z": 1}', "'z' is none of its properties"),
    ],
)
def test_without_jsonschema_the_form_is_still_checked(monkeypatch: pytest.MonkeyPatch, text: str, said: str) -> None:
    monkeypatch.setitem(sys.modules, "jsonschema", None)
    wanted = {
        "type": "object",
        "properties": {
            "a": {"type": "integer"},
            "b": {"type": "array", "items": {"type": ["number", "null"]}},
            "c": {"enum": ["x", "y"]},
        },
        "required": ["a"],
        "additionalProperties": False,
    }
    assert parsed('{"a": 1.0, "b": [null, 2], "c": "x"}', wanted) == {"a": 1, "b": [None, 2], "c": "x"}
    with pytest.raises(Misfit) as error:
        parsed(text, wanted)
    assert said in str(error.value)


@pytest.mark.parametrize("model", [Weather, Strict])
def test_a_model_is_sent_as_the_official_sdk_sends_it(model: Any) -> None:
    anthropic = pytest.importorskip("anthropic")
    assert schema(model) == anthropic.transform_schema(model)


def test_a_model_keeps_its_maps_and_the_descriptions_of_its_references() -> None:
    model = pydantic.create_model(
        "Model", by_name=(dict[str, int], ...), free=(dict, ...), sky=(Colour, pydantic.Field(description="its colour"))
    )
    properties = schema(model)["properties"]
    assert properties["by_name"] == {
        "type": "object",
        "title": "By Name",
        "additionalProperties": {"type": "integer"},
    }
    assert properties["free"]["additionalProperties"] is True
    assert properties["sky"] == {"anyOf": [{"$ref": "#/$defs/Colour"}], "description": "its colour"}


def test_a_model_checks_its_own_limits() -> None:
    weather = '{"city": "Rome", "degrees": %s, "kind": "weather", "colours": ["red"], "level": 2}'
    assert parsed(weather % 21, Weather).colours == [Colour.RED]
    with pytest.raises(
        Misfit, match=r"Weather: /degrees: Input should be less than or equal to 60, seen 99\. It is in"
    ):
        parsed(weather % 99, Weather)
    strict = parsed('{"when": "2020-01-02", "places": ["Rome"]}', Strict)
    assert strict == Strict(when=date(2020, 1, 2), places=("Rome",))


def test_a_model_may_stand_in_a_dataclass() -> None:
    today = {"city": "Rome", "degrees": 1, "kind": "weather", "colours": ["red"], "level": 1}
    today["tomorrow"] = {**today, "city": "Pisa"}
    reply = {"today": today, "strict": {"when": "2020-01-02", "places": []}}
    jsonschema.validate(reply, schema(Report))
    report = parsed(json.dumps(reply), Report)
    assert report.today.tomorrow.city == "Pisa"
    del reply["today"]["tomorrow"]["level"]  # type: ignore[attr-defined]
    with pytest.raises(Misfit, match="/today/tomorrow/level: Field required"):
        parsed(json.dumps(reply), Report)


@dataclass
class Trip:
    stops: list[Annotated[dict[str, complex], "odd"]]


class Sized(enum.Enum):
    SMALL = (1, 2)


@dataclass
class Unknown:
    where: Nowhere  # type: ignore[name-defined]  # noqa: F821


def test_what_cannot_be_expressed_names_its_place() -> None:
    outer = make_dataclass("Outer", [("trips", list[Trip])])
    with pytest.raises(
        CellError, match=r"no schema for Outer\.trips\[\]\.stops\[\]\[\]: JSON has no form for complex\."
    ):
        schema(outer)
    for odd in (dict[int, str], Sized, Literal[b"x"], type, set[complex], lambda: 1, "text", bytes, [1]):
        with pytest.raises(CellError, match=r"no schema for Odd\.field"):
            of_type(odd, "Odd.field", {})
    with pytest.raises(CellError, match="no schema for Unknown: name 'Nowhere' is not defined"):
        schema(Unknown)


def test_what_a_model_cannot_express_names_its_field() -> None:
    from collections.abc import Callable

    odd = pydantic.create_model("Odd", fine=(int, 1), use=(Callable[[int], int], ...))
    with pytest.raises(CellError, match=r"no schema for Odd\.use: Cannot generate a JsonSchema") as error:
        schema(odd)
    assert "\n" not in str(error.value)
    with pytest.raises(CellError, match=r"no schema for Outer\.inner\.use: "):
        schema(make_dataclass("Outer", [("inner", odd)]))


@pytest.mark.parametrize(
    "kind", [int, "Shape", None, Shape("a", [], None), Weather.model_construct(), list[Point], [1]]
)
def test_a_wrong_kind_is_told(kind: Any) -> None:
    for use in (schema, lambda kind: parsed("{}", kind)):
        with pytest.raises(CellError, match="it is no pydantic model, dataclass, TypedDict or JSON Schema"):
            use(kind)


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
    assert parsed(text, Point) == Point(1.0)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nothing", "'nothing' is not JSON"),
        ("", "'' is not JSON"),
        ('{"x": "warm"}', "/x: 'warm' is not of type 'number'"),
        ('{"x": true}', "/x: True is not of type 'number'"),
        ('{"x": null}', "/x: None is not of type 'number'"),
        ('{"y": 1}', "'x' is a required property, seen {'y': 1}"),
        ('{"x": 1, "z": 2}', "'z' is not one of its properties 'x', 'y'"),
        ("[1]", "[1] is not of type 'object'"),
        ('{"x": NaN}', "is not JSON"),
        ('{"x": 1' + "0" * 400 + "}", "is too large"),
        ("[" * 100_000, "nested too deeply"),
        ('{"x": "' + "a" * 100_000 + '"}', "is not of type 'number'"),
        ('{"x": "\u202e\\u001b[2J\\n"}', "is not of type 'number'"),
    ],
)
def test_a_reply_that_does_not_fit_shows_both_in_one_line(text: str, said: str) -> None:
    with pytest.raises(Misfit) as error:
        parsed(text, Point)
    message = str(error.value)
    assert message.startswith("the reply does not fit Point: ")
    assert message.endswith(". It is in claude.last.text.")
    assert said in message
    assert message.isprintable()
    assert len(message) < 500
    assert isinstance(error.value, ClaudeError)


def test_the_deepest_misfit_of_a_union_is_told() -> None:
    either = make_dataclass("Either", [("one", int | Point | None)])
    with pytest.raises(Misfit, match="/one/x: 'warm' is not of type 'number'"):
        parsed('{"one": {"x": "warm"}}', either)
    with pytest.raises(Misfit, match="/one: 'warm' is none of int, Point, NoneType"):
        parsed('{"one": "warm"}', either)


@dataclass
class Picky:
    n: int

    def __post_init__(self) -> None:
        if self.n < 0:
            raise ValueError("n must not be negative")


def test_what_a_class_refuses_does_not_fit() -> None:
    with pytest.raises(Misfit, match=r"Picky: Picky refused it: n must not be negative; seen \{'n': -1\}"):
        parsed('{"n": -1}', Picky)


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
    assert parsed('{"names": ["a"], "more": []}', kind) == kind(["a"], [])


def test_fields_of_a_function_make_an_object() -> None:
    found = of_fields(
        [
            Field(name="city", kind=str, description="its name"),
            Field(name="at", kind=Point | None, required=False),
        ],
        "get_weather",
    )
    assert found["properties"]["city"] == {"type": "string", "description": "its name"}
    assert found["required"] == ["city"]
    assert list(found["$defs"]) == ["Point"]


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
@settings(deadline=None)
def test_what_fits_comes_back_as_it_was(value: Any) -> None:
    text = written(value)
    definitions: dict[Any, Any] = {}
    whole = {**of_type(type(value), "it", definitions), "$defs": dict(definitions.values())}
    jsonschema.validate(json.loads(text), whole)
    jsonschema.validate(json.loads(text), schema(type(value)))
    assert parsed(text, type(value)) == value
    assert parsed(f"Here it is:\n\n```json\n{text}\n```", type(value)) == value


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
@settings(deadline=None, max_examples=300)
def test_what_is_made_is_what_the_schema_allows(kind: Any, value: Any) -> None:
    definitions: dict[Any, Any] = {}
    whole = {**of_type(kind, "it", definitions), "$defs": dict(definitions.values())}
    jsonschema.Draft202012Validator.check_schema(whole)
    allowed = jsonschema.Draft202012Validator(whole).is_valid(value)
    assert is_made(value, kind) == allowed


@given(SHAPES)
@settings(deadline=None)
def test_pydantic_makes_the_same(shape: Shape) -> None:
    assert pydantic.TypeAdapter(Shape).validate_json(written(shape)) == parsed(written(shape), Shape)


def without(value: Any, *names: str) -> Any:
    """A schema without these keywords, which are texts or numbers; a property of that name stays."""
    if isinstance(value, dict):
        dropped = {name for name in names if name in value and not isinstance(value[name], dict)}
        return {name: without(inner, *names) for name, inner in value.items() if name not in dropped}
    return [without(item, *names) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("kind", [Shape, Tree, Left, Book])
def test_the_schema_says_what_pydantic_says(kind: Any) -> None:
    theirs = without(accepted(without(pydantic.TypeAdapter(kind).json_schema(), "title", "default")), "description")
    ours = without(schema(kind), "description")
    colour = theirs.get("$defs", {}).pop("Colour", None)  # ours stands in its place
    assert json.dumps(ours, sort_keys=True) == json.dumps(theirs, sort_keys=True).replace(
        json.dumps({"$ref": "#/$defs/Colour"}), json.dumps(colour)
    )


@given(st.floats())
def test_numbers_that_json_has_not_are_refused(number: float) -> None:
    text = json.dumps({"x": number})
    if math.isfinite(number):
        assert parsed(text, Point) == Point(number)
    else:
        with pytest.raises(Misfit, match="is not JSON"):
            parsed(text, Point)


@pytest.mark.process
def test_pydantic_and_jsonschema_are_not_imported_for_a_dataclass() -> None:
    import subprocess

    source = (
        "import sys, dataclasses\nfrom claude_magic.wire.parsed import parsed\n"
        "P = dataclasses.make_dataclass('P', [('x', int)])\nparsed('{\"x\": 1}', P)\n"
        "print([name for name in ('pydantic', 'jsonschema') if name in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
