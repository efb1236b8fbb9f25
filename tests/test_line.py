"""The first line of a cell: options, and text left as it is."""

from __future__ import annotations

from dataclasses import fields

import pytest

from claude_magic import CellError
from claude_magic.prompt.options.help import help_text
from claude_magic.prompt.options.keywords import options_of_many as from_keywords
from claude_magic.prompt.options.options import Options
from claude_magic.prompt.options.parser import parse_line
from claude_magic.prompt.options.table import all_options, names


def test_text_after_the_options_is_left_as_typed() -> None:
    options, text = parse_line("""-m claude-x  what's "up",  {doc} $HOME \\n? """)
    assert (options.model, text) == ("claude-x", """what's "up",  {doc} $HOME \\n? """)


def test_quotes_keep_spaces_together() -> None:
    assert parse_line("""--system 'You are "terse"' hi""")[0].system == 'You are "terse"'


def test_a_double_quoted_value_may_hold_escaped_quotes() -> None:
    assert parse_line(r"""-s "say \"hi\" \\o/" x""")[0].system == r'say "hi" \o/'


def test_pieces_of_a_word_are_joined_as_a_shell_does() -> None:
    assert parse_line("""-s a' b 'c\\ d""")[0].system == "a b c d"


def test_a_value_may_follow_an_equals_sign() -> None:
    assert parse_line("--stop='a b' --stop=c x")[0].stop == ("a b", "c")


def test_stop_repeats() -> None:
    assert parse_line("--stop a --stop b")[0].body() == {"stop_sequences": ["a", "b"]}


@pytest.mark.parametrize(
    ("line", "body"),
    [
        ('--param metadata {"user_id": "a b"}', {"metadata": {"user_id": "a b"}}),
        ('--param metadata \'{"user_id": "a b"}\'', {"metadata": {"user_id": "a b"}}),
        ('--param service_tier "auto"', {"service_tier": "auto"}),
        ("--param service_tier '\"auto\"'", {"service_tier": "auto"}),
        ("--param xs [1, 2] --param y null", {"xs": [1, 2], "y": None}),
        ("--thinking", {"thinking": {"type": "adaptive", "display": "summarized"}}),
        ("--effort high", {"output_config": {"effort": "high"}}),
        ('--effort high --param output_config {"format": 1}', {"output_config": {"effort": "high", "format": 1}}),
        ("--temperature 1 --top-p .5 --top-k 3", {"temperature": 1, "top_p": 0.5, "top_k": 3}),
        ("", {}),
    ],
)
def test_options_become_fields_of_the_body(line: str, body: object) -> None:
    assert parse_line(line)[0].body() == body


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("--modle x hi", "no option --modle. Did you mean --model?"),
        ("-t abc", "-t is not a whole number: 'abc'"),
        ("-t -1", "-t is not a whole number"),
        ("-t ²", "-t is not a whole number"),
        ("--temperature nan", "--temperature is not a number"),
        ("--stop", "--stop needs a value: --stop TEXT"),
        ("--stop --thinking hi", "--stop needs a value before --thinking"),
        ("--param x y", "--param is not JSON"),
        ("--param x", "--param needs a value: --param NAME JSON"),
        ("--param model 1", "use --model"),
        ("--param messages []", "use the cell's text"),
        ("--header X-Api-Key k", "the key comes from"),
        ("--header Host h", "it is set for you"),
        ("--header 'a b' c", "not a header name"),
        ("--header X-A 'a\nb'", "control or non-ASCII"),
        ("--no-stream=1", "--no-stream takes no value"),
        ("-s 'open", "-s: a quote is not closed"),
        ("-o 1x", "-o is not a variable name"),
        ("-o class", "-o is not a variable name"),
        ("-m ''", "-m is empty"),
    ],
)
def test_a_wrong_option_says_what_is_wrong(line: str, said: str) -> None:
    with pytest.raises(CellError) as error:
        parse_line(line)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("line", ["-5 degrees", "- item", "what -m is", "-- --not an option", "—dash"])
def test_text_may_begin_with_what_looks_like_an_option(line: str) -> None:
    assert parse_line(line)[1] == line.removeprefix("-- ")


def test_an_api_field_may_be_sent_without_an_option_of_its_own() -> None:
    assert parse_line('--param system [{"type":"text","text":"x"}]')[0].body() == {
        "system": [{"type": "text", "text": "x"}]
    }


def test_python_takes_the_same_options() -> None:
    assert from_keywords({"max_tokens": 5, "stop": "x"}) == parse_line("-t 5 --stop x")[0]


def test_python_names_the_nearest_option() -> None:
    with pytest.raises(CellError, match=r"no option 'max_token'. Did you mean max_tokens\?"):
        from_keywords({"max_token": 5})


def test_every_option_is_in_the_help() -> None:
    assert [name for name in names() if name not in help_text()] == []
    assert [name for name in names() if name not in help_text("all")] == []


def test_every_option_sets_a_field() -> None:
    set_by_options = {name for option in all_options() for name in (option.target, option.also) if name}
    assert set_by_options == {field.name for field in fields(Options)} - {"notes"}


@pytest.mark.parametrize(
    "line", ["--tools a,b --yes", "--tools a, b --yes", "--tools a --tools b --yes", "--tools 'a, b' --yes"]
)
def test_tools_are_named_one_by_one_or_with_commas(line: str) -> None:
    options, text = parse_line(line)
    assert [name.strip() for several in options.tools for name in several.split(",")] == ["a", "b"]
    assert options.yes
    assert text == ""
