"""`%%claude` in a notebook, against a scripted API."""

from __future__ import annotations

import json
import re
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import KEY
from tests.notebook_kernel import Kernel, Ran
from tests.notebook_shell import Shell
from tests.server import JSON, STREAM, Answer, Server, event, failure, reply, silence, text_events, whole

EVENTS = [event(e) for e in text_events(["abc", "def"])]


def line(ran: Ran) -> str:
    """The one line of an error."""
    assert ran.error is not None
    assert len(ran.error[2]) == 1, ran.error[2]
    assert "\n" not in ran.error[2][0]
    return ran.error[2][0]


def sent(server: Server) -> object:
    return server.last.json["messages"]


def test_a_cell_is_one_user_message_and_nothing_else(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(reply("hello"))
    assert kernel.run("%%claude\nhi").error is None
    assert endpoint.last.json == {
        "model": "claude-opus-5-5",
        "max_tokens": 4096,
        "messages": [{"role": "user", "content": "hi"}],
        "stream": True,
    }


@pytest.mark.parametrize(
    "text",
    [
        "two\nlines",
        "  leading space\n\ttab",
        "\n\nblank lines first",
        "trailing space  ",
        ">>> 1 + 1\n2",
        "... and so on",
        "In [1]: x",
        "{x} { {y + 1} } {{}} $z \\{{ !ls %pwd ?help",
        "quotes \" ' \"\"\" ''' \\ \\n",
        "é ☃ 😀 \u2028 \x85 \x0c",
        "what is a monad?",
        "%%claude\nnested",
        "typed newline at the end\n",
        "# comment\n\n",
    ],
)
def test_the_text_is_sent_exactly_as_typed(kernel: Kernel, endpoint: Server, text: str) -> None:
    endpoint.answers(reply("ok"))
    assert kernel.run(f"%%claude\n{text}").error is None
    assert sent(endpoint) == [{"role": "user", "content": text}]


@pytest.mark.parametrize(
    "text", ["what is a monad?", "what's this?", 'say "hi" {x} $y', "is it? or not", "really??", "a = b?", "% of what?"]
)
def test_a_line_is_sent_exactly_as_typed(kernel: Kernel, endpoint: Server, text: str) -> None:
    endpoint.answers(reply("ok"))
    assert kernel.run(f"x = 1\n%claude {text}\ny = 2").error is None
    assert sent(endpoint) == [{"role": "user", "content": text}]


def test_a_question_in_a_string_is_left_alone(kernel: Kernel, endpoint: Server) -> None:
    assert kernel.value('"""\n%claude what?\n"""') == "\n%claude what?\n"


def test_a_question_in_a_loop_is_asked_each_time(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(reply("ok"))
    before = len(endpoint.received)
    assert kernel.run("for _ in range(3):\n    %claude what is {this}?").error is None
    assert [r.json["messages"][0]["content"] for r in endpoint.received[before:]] == ["what is {this}?"] * 3


def test_options_of_a_line_are_not_expanded(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(reply("ok"))
    kernel.run("secret = 'no'")
    kernel.run('%%claude -s "{secret} $secret" --header X-A {secret}\nhi')
    assert (endpoint.last.json["system"], endpoint.last.headers["x-a"]) == ("{secret} $secret", "{secret}")


def test_out_binds_the_text(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(reply("a", "b"))
    kernel.run("%%claude -o answer\nhi")
    assert kernel.value("answer") == "ab"


def test_out_binds_nothing_after_a_failure(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(failure(400, "invalid_request_error", "no"))
    kernel.run("%%claude -o answer\nhi")
    assert kernel.value("'answer' in globals()") is False


def test_the_last_exchange_can_be_looked_at(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(reply("hello"))
    kernel.run("%%claude\nhi")
    kernel.run("from claude_magic import claude; e = claude.last")
    assert kernel.value("[e.text, e.status, e.message.stop_reason, e.message.id, e.message.model]") == [
        "hello",
        200,
        "end_turn",
        "msg_01Test",
        "claude-opus-5-5",
    ]
    assert kernel.value("[e.request.method, e.request.url, e.request.body['messages']]") == [
        "POST",
        f"{endpoint.url}/v1/messages",
        [{"role": "user", "content": "hi"}],
    ]
    assert kernel.value("e.request.headers['x-api-key']") == "$ANTHROPIC_API_KEY"
    assert kernel.value("e.headers['Request-Id']") == "req_011Test"
    assert kernel.value("0 < e.first_token_seconds <= e.seconds") is True


def test_python_asks_without_displaying(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(whole("hello"))
    ran = kernel.run("from claude_magic import claude\nassert claude('hi', stream=False, max_tokens=7).text == 'hello'")
    assert (ran.error, ran.outputs) == (None, [])
    assert endpoint.last.json["max_tokens"] == 7


def test_an_error_is_one_line_with_what_to_do(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(failure(401, "authentication_error", "invalid x-api-key"))
    assert line(kernel.run("%%claude\nhi")) == (
        "APIError: authentication_error: invalid x-api-key (HTTP 401, request-id req_011Test). "
        "The key came from $ANTHROPIC_API_KEY. Check it in the Console."
    )


def test_tb_gives_the_whole_traceback_without_the_key(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(failure(401, "authentication_error", "invalid x-api-key"))
    kernel.run("%xmode Verbose")
    kernel.run("%%claude\nhi")
    ran = kernel.run("%tb")
    assert ran.error is not None
    assert "Traceback" in "".join(ran.error[2])
    assert KEY not in str(ran.messages)


@pytest.mark.kernel
def test_an_error_stops_run_all(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(failure(400, "invalid_request_error", "no"))
    kernel.submit("%%claude\nhi")
    assert kernel.answer(kernel.submit("ran_on = True"))["status"] == "aborted"


def test_a_wrong_model_names_the_nearest(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(failure(404, "not_found_error", "model: claude-opus-5.5"))
    assert "claude-opus-5-5" in line(kernel.run("%%claude -m claude-opus-5.5\nhi"))


def test_refused_sampling_is_explained(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(failure(400, "invalid_request_error", "temperature: Extra inputs are not permitted"))
    said = line(kernel.run("%%claude --temperature 0.5\nhi"))
    assert "temperature: Extra inputs are not permitted" in said
    assert "--effort" in said
    assert endpoint.last.json["temperature"] == 0.5


@pytest.mark.parametrize("cell", ["%%claude\n   \n\n", "%%claude -t 5\n\t", "%claude -t 5", "%%claude"])
def test_an_empty_cell_says_so_and_sends_nothing(kernel: Kernel, endpoint: Server, cell: str) -> None:
    assert "empty" in line(kernel.run(cell))
    assert endpoint.received == []


def test_text_on_the_first_line_of_a_cell_is_not_lost_silently(kernel: Kernel, endpoint: Server) -> None:
    assert "text on the first line is not sent" in line(kernel.run("%%claude hello\nthere"))
    assert endpoint.received == []


@pytest.mark.parametrize("cell", ["%%claude\nmy key is sk-ant-api03-AbCdEf123456", f"%%claude\n{KEY} is my key"])
def test_a_key_in_a_cell_is_not_sent(kernel: Kernel, endpoint: Server, cell: str) -> None:
    said = line(kernel.run(cell))
    assert "API key" in said
    assert "sk-ant-api03" not in said
    assert endpoint.received == []


def test_the_key_is_in_no_message_of_the_kernel(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(reply("hello"))
    cells = [
        "%%claude\nhi",
        "%claude",
        "%config Claude",
        "from claude_magic import claude; claude",
        "claude.last",
        "claude.last.request.headers",
        "vars(claude.last)",
        "claude.settings",
    ]
    assert [cell for cell in cells if KEY in str(kernel.run(cell).messages)] == []


def test_status_tells_everything_but_the_key(kernel: Kernel, endpoint: Server) -> None:
    card = kernel.run("%claude").stdout
    for fact in (
        "claude-opus-5-5",
        "4096",
        endpoint.url,
        "$ANTHROPIC_API_KEY",
        "each cell stands alone",
        "claude-magic 0.",
    ):
        assert fact in card
    assert KEY not in card


@pytest.mark.parametrize("cell", ["%%claude --help", "%claude --help", "%%claude -h\ntext"])
def test_help_lists_the_options(kernel: Kernel, endpoint: Server, cell: str) -> None:
    ran = kernel.run(cell)
    assert "--max-tokens N" in ran.stdout
    assert endpoint.received == []


@pytest.mark.parametrize("cell", ["%claude?", "%%claude?"])
def test_a_question_mark_shows_the_same_help(kernel: Kernel, endpoint: Server, cell: str) -> None:
    answer = kernel.answer(kernel.submit(cell))
    assert "--max-tokens N" in answer["payload"][0]["data"]["text/plain"]


def test_a_setting_changes_the_next_request(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(reply("ok"))
    kernel.run(
        "%config Claude.max_tokens = 17\n%config Claude.model = 'claude-haiku-5-5'\n%config Claude.system = 'be'"
    )
    kernel.run("%%claude\nhi")
    assert [endpoint.last.json[name] for name in ("max_tokens", "model", "system")] == [17, "claude-haiku-5-5", "be"]


def test_an_option_outweighs_a_setting(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(reply("ok"))
    kernel.run("%config Claude.system = 'be'")
    kernel.run("%%claude -s '' -t 3\nhi")
    assert ("system" in endpoint.last.json, endpoint.last.json["max_tokens"]) == (False, 3)


def test_a_wrong_setting_is_refused_in_one_line(kernel: Kernel, endpoint: Server) -> None:
    ran = kernel.run("%config Claude.max_tokens = 0")
    assert (
        ran.stdout.strip()
        .splitlines()[-1]
        .endswith("Claude.max_tokens = 0 is refused. It must be a whole number, at least 1.")
    )
    assert len(ran.stdout.strip().splitlines()) == 1


def test_a_wrong_setting_in_the_configuration_does_not_stop_the_extension(endpoint: Server) -> None:
    with Shell() as kernel:
        kernel.run(
            "get_ipython().config.Claude.max_tokens = -5\nget_ipython().config.Claude.model = 'claude-haiku-5-5'"
        )
        ran = kernel.run("%load_ext claude_magic")
        assert ran.stdout.strip() == "Claude.max_tokens = -5 is refused. It must be a whole number, at least 1."
        assert kernel.run("%config Claude.model").data("text/plain") == ["'claude-haiku-5-5'"]


def test_the_key_is_read_at_each_request(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(reply("ok"))
    kernel.run("import os; os.environ['ANTHROPIC_API_KEY'] = '  another-key-42 '")
    kernel.run("%%claude\nhi")
    assert endpoint.last.headers["x-api-key"] == "another-key-42"
    kernel.run("del os.environ['ANTHROPIC_API_KEY']; os.environ['ANTHROPIC_AUTH_TOKEN'] = 'token-42'")
    kernel.run("%%claude\nhi")
    assert endpoint.last.headers["authorization"] == "Bearer token-42"
    assert "x-api-key" not in endpoint.last.headers


def test_without_key_and_local_model_the_three_ways_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("claude_magic.local.install_command", str)  # else only what is missing on this machine
    with Shell() as kernel:
        kernel.run("%load_ext claude_magic")
        kernel.run("%config Claude.provider = 'anthropic'")
        said = line(kernel.run("%%claude\nhi"))
    assert all(way in said for way in ("ANTHROPIC_API_KEY", "claude-magic[local]", "Claude.base_url"))


@pytest.mark.kernel
def test_login_keeps_a_key_in_memory(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(reply("ok"))
    kernel.run("import os; del os.environ['ANTHROPIC_API_KEY']")
    kernel.client.execute("from claude_magic import claude; claude.login()", allow_stdin=True)
    assert kernel.client.get_stdin_msg(timeout=100)["content"]["password"] is True
    kernel.client.input("typed-key-43")
    while kernel.client.get_shell_msg(timeout=100)["parent_header"]["msg_type"] != "execute_request":
        pass
    kernel.run("%%claude\nhi")
    assert endpoint.last.headers["x-api-key"] == "typed-key-43"
    assert "typed-key-43" not in str(kernel.run("%claude").messages)
    kernel.run("claude.logout()")
    kernel.run("%%claude\nhi")
    assert "x-api-key" not in endpoint.last.headers


@pytest.mark.kernel
@pytest.mark.parametrize("moment", ["before headers", "mid-stream", "in a backoff"])
def test_an_interrupt_is_obeyed_at_once(kernel: Kernel, endpoint: Server, moment: str) -> None:
    answers = {
        "before headers": silence(kernel.interrupt),
        "mid-stream": Answer(headers=STREAM, pieces=[*EVENTS[:4], kernel.interrupt, 60.0]),
        "in a backoff": Answer(status=529, headers=(*JSON, ("retry-after", "55")), pieces=[b"{}"], framing="length"),
    }
    endpoint.answers(answers[moment])
    ran = kernel.run("%%claude\nhi", stop_when="try 2 of 3")
    assert ran.seconds < 55
    assert line(ran).startswith("Interrupted: stopped after")
    endpoint.answers(reply("next"))
    assert kernel.run("%%claude -o after\nhi").error is None
    assert kernel.value("after") == "next"


def test_an_interrupt_keeps_what_had_arrived_and_hangs_up(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(Answer(headers=STREAM, pieces=[*EVENTS[:4], 60.0]))
    ran = kernel.run("%%claude\nhi", stop_when="abc")
    assert "interrupted" in str(ran.data("text/html"))
    assert "abc" in str(ran.data("text/html"))
    kernel.run("from claude_magic import claude")
    assert kernel.value("[claude.last.text, type(claude.last.error).__name__]") == ["abc", "Interrupted"]
    assert endpoint.dropped.wait(100)


def test_a_stream_that_breaks_off_keeps_what_had_arrived(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(Answer(headers=STREAM, pieces=EVENTS[:4], ending="cut"))
    ran = kernel.run("%%claude\nhi")
    assert line(ran).startswith("StreamError: the stream ended early")
    assert "abc" in str(ran.data("text/html"))


def test_the_wait_for_another_try_is_shown(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(failure(529, "overloaded_error", "Overloaded", ("retry-after", "1")), reply("after"))
    ran = kernel.run("%%claude\nhi")
    assert "overloaded: try 2 of 3 in 1 s" in str([m["content"] for _, m in ran.messages])
    assert "overloaded" not in str(ran.outputs)


def test_a_cell_ends_with_one_reply_and_one_panel(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(reply("# Title\n\n", "a **bold** word"))
    ran = kernel.run("%%claude\nhi")
    reply_output, widget, twin = ran.outputs
    assert "<strong>bold</strong>" in reply_output["data"]["text/html"]
    assert reply_output["data"]["text/plain"].strip() == "# Title\n\na **bold** word"
    assert sorted(reply_output["data"]) == ["text/html", "text/plain"]
    assert "application/vnd.jupyter.widget-view+json" in widget["data"]
    assert "req_011Test" in twin["data"]["text/html"]


def test_no_panel_and_raw(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(reply("a **bold** <b>word</b>"))
    (only,) = kernel.run("%%claude --no-panel --raw\nhi").outputs
    assert "a **bold** &lt;b&gt;word&lt;/b&gt;" in only["data"]["text/html"]


def test_lines_of_one_cell_keep_each_others_outputs(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(reply("first"), reply("second"))
    ran = kernel.run("print('before')\n%claude --no-panel a\n%claude --no-panel b\nprint('after')")
    assert "before" in ran.stdout
    assert "after" in ran.stdout
    assert [text.strip() for text in ran.data("text/plain")] == ["first", "second"]


def test_an_error_with_an_answer_has_the_panel(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(failure(400, "invalid_request_error", "no"))
    ran = kernel.run("%%claude\nhi")
    assert "req_011Test" in str(ran.data("text/html"))
    assert line(ran).startswith("APIError: invalid_request_error: no (HTTP 400")


def test_unload_takes_everything_back_and_reload_works(kernel: Kernel, endpoint: Server) -> None:
    before = "[len(s.configurables), len(s.input_transformer_manager.cleanup_transforms)]"
    kernel.run("s = get_ipython()")
    loaded = kernel.value(before)
    kernel.run("%unload_ext claude_magic")
    assert kernel.value("'claude' in s.magics_manager.magics['cell']") is False
    assert kernel.value(before) < loaded
    kernel.run("%load_ext claude_magic")
    kernel.run("%reload_ext claude_magic")
    assert kernel.value(before) == loaded
    endpoint.answers(reply("ok"))
    assert kernel.run("%%claude\nhi").error is None


@pytest.mark.parametrize(
    ("code", "match"),
    [
        pytest.param("%%claude --mo", "--model", marks=pytest.mark.kernel),
        ("%claude --no-s", "--no-stream"),
        ("%%claude -m claude-op", "claude-opus-5-5"),
    ],
)
def test_tab_offers_options_and_models(kernel: Kernel, endpoint: Server, code: str, match: str) -> None:
    content = kernel.complete(code)
    offered = [code[: content["cursor_start"]] + m + code[content["cursor_end"] :] for m in content["matches"]]
    assert code[: code.rindex(" ") + 1] + match in offered


@pytest.mark.parametrize(
    ("code", "match"),
    [
        ("%%claude\nhello {{cou", "country"),
        ("%%claude -c ma", "main"),
        ("%%claude -a no", "note.txt"),
        ("%%claude --as js", "json"),
    ],
)
def test_tab_offers_what_can_follow(kernel: Kernel, endpoint: Server, tmp_path: Path, code: str, match: str) -> None:
    (tmp_path / "note.txt").write_text("x")
    kernel.run("country = 1; from claude_magic import claude; claude.conversation('main')")
    assert match in kernel.complete(code)["matches"]


@pytest.mark.kernel
def test_the_magic_works_without_load_ext_where_it_is_installed(
    endpoint: Server, tmp_path_factory: pytest.TempPathFactory
) -> None:
    lazy = json.loads((Path(__file__).parents[1] / "jupyter-config" / "ipython" / "ipython_config.json").read_text())
    profile = Path.home() / "ipython" / "profile_default"
    profile.mkdir(parents=True)
    (profile / "ipython_config.json").write_text(json.dumps(lazy))
    endpoint.answers(reply("lazy"))
    with Kernel() as kernel:
        ran = kernel.run("%%claude\nhi")
        assert ran.error is None, ran.error
        assert "lazy" in str(ran.data("text/plain"))
        assert kernel.run("%claude hello there").error is None


@pytest.mark.process
def test_loading_imports_nothing_heavy() -> None:
    import subprocess
    import sys

    code = (
        "import sys\nfrom IPython.core.interactiveshell import InteractiveShell\n"
        "shell = InteractiveShell.instance()\nbefore = set(sys.modules)\n"
        "shell.run_line_magic('load_ext', 'claude_magic')\n"
        "print(sorted({m.split('.')[0] for m in set(sys.modules) - before}))\n"
        "print(sorted(m for m in sys.modules if m.startswith('claude_magic.')))"
    )
    out = subprocess.run(
        [sys.executable, "-c", code], cwd=Path(__file__).parents[1], capture_output=True, text=True, check=True
    ).stdout
    assert [
        m for m in ("requests", "markdown", "ipywidgets", "sqlite3", "pygments", "urllib3") if f"'{m}'" in out
    ] == []
    assert [m for m in ("exchange", "message", "request", "sse") if f"claude_magic.wire.{m}'" in out] == []
    assert "claude_magic.prompt.options.table'" in out


def test_two_cells_at_once_from_threads_do_not_mix(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(reply("ok"))
    code = (
        "from claude_magic import claude\nfrom concurrent.futures import ThreadPoolExecutor\n"
        "with ThreadPoolExecutor(8) as pool:\n"
        "    texts = list(pool.map(lambda n: claude(f'q{n}').request.body['messages'][0]['content'], range(16)))"
    )
    assert kernel.run(code).error is None
    assert kernel.value("texts") == [f"q{n}" for n in range(16)]


@pytest.mark.kernel
def test_the_reply_appears_while_it_streams(kernel: Kernel, endpoint: Server) -> None:
    shown = threading.Event()
    endpoint.answers(Answer(headers=STREAM, pieces=[*EVENTS[:4], lambda: shown.wait(60), *EVENTS[4:]]))

    def watch(message: dict[str, Any]) -> None:
        if re.search(r"\babc\b", str(message["content"].get("data", ""))):
            shown.set()

    ran = kernel.run("%%claude\nhi", watch=watch)
    assert ran.error is None
    assert ran.seconds < 50  # else it ended only because the server went on unseen
    assert "abcdef" in str(ran.data("text/plain"))
