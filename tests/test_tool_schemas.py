"""Faults of other tools' schemas and arguments, as tests: each reference leads somewhere, no union at the top, names
agree, limits hold, strict only where it is asked for, and annotations are found wherever they are defined."""

from __future__ import annotations

import enum
import functools
import json
import re
import sys
import typing
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, NamedTuple, Union

import jsonschema
import pydantic
import pytest
import typing_extensions
from pydantic import BaseModel, Field

from claude_magic.errors import ArgumentsError, CellError
from claude_magic.tools.schema.from_function import mark, tool_of
from claude_magic.tools.schema.reply import Misfit, parse_reply, schema
from claude_magic.wire.tool import Tool
from tests.notebook_shell import Shell
from tests.server import Server, failure, reply
from tests.tool_streams import asks


class Node(BaseModel):
    """A node of a tree."""

    name: str = Field(description="what it is called")
    kids: list[Node] = Field(default_factory=list, description="what hangs on it")


class Person(BaseModel):
    name: str


class Family(BaseModel):
    mother: Person = Field(description="who bore")
    father: Person = Field(description="who begot")
    others: dict[str, Person] = {}


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int = 9


class Dog(BaseModel):
    kind: Literal["dog"]
    tricks: list[str] = []


class Named(BaseModel):
    inner: int = Field(validation_alias="externalInner")


class Bounded(BaseModel):
    share: int = Field(ge=0, le=100, description="in percent")
    word: str = Field(min_length=2, max_length=4)
    step: float = Field(multiple_of=0.5)


class Level(enum.IntEnum):
    LOW = 1


class Film(typing.TypedDict, total=False):
    """A film."""

    title: typing_extensions.Required[Annotated[str, "as it is written"]]
    year: int


class Pair(NamedTuple):
    film: Film
    level: Level = Level.LOW


@dataclass
class Shelf:
    films: list[Film]
    best: Pair | None = None
    count: int = field(init=False, default=0)


def schemas_in(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from schemas_in(inner)
    for inner in value if isinstance(value, list) else ():
        yield from schemas_in(inner)


def sound(whole: dict[str, Any]) -> dict[str, Any]:
    """The schema, if it is valid, its root an object without a union, and each of its references leads somewhere."""
    jsonschema.Draft202012Validator.check_schema(whole)
    assert whole["type"] == "object"
    assert not {"anyOf", "oneOf", "allOf", "$ref"} & whole.keys()
    for each in schemas_in(whole):
        assert not {"oneOf", "discriminator"} & each.keys()
        if "$ref" in each:
            assert each["$ref"].removeprefix("#/$defs/") in whole["$defs"]
    return whole


def offered(function: Any) -> dict[str, Any]:
    return sound(dict(tool_of(function).definition["input_schema"]))


def called(function: Any, **arguments: Any) -> Any:
    run = tool_of(function).run
    assert run is not None
    return run(arguments)


# References


def test_a_class_that_holds_itself_has_an_object_at_the_root_and_all_its_descriptions() -> None:
    def grow(tree: Node) -> Any:
        return tree

    for whole in (offered(grow), sound(schema(Node))):
        text = json.dumps(whole)
        assert all(told in text for told in ("A node of a tree.", "what it is called", "what hangs on it"))
    node = {"name": "a", "kids": [{"name": "b", "kids": []}]}
    assert called(grow, tree=node) == Node(name="a", kids=[Node(name="b")]) == parse_reply(json.dumps(node), Node)


def test_two_fields_of_one_class_keep_their_own_descriptions() -> None:
    def meet(family: Family) -> Any:
        return family

    for whole in (offered(meet), sound(schema(Family))):
        text = json.dumps(whole)
        assert "who bore" in text
        assert "who begot" in text
    family = {"mother": {"name": "a"}, "father": {"name": "b"}, "others": {"c": {"name": "d"}}}
    assert called(meet, family=family).others == {"c": Person(name="d")}


# Unions


@pytest.mark.parametrize("can_be_none", [False, True])
def test_a_discriminated_union_is_offered_whole_and_arrives_as_its_class(can_be_none: bool) -> None:
    def pet(it: Any) -> Any:
        return it

    kind = Annotated[Union[Cat, Dog], Field(discriminator="kind")]  # noqa: UP007
    pet.__annotations__["it"] = Union[kind, None] if can_be_none else kind  # noqa: UP007
    whole = offered(pet)
    assert {"Cat", "Dog"} <= whole["$defs"].keys()
    assert called(pet, it={"kind": "dog", "tricks": ["sit"]}) == Dog(kind="dog", tricks=["sit"])
    assert not can_be_none or called(pet, it=None) is None
    with pytest.raises(ArgumentsError, match="pet was not called: it"):
        called(pet, it={"kind": "cow"})


# Names


def test_an_argument_arrives_under_the_name_it_was_offered_by() -> None:
    def f(
        x: Annotated[int, Field(alias="externalX")],
        y: Annotated[int, Field(validation_alias="externalY", ge=1)],
        it: Named,
        z: int = Field(7, alias="filter[z]"),
    ) -> Any:
        return x, y, it.inner, z

    whole = offered(f)
    assert list(whole["properties"]) == ["externalX", "externalY", "it", "filter_z"]
    assert "externalInner" in whole["$defs"]["Named"]["properties"]
    assert called(f, externalX=1, externalY=2, it={"externalInner": 3}, filter_z=4) == (1, 2, 3, 4)
    assert called(f, externalX=1, externalY=2, it={"externalInner": 3}) == (1, 2, 3, 7)
    with pytest.raises(ArgumentsError, match="externalY: Input should be greater than or equal to 1"):
        called(f, externalX=1, externalY=0, it={"externalInner": 3})


# Limits


def test_a_tool_keeps_limits_and_structured_output_tells_them_and_checks_them_all_the_same() -> None:
    def f(share: Annotated[int, Field(ge=0, le=100)]) -> Any:
        return share

    assert offered(f)["properties"]["share"] == {"type": "integer", "minimum": 0, "maximum": 100}
    whole = sound(schema(Bounded))
    for each in schemas_in(whole):
        assert not {"minimum", "maximum", "multipleOf", "minLength", "maxLength"} & each.keys()
        assert each.get("type") != "object" or each["additionalProperties"] is False
    assert "in percent" in whole["properties"]["share"]["description"]
    assert "maximum: 100" in whole["properties"]["share"]["description"]
    with pytest.raises(ArgumentsError, match="share: Input should be less than or equal to 100, seen 101"):
        called(f, share=101)
    with pytest.raises(Misfit, match="/share: Input should be less than or equal to 100, seen 101"):
        parse_reply('{"share": 101, "word": "abc", "step": 0.5}', Bounded)


# Strict


def test_strict_is_sent_only_where_it_is_asked_for() -> None:
    names: dict[str, Any] = {}
    exec(f"def many({', '.join(f'p{n}: int | None = None' for n in range(25))}): ...", names)
    assert "strict" not in tool_of(names["many"]).definition
    assert tool_of(names["many"], strict=True).definition["strict"] is True


def test_a_refusal_as_too_complex_is_one_line_and_not_asked_again(shell: Shell, endpoint: Server) -> None:
    said = "tools: schemas are too complex: 30 strict tools, 24 optional parameters"
    endpoint.answers(failure(400, "invalid_request_error", said))
    shell.run("from claude_magic import claude\n@claude.tool(strict=True)\ndef f(n: int = 1): return n")
    ran = shell.run("%%claude --tools f\nhi")
    assert ran.error is not None
    assert said in ran.error[1]
    assert len(endpoint.received) == 1


# Annotations


def test_annotations_are_found_in_a_cell_with_the_future_import(shell: Shell, endpoint: Server) -> None:
    cell = """
from __future__ import annotations
import dataclasses, functools, typing
from claude_magic import claude

@dataclasses.dataclass
class Spot:
    x: typing.Annotated[int, 'across']

@claude.tool(approve=False)
def here(spot: Spot, spots: list[Spot]) -> Spot: return spot.x + len(spots)

class Desk:
    @claude.tool(approve=False)
    def mark(self, spot: Spot): return spot.x

mark = Desk().mark
part = functools.partial(here, spots=[])
"""
    assert shell.run(cell).error is None
    endpoint.answers(asks(("here", {"spot": {"x": 1}, "spots": [{"x": 2}]}), ("mark", {"spot": {"x": 5}})), reply("ok"))
    ran = shell.run("%%claude --tools here,mark\nhi")
    assert ran.error is None, ran.error
    whole = endpoint.received[0].json["tools"][0]["input_schema"]
    assert whole["$defs"]["Spot"]["properties"]["x"] == {"type": "integer", "description": "across"}
    found = [result["content"][0]["text"] for result in endpoint.last.json["messages"][-1]["content"]]
    assert found == ["2", "5"]


def test_local_classes_partials_wrapped_functions_and_methods_are_understood() -> None:
    @dataclass
    class Local:
        n: Annotated[int, "how many"]

    def plainly(it: Local, more: int = 0) -> Any:
        assert isinstance(it, Local)
        return it.n + more

    @functools.wraps(plainly)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        return plainly(*args, **kwargs)

    class Holder:
        @mark(approve=False)
        def method(self, it: Local) -> Any:
            return it.n

    for function in (plainly, wrapped, functools.partial(plainly, more=0), Holder().method):
        assert offered(function)["$defs"]["Local"]["properties"]["n"]["description"] == "how many"
        assert called(function, it={"n": 3}) == 3


def test_what_cannot_be_resolved_is_an_error_that_names_parameter_and_name() -> None:
    def f(it: Nowhere) -> None: ...  # type: ignore[name-defined]  # noqa: F821

    with pytest.raises(CellError, match=r"no schema for f\.it: .*'Nowhere' is not defined"):
        tool_of(f)


# What pydantic alone would do otherwise


def test_a_typed_dict_of_typing_is_understood_wherever_it_stands() -> None:
    """pydantic refuses it before Python 3.12."""

    def f(film: Film, shelf: Shelf, by_name: dict[str, Film] | None = None) -> Any:
        return film, shelf

    whole = offered(f)
    film = whole["$defs"]["Film"]
    assert (film["required"], film["additionalProperties"]) == (["title"], False)
    assert film["properties"]["title"]["description"] == "as it is written"
    assert "count" not in whole["$defs"]["Shelf"]["properties"]
    one = {"title": "M"}
    shelf = {"films": [one], "best": {"film": one, "level": 1}}
    assert called(f, film=one, shelf=shelf) == (one, Shelf([Film(title="M")], Pair(Film(title="M"), Level.LOW)))
    with pytest.raises(ArgumentsError, match="shelf/films/0/title: Field required"):
        called(f, film=one, shelf={"films": [{"year": 1}]})
    assert parse_reply('{"title": "M"}', Film) == {"title": "M"}
    assert parse_reply('[{"title": "M"}]', list[Film]) == [{"title": "M"}]


@pytest.mark.parametrize(
    ("annotation", "wrong"),
    [
        (int, True),
        (int, "5"),
        (int, 5.5),
        (float, True),
        (float, "5"),
        (bool, 1),
        (bool, "true"),
        (str, 5),
        (Level, True),
        (Literal[1, 2], True),
        (list[int], ["5"]),
        (list[Literal[1]], [True]),
        (dict[str, bool], {"a": 0}),
        (Pair, {"film": {"title": "M"}, "level": True}),
        (Shelf, {"films": [{"title": 5}]}),
        (list[int], (1, 2)),
    ],
)
def test_types_are_exact(annotation: Any, wrong: Any) -> None:
    def f(x: Any) -> Any:
        return x

    f.__annotations__ = {"x": annotation}
    if isinstance(wrong, tuple):  # JSON has no tuples: the same as a list
        assert called(f, x=wrong) == [1, 2]
        return
    with pytest.raises(ArgumentsError, match="f was not called: x"):
        called(f, x=wrong)


@pytest.mark.parametrize("annotation", [typing.Iterable[int], typing.Collection[int], typing.Sequence[int]])
def test_what_is_listed_is_checked_before_the_call(annotation: Any) -> None:
    ran = []

    def f(x: Any) -> Any:
        ran.append(x)
        return x

    f.__annotations__ = {"x": annotation}
    assert called(f, x=[1, 2]) == [1, 2]
    with pytest.raises(ArgumentsError):
        called(f, x=["a"])
    assert ran == [[1, 2]]


def test_a_class_that_raises_something_else_is_one_line() -> None:
    @dataclass
    class Picky:
        n: int

        def __post_init__(self) -> None:
            raise KeyError(f"no {self.n}\nat all")

    def f(it: Any) -> None: ...

    f.__annotations__["it"] = Picky
    with pytest.raises(ArgumentsError, match="KeyError") as error:
        called(f, it={"n": 1})
    assert "\n" not in str(error.value)


def test_a_users_class_keeps_what_it_is() -> None:
    """Only pydantic's own hook is put on it."""

    class Plain(typing.TypedDict):
        n: int

    before = {name for name in vars(Plain) if name != "__get_pydantic_core_schema__"}

    def f(it: Any) -> Any:
        return it

    f.__annotations__["it"] = Plain
    assert called(f, it={"n": 1}) == {"n": 1}
    assert {name for name in vars(Plain) if name != "__get_pydantic_core_schema__"} == before
    assert Plain(n=1) == {"n": 1}
    assert sys.version_info < (3, 12) or "__get_pydantic_core_schema__" not in vars(Plain)


def test_a_list_of_classes_is_asked_for_and_comes_back(shell: Shell, endpoint: Server) -> None:
    shell.run("import pydantic\nclass Item(pydantic.BaseModel):\n    name: str\nItems = list[Item]")
    endpoint.answers(reply('{"value": [{"name": "a"}, {"name": "b"}]}'))
    ran = shell.run("%%claude --schema Items -o found\nhi")
    assert ran.error is None, ran.error
    wanted = endpoint.last.json["output_config"]["format"]["schema"]
    assert sound(wanted)["properties"]["value"]["items"] == {"$ref": "#/$defs/Item"}
    assert [item.name for item in shell.user_ns["found"]] == ["a", "b"]


def test_a_dict_of_free_keys_is_refused_before_anything_is_sent(shell: Shell, endpoint: Server) -> None:
    shell.run("Table = dict[str, int]")
    ran = shell.run("%%claude --schema Table\nhi")
    assert ran.error is not None
    assert re.match("no schema for dict.*Ask for a list of a class", ran.error[1])
    assert endpoint.received == []


def test_whoever_calls_gets_a_tool_once_marked() -> None:
    @mark(approve=False)
    def f(model_config: int, schema: str, copy: bool = False, _hidden: int = 0) -> Any:
        return model_config, schema, copy, _hidden

    tool: Tool = tool_of(f)
    assert list(tool.definition["input_schema"]["properties"]) == ["model_config", "schema", "copy", "_hidden"]
    run: Callable[..., Any] = tool.run  # type: ignore[assignment]
    assert run({"model_config": 1, "schema": "s", "_hidden": 3}) == (1, "s", False, 3)
    assert pydantic.VERSION.startswith("2.")
