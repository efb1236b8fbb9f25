"""Prompts of text completions: read, repaired, refused, and translated into turns."""

from __future__ import annotations

import json

import pytest

from claude_magic.errors import CellError
from claude_magic.prompt.completions import read_completion, read_prompt
from claude_magic.prompt.options.options import Options
from claude_magic.prompt.turns import parse_turns

TURNS = "\n\nHuman: Hi\n\nAssistant: Hello\n\nHuman: Who are you?\n\nAssistant:"


def translation(text: str, **options: object) -> tuple[Options, str | None, list[tuple[str, str]], tuple[str, ...]]:
    """The options, system prompt, turns and notes that a prompt becomes."""
    found, turns, notes = read_completion(Options(complete=True, **options), text)  # type: ignore[arg-type]
    system, messages = parse_turns(turns)
    return found, system, [(message["role"], message["content"]) for message in messages], notes


def test_turns_become_messages_without_the_assistant_that_asks_for_the_reply() -> None:
    _, system, turns, notes = translation(TURNS)
    assert (system, turns) == (None, [("user", "Hi"), ("assistant", "Hello"), ("user", "Who are you?")])
    assert notes == ("text completion, sent as messages: user, assistant, user",)


def test_many_turns_are_counted_in_the_note() -> None:
    notes = translation("\n\nHuman: a\n\nAssistant: b" * 1_000 + "\n\nHuman: c\n\nAssistant:")[3]
    assert notes == ("text completion, sent as messages: 2,001 turns",)


def test_text_before_the_first_human_is_the_system_prompt() -> None:
    _, system, turns, notes = translation(f"You are terse.\nAlways.{TURNS}")
    assert system == "You are terse.\nAlways."
    assert turns[0] == ("user", "Hi")
    assert notes[0].startswith("text completion, sent as messages: system prompt, user")


def test_text_after_the_last_assistant_begins_the_reply() -> None:
    assert translation("\n\nHuman: Hi\n\nAssistant: Sure, ")[2] == [("user", "Hi"), ("assistant", "Sure,")]


def test_a_text_that_looks_like_turns_of_ours_stays_text() -> None:
    said = "a\n\nuser: no turn\nsystem: neither\n\\assistant: nor this"
    assert translation(f"\n\nHuman: {said}\n\nAssistant:")[2] == [("user", said)]


def test_a_prompt_without_turns_is_wrapped_and_said_to_be() -> None:
    prompt = read_prompt("hi")
    assert prompt.text == "\n\nHuman: hi\n\nAssistant:"
    assert prompt.notes == ("the prompt has no Human: turn: all of it was made one, and Assistant: put after it",)


@pytest.mark.parametrize(
    ("text", "repair"),
    [
        ("Human: hi\n\nAssistant:", "two newlines were put before the first Human:"),
        ("\nHuman: hi\n\nAssistant:", "two newlines were put before the first Human:"),
        ("\n\nHuman: hi\n\nAssistant: ", "the spaces after the last Assistant: were left out"),
        ("\r\n\r\nHuman: hi\r\n\r\nAssistant:", "each CR LF became one newline"),
    ],
)
def test_what_the_server_would_have_repaired_is_repaired_before_it_is_sent(text: str, repair: str) -> None:
    prompt = read_prompt(text)
    assert prompt.text == "\n\nHuman: hi\n\nAssistant:"
    assert prompt.repairs == (repair,)


def test_a_prompt_as_the_api_wants_it_is_left_as_it_is() -> None:
    for text in (TURNS, f"System.{TURNS}", "\n\nHuman: hi\n\nAssistant: <b>"):
        prompt = read_prompt(text)
        assert (prompt.text, prompt.notes, prompt.repairs) == (text, (), ())


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "the prompt is empty"),
        (" \n\n", "the prompt is empty"),
        ("\n\nHuman: hi", "ends with a Human: turn, not with Assistant:"),
        ("\n\nHuman: a\n\nAssistant: b\n\nHuman: c", "ends with a Human: turn"),
        ("\n\nAssistant: hi", "the first turn is Assistant:, not Human:"),
        ("\n\nAssistant: a\n\nHuman: hi\n\nAssistant:", "the first turn is Assistant:"),
        ("\n\nHuman: hi\nAssistant:", "; line 4 begins with Assistant: but follows no empty line"),
        ("Human: hi\n \nAssistant:", "; line 5 begins with Assistant: but follows no empty line"),
        ("text\nHuman: hi\nAssistant:", "the prompt has no turns; line 2 begins with Human:"),
        ("\n\nHuman:\n\nAssistant:", "turn 1 (user) is empty"),
        ("\n\nHuman: a\n\nAssistant:\n\nHuman: b\n\nAssistant:", "turn 2 (assistant) is empty"),
    ],
)
def test_turns_that_are_not_in_order_are_an_error_of_one_line(text: str, why: str) -> None:
    with pytest.raises(CellError) as error:
        read_completion(Options(complete=True), text)
    assert why in str(error.value)
    assert "\n" not in str(error.value)


def test_a_line_that_only_looks_like_a_turn_is_text_and_said_to_be() -> None:
    prompt = read_prompt("\n\nHuman: a transcript:\nHuman: x\nAssistant: y\n\nAssistant:")
    assert prompt.turns == (("user", "a transcript:\nHuman: x\nAssistant: y"), ("assistant", ""))
    assert prompt.notes == (
        "line 4 begins with Human: but follows no empty line: it is text, not a turn",
        "line 5 begins with Assistant: but follows no empty line: it is text, not a turn",
    )


BODY = {
    "model": "claude-2.1",
    "prompt": TURNS,
    "max_tokens_to_sample": 300,
    "stop_sequences": ["\n\nHuman:", "END"],
    "temperature": 0.2,
    "metadata": {"user_id": "u"},
    "stream": False,
    "frequency": 1,
}


def test_the_body_of_an_old_request_becomes_options_and_says_what_became_of_each_field() -> None:
    options, _, turns, notes = translation(json.dumps(BODY))
    assert turns == translation(TURNS)[2]
    assert (options.model, options.max_tokens, options.stop, options.stream) == (None, 300, ("END",), False)
    assert options.temperature is None
    assert options.param == {"metadata": {"user_id": "u"}}
    assert notes[1:] == (
        "model claude-2.1: retired, so the model of this notebook answers",
        "max_tokens_to_sample 300 became max_tokens 300",
        "the stop sequences Human: and Assistant: were left out: a message ends where its turn does",
        "temperature 0.2 was left out: today's models refuse it; --temperature sends it",
        "frequency was left out: no field of messages is known for it",
    )


def test_a_stop_at_the_next_turn_is_left_out_wherever_it_is_written() -> None:
    options, _, _, notes = translation(TURNS, stop=("\n\nHuman:", "END"))
    assert options.stop == ("END",)
    assert "the stop sequences Human: and Assistant: were left out" in notes[1]
    kept, _, _ = read_completion(Options(complete=True, legacy=True, stop=("\n\nHuman:", "END")), TURNS)
    assert kept.stop == ("\n\nHuman:", "END")


def test_sampling_on_the_first_line_is_sent_and_not_said_to_be_left_out() -> None:
    options, _, _, notes = translation(json.dumps(BODY), temperature=0.9)
    assert options.temperature == 0.9
    assert not any("temperature" in note for note in notes)


def test_a_model_of_today_in_an_old_body_answers() -> None:
    assert translation(json.dumps({**BODY, "model": "claude-haiku-4-5"}))[0].model == "claude-haiku-4-5"


def test_the_options_of_the_line_count_more_than_those_of_an_old_body() -> None:
    given = {"model": "claude-opus-5-5", "max_tokens": 7, "stop": (".",), "stream": True, "temperature": 1.0}
    options = translation(json.dumps(BODY), **given)[0]
    assert {name: getattr(options, name) for name in given} == given


def test_a_legacy_body_keeps_its_fields() -> None:
    options, text, notes = read_completion(Options(complete=True, legacy=True), json.dumps(BODY))
    assert (text, notes) == (TURNS, ())
    assert (options.model, options.max_tokens, options.temperature) == ("claude-2.1", 300, 0.2)
    assert options.stop == ("\n\nHuman:", "END")
    assert options.param == {"metadata": {"user_id": "u"}, "frequency": 1}


@pytest.mark.parametrize(
    ("field", "value", "why"),
    [
        ("max_tokens_to_sample", "many", "max_tokens_to_sample is a whole number: 'many'"),
        ("max_tokens_to_sample", True, "max_tokens_to_sample is a whole number: True"),
        ("stop_sequences", "END", "stop_sequences is a list of texts: 'END'"),
        ("stop_sequences", [1], "stop_sequences is a list of texts: [1]"),
    ],
)
def test_a_field_of_another_kind_is_an_error_of_one_line(field: str, value: object, why: str) -> None:
    with pytest.raises(CellError, match=r"\A--complete: ") as error:
        read_completion(Options(complete=True), json.dumps({**BODY, field: value}))
    assert why in str(error.value)


@pytest.mark.parametrize("options", [{"turns": True}, {"finish": True}, {"curl": True}, {"explain": True}])
def test_other_readings_of_the_text_are_refused(options: dict[str, bool]) -> None:
    with pytest.raises(CellError, match=f"leave --{next(iter(options))} out"):
        read_completion(Options(complete=True, **options), TURNS)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"system": "Be brief."}, "--system"),
        ({"conversation": "main"}, "--continue"),
        ({"attach": ("a.png",)}, "--attach"),
        ({"thinking": True}, "--thinking"),
        ({"tools": ("f",)}, "--tools"),
        ({"schema": "City"}, "--schema"),
        ({"compare": {"effort": ("low", "high")}}, "--effort"),
    ],
)
def test_what_a_completion_has_no_field_for_is_refused_with_legacy(options: dict[str, object], name: str) -> None:
    with pytest.raises(CellError, match=rf"\A--legacy: a completion has nothing like {name}\. "):
        read_completion(Options(complete=True, legacy=True, **options), TURNS)  # type: ignore[arg-type]


def test_two_system_prompts_are_refused() -> None:
    with pytest.raises(CellError, match="Use one"):
        read_completion(Options(complete=True, system="Be brief."), f"Be kind.{TURNS}")
    with pytest.raises(CellError, match="Use one"):
        read_completion(Options(complete=True, compare={"system": ("a", "b")}), f"Be kind.{TURNS}")
