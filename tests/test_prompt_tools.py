"""`claude.prompts`: what is asked for, what is made of the reply, and what becomes of odd ones."""

from __future__ import annotations

import json
from typing import Any

import pytest

from claude_magic.session.prompt_tools import prompt_text
from tests.notebook_kernel import Ran
from tests.notebook_shell import Shell
from tests.server import JSON, STREAM, Answer, Server, event, failure, reply, whole

GENERATED = "<text>\n{{TEXT}}\n</text>\n\nSum it up in two sentences for a busy reader."


def answer(messages: Any, **fields: Any) -> Answer:
    """A reply whose text is this JSON."""
    messages = [{"role": "user", "content": messages}] if isinstance(messages, str) else messages
    return whole(json.dumps({"messages": messages, **fields}))


@pytest.fixture
def notebook(shell: Shell) -> Shell:
    """A shell that knows `claude`."""
    shell.run("from claude_magic import claude")
    return shell


def draft(notebook: Shell, call: str) -> Any:
    ran = notebook.run(f"draft = claude.prompts.{call}")
    assert ran.error is None, ran.error
    return notebook.user_ns["draft"]


def line(ran: Ran) -> str:
    assert ran.error is not None
    name, text, _ = ran.error
    assert "\n" not in text
    return f"{name}: {text}"


# Generate


def test_a_task_becomes_a_prompt_in_the_shape_of_the_retired_endpoint(notebook: Shell, endpoint: Server) -> None:
    endpoint.answers(answer(GENERATED))
    found = draft(notebook, "generate('sum up a text')")
    assert found.messages == [{"role": "user", "content": [{"type": "text", "text": GENERATED}]}]
    assert found.system == ""
    assert found.usage["input_tokens"] == 46
    assert found.body == {"messages": found.messages, "system": "", "usage": found.usage}
    assert found.variables == ("TEXT",)


def test_the_request_of_a_prompt_asks_for_json_with_instructions_of_ours(notebook: Shell, endpoint: Server) -> None:
    endpoint.answers(answer(GENERATED))
    draft(notebook, "generate('sum up {{a}} text', model='claude-haiku-4-5', max_tokens=999)")
    sent = endpoint.last.json
    assert endpoint.last.path == "/v1/messages"
    assert (sent["model"], sent["max_tokens"]) == ("claude-haiku-4-5", 999)
    assert sent["messages"] == [{"role": "user", "content": "<task>\nsum up {{a}} text\n</task>"}]
    assert "write a prompt" in sent["system"]
    assert "{{DOCUMENT}}" in sent["system"]
    schema = sent["output_config"]["format"]["schema"]
    assert (sent["output_config"]["format"]["type"], schema["required"]) == ("json_schema", ["messages"])


def test_a_prompt_is_written_outside_of_the_notebooks_conversation_and_system_prompt(
    notebook: Shell, endpoint: Server
) -> None:
    endpoint.answers(reply("a"), answer(GENERATED))
    notebook.run("%config Claude.conversation = 'main'\n%config Claude.system = 'Be rude.'")
    notebook.run("%claude hi")
    draft(notebook, "generate('x')")
    assert len(endpoint.last.json["messages"]) == 1
    assert "Be rude." not in endpoint.last.json["system"]
    assert notebook.value("len(claude.conversation())") == 1


def test_the_exchange_of_a_prompt_is_the_last_one_and_in_the_journal(notebook: Shell, endpoint: Server) -> None:
    endpoint.answers(answer(GENERATED))
    found = draft(notebook, "generate('sum up a text')")
    assert found.exchange.text == notebook.user_ns["claude"].last.text
    assert notebook.value("len(claude.journal.search('sum up a text'))") == 1
    assert "client.messages" in notebook.value("draft.exchange.code('python')")


# Improve


@pytest.mark.parametrize(
    ("call", "asked"),
    [
        ("improve('Say {{X}}')", {"messages": [{"role": "user", "content": "Say {{X}}"}]}),
        (
            "improve('Say {{X}}', 'too long', system='Be kind.')",
            {"messages": [{"role": "user", "content": "Say {{X}}"}], "system": "Be kind.", "feedback": "too long"},
        ),
        (
            "improve([{'role': 'user', 'content': [{'type': 'text', 'text': '{{X}}'}]}, "
            "{'role': 'assistant', 'content': 'So'}])",
            {"messages": [{"role": "user", "content": "{{X}}"}, {"role": "assistant", "content": "So"}]},
        ),
    ],
)
def test_what_is_to_be_improved_goes_as_json(
    notebook: Shell, endpoint: Server, call: str, asked: dict[str, Any]
) -> None:
    endpoint.answers(answer("Say {{X}} briefly."))
    assert draft(notebook, call).text == "Say {{X}} briefly."
    (sent,) = endpoint.last.json["messages"]
    assert json.loads(sent["content"].removeprefix("<request>").removesuffix("</request>")) == asked


def test_a_draft_and_an_exchange_are_improved(notebook: Shell, endpoint: Server) -> None:
    endpoint.answers(answer("first"))
    draft(notebook, "generate('x')")
    endpoint.answers(answer("second"))
    assert draft(notebook, "improve(draft, feedback='shorter')").text == "second"
    assert '"content": "first"' in endpoint.last.json["messages"][0]["content"]
    endpoint.answers(reply("4"), answer("third"))
    notebook.run("%%claude -s 'Be brief.'\n2 + 2?")
    assert draft(notebook, "improve(claude.last)").text == "third"
    asked = endpoint.last.json["messages"][0]["content"]
    assert '"content": "2 + 2?"' in asked
    assert '"system": "Be brief."' in asked


def test_a_placeholder_that_was_lost_is_an_error_and_the_reply_is_kept(notebook: Shell, endpoint: Server) -> None:
    endpoint.answers(answer("Say it."))
    ran = notebook.run("claude.prompts.improve('Say {{X}} to {{ Y }}')")
    assert line(ran) == "Misfit: the improved prompt lost {{X}}, {{Y}}. It is in claude.last.text. Ask again."
    assert "Say it." in notebook.value("claude.last.text")
    assert notebook.value("len(claude.journal.last(9))") == 1


def test_a_placeholder_that_is_new_is_said(notebook: Shell, endpoint: Server) -> None:
    endpoint.answers(answer("Say {{X}} in {{TONE}}."))
    assert draft(notebook, "improve('Say {{X}}')").notes == ("{{TONE}} is new: the prompt had no such placeholder",)


# Templatize


CASE = "Sum up the log of 3 May for Lena"
TEMPLATE = "Sum up the log of {{DATE}} for {{READER}}"
VALUES = [{"name": "DATE", "value": "3 May"}, {"name": "READER", "value": "Lena"}]


@pytest.mark.parametrize("values", [VALUES, {"DATE": "3 May", "READER": "Lena"}])
def test_a_prompt_becomes_a_template_with_its_values(notebook: Shell, endpoint: Server, values: Any) -> None:
    endpoint.answers(answer(TEMPLATE, system="You write short reports", variable_values=values))
    found = draft(notebook, f"templatize({CASE!r}, system='You write short reports')")
    assert found.body == {
        "messages": [{"role": "user", "content": [{"type": "text", "text": TEMPLATE}]}],
        "system": "You write short reports",
        "usage": found.usage,
        "variable_values": {"DATE": "3 May", "READER": "Lena"},
    }
    assert found.notes == ()
    required = endpoint.last.json["output_config"]["format"]["schema"]["required"]
    assert required == ["messages", "system", "variable_values"]


def test_a_template_filled_with_its_values_in_a_cell_is_the_prompt_again(notebook: Shell, endpoint: Server) -> None:
    endpoint.answers(answer(TEMPLATE, variable_values=VALUES), reply("ok"))
    found = draft(notebook, f"templatize({CASE!r})")
    notebook.run(str(found.assignments))
    assert notebook.run(str(found.cell)).error is None
    assert endpoint.last.json["messages"] == [{"role": "user", "content": CASE}]


def test_a_template_that_changed_more_than_its_values_says_where(notebook: Shell, endpoint: Server) -> None:
    endpoint.answers(answer(f"{TEMPLATE}.", variable_values=VALUES))
    (note,) = draft(notebook, f"templatize({CASE!r})").notes
    assert note == "with its values filled in, it is not your prompt: message 1 differs from character 33 on"


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"variable_values": VALUES[:1]}, "the template has {{READER}}, and no value of it came"),
        ({}, "the template has {{DATE}}, and no value of it came"),
        ({"variable_values": [{"name": "DATE", "value": 3}]}, "a value of a variable is no text"),
        ({"variable_values": ["DATE"]}, "a value of a variable is no text: 'DATE'"),
        ({"variable_values": VALUES, "system": ["x"]}, "the reply is no prompt: its system prompt is no text"),
    ],
)
def test_a_template_without_its_values_is_an_error_of_one_line(
    notebook: Shell, endpoint: Server, given: dict[str, Any], why: str
) -> None:
    endpoint.answers(answer(TEMPLATE, **given))
    assert line(notebook.run(f"claude.prompts.templatize({CASE!r})")).startswith(f"Misfit: {why}")
    assert TEMPLATE in notebook.value("claude.last.text")


def test_a_template_with_other_messages_is_an_error(notebook: Shell, endpoint: Server) -> None:
    messages = [{"role": "user", "content": TEMPLATE}, {"role": "assistant", "content": "Sure"}]
    endpoint.answers(answer(messages, variable_values=VALUES))
    ran = notebook.run(f"claude.prompts.templatize({CASE!r})")
    assert line(ran).startswith("Misfit: the template has other messages than the prompt")


def test_a_value_without_a_place_and_a_prompt_without_values_are_said(notebook: Shell, endpoint: Server) -> None:
    endpoint.answers(answer(CASE, variable_values=VALUES[:1]))
    found = draft(notebook, f"templatize({CASE!r})")
    assert found.variable_values == {}
    assert found.notes == (
        "a value of DATE came, which the template does not have",
        "nothing in this prompt was found to change from one use to the next",
    )


# Replies that are none


@pytest.mark.parametrize(
    ("odd", "why"),
    [
        (whole("Here is your prompt: say hi"), "the reply is no prompt: "),
        (whole("[1, 2]"), "the reply is no prompt: it holds no messages"),
        (whole('{"messages": []}'), "the reply is no prompt: it holds no messages"),
        (whole('{"messages": "say hi"}'), "the reply is no prompt: it holds no messages"),
        (answer([{"role": "system", "content": "x"}]), "the reply is no prompt: {'role': 'system'"),
        (answer([{"role": "assistant", "content": "x"}]), "the reply is no prompt: a prompt has messages of the user"),
        (answer([{"role": "user", "content": " "}]), "the reply is no prompt: a message is empty"),
        (answer([{"role": "user", "content": [{"type": "image"}]}]), "the reply is no prompt: a message holds a block"),
        (answer([{"role": "user", "content": 7}]), "the reply is no prompt: the content of a message is 7"),
        (whole("[" * 100_000), "the reply is no prompt: "),
        (whole('{"messages": [{"role"', stop_reason="max_tokens"), "the reply was cut off at max_tokens 4096"),
        (whole("", stop_reason="refusal"), "the reply ended with refusal"),
    ],
)
def test_an_odd_reply_is_an_error_of_one_line_and_kept(
    notebook: Shell, endpoint: Server, odd: Answer, why: str
) -> None:
    endpoint.answers(odd)
    ran = notebook.run("claude.prompts.generate('x')")
    assert line(ran).startswith(f"Misfit: {why}")
    assert "claude.last.text" in line(ran)
    sent = b"".join(piece for piece in odd.pieces if isinstance(piece, bytes))
    assert notebook.value("claude.last.text") == json.loads(sent)["content"][0]["text"]


def test_json_in_a_fence_and_half_a_surrogate_are_read(notebook: Shell, endpoint: Server) -> None:
    endpoint.answers(whole('```json\n{"messages": [{"role": "user", "content": "a \\ud83d b"}]}\n```'))
    assert draft(notebook, "generate('x')").text == "a \ufffd b"


def test_a_placeholder_that_no_variable_can_fill_is_said(notebook: Shell, endpoint: Server) -> None:
    endpoint.answers(answer("Say {{THE TEXT}}."))
    assert draft(notebook, "generate('x')").notes == ("{{THE TEXT}} is no name of a variable: rename it",)


def test_a_placeholder_with_a_path_is_one_that_a_cell_fills(notebook: Shell, endpoint: Server) -> None:
    endpoint.answers(answer("Say {{row.city}} and {{ df[0] }}."))
    assert draft(notebook, "improve('{{row.city}} {{df[0]}}')").notes == ()


@pytest.mark.parametrize(
    "wrong",
    [
        failure(400, "invalid_request_error", "no such thing"),
        Answer(headers=STREAM, pieces=[event({"type": "error", "error": {"type": "api_error", "message": "oh"}})]),
    ],
)
def test_an_error_of_the_api_is_its_line(notebook: Shell, endpoint: Server, wrong: Answer) -> None:
    endpoint.answers(wrong)
    notebook.run("%config Claude.max_retries = 0")
    assert line(notebook.run("claude.prompts.generate('x')")).startswith("APIError: ")


@pytest.mark.parametrize(
    ("call", "why"),
    [
        ("generate('')", "prompts.generate takes a text"),
        ("generate(7)", "prompts.generate takes a text"),
        ("improve('')", "the prompt cannot be used: a message is empty"),
        ("improve(None)", "a prompt is a text, or a list of messages, not NoneType"),
        ("improve([])", "a prompt is a text, or a list of messages, not list"),
        ("improve('x', feedback=3)", "feedback is a text, not int"),
        ("templatize('x', system=3)", "system is a text, not int"),
        ("templatize(['x'])", "the prompt cannot be used: 'x' is no message"),
        ("generate('x', stop=['a'])", "stop cannot be chosen here"),
        ("generate('x', system='a')", "system cannot be chosen here"),
        ("generate('x', attach=['a'])", "'attach' is an option of claude(...)"),
    ],
)
def test_what_cannot_be_asked_is_an_error_before_anything_is_sent(
    notebook: Shell, endpoint: Server, call: str, why: str
) -> None:
    assert line(notebook.run(f"claude.prompts.{call}")).startswith(f"CellError: {why}")
    assert endpoint.received == []


def test_a_reply_of_many_braces_and_spaces_is_read_in_no_time(notebook: Shell, endpoint: Server) -> None:
    hostile = "{{" + " " * 200_000 + "{{" * 50_000 + "}}" * 50_000
    endpoint.answers(answer(hostile))
    assert draft(notebook, "generate('x')").text == hostile


def test_a_conversation_and_an_image_are_no_prompt() -> None:
    turns = [{"role": role, "content": "x"} for role in ("user", "assistant", "user")]
    with pytest.raises(Exception, match="messages of the user, and at most one of the assistant at its end"):
        prompt_text(turns, None)
    with pytest.raises(Exception, match="a block that is no text: image"):
        prompt_text([{"role": "user", "content": [{"type": "image"}]}], None)


# Shown, and taken along


def test_a_draft_shows_its_prompt_variables_price_and_panel(notebook: Shell, endpoint: Server) -> None:
    endpoint.answers(answer("<b>{{DATE}}</b> for {{READER}}", variable_values=VALUES))
    ran = notebook.run("claude.prompts.templatize('<b>3 May</b> for Lena')")
    (html,) = ran.data("text/html")
    assert "&lt;b&gt;{{DATE}}&lt;/b&gt;" in html
    assert "<b>{{DATE}}" not in html
    assert "<code>READER</code> Lena" in html
    assert "46 in / " in html
    assert "cm-static" in html
    (text,) = ran.data("text/plain")
    assert text.startswith("<b>{{DATE}}</b> for {{READER}}\n  DATE = 3 May\n  READER = Lena\n")


def test_what_is_odd_stands_under_the_draft(notebook: Shell, endpoint: Server) -> None:
    endpoint.answers(answer("Say {{THE TEXT}}."))
    ran = notebook.run("claude.prompts.generate('x')")
    assert "{{THE TEXT}} is no name of a variable: rename it" in ran.data("text/html")[0]
    assert "{{THE TEXT}} is no name of a variable: rename it" in ran.data("text/plain")[0]


def test_controls_in_a_reply_do_not_reach_a_terminal(notebook: Shell, endpoint: Server) -> None:
    endpoint.answers(answer("a\x1b]52;c;AAAA\x07b"))
    assert "\x1b" not in notebook.run("claude.prompts.generate('x')").data("text/plain")[0]


def test_the_cell_of_a_draft_sends_it(notebook: Shell, endpoint: Server) -> None:
    endpoint.answers(answer(GENERATED), reply("ok"))
    cell = str(draft(notebook, "generate('x')").cell)
    assert cell == f"%%claude\n{GENERATED}"
    notebook.run("TEXT = 'a text'")
    assert notebook.run(cell).error is None
    assert endpoint.last.json["messages"][0]["content"] == GENERATED.replace("{{TEXT}}", "a text")


def test_the_cell_of_a_draft_with_a_system_prompt_has_turns(notebook: Shell, endpoint: Server) -> None:
    endpoint.answers(answer("Hello {{READER}}", system="Be kind.", variable_values=VALUES[1:]), reply("ok"))
    cell = str(draft(notebook, "templatize('Hello Lena', system='Be kind.')").cell)
    assert cell == "%%claude --turns\nsystem: Be kind.\n\nuser: Hello {{READER}}"
    notebook.run("READER = 'Lena'")
    assert notebook.run(cell).error is None
    sent = endpoint.last.json
    assert (sent["system"], sent["messages"]) == ("Be kind.", [{"role": "user", "content": "Hello Lena"}])


def test_a_draft_is_inserted_as_the_next_cell(notebook: Shell, endpoint: Server) -> None:
    endpoint.answers(answer(GENERATED))
    draft(notebook, "generate('x')")
    ran = notebook.answer(notebook.submit("draft.insert()"))
    assert [each["text"] for each in ran["payload"]] == [f"%%claude\n{GENERATED}"]


def test_a_draft_is_kept_as_a_snippet(notebook: Shell, endpoint: Server) -> None:
    endpoint.answers(answer(GENERATED), reply("ok"))
    draft(notebook, "generate('x')").save("brief")
    notebook.run("TEXT = 'a text'")
    assert notebook.run("%%claude --with brief\n").error is None
    assert "a text" in endpoint.last.json["messages"][0]["content"]


def test_a_draft_opens_in_the_workbench(notebook: Shell, endpoint: Server) -> None:
    endpoint.answers(answer("Hello {{READER}}", system="Be kind.", variable_values=VALUES[1:]))
    draft(notebook, "templatize('Hello Lena', system='Be kind.')")
    form = notebook.value("vars(claude.workbench(draft).form)")
    assert form["turns"] == [["user", "Hello {{READER}}"]]
    assert (form["system"], form["fields"]) == ("Be kind.", {"READER": "Lena"})


def test_a_prompt_is_replayed_from_the_journal(notebook: Shell, endpoint: Server) -> None:
    endpoint.answers(answer(GENERATED))
    notebook.run("%config Claude.replay = 'on'")
    for _ in range(2):
        assert notebook.run("draft = claude.prompts.generate('sum up')", cell_id="a").error is None
        assert notebook.user_ns["draft"].text == GENERATED
    assert len(endpoint.received) == 1


def test_a_server_that_still_has_the_retired_endpoints_is_reached(notebook: Shell, endpoint: Server) -> None:
    body = {"messages": [{"role": "user", "content": "x"}], "system": "", "usage": [{"input_tokens": 412}]}
    endpoint.answers(Answer(headers=JSON, pieces=[json.dumps(body).encode()], framing="length"))
    options = "--post /v1/experimental/improve_prompt --yes --header anthropic-beta prompt-tools-2025-04-02 -o found"
    ran = notebook.run(f'%%claude {options}\n{{"messages": [{{"role": "user", "content": "y"}}], "feedback": null}}')
    assert ran.error is None
    assert (endpoint.last.method, endpoint.last.path) == ("POST", "/v1/experimental/improve_prompt")
    assert endpoint.last.headers["anthropic-beta"] == "prompt-tools-2025-04-02"
    assert notebook.user_ns["found"] == body
