"""Definitions of tools: whatever a server or a person wrote, the API takes it, or a line names the tool."""

from __future__ import annotations

import json
import re
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_magic.errors import CellError
from claude_magic.tools.definition import definition, from_dict

TEXT = {"type": "string"}
NODE = {"type": "object", "properties": {"kids": {"type": "array", "items": {"$ref": "#/definitions/Node"}}}}


def an_object(required: list[str] | None = None, **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, **({"required": required} if required else {})}


def refusal(schema: Any) -> str:
    """Why the API would refuse an input schema; `""` if it would not."""
    if schema.get("type") != "object":
        return "it is no object"
    if {"anyOf", "oneOf", "allOf"} & schema.keys():
        return "a union at the top level"
    if not all(re.fullmatch(r"[a-zA-Z0-9_.-]{1,64}", name) for name in schema.get("properties", {})):
        return "the name of a property"
    try:
        jsonschema.Draft202012Validator.check_schema(schema)
    except jsonschema.SchemaError as error:
        return error.message
    for reference in re.findall(r'"\$ref": "([^"]*)"', json.dumps(schema)):
        at: Any = schema
        for step in reference.removeprefix("#/").split("/") if reference != "#" else []:
            at = at.get(step.replace("%5B", "[").replace("%5D", "]"), None) if isinstance(at, dict) else None
            if at is None:
                return f"{reference} leads nowhere"
    return ""


def sent(schema: Any) -> dict[str, Any]:
    made = definition("t", "About.", schema).value
    assert refusal(made["input_schema"]) == ""
    return dict(made)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object"},
        an_object(["a"], a=TEXT),
        {**an_object(a={"$ref": "#/$defs/A"}), "$defs": {"A": an_object(b=TEXT)}, "additionalProperties": False},
        an_object(a={"anyOf": [TEXT, {"type": "null"}], "default": None, "title": "A"}),
    ],
)
def test_what_the_api_takes_is_sent_as_it_is(schema: Any) -> None:
    made = definition("t", "About.", schema)
    assert made.value == {"name": "t", "description": "About.", "input_schema": schema}
    assert (made.own_names, made.notes) == ({}, ())


@pytest.mark.parametrize("kind", ["anyOf", "oneOf"])
def test_a_union_at_the_top_becomes_one_object_and_its_rule_is_told(kind: str) -> None:
    made = sent({kind: [an_object(["url", "n"], url=TEXT, n=TEXT), an_object(["text", "n"], text=TEXT, n=TEXT)]})
    assert made["input_schema"]["properties"] == {"url": TEXT, "n": TEXT, "text": TEXT}
    assert made["input_schema"]["required"] == ["n"]
    assert made["description"].startswith("About.\n\nThe arguments must match")
    assert '"required": ["url", "n"]' in made["description"]


def test_all_of_several_objects_is_one_object_with_all_that_they_require() -> None:
    made = sent(
        {
            "type": "object",
            "allOf": [an_object(["a"], a=TEXT), {"$ref": "#/$defs/B"}],
            "$defs": {"B": an_object(["b"], b=TEXT)},
        }
    )
    assert made["input_schema"]["properties"] == {"a": TEXT, "b": TEXT}
    assert made["input_schema"]["required"] == ["a", "b"]
    assert made["description"] == "About."


def test_a_condition_in_all_of_is_told_in_words() -> None:
    condition = {"if": {"required": ["a"]}, "then": {"required": ["b"]}}
    assert '"then": {"required": ["b"]}' in sent({"allOf": [an_object(a=TEXT, b=TEXT), condition]})["description"]


def test_unions_within_unions_and_the_kinds_of_one_argument_are_kept() -> None:
    inner = {"oneOf": [an_object(["kind"], kind={"const": "b"}), an_object(["kind"], kind={"const": "c"})]}
    made = sent({"anyOf": [an_object(["kind"], kind={"const": "a"}), inner, {"type": "null"}]})
    kinds = made["input_schema"]["properties"]["kind"]
    valid = jsonschema.Draft202012Validator(kinds).is_valid
    assert [valid(each) for each in "abcd"] == [True, True, True, False]
    assert made["input_schema"]["required"] == ["kind"]


def test_what_forbids_further_arguments_of_one_branch_does_not_forbid_those_of_another() -> None:
    closed = [
        {**an_object(a=TEXT), "additionalProperties": False},
        {**an_object(b=TEXT), "additionalProperties": False},
    ]
    assert sent({"anyOf": closed})["input_schema"]["additionalProperties"] is False
    assert "additionalProperties" not in sent({"anyOf": [closed[0], an_object(b=TEXT)]})["input_schema"]


def test_a_name_that_the_api_refuses_is_replaced_and_mapped_back() -> None:
    long = "a" * 70
    schema = an_object(
        ["$top", "ok"], **{"$top": TEXT, "top": TEXT, "filter[name]": TEXT, "ok": TEXT, long: TEXT, "größe": TEXT}
    )
    made = definition("t", "", schema)
    properties = made.value["input_schema"]["properties"]
    assert refusal(made.value["input_schema"]) == ""
    assert made.value["input_schema"]["required"] == ["top_2", "ok"]
    assert properties["top_2"]["description"] == "(the tool's own name of it: $top)"
    assert made.own({name: name for name in properties}) == dict(zip(schema["properties"], properties, strict=True))


@given(st.lists(st.text(min_size=1, max_size=80), unique=True, max_size=12))
def test_names_of_arguments_are_legal_distinct_and_map_back(names: list[str]) -> None:
    made = definition("t", "", an_object(**dict.fromkeys(names, TEXT)))
    properties = list(made.value["input_schema"]["properties"])
    assert refusal(made.value["input_schema"]) == ""
    assert list(made.own(dict.fromkeys(properties, 1))) == names


def test_definitions_of_an_older_draft_and_recursion_are_kept() -> None:
    made = sent(
        {
            "$schema": "http://json-schema.org/draft-07/schema#",
            "$ref": "#/definitions/Node",
            "definitions": {"Node": NODE},
        }
    )
    assert made["input_schema"]["properties"]["kids"]["items"] == {"$ref": "#/$defs/Node"}
    assert made["input_schema"]["$defs"]["Node"]["properties"]["kids"]["items"] == {"$ref": "#/$defs/Node"}


@pytest.mark.parametrize("reference", ["#/properties/$a", "#/properties/%24a", "#", "#it"])
def test_a_reference_into_the_schema_still_leads_there(reference: str) -> None:
    made = sent(an_object(**{"$a": {"type": "integer", "$anchor": "it"}, "b": {"$ref": reference}}))
    name = made["input_schema"]["properties"]["b"]["$ref"].removeprefix("#/$defs/")
    assert made["input_schema"]["$defs"][name]["type"] == ("object" if reference == "#" else "integer")


@pytest.mark.parametrize("reference", ["#/$defs/nothing", "https://example.com/schema.json", "other.json#/a"])
def test_a_reference_that_leads_nowhere_leaves_its_place_open_and_is_noted(reference: str) -> None:
    made = definition("t", "", an_object(["a"], a={"$ref": reference, "description": "What."}, b=TEXT))
    assert made.value["input_schema"]["properties"]["a"]["description"].startswith("What.\n(of the form " + reference)
    assert made.notes == (f"its input schema refers to {reference}, which is not there",)
    assert refusal(made.value["input_schema"]) == ""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"type": "array", "items": [TEXT, TEXT]}, {"type": "array", "prefixItems": [TEXT, TEXT]}),
        ({"type": "number", "minimum": 0, "exclusiveMinimum": True}, {"type": "number", "exclusiveMinimum": 0}),
        ({"type": "number", "maximum": 0, "exclusiveMaximum": False}, {"type": "number", "maximum": 0}),
        ({"type": "float"}, {"type": "number"}),
        ({"type": "String"}, TEXT),
        ({"type": "any"}, {}),
        ({"type": "string", "nullable": True}, {"type": ["string", "null"]}),
    ],
)
def test_the_words_of_other_drafts_are_translated(old: Any, new: Any) -> None:
    made = definition("t", "", an_object(a=old))
    assert (made.value["input_schema"]["properties"]["a"], made.notes) == (new, ())


def test_required_as_draft_3_has_it_is_required() -> None:
    assert sent(an_object(a={"type": "string", "required": True}, b={"required": False}))["input_schema"][
        "required"
    ] == ["a"]


@pytest.mark.parametrize(
    ("schema", "noted"),
    [
        (an_object(a={"type": "objekt"}, b=TEXT), 'properties/a/type: "objekt"'),
        (an_object(a="a string", b=TEXT), 'properties/a: "a string"'),
        ({"type": "object", "properties": ["a"]}, 'properties: ["a"]'),
        ({**an_object(b=TEXT), "required": "b"}, 'required: "b"'),
        ({"anyOf": TEXT}, "anyOf: {"),
        (an_object(properties={"type": "zz"}, items={"minLength": "1"}), "properties/properties/type"),
    ],
)
def test_what_is_no_json_schema_is_left_out_told_in_words_and_noted(schema: Any, noted: str) -> None:
    made = definition("t", "", schema)
    assert refusal(made.value["input_schema"]) == ""
    assert any(f"not valid at {noted}" in note for note in made.notes)


@pytest.mark.parametrize("schema", [None, True, {}, {"type": ["object", "null"]}])
def test_no_schema_is_an_object(schema: Any) -> None:
    assert sent(schema)["input_schema"] == {"type": "object"}


@pytest.mark.parametrize(
    "schema",
    [{"type": "string"}, [], "x", False, {"anyOf": [TEXT]}, {"$ref": "#"}, {"a": float("nan")}],
)
def test_what_is_no_object_is_an_error(schema: Any) -> None:
    with pytest.raises(CellError, match="input schema"):
        definition("t", "", schema)


KEYWORDS = "type properties items anyOf oneOf allOf $ref $defs definitions required a $b minimum not description"
SCHEMAS = st.recursive(
    st.none() | st.integers() | st.text(max_size=4) | st.sampled_from(["string", "object", "#/$defs/a", "#", True]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYWORDS.split()), inner, max_size=5),
    max_leaves=20,
)


@given(SCHEMAS)
def test_whatever_a_server_sends_the_api_takes_what_is_sent_or_there_is_an_error(schema: Any) -> None:
    before = json.dumps(schema)
    try:
        made = definition("t", "", schema)
    except CellError:
        return
    assert refusal(made.value["input_schema"]) == ""
    assert json.dumps(schema) == before


# What a person wrote


@pytest.mark.parametrize(
    "written",
    [
        {"type": "function", "function": {"name": "f", "description": "About.", "parameters": an_object(a=TEXT)}},
        {"type": "function", "name": "f", "description": "About.", "parameters": an_object(a=TEXT), "strict": False},
        {"name": "f", "description": "About.", "inputSchema": an_object(a=TEXT)},
        {"name": "f", "description": "About.", "input_schema": an_object(a=TEXT)},
    ],
)
def test_the_forms_of_others_are_recognized(written: Any) -> None:
    assert from_dict(written).value == {"name": "f", "description": "About.", "input_schema": an_object(a=TEXT)}


def test_what_else_a_definition_says_is_kept() -> None:
    written = {"name": "f", "input_schema": {"type": "object"}, "cache_control": {"type": "ephemeral"}, "strict": True}
    assert from_dict(written).value == written
    openai = {"type": "function", "function": {"name": "f", "parameters": None, "strict": True}}
    assert from_dict(openai).value == {"name": "f", "input_schema": {"type": "object"}, "strict": True}


def test_a_tool_that_the_api_runs_stays_as_it_is() -> None:
    written = {"type": "web_search_20250305", "name": "web_search", "max_uses": 2}
    assert from_dict(written).value == written


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ({"name": "f", "input_schema": an_object(**{"$top": TEXT})}, r"the tool f cannot be sent: .*seen \$top"),
        ({"name": "f", "input_schema": {"type": "string"}}, "the tool f cannot be sent: its input schema is of type"),
        ({"name": "a b", "input_schema": {}}, "cannot be called 'a b'"),
        ({"input_schema": {}}, "cannot be called None"),
        ({"type": "function", "function": "f"}, "its function is 'f'"),
    ],
)
def test_what_cannot_be_sent_is_an_error_that_names_it(written: Any, said: str) -> None:
    with pytest.raises(CellError, match=said):
        from_dict(written)
