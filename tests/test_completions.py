"""Cells with `--complete` and `--legacy`: what is sent, shown, kept and given again."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import KEY
from tests.notebook_kernel import Kernel, Ran
from tests.notebook_shell import Shell
from tests.scripted_api.completions import completes, completes_as_2023_01_01, completes_whole, completion
from tests.server import STREAM, Answer, Server, event, failure, reply, silence, whole

PROMPT = "\n\nHuman: Hi\n\nAssistant:"
TURNS = "Be brief.\n\nHuman: Hi\n\nAssistant: Yes?\n\nHuman: Who are you?\n\nAssistant:"
MESSAGES = [
    {"role": "user", "content": "Hi"},
    {"role": "assistant", "content": "Yes?"},
    {"role": "user", "content": "Who are you?"},
]


def page(ran: Ran) -> str:
    assert ran.error is None, ran.error
    return next(html for html in ran.data("text/html") if "cm-summary" in html)


def line(ran: Ran) -> str:
    assert ran.error is not None
    name, text, _ = ran.error
    assert "\n" not in text
    return f"{name}: {text}"


# Translated


def test_a_completion_is_sent_as_messages(shell: Shell, endpoint: Server) -> None:
    endpoint.answers(reply("Hello"))
    assert shell.run(f"%%claude --complete -t 300 --stop END\n{TURNS}").error is None
    assert endpoint.last.path == "/v1/messages"
    sent = endpoint.last.json
    assert (sent["system"], sent["messages"]) == ("Be brief.", MESSAGES)
    assert (sent["max_tokens"], sent["stop_sequences"]) == (300, ["END"])


def test_the_translation_stands_above_the_reply(shell: Shell, endpoint: Server) -> None:
    endpoint.answers(reply("Hello *there*"))
    html = page(shell.run(f"%%claude --complete\n{TURNS}"))
    assert html.index("sent as messages: system prompt, user, assistant, user") < html.index("<em>there</em>")
    assert html.index('<pre class="cm-json">Who are you?</pre>') < html.index("<em>there</em>")


def test_markup_in_a_prompt_is_text_in_the_translation(shell: Shell, endpoint: Server) -> None:
    endpoint.answers(reply("ok"))
    html = page(shell.run("%%claude --complete\nHuman: <img src=x onerror=alert(1)>\n\nAssistant:"))
    assert "<img src=x" not in html
    assert "&lt;img src=x" in html


def test_a_prompt_in_a_variable_is_translated(shell: Shell, endpoint: Server) -> None:
    endpoint.answers(reply("ok"))
    shell.run(f"prompt = {TURNS!r}")
    assert shell.run("%%claude --complete\n{{prompt}}").error is None
    assert endpoint.last.json["messages"] == MESSAGES


def test_turns_that_a_variable_brings_into_a_prompt_are_said(shell: Shell, endpoint: Server) -> None:
    endpoint.answers(reply("ok"))
    shell.run("text = 'x\\n\\nAssistant: sure\\n\\nHuman: now this'")
    html = page(shell.run("%%claude --complete\n\n\nHuman: {{text}}\n\nAssistant:"))
    assert "2 turns came with a variable: it holds Human: or Assistant: after an empty line" in html
    shell.run("text = 'x'")
    html = page(shell.run("%%claude --complete\n\n\nHuman: {{text}}\n\nAssistant:"))
    assert "came with a variable" not in html


def test_a_prompt_without_markers_is_wrapped_where_it_is_seen(shell: Shell, endpoint: Server) -> None:
    endpoint.answers(reply("ok"))
    html = page(shell.run("%%claude --complete\nhi"))
    assert "the prompt has no Human: turn: all of it was made one" in html
    assert endpoint.last.json["messages"] == [{"role": "user", "content": "hi"}]


def test_a_prompt_that_does_not_end_with_assistant_is_not_sent(shell: Shell, endpoint: Server) -> None:
    ran = shell.run("%%claude --complete\nHuman: hi\nAssistant:")
    assert line(ran).startswith("CellError: --complete: the prompt ends with a Human: turn, not with Assistant:; line ")
    assert endpoint.received == []


def test_a_prefill_goes_only_to_models_that_take_one(shell: Shell, endpoint: Server) -> None:
    endpoint.answers(reply("ok"))
    prefilled = f"{PROMPT} Sure"
    ran = shell.run(f"%%claude --complete\n{prefilled}")
    assert line(ran).startswith("CellError: --complete: claude-opus-5-5 refuses a prefilled reply")
    assert endpoint.received == []
    assert shell.run(f"%%claude --complete -m claude-haiku-4-5\n{prefilled}").error is None
    assert endpoint.last.json["messages"][-1] == {"role": "assistant", "content": "Sure"}


def test_a_translated_completion_continues_a_conversation(shell: Shell, endpoint: Server) -> None:
    endpoint.answers(reply("I am Claude."), reply("Again"))
    shell.run(f"%%claude --complete -c\n{TURNS}", cell_id="a")
    assert shell.run("%%claude -c\nAgain?", cell_id="b").error is None
    sent = endpoint.last.json["messages"]
    assert [message["role"] for message in sent] == ["user", "assistant", "user", "assistant", "user"]


def test_an_old_body_of_json_is_translated_and_each_change_is_said(shell: Shell, endpoint: Server) -> None:
    endpoint.answers(whole("ok"))
    body = {"model": "claude-2.1", "prompt": PROMPT, "max_tokens_to_sample": 99, "temperature": 0.5, "stream": False}
    html = page(shell.run(f"%%claude --complete\n{json.dumps(body)}"))
    assert "model claude-2.1: retired" in html
    assert "temperature 0.5 was left out" in html
    assert endpoint.last.json == {
        "model": "claude-opus-5-5",
        "max_tokens": 99,
        "messages": [{"role": "user", "content": "Hi"}],
    }


def test_from_python_the_translation_is_among_the_notes(shell: Shell, endpoint: Server) -> None:
    endpoint.answers(reply("ok"))
    shell.run("from claude_magic import claude")
    notes = shell.value(f"claude({TURNS!r}, complete=True).notes")
    assert notes[0] == "text completion, sent as messages: system prompt, user, assistant, user"
    assert endpoint.last.json["messages"] == MESSAGES


def test_a_translation_is_previewed_and_shown_as_a_program(shell: Shell, endpoint: Server) -> None:
    ran = shell.run(f"%%claude --complete --show python\n{TURNS}")
    assert ran.error is None
    assert "client.messages.stream(" in ran.text
    assert '"Who are you?"' in ran.text
    assert endpoint.received == []


def test_a_stored_completion_is_applied_again(shell: Shell, endpoint: Server) -> None:
    endpoint.answers(reply("ok"))
    shell.run("%%claude --complete --save brief\nBe brief.\n\nHuman: x\n\nAssistant:")
    shell.run("from claude_magic import claude")
    assert shell.value("str(claude.snippets['brief'])") == ("%%claude --complete\nBe brief.\n\nHuman: x\n\nAssistant:")


# Really posted


def test_from_python_a_prompt_is_posted_and_what_was_repaired_is_among_the_notes(
    shell: Shell, endpoint: Server
) -> None:
    endpoint.answers(completes(" ok"))
    shell.run("from claude_magic import claude")
    notes = shell.value("claude('Human: hi\\n\\nAssistant:', legacy=True, model='claude-2.1').notes")
    assert notes == ["two newlines were put before the first Human:"]
    assert endpoint.last.json["prompt"] == "\n\nHuman: hi\n\nAssistant:"


def test_what_is_not_recorded_is_compared_with_what_is(shell: Shell, endpoint: Server) -> None:
    endpoint.answers(completes(" ok"))
    shell.run(f"%%claude --legacy -m claude-2.1\n{PROMPT}", cell_id="a")
    shell.run("%config Claude.replay = 'only'")
    ran = shell.run("%%claude --legacy -m claude-2.1\nHuman: Ho\n\nAssistant:", cell_id="a")
    assert line(ran).startswith("NotRecorded: not recorded in the journal")
    assert "prompt" in line(ran)
    assert shell.run(f"%%claude --legacy -m claude-2.1\n{PROMPT}", cell_id="a").error is None
    assert len(endpoint.received) == 1


def test_legacy_posts_the_prompt_to_v1_complete(shell: Shell, endpoint: Server) -> None:
    endpoint.answers(completes(" Hel", "*lo*"))
    html = page(shell.run(f"%%claude --complete --legacy -m claude-2.1 -t 300 --temperature 0.5 --stop END\n{PROMPT}"))
    assert endpoint.last.path == "/v1/complete"
    assert endpoint.last.body.decode() == (
        '{"max_tokens_to_sample":300,"model":"claude-2.1","prompt":"\\n\\nHuman: Hi\\n\\nAssistant:",'
        '"stop_sequences":["END"],"stream":true,"temperature":0.5}'
    )
    assert endpoint.last.headers["anthropic-version"] == "2023-06-01"
    assert endpoint.last.headers["x-api-key"] == KEY
    assert "Hel<em>lo</em>" in html


def test_legacy_alone_means_complete_too(shell: Shell, endpoint: Server) -> None:
    endpoint.answers(completes(" ok"))
    assert shell.run(f"%%claude --legacy -m claude-2.1\n{PROMPT}").error is None
    assert endpoint.last.path == "/v1/complete"


def test_what_was_repaired_in_a_prompt_is_said(shell: Shell, endpoint: Server) -> None:
    endpoint.answers(completes(" ok"))
    html = page(shell.run("%%claude --legacy -m claude-2.1\nHuman: Hi\n\nAssistant: "))
    assert "two newlines were put before the first Human:" in html
    assert "the spaces after the last Assistant: were left out" in html
    assert endpoint.last.json["prompt"] == PROMPT


def test_a_completion_that_is_not_streamed_is_shown(shell: Shell, endpoint: Server) -> None:
    endpoint.answers(completes_whole(" Hello *there*"))
    html = page(shell.run(f"%%claude --legacy --no-stream -m claude-2.1\n{PROMPT}"))
    assert "stream" not in endpoint.last.json
    assert "<em>there</em>" in html
    assert "unknown in / unknown out tokens" in html
    assert "price unknown" in html


def test_version_2023_01_01_is_read_too(shell: Shell, endpoint: Server) -> None:
    endpoint.answers(completes_as_2023_01_01(" Hel", "lo"))
    ran = shell.run(f"%%claude --legacy --api-version 2023-01-01 -m claude-v1 -o out\n{PROMPT}")
    assert ran.error is None
    assert endpoint.last.headers["anthropic-version"] == "2023-01-01"
    assert shell.user_ns["out"] == " Hello"


def test_the_panel_has_the_completion_as_the_api_gave_it(shell: Shell, endpoint: Server) -> None:
    endpoint.answers(completes(" Hello"))
    ran = shell.run(f"%%claude --legacy -m claude-2.1\n{PROMPT}")
    panel = next(html for html in ran.data("text/html") if "cm-static" in html)
    assert "compl_01Test" in panel
    assert "log_id" in panel
    assert "client.completions.create" in panel or "/v1/complete" in panel


def test_a_natural_end_is_no_warning(shell: Shell, endpoint: Server) -> None:
    endpoint.answers(completes(" Hello"))
    assert "cm-warning" not in page(shell.run(f"%%claude --legacy -m claude-2.1\n{PROMPT}")).split("</style>")[-1]


def test_a_completion_cut_off_names_its_limit(shell: Shell, endpoint: Server) -> None:
    endpoint.answers(completes(" Hel", stop_reason="max_tokens", stop=None))
    html = page(shell.run(f"%%claude --legacy -t 3 -m claude-2.1\n{PROMPT}"))
    assert "cut off (max_tokens): the reply reached its limit of 3 tokens. Raise -t." in html
    assert "--finish" not in html.split("</style>")[-1]


def test_the_stream_ends_with_its_last_event_although_the_connection_stays(shell: Shell, endpoint: Server) -> None:
    pieces = [event(completion(" a", stop_reason=None, stop=None)), event(completion("b"))]
    endpoint.answers(Answer(headers=STREAM, pieces=pieces, ending="hang"))
    assert shell.run(f"%%claude --legacy -m claude-2.1 -o out\n{PROMPT}").error is None
    assert shell.user_ns["out"] == " ab"


def test_a_stream_that_breaks_off_is_an_error_and_what_came_is_kept(shell: Shell, endpoint: Server) -> None:
    pieces = [event(completion(" kept", stop_reason=None, stop=None))]
    endpoint.answers(Answer(headers=STREAM, pieces=pieces, ending="clean"))
    ran = shell.run(f"%%claude --legacy -m claude-2.1\n{PROMPT}")
    assert line(ran).startswith("StreamError: the stream ended early, without a completion")
    shell.run("from claude_magic import claude")
    assert shell.value("claude.last.text") == " kept"


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (failure(404, "not_found_error", "model: claude-2.1"), "claude-2.1"),
        (failure(400, "invalid_request_error", "max_tokens_to_sample: field required"), "max_tokens_to_sample"),
        (failure(401, "authentication_error", "invalid x-api-key"), "invalid x-api-key"),
        (Answer(status=404, headers=(("content-type", "text/html"),), pieces=[b"<html>no such page"]), "404"),
        (
            Answer(
                headers=STREAM,
                pieces=[event({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}})],
            ),
            "Overloaded",
        ),
        (Answer(headers=(("content-type", "application/json"),), pieces=[b'{"completions": []}']), "{"),
    ],
)
def test_an_error_of_the_endpoint_is_one_line(shell: Shell, endpoint: Server, answer: Answer, why: str) -> None:
    endpoint.answers(answer)
    shell.run("%config Claude.max_retries = 0")
    ran = shell.run(f"%%claude --legacy -m claude-2.1\n{PROMPT}")
    assert why in line(ran)
    assert KEY not in line(ran)


def test_a_completion_is_sent_again_when_the_endpoint_is_overloaded(shell: Shell, endpoint: Server) -> None:
    endpoint.answers(failure(529, "overloaded_error", "Overloaded", ("retry-after", "0")), completes(" ok"))
    assert shell.run(f"%%claude --legacy -m claude-2.1 -o out\n{PROMPT}").error is None
    assert (shell.user_ns["out"], len(endpoint.received)) == (" ok", 2)


def test_a_curl_command_of_a_completion_is_shown_the_way(shell: Shell, endpoint: Server) -> None:
    ran = shell.run(f"%%claude --curl\ncurl {endpoint.url}/v1/complete -d '{{}}'")
    assert line(ran).endswith("Its body can stand in a cell with --complete.")


def test_the_scripted_api_refuses_what_the_real_one_did(shell: Shell, endpoint: Server) -> None:
    endpoint.answers(completes(" ok"))
    ran = shell.run(f"%%claude --legacy -m claude-2.1 --param service_tier '\"auto\"'\n{PROMPT}")
    assert "service_tier: Extra inputs are not permitted" in line(ran)


def test_a_key_in_a_prompt_is_not_sent(shell: Shell, endpoint: Server) -> None:
    ran = shell.run(f"%%claude --legacy -m claude-2.1\n\n\nHuman: my key is {KEY}\n\nAssistant:")
    assert KEY not in line(ran)
    assert endpoint.received == []


@pytest.mark.parametrize("option", ["-s Brief", "-c", "--thinking", "--web-search"])
def test_what_a_completion_cannot_say_is_refused(shell: Shell, endpoint: Server, option: str) -> None:
    ran = shell.run(f"%%claude --legacy -m claude-2.1 {option}\n{PROMPT}")
    assert line(ran).startswith("CellError: --legacy: a completion has nothing like --")
    assert endpoint.received == []


def test_a_notebooks_conversation_is_left_as_it_is(shell: Shell, endpoint: Server) -> None:
    endpoint.answers(completes(" ok"))
    shell.run("from claude_magic import claude\n%config Claude.conversation = 'main'")
    assert shell.run(f"%%claude --legacy -m claude-2.1\n{PROMPT}").error is None
    assert shell.value("len(claude.conversation())") == 0


def test_a_system_prompt_of_the_settings_is_said_not_to_be_sent(shell: Shell, endpoint: Server) -> None:
    endpoint.answers(completes(" ok"))
    shell.run("%config Claude.system = 'Be brief.'")
    html = page(shell.run(f"%%claude --legacy -m claude-2.1\n{PROMPT}"))
    assert "Claude.system was not sent" in html
    assert endpoint.last.json["prompt"] == PROMPT


def test_legacy_has_a_row_in_the_journal_with_its_question(shell: Shell, endpoint: Server) -> None:
    endpoint.answers(completes(" Hello"))
    shell.run(f"%%claude --legacy -m claude-2.1\n{TURNS}")
    shell.run("from claude_magic import claude")
    (row,) = shell.value("[dict(row) for row in claude.journal.search('Who are you')]")
    assert (row["prompt"], row["stop_reason"], row["usd"]) == ("Who are you?", "stop_sequence", None)
    kept = shell.value(f"[claude.journal.exchange({row['id']}).text, claude.journal.exchange({row['id']}).request.url]")
    assert kept == [" Hello", f"{endpoint.url}/v1/complete"]


@pytest.mark.parametrize("stream", ["--stream", "--no-stream"])
def test_a_completion_is_given_again_from_the_journal(shell: Shell, endpoint: Server, stream: str) -> None:
    endpoint.answers(completes(" Hel", "lo") if stream == "--stream" else completes_whole(" Hello"))
    shell.run("%config Claude.replay = 'on'")
    for name in ("first", "again"):
        assert shell.run(f"%%claude --legacy {stream} -m claude-2.1 -o {name}\n{PROMPT}", cell_id="a").error is None
    assert len(endpoint.received) == 1
    assert (shell.user_ns["first"], shell.user_ns["again"]) == (" Hello", " Hello")
    shell.run("from claude_magic import claude")
    assert shell.value("claude.last.message.body") == completion(" Hello")
    assert shell.value("bool(claude.last.replayed)")


@pytest.mark.parametrize("stream", ["--stream", "--no-stream"])
def test_a_completion_is_recorded_and_replayed_from_a_file(
    shell: Shell, endpoint: Server, tmp_path: Path, stream: str
) -> None:
    endpoint.answers(completes(" Hel", "lo") if stream == "--stream" else completes_whole(" Hello"))
    shell.run("from claude_magic import claude\nclaude.record('lesson.recording.txt')")
    cell = f"%%claude --legacy {stream} -m claude-2.1 -o out\n{PROMPT}"
    shell.run(cell)
    shell.run("claude.record(None); claude.replay('lesson.recording.txt'); out = ''")
    assert shell.run(cell).error is None
    assert shell.user_ns["out"] == " Hello"
    assert len(endpoint.received) == 1


@pytest.mark.parametrize("language", ["curl", "python", "typescript", "requests", "http"])
def test_a_completion_is_shown_as_a_program(shell: Shell, endpoint: Server, language: str) -> None:
    ran = shell.run(f"%%claude --legacy -m claude-2.1 --show {language}\n{PROMPT}")
    assert ran.error is None
    assert "max_tokens_to_sample" in ran.text
    assert KEY not in ran.text
    assert endpoint.received == []


def test_there_is_no_openai_program_of_a_completion(shell: Shell, endpoint: Server) -> None:
    ran = shell.run(f"%%claude --legacy -m claude-2.1 --show openai\n{PROMPT}")
    assert "this request is POST /v1/complete. Export it as curl, requests or http." in line(ran)


@pytest.mark.parametrize("stream", ["--stream", "--no-stream"])
def test_the_program_of_the_python_sdk_calls_its_function_with_the_same_body(
    shell: Shell, endpoint: Server, stream: str
) -> None:
    cell = f"%%claude --legacy {stream} -m claude-2.1 --top-p 0.5 --param odd 1 --show python\n{TURNS}"
    program = shell.run(cell).text
    (call,) = [
        node
        for node in ast.walk(ast.parse(program))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "client.completions.create"
    ]
    given: dict[str, Any] = {str(each.arg): ast.literal_eval(each.value) for each in call.keywords}
    body = {"max_tokens_to_sample": 4096, "model": "claude-2.1", "prompt": TURNS, "top_p": 0.5}
    if stream == "--stream":
        body["stream"] = True
    assert given == {**body, "extra_body": {"odd": 1}}


@pytest.mark.process
@pytest.mark.parametrize("language", ["curl", "requests"])
@pytest.mark.parametrize("stream", ["--stream", "--no-stream"])
def test_a_program_sends_the_same_and_prints_the_completion(
    shell: Shell, endpoint: Server, language: str, stream: str
) -> None:
    endpoint.answers(completes(" Hel", "lo") if stream == "--stream" else completes_whole(" Hello"))
    shell.run(f"%%claude --legacy {stream} -m claude-2.1\n{TURNS}")
    shell.run("from claude_magic import claude")
    program = shell.value(f"claude.last.code({language!r})")
    runner = ["sh", "-c"] if language == "curl" else [sys.executable, "-c"]
    ran = subprocess.run([*runner, program], capture_output=True, text=True, check=True)
    assert [each.json for each in endpoint.received[1:]] == [endpoint.received[0].json]
    assert " Hel" in ran.stdout
    if language == "requests":
        assert ran.stdout.rstrip("\n") == " Hello"


def test_a_stop_keeps_what_came_of_a_completion(shell: Shell, endpoint: Server) -> None:
    pieces = [event(completion(" some words", stop_reason=None, stop=None)), 600.0]
    endpoint.answers(Answer(headers=STREAM, pieces=pieces))
    ran = shell.run(f"%%claude --legacy -m claude-2.1\n{PROMPT}", stop_when="some words")
    assert line(ran).startswith("Interrupted: stopped after")
    shell.run("from claude_magic import claude")
    assert shell.value("claude.last.text") == " some words"


def test_completions_are_compared_and_repeated(shell: Shell, endpoint: Server) -> None:
    endpoint.answers(completes(" ok"))
    assert shell.run(f"%%claude --legacy --compare model=claude-2.1,claude-2.0 -o both\n{PROMPT}").error is None
    assert {each.json["model"] for each in endpoint.received} == {"claude-2.0", "claude-2.1"}
    assert shell.run(f"%%claude --legacy -m claude-2.1 --times 2 -o twice\n{PROMPT}").error is None
    assert shell.user_ns["twice"] == [" ok", " ok"]


def test_a_preview_says_that_the_tokens_of_a_completion_are_not_counted(shell: Shell, endpoint: Server) -> None:
    ran = shell.run(f"%%claude --legacy -m claude-2.1 --preview\n{PROMPT}")
    assert ran.error is None
    assert "the API counts no tokens of /v1/complete" in ran.stdout
    assert endpoint.received == []
    assert "the API counts no tokens of /v1/complete" in line(shell.run(f"%%claude --legacy --count\n{PROMPT}"))


def test_a_budget_refuses_a_completion_whose_price_is_unknown(shell: Shell, endpoint: Server) -> None:
    shell.run("%config Claude.budget_usd = 1.0")
    ran = shell.run(f"%%claude --legacy -m claude-2.1\n{PROMPT}")
    assert line(ran).startswith("OverBudget: the price of claude-2.1 is unknown")
    assert endpoint.received == []


def test_a_budget_keeps_what_a_completion_may_have_cost(shell: Shell, endpoint: Server) -> None:
    endpoint.answers(completes(" ok"))
    shell.run("%config Claude.budget_usd = 0.06")
    shell.run("%config Claude.prices = {'claude-2.1': {'input': 8.0, 'output': 24.0}}")
    cell = f"%%claude --legacy -m claude-2.1 -t 1000 --again\n{PROMPT}"
    assert shell.run(cell).error is None  # at most 0.025: its usage is not told, so all of it counts
    assert shell.run(cell).error is None
    assert line(shell.run(cell)).startswith("OverBudget: ")
    assert len(endpoint.received) == 2


def test_events_of_a_completion_are_listed(shell: Shell, endpoint: Server) -> None:
    endpoint.answers(completes(" Hel", "lo"))
    ran = shell.run(f"%%claude --legacy -m claude-2.1 --events\n{PROMPT}")
    assert ran.error is None
    html = ran.data("text/html")[0]
    assert "<td>completion</td>" in html
    assert 'aria-label="waiting ' in html
    assert "text " in html.partition('aria-label="')[2].partition('"')[0]


def test_the_local_model_is_not_asked_for_a_completion(shell: Shell, endpoint: Server) -> None:
    shell.run("%config Claude.provider = 'local'")
    ran = shell.run(f"%%claude --legacy --show curl\n{PROMPT}")
    assert line(ran).startswith("CellError: --legacy: the local model takes messages only.")


def test_finish_cannot_go_on_with_a_completion(shell: Shell, endpoint: Server) -> None:
    endpoint.answers(completes(" Hel", stop_reason="max_tokens", stop=None))
    shell.run(f"%%claude --legacy -m claude-2.1\n{PROMPT}")
    ran = shell.run("%%claude --finish\n")
    assert line(ran).startswith("CellError: --finish: ")
    assert len(endpoint.received) == 1


def test_a_prompt_of_a_completion_is_improved(shell: Shell, endpoint: Server) -> None:
    endpoint.answers(completes(" ok"))
    shell.run("from claude_magic import claude")
    shell.run("%%claude --legacy -m claude-2.1\nBe brief.\n\nHuman: Hi\n\nAssistant: So")
    endpoint.answers(whole('{"messages": [{"role": "user", "content": "Hi"}]}'))
    assert shell.run("claude.prompts.improve(claude.journal.exchange(1), 'kinder')").error is None
    asked = endpoint.last.json["messages"][0]["content"]
    assert '"system": "Be brief."' in asked
    assert '"role": "assistant"' in asked


def test_a_completion_in_the_journal_comes_back_into_the_workbench_as_turns() -> None:
    from claude_magic.magics.workbench.form_from_request import form_of
    from claude_magic.wire import Request

    request = Request(method="POST", url="https://h/v1/complete", body={"model": "claude-2.1", "prompt": TURNS})
    form, note = form_of(request)
    assert [role for role, _ in form.turns] == ["user", "assistant", "user"]
    assert form.system == "Be brief."
    assert "completion" in note


@pytest.mark.kernel
def test_a_completion_is_stopped_in_a_kernel(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(silence(kernel.interrupt))
    ran = kernel.run(f"%%claude --legacy -m claude-2.1\n{PROMPT}")
    assert line(ran).startswith("Interrupted: stopped after")
