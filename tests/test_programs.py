"""The notebook shows its requests as programs, and sends what a curl command would."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ipywidgets import Dropdown

from claude_magic.display.panel import live_panels
from claude_magic.export import LANGUAGES
from claude_magic.session.pasted_curl import curl
from claude_magic.wire import Exchange
from claude_magic.wire.exchange import Code
from tests.conftest import KEY
from tests.notebook_kernel import Kernel
from tests.notebook_shell import Shell
from tests.server import Server, reply, whole

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_request_is_printed_instead_of_sent(kernel: Kernel, endpoint: Server, language: str) -> None:
    ran = kernel.run(f"%%claude --show {language} -t 77\nWhat is a ☃?")
    assert ran.error is None
    assert "What is a ☃?" in ran.text
    assert "77" in ran.text
    assert KEY not in ran.text
    assert endpoint.received == []


def test_a_request_is_shown_without_a_key_or_a_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Shell() as kernel:
        kernel.run("%load_ext claude_magic\n%config Claude.provider = 'anthropic'")
        ran = kernel.run("%%claude --show curl\nhello")
    assert ran.error is None
    assert "https://api.anthropic.com/v1/messages" in ran.text
    assert "$ANTHROPIC_API_KEY" in ran.text
    assert "claude-opus-5-5" in ran.text


@pytest.mark.process
def test_the_last_request_is_written_as_a_program_that_sends_the_same(
    kernel: Kernel, endpoint: Server, tmp_path: Path
) -> None:
    endpoint.answers(reply("hi"))
    kernel.run("%%claude -s 'Be brief.' --stop END\nIt's a \"test\"\n$HOME `x` \\n")
    kernel.run(
        "from claude_magic import claude\nimport pathlib; pathlib.Path('asked.py').write_text(claude.last.code())"
    )
    sent = endpoint.last.json
    ran = subprocess.run([sys.executable, "asked.py"], capture_output=True, text=True, env=os.environ)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.strip() == "hi"
    assert endpoint.last.json == sent


@pytest.mark.process
def test_a_file_that_was_attached_is_read_by_the_program(kernel: Kernel, endpoint: Server, tmp_path: Path) -> None:
    endpoint.answers(whole("a pixel"))
    (tmp_path / "pixel.png").write_bytes(PIXEL)
    kernel.run("%%claude -a pixel.png --no-stream\nWhat is it?")
    kernel.run(
        "from claude_magic import claude\nimport pathlib; pathlib.Path('asked.py').write_text(claude.last.code())"
    )
    program = (tmp_path / "asked.py").read_text()
    assert "pixel.png" in program
    assert base64.b64encode(PIXEL).decode()[:40] not in program
    sent = endpoint.last.json
    ran = subprocess.run([sys.executable, "asked.py"], capture_output=True, text=True, env=os.environ)
    assert ran.returncode == 0, ran.stderr
    assert endpoint.last.json == sent
    (tmp_path / "pixel.png").write_bytes(PIXEL + b"changed")
    kernel.run("program = claude.last.code()")
    assert "pixel.png" not in kernel.value("program")


def test_the_panel_has_a_tab_of_programs_and_saves_the_curl_command(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(reply("hi"))
    ran = kernel.run("%%claude\n</script><b>question</b>")
    twin = next(html for html in ran.data("text/html") if "cm-static" in html)
    assert "<summary>Code</summary><div><pre>curl http://" in twin
    assert 'claude.last.code(…) with "python", "typescript", "openai", "requests", "http"' in twin
    assert "import anthropic" not in twin
    assert "<b>question" not in twin
    assert "</script>" not in twin


def test_a_program_is_written_when_its_language_is_chosen(shell: Shell, endpoint: Server) -> None:
    endpoint.answers(reply("hi"), reply("hi"))
    shell.run("%%claude\n</script><b>question</b>")
    box, select, _, page = _code_tab()
    assert box.children == (select, page)
    assert [title for title, _ in select.options] == [language.title for language in LANGUAGES.values()]
    assert select.value == "curl"
    assert "curl http://" in _plain(page.value)
    for name in LANGUAGES:
        select.value = name
        assert "question" in _plain(page.value)
        assert "<b>" not in _plain(page.value)
        assert "</script>" not in _plain(page.value)
    select.value = "python"
    assert "import anthropic" in _plain(page.value)
    shell.run("%%claude\nanother")
    _, select, _, page = _code_tab()
    assert select.value == "python"
    assert "import anthropic" in _plain(page.value)


def test_only_the_curl_command_is_written_before_a_language_is_chosen(
    shell: Shell, endpoint: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint.answers(reply("hi"))
    written = []

    def code(self: Exchange, language: str = "python") -> Code:
        written.append(language)
        return Code("program")

    monkeypatch.setattr(Exchange, "code", code)
    shell.run("%%claude\nquestion")
    assert set(written) == {"curl"}  # brief for the notebook, and in colour
    _code_tab()[1].value = "http"
    assert [each for each in written if each != "curl"] == ["http"]


def _plain(source: str) -> str:
    """Without the elements that give a program its colours."""
    return re.sub("</?span[^>]*>", "", source)


def _code_tab() -> Any:
    """The list of languages with the program below it, the list, its style, the program of the last panel."""
    widgets = live_panels.latest().widgets
    place = next(number for number, widget in enumerate(widgets) if isinstance(widget, Dropdown))
    return widgets[place - 1 : place + 3]


def test_a_long_program_is_cut_in_the_panel_only(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(reply("hi"))
    ran = kernel.run(f"%%claude\n{'word ' * 20_000}")
    twin = next(html for html in ran.data("text/html") if "cm-static" in html)
    assert "gives all of it" in twin
    assert len(twin) < 20_000
    kernel.run("from claude_magic import claude")
    assert kernel.value("len(claude.last.code('curl'))") > 100_000


def test_an_exchange_of_the_journal_is_a_program_too(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(reply("hi"))
    kernel.run("%%claude\nquestion")
    kernel.run("from claude_magic import claude")
    assert "-d '{" in kernel.value("claude.journal.exchange(1).code('curl')")
    ran = kernel.run("claude.journal.exchange(1).code('requests')")
    assert "import requests\n" in ran.data("text/plain")[0]


def test_an_unknown_language_is_one_line(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(reply("hi"))
    kernel.run("%%claude\nquestion")
    ran = kernel.run("from claude_magic import claude\nclaude.last.code('cobol')")
    assert ran.error is not None
    assert "no such language: 'cobol'" in ran.error[1]
    assert "is one of curl" in (kernel.run("%%claude --show cobol\nx").error or ("", "", []))[1]


def command(url: str, body: object, *more: str) -> str:
    text = json.dumps(body).replace("'", "'\\''")
    return f"curl {url}/v1/messages \\\n  -H \"x-api-key: $ANTHROPIC_API_KEY\" {' '.join(more)} \\\n  -d '{text}'"


BODY = {"model": "claude-haiku-5-5", "max_tokens": 5, "messages": [{"role": "user", "content": "It's {{x}} $HOME"}]}


def test_a_curl_command_is_sent_as_a_request(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(whole("hi"))
    pasted = command(endpoint.url, BODY, "-H 'anthropic-version: 2026-10-21' -H 'anthropic-beta: some-beta'")
    ran = kernel.run(f"%%claude --curl\n{pasted}")
    assert ran.error is None
    assert ran.data("text/plain")[0] == "hi"
    assert endpoint.last.json == BODY
    assert endpoint.last.headers["anthropic-version"] == "2026-10-21"
    assert endpoint.last.headers["anthropic-beta"] == "some-beta"
    assert endpoint.last.headers["x-api-key"] == KEY


def test_what_we_show_as_curl_can_be_sent_again(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(reply("hi"))
    shown = kernel.run('%%claude --show curl -s "It\'s"\nline one\n\n\'quoted\' "twice" \\ $x `y`').text
    kernel.run(f"%%claude --curl\n{shown}")
    assert endpoint.last.json["messages"][0]["content"] == "line one\n\n'quoted' \"twice\" \\ $x `y`"
    assert endpoint.last.json["system"] == "It's"


@pytest.mark.parametrize(
    ("pasted", "said"),
    [
        ("curl https://evil.test/v1/messages -d '{}'", "the command goes to https://evil.test"),
        ("curl URL/v1/models", "no body"),
        ("curl URL/v1/messages/batches -d '{}'", "Nothing was sent"),
        ("curl URL/v1/messages -d @body.json", "file"),
        ('curl URL/v1/messages -d "$(cat secret)"', "needs a shell"),
        ("curl URL/v1/messages -H 'x-api-key: sk-ant-api03-abcdefgh' -d '{}'", "key"),
        ('curl URL/v1/messages -d \'{"messages": [{"content": "KEY"}]}\'', "looks like an API key"),
        ('curl URL/v1/messages -d \'{"messages": "sk-\\u0061nt-api03-abcdefgh"}\'', "looks like an API key"),
        ("curl URL/v1/messages -H 'x-note: KEY' -d '{}'", "looks like an API key"),
        ("curl 'URL/v1/messages?k=KEY' -d '{}'", "looks like an API key"),
        ("curl https://KEY.test/v1/messages -d '{}'", "looks like an API key"),
        ("curl 'URL/v1/messages?api_key=abcdefgh' -d '{}'", "holds a secret (url)"),
        ("curl URL/v1/messages -x http://u:abcdefgh@p -d '{}'", "holds a secret (--proxy)"),
        ("curl URL/v1/messages -H 'x-é: a' -d '{}'", "a character that headers have not"),
        ("curl URL/v1/messages -H 'x-a: é' -d '{}'", "a character that headers have not"),
        ("curl URL/v1/messages -H $'x-a: b\\nx-c: d' -d '{}'", "a character that headers have not"),
        ("curl api.anthropic.com/v1/messages -d '{}'", "goes to an address without https://"),
        ("curl http://127.0.0.1:x/v1/messages -d '{}'", "the address in the curl command cannot be read"),
        ("rm -rf /", "curl"),
        ("curl URL/v1/messages -d 'not json'", "JSON"),
    ],
)
def test_a_command_that_is_not_sent_is_one_line(kernel: Kernel, endpoint: Server, pasted: str, said: str) -> None:
    ran = kernel.run(f"%%claude --curl\n{pasted.replace('URL', endpoint.url).replace('KEY', KEY)}")
    assert ran.error is not None
    assert said in ran.error[1]
    assert KEY not in str(ran.error)
    assert len(ran.error[2]) == 1
    assert "abcdefgh" not in str(ran.error)
    assert endpoint.received == []


@pytest.mark.parametrize(
    "option", ["-m x", "-t 5", "-s x", "--temperature 1", "--compare model=a,b", "-c", "--no-stream"]
)
def test_an_option_that_would_change_a_command_is_refused(kernel: Kernel, endpoint: Server, option: str) -> None:
    ran = kernel.run(f"%%claude --curl {option}\n{command(endpoint.url, BODY)}")
    assert ran.error is not None
    assert "--curl sends just what the command says" in ran.error[1]
    assert endpoint.received == []


def test_a_header_that_stands_twice_is_a_list(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(whole("hi"))
    kernel.run("%%claude --curl\n!" + command(endpoint.url, BODY, "-H 'anthropic-beta: a' -H 'Anthropic-Beta: b'"))
    assert endpoint.last.headers["anthropic-beta"] == "a,b"


def test_the_port_that_goes_without_saying_may_be_said() -> None:
    body = {"a": 1}
    pasted = "curl https://API.anthropic.com:443/v1/messages -d '{\"a\": 1}'"
    assert curl(pasted, "https://api.anthropic.com") == (body, {})
