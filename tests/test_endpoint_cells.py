"""`%claude --get` and `%%claude --post`: what the page shows, what is asked first, what is bound, what is refused."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from claude_magic.errors import CellError
from claude_magic.magics.ipython.completion import _completions
from tests.notebook_kernel import Ran
from tests.notebook_shell import Shell
from tests.scripted_api import ADMIN_KEY, KEY, ScriptedAPI, json_answer
from tests.server import HEADERS, Answer, whole


def answered(ran: Ran) -> str:
    """The HTML of what a cell shows, without its panel."""
    assert ran.error is None, ran.error
    return ran.data("text/html")[0]


def asks(shell: Shell, code: str) -> Ran:
    """Run a cell as a front end does that can ask its user."""
    return shell.run(code, asks=True)


def press(shell: Shell, name: str) -> Ran:
    """Press a button of the page."""
    return shell.run(
        "import ipywidgets\n"
        "next(w for w in ipywidgets.widgets.widget._instances.values()"
        f" if isinstance(w, ipywidgets.Button) and w.description == {name!r}).click()"
    )


def test_a_list_is_a_table(api: ScriptedAPI, shell: Shell) -> None:
    html = answered(shell.run("%claude --get /v1/models"))
    assert '<th scope="col" class="cm-code">id</th>' in html
    assert '<td class="cm-code">claude-opus-5-5</td>' in html
    assert "GET /v1/models · HTTP 200" in html


def test_a_list_that_goes_on_says_how(api: ScriptedAPI, shell: Shell) -> None:
    assert "goes on" not in answered(shell.run("%claude --get /v1/models"))
    html = answered(shell.run('%claude --get "/v1/models?limit=2"'))
    assert "the list goes on: --all, or --query after_id claude-opus-5-5" in html
    for number in range(3):
        api.files.add(f"{number}.txt", b"x")
    assert "--query page page_2" in answered(shell.run('%claude --get "/v1/files?limit=2"'))


def test_other_json_is_a_tree_that_folds(api: ScriptedAPI, shell: Shell) -> None:
    html = answered(shell.run("%claude --get /v1/models/claude-opus-5-5"))
    assert html.count("<details") == 4
    assert '<span class="cm-name">id</span>: <span class="cm-text">"claude-opus-5-5"</span>' in html


def test_the_panel_shows_request_response_and_program(api: ScriptedAPI, shell: Shell) -> None:
    ran = shell.run("%claude --get /v1/models/claude-opus-5-5")
    panel = ran.data("text/html")[-1]
    assert f"GET {api.server.url}/v1/models/claude-opus-5-5" in panel
    assert "&quot;display_name&quot;" in panel or '"display_name"' in panel
    assert KEY not in json.dumps(list(ran.outputs))
    assert "Usage" not in re.findall(r"<summary>(\w+)</summary>", panel)


def test_a_variable_gets_a_table_of_all_pages(api: ScriptedAPI, shell: Shell) -> None:
    assert shell.run('%claude --get "/v1/models?limit=2" --all -o models').error is None
    frame = shell.user_ns["models"]
    assert type(frame).__name__ == "DataFrame"
    assert list(frame["id"]) == [each["id"] for each in api.models.all]


def test_a_variable_gets_other_json_as_it_is(api: ScriptedAPI, shell: Shell) -> None:
    assert shell.run("%claude --get /v1/models/claude-opus-5-5 -o model").error is None
    assert shell.user_ns["model"]["id"] == "claude-opus-5-5"


def test_without_a_path_the_endpoints_are_listed_and_searched(api: ScriptedAPI, shell: Shell) -> None:
    everything = shell.run("%claude --get")
    assert "290 endpoints" in everything.data("text/plain")[-1]
    found = shell.run("%claude --get files delete").data("text/plain")[-1]
    assert "DELETE  /v1/files/{file_id}" in found
    assert "/v1/models" not in found
    assert api.calls == []


def test_the_search_field_searches(api: ScriptedAPI, shell: Shell) -> None:
    shell.run("%claude --get")
    code = (
        "import ipywidgets\n"
        "field = next(w for w in ipywidgets.widgets.widget._instances.values()"
        " if isinstance(w, ipywidgets.Text))\n"
        "field.value = 'files delete'\n"
        "found = next(w.value for w in ipywidgets.widgets.widget._instances.values()"
        " if isinstance(w, ipywidgets.HTML) and 'cm-rows' in w.value)"
    )
    assert shell.run(code).error is None
    assert "/v1/files/{file_id}" in shell.user_ns["found"]
    assert "/v1/models" not in shell.user_ns["found"]


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("%claude --get /v1/mod", ["/v1/models", "/v1/models/{model_id}"]),
        ("%claude --delete /v1/fil", ["/v1/files/{file_id}"]),
        ("%%claude --post /v1/messages/c", ["/v1/messages/count_tokens"]),
    ],
)
def test_tab_completes_paths(typed: str, found: list[str]) -> None:
    assert _completions(typed, {})[1] == found


def test_a_body_takes_variables_as_json_and_as_text(api: ScriptedAPI, shell: Shell) -> None:
    shell.run("question = 'say \"x\" in {{braces}}\\n'\nsystem = [{'type': 'text', 'text': 'Be brief.'}]")
    ran = shell.run(
        "%%claude --post /v1/messages/count_tokens\n"
        '{"model": "claude-opus-5-5", "system": {{system}},\n'
        ' "messages": [{"role": "user", "content": "> {{question}} \\\\{{question}}"}]}'
    )
    assert ran.error is None
    body = api.server.last.json
    assert body["system"] == [{"type": "text", "text": "Be brief."}]
    assert body["messages"][0]["content"] == '> say "x" in {{braces}}\n {{question}}'


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ('{"a": 1,\n "b" 2}', r"line 2, column 6: Expecting ':' delimiter"),
        ('{"a": 1', r"line 1, column 8"),
        ('{"a": 1, "a": 2}', r"'a' stands twice"),
        ('{"a": NaN}', r"NaN is no number"),
        ('{"a": 1e999}', r"1e999 is too large"),
        ("[1]", r"no JSON object"),
        ('{"a": {{df}}}', r"cannot be a JSON value: a object"),
        ('{"a":\n {{missing}}}', r"no variable missing"),
        ('{"a": {{1 + 1}}}', r"refused|names no variable"),
        ("[" * 100_000, r"nested too deeply|line 1"),
    ],
)
def test_a_body_that_cannot_be_sent_is_one_line_and_nothing_is_sent(
    body: str, told: str, api: ScriptedAPI, shell: Shell
) -> None:
    shell.run("df = object()")
    ran = shell.run(f"%%claude --post /v1/messages/count_tokens\n{body}")
    assert ran.error is not None
    assert ran.error[0] == "CellError"
    assert re.search(told, ran.error[1])
    assert "\n" not in ran.error[1]
    assert api.calls == []


def test_a_variable_that_looks_like_a_secret_is_not_sent(api: ScriptedAPI, shell: Shell) -> None:
    shell.run("password = 'correct horse battery'")
    for body in ('{"a": {{password}}}', '{"a": "{{password}}"}'):
        ran = shell.run(f"%%claude --post /v1/messages/count_tokens\n{body}")
        assert ran.error is not None
        assert "looks like a secret" in ran.error[1]
    assert api.calls == []


def test_what_deletes_asks_first_and_run_sends_it(api: ScriptedAPI, shell: Shell) -> None:
    stored = api.files.add("a.txt", b"x")
    ran = asks(shell, f"%claude --delete /v1/files/{stored.id} -o gone")
    assert ran.error is None
    assert "This changes something. Send it?" in "".join(ran.data("text/html"))
    assert f"DELETE /v1/files/{stored.id}" in "".join(ran.data("text/html"))
    assert api.calls == []
    assert press(shell, "Run").error is None
    assert api.calls == [f"DELETE /v1/files/{stored.id}"]
    assert shell.user_ns["gone"]["type"] == "file_deleted"


def test_a_press_on_refuse_sends_nothing(api: ScriptedAPI, shell: Shell) -> None:
    stored = api.files.add("a.txt", b"x")
    asks(shell, f"%claude --delete /v1/files/{stored.id}")
    assert press(shell, "Refuse").error is None
    assert asks(shell, "%claude --approve").error is not None
    assert api.calls == []


@pytest.mark.parametrize(("typed", "sent"), [(["maybe", "y"], 1), (["n"], 0), ([], 0)])
def test_in_a_terminal_the_next_line_answers(
    typed: list[str], sent: int, api: ScriptedAPI, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from claude_magic.magics.pending_call import is_approved_in_terminal
    from claude_magic.session.endpoint_call import endpoint_call

    def answer(_: str) -> str:
        if not typed:
            raise EOFError
        return typed.pop(0)

    monkeypatch.setattr("builtins.input", answer)
    call = endpoint_call("DELETE", "/v1/files/file_1", base_url=api.server.url)
    if not typed:
        with pytest.raises(CellError, match="--yes"):
            is_approved_in_terminal(call, api.server.url)
        return
    assert is_approved_in_terminal(call, api.server.url) is bool(sent)
    assert "DELETE /v1/files/file_1" in capsys.readouterr().out


def test_refuse_sends_nothing(api: ScriptedAPI, shell: Shell) -> None:
    stored = api.files.add("a.txt", b"x")
    asks(shell, f"%claude --delete /v1/files/{stored.id}")
    assert asks(shell, "%claude --refuse").error is None
    assert api.calls == []
    assert asks(shell, "%claude --approve").error is not None
    assert api.calls == []


def test_approve_in_another_cell_sends_it_once(api: ScriptedAPI, shell: Shell) -> None:
    stored = api.files.add("a.txt", b"x")
    asks(shell, f"%claude --delete /v1/files/{stored.id}")
    assert asks(shell, "%claude --approve").error is None
    again = asks(shell, "%claude --approve")
    assert again.error is not None
    assert api.calls == [f"DELETE /v1/files/{stored.id}"]


def test_two_calls_wait_beside_each_other_and_each_is_decided_by_its_name(api: ScriptedAPI, shell: Shell) -> None:
    first, second = api.files.add("a.txt", b"x"), api.files.add("b.txt", b"x")
    asks(shell, f"%claude --delete /v1/files/{first.id}")
    asks(shell, f"%claude --delete /v1/files/{second.id}")
    unnamed = asks(shell, "%claude --approve")
    assert unnamed.error is not None
    assert "w1" in unnamed.error[1]
    assert api.calls == []
    assert asks(shell, "%claude --approve w2").error is None
    assert api.calls == [f"DELETE /v1/files/{second.id}"]
    assert asks(shell, "%claude --refuse").error is None
    assert asks(shell, "%claude --approve").error is not None
    assert api.calls == [f"DELETE /v1/files/{second.id}"]


def test_where_nobody_can_be_asked_it_is_an_error_without_yes(api: ScriptedAPI, shell: Shell) -> None:
    stored = api.files.add("a.txt", b"x")
    ran = shell.run(f"%claude --delete /v1/files/{stored.id}")
    assert ran.error is not None
    assert "Run the cell with --yes" in ran.error[1]
    assert api.calls == []
    assert shell.run(f"%claude --delete /v1/files/{stored.id} --yes").error is None
    assert api.files.stored == {}


def test_reading_and_counting_do_not_ask(api: ScriptedAPI, shell: Shell) -> None:
    body = '{"model": "claude-opus-5-5", "messages": []}'
    for code in ("%claude --get /v1/files", f"%%claude --post /v1/messages/count_tokens\n{body}"):
        assert shell.run(code).error is None


def test_a_posted_message_is_shown_as_a_reply(api: ScriptedAPI, shell: Shell) -> None:
    api.server.answers(whole("Hello *there*"))
    body = {"model": "claude-opus-5-5", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}
    html = answered(shell.run(f"%%claude --post /v1/messages\n{json.dumps(body)}"))
    assert "<em>there</em>" in html
    assert api.server.last.json == body


def test_a_file_is_sent_from_disk_with_the_fields_of_the_body(api: ScriptedAPI, shell: Shell) -> None:
    Path("report.txt").write_text("hello", encoding="utf-8")
    ran = shell.run('%%claude --post /v1/files --file file=report.txt --yes\n{"expires_in_seconds": 3600}')
    assert ran.error is None
    assert [(part.name, part.filename, part.content) for part in api.files.parts] == [
        ("expires_in_seconds", None, b"3600"),
        ("file", "report.txt", b"hello"),
    ]


def test_a_download_goes_into_a_file_and_never_over_one(api: ScriptedAPI, shell: Shell) -> None:
    stored = api.files.add("plot.png", b"\x89PNG", "image/png", downloadable=True)
    assert "written to x.png" in answered(shell.run(f"%claude --get /v1/files/{stored.id}/content -o ./x.png"))
    assert Path("x.png").read_bytes() == b"\x89PNG"
    ran = shell.run(f"%claude --get /v1/files/{stored.id}/content -o ./x.png")
    assert ran.error is not None
    assert "exists" in ran.error[1]
    assert len(api.calls) == 1


def test_lines_are_a_table_that_is_shown_while_they_come(api: ScriptedAPI, shell: Shell) -> None:
    def first_rows(message: dict[str, Any]) -> None:
        if "cm-status" in str(message.get("content", {}).get("data", {}).get("text/html", "")):
            released.append(message["content"]["data"]["text/html"])

    released: list[str] = []
    rows = [json.dumps({"custom_id": f"row-{number}", "n": number}).encode() + b"\n" for number in range(200)]

    def wait_for_the_page() -> None:
        from threading import Event

        for _ in range(600):
            if any("row-1<" in html for html in released):
                return
            Event().wait(0.1)

    headers = (("content-type", "application/x-jsonl"), *HEADERS)
    api.server.respond = lambda _: Answer(headers=headers, pieces=[*rows[:100], wait_for_the_page, *rows[100:]])
    ran = shell.run("%claude --get /v1/messages/batches/msgbatch_1/results -o rows", watch=first_rows)
    assert ran.error is None
    assert any("row-1<" in html and "100 lines" in html for html in released)
    assert len(shell.user_ns["rows"]) == 200


def test_bytes_are_named_and_not_printed(api: ScriptedAPI, shell: Shell) -> None:
    stored = api.files.add("x.bin", bytes(range(256)), "application/octet-stream", downloadable=True)
    html = answered(shell.run(f"%claude --get /v1/files/{stored.id}/content -o data"))
    assert "256 bytes" in html
    assert shell.user_ns["data"] == bytes(range(256))


def test_an_error_is_one_line_and_shows_no_half_output(api: ScriptedAPI, shell: Shell) -> None:
    ran = shell.run("%claude --get /v1/files/file_9")
    assert ran.error is not None
    assert ran.error[0] == "APIError"
    assert ran.error[2] == [f"APIError: {ran.error[1]}"]
    assert "not_found_error: File not found: file_9" in ran.error[1]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("--get /v1/models -m claude-opus-5-5", "--model is for messages"),
        ("--get /v1/models --thinking", "--thinking is for messages"),
        ("--query limit 5 hello", "--query belongs to a call"),
        ("--all hello", "--all belongs to a call"),
        ("-o x/y hello", "not a variable name"),
        ("--get /v1/models extra words", "a GET has no body|not JSON"),
        ("--file x /v1/files", "takes NAME=PATH"),
    ],
)
def test_an_option_that_would_say_nothing_is_refused(line: str, told: str, api: ScriptedAPI, shell: Shell) -> None:
    ran = shell.run(f"%claude {line}")
    assert ran.error is not None
    assert re.search(told, ran.error[1])
    assert api.calls == []


HOSTILE = (
    "<script>steal()</script>",
    '"><img src=x onerror=steal()>',
    "</details></div><iframe src=//evil>",
    "javascript:steal()",
    "\x1b]52;c;c3RlYWw=\x07",
    "\u202egnp.exe",
    "$\\href{javascript:steal()}{x}$",
    "sk-ant-api03-" + "x" * 40,
)


@pytest.mark.parametrize("shape", ["tree", "table", "lines", "beside"])
def test_hostile_names_and_values_are_shown_as_text(shape: str, api: ScriptedAPI, shell: Shell) -> None:
    thing = {each: each for each in HOSTILE} | {"nested": {each: [each] for each in HOSTILE}}
    if shape == "lines":
        lines = "".join(json.dumps(thing) + "\n" for _ in range(3)).encode()
        answer = Answer(headers=(("content-type", "application/x-jsonl"), *HEADERS), pieces=[lines])
    else:
        answer = json_answer({"tree": thing, "table": {"data": [thing]}, "beside": {"data": [1], **thing}}[shape])
    api.server.respond = lambda _: answer
    ran = shell.run("%claude --get /v1/things")
    assert ran.error is None
    for html in ran.data("text/html"):
        assert not re.search(r"<(script|img|iframe)\b", html.replace('<svg class="cm-timeline"', ""))
        assert "onerror=steal()>" not in html.replace("&gt;", "")[:0] + "".join(re.findall(r"<[^>]*>", html))
        assert "\x1b" not in html
        assert "\u202e" not in html
        assert "x" * 40 not in html
    for text in ran.data("text/plain"):
        assert "\x1b" not in text
        assert "\u202e" not in text


@pytest.mark.slow
def test_much_and_deep_json_is_bounded_on_the_page_and_whole_in_the_variable(api: ScriptedAPI, shell: Shell) -> None:
    deep: Any = "end"
    for _ in range(300):
        deep = [deep]
    much = {"deep": deep, "many": {f"name {n}": "x" * 100 for n in range(20_000)}, "long": "y" * 1_000_000}
    api.server.respond = lambda _: json_answer(much)
    ran = shell.run("%claude --get /v1/things -o thing")
    assert ran.error is None
    assert sum(len(html) for html in ran.data("text/html")) < 400_000
    assert shell.user_ns["thing"] == much


def test_neither_key_is_in_any_output(api: ScriptedAPI, shell: Shell) -> None:
    api.organization.workspaces[0]["name"] = f"{ADMIN_KEY} {KEY}"
    ran = shell.run("%claude --get /v1/organizations/workspaces")
    everything = json.dumps([ran.outputs, ran.stdout], default=str)
    assert ADMIN_KEY not in everything
    assert "$ANTHROPIC_ADMIN_KEY" in everything
    assert api.misplaced == []


def test_an_approval_shows_the_body_the_place_and_that_the_admin_key_goes(api: ScriptedAPI, shell: Shell) -> None:
    ran = asks(shell, '%%claude --post /v1/organizations/invites\n{"email": "new@example.com", "role": "user"}')
    html = "".join(ran.data("text/html"))
    assert "POST /v1/organizations/invites" in html
    assert "new@example.com" in html
    assert "with the admin key" in html
    asks(shell, "%claude --approve")
    assert api.organization.invites[0]["email"] == "new@example.com"


def test_the_same_from_python_returns_the_exchange(api: ScriptedAPI, shell: Shell) -> None:
    shell.run("from claude_magic import claude")
    assert shell.value("claude('', get='/v1/models', query={'limit': 1}).json['data'][0]['id']") == "claude-fable-5-2"
    assert "DELETE  /v1/files/{file_id}" in shell.value("str(claude('files', delete=True))")
    refused = shell.run("claude('', delete='/v1/files/file_1')")
    assert refused.error is not None
    assert "yes=True" in refused.error[1]
