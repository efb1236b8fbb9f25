"""Each option of the table works from Python as on the line: one row for each, in both spellings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from claude_magic import CellError
from claude_magic.prompt.options.keywords import options_of, options_of_many
from claude_magic.prompt.options.parser import parse_line
from claude_magic.prompt.options.table import all_options
from tests.notebook_shell import Shell
from tests.scripted_api import json_answer
from tests.server import Received, Server, failure, reply

CALLS = ("get", "post", "put", "patch", "delete")
ROWS: dict[str, tuple[str, dict[str, Any]]] = {
    "--model": ("-m claude-x", {"model": "claude-x"}),
    "--max-tokens": ("-t 77", {"max_tokens": 77}),
    "--system": ("-s 'Be brief.'", {"system": "Be brief."}),
    "--temperature": ("--temperature 0.5", {"temperature": 0.5}),
    "--top-p": ("--top-p 1", {"top_p": 1}),
    "--top-k": ("--top-k 5", {"top_k": 5}),
    "--stop": ("--stop . --stop !", {"stop": [".", "!"]}),
    "--thinking": ("--thinking", {"thinking": True}),
    "--cache": ("--cache", {"cache": True}),
    "--effort": ("--effort low", {"effort": "low"}),
    "--param": ('--param metadata {"user_id":"a"} --param n 1', {"param": {"metadata": {"user_id": "a"}, "n": 1}}),
    "--header": ("--header x-a b", {"header": {"x-a": "b"}}),
    "--api-version": ("--api-version 2023-06-01", {"api_version": "2023-06-01"}),
    "--stream": ("--stream", {"stream": True}),
    "--no-stream": ("--no-stream", {"no_stream": True}),
    "--panel": ("--panel", {"panel": True}),
    "--no-panel": ("--no-panel", {"panel": False}),
    "--raw": ("--raw", {"raw": True}),
    "--continue": ("--continue=talk", {"continue_": "talk"}),
    "--new": ("--new=talk", {"new": "talk"}),
    "--turns": ("--turns", {"turns": True}),
    "--complete": ("--complete", {"complete": True}),
    "--legacy": ("--legacy", {"legacy": True}),
    "--finish": ("--finish", {"finish": True}),
    "--attach": ("-a df -a notes.txt", {"attach": ["df", "notes.txt"]}),
    "--upload": (  # an address is not uploaded
        "-a https://a.example/x.pdf --upload",
        {"attach": ["https://a.example/x.pdf"], "upload": True},
    ),
    "--allow-secret": ("--allow-secret", {"allow_secret": True}),
    "--schema": ("--schema City", {"schema": "City"}),
    "--as": ("--as json", {"as_": "json"}),
    "--lang": ("--lang python", {"lang": "python"}),
    "--tag": ("--tag answer", {"tag": "answer"}),
    "--explain": ("--explain", {"explain": True}),
    "--fix": ("--fix", {"fix": True}),
    "--times": ("--times 2", {"times": 2}),
    "--compare": ("--compare model=a,b top-k=1,2", {"compare": {"model": ["a", "b"], "top_k": [1, 2]}}),
    "--openai": ("--openai", {"openai": True}),
    "--batch": ("--batch", {"batch": True}),
    "--show": ("--show curl", {"show": "curl"}),
    "--curl": ("--curl", {"curl": True}),
    "--events": ("--events", {"events": True}),
    "--diff": ("--diff", {"diff": True}),
    "--count": ("--count", {"count": True}),
    "--preview": ("--preview", {"preview": True}),
    "--save": ("--save brief2", {"save": "brief2"}),
    "--with": ("--with brief", {"with_": "brief"}),
    "--again": ("--again", {"again": True}),
    "--tools": ("--tools f", {"tools": "f"}),
    "--tool-choice": ("--tools f --tool-choice any", {"tools": ["f"], "tool_choice": "any"}),
    "--web-search": ("--web-search", {"web_search": True}),
    "--web-fetch": ("--web-fetch", {"web_fetch": True}),
    "--code-execution": ("--code-execution", {"server_tools": ["code-execution"]}),
    "--mcp": ("--mcp https://mcp.example/x", {"mcp": ["https://mcp.example/x"]}),
    "--yes": ("--yes", {"yes": True}),
    "--step": ("--step", {"step": True}),
    "--approve": ("--approve", {"approve": True}),
    "--refuse": ("--refuse=no", {"refuse": "no"}),
    "--run-tools": ("--run-tools", {"run_tools": True}),
    "--profile": ("--profile exam", {"profile": "exam"}),
    "--provider": ("--provider anthropic", {"provider": "anthropic"}),
    "--out": ("-o answer", {"out": "answer"}),
    **{f"--{name}": (f"--{name} /v1/models --yes", {name: "/v1/models", "yes": True}) for name in CALLS},
    "--query": ("--get /v1/models --query limit 5", {"get": "/v1/models", "query": {"limit": 5}}),
    "--file": (
        "--post /v1/files --file file=notes.txt --yes",
        {"post": "/v1/files", "file": {"file": "notes.txt"}, "yes": True},
    ),
    "--all": ("--get /v1/models --all", {"get": "/v1/models", "all": True}),
    "--help": ("-h", {"help": True}),
}
SENDS_NOTHING = {
    "--batch",
    "--show",
    "--count",
    "--preview",
    "--curl",
    "--approve",
    "--refuse",
    "--help",
}  # --batch sends elsewhere: test_batch_cells
PREPARE = """
import dataclasses
from claude_magic import claude
df = [1, 2]

@dataclasses.dataclass
class City:
    name: str

@claude.tool(approve=False)
def f(x: int) -> int:
    "Adds one."
    return x + 1
"""


def sent_text(received: Received) -> str:
    """What was sent, whatever the boundary of its parts."""
    boundary = received.headers.get("content-type", "").partition("boundary=")[2] or "no boundary"
    return f"{received.method} {received.path} {received.body.decode().replace(boundary, '')}"


def test_the_table_has_a_row_for_each_option() -> None:
    assert set(ROWS) == {option.names[-1] for option in all_options()}


@pytest.mark.parametrize("name", ROWS)
def test_both_spellings_are_the_same_options(name: str) -> None:
    line, keywords = ROWS[name]
    assert options_of(keywords) == parse_line(line, text_follows=False)[0]


@pytest.mark.slow
def test_both_spellings_send_the_same_request(shell: Shell, endpoint: Server) -> None:
    Path("notes.txt").write_text("a note")
    Path("pyproject.toml").write_text("[tool.claude-magic.profiles.exam]\nmax_tokens = 9\n")
    endpoint.answers(failure(404, "not_found_error", "no"))
    shell.run(PREPARE)
    shell.run("%%claude --save brief --preview\nBriefly.")
    for name, (line, keywords) in ROWS.items():
        if name in SENDS_NOTHING:
            continue
        endpoint.answers(reply('{"name": "Bern"} <answer>4</answer>' if name == "--tag" else '{"name": "Bern"}'))
        if name in ("--explain", "--fix"):
            shell.run("1 / 0")
            endpoint.answers(reply("```python\n1\n```"))
        if name == "--lang":
            endpoint.answers(reply("```python\n1\n```"))
        text = {"--turns": "user: hi", "--finish": ""}.get(name, "hi")
        if "/v1/" in line:
            text = ""
            endpoint.answers(json_answer({"data": [], "has_more": False}))
        sent = []
        for cell in (f"%%claude {line}\n{text}", f"kept = claude({text!r}, **{keywords!r})"):
            if name == "--finish":
                endpoint.answers(reply("cut", stop_reason="max_tokens"), reply("off"))
                shell.run("_ = claude('first')")
            if name in ("--continue", "--new"):
                shell.run("_ = claude('first', new='talk')")
            before = len(endpoint.received)
            ran = shell.run(cell)
            assert ran.error is None, (name, cell, ran.error)
            sent.append(sorted(sent_text(each) for each in endpoint.received[before:]))
        assert sent[0] == sent[1], name
        assert sent[0], name


def test_what_sends_nothing_is_returned(shell: Shell, endpoint: Server) -> None:
    endpoint.answers(failure(404, "not_found_error", "no"))
    shell.run("from claude_magic import claude")
    assert "curl" in shell.value("str(claude('hi', show='curl'))")
    assert "max_tokens" in shell.value("str(claude('hi', preview=True))")
    assert "%%claude [options]" in shell.value("str(claude(help=True))")
    assert not [each for each in endpoint.received if not each.path.endswith("count_tokens")]


def test_things_themselves_may_be_attached(shell: Shell, endpoint: Server) -> None:
    endpoint.answers(reply("ok"))
    shell.run("from claude_magic import claude\nclaude('sum', attach=[{'a': 1}, b'%PDF-1.7 x'])")
    kinds = [block["type"] for block in endpoint.last.json["messages"][0]["content"]]
    assert kinds == ["document", "document", "text"]


def test_out_binds_what_the_cell_would(shell: Shell, endpoint: Server) -> None:
    endpoint.answers(reply('{"name": "Bern"}'))
    shell.run(PREPARE + "claude('hi', schema=City, out='city')")
    assert shell.value("city.name") == "Bern"


@pytest.mark.parametrize(
    ("keywords", "said"),
    [
        ({"atach": ["df"]}, "no option 'atach'. Did you mean attach?"),
        ({"max_tokens": "many"}, "max_tokens is not a whole number: 'many'."),
        ({"max_tokens": True}, "max_tokens takes a number, not bool: True."),
        ({"thinking": "yes"}, "thinking is True or False: 'yes'."),
        ({"param": "a"}, "param takes a dict: 'a'."),
        ({"as_": "xml"}, "as_ is one of text, markdown, code, json, html: 'xml'."),
        ({"param": {"model": "x"}}, "--param model is refused: use --model."),
    ],
)
def test_a_wrong_keyword_is_one_line(keywords: dict[str, Any], said: str) -> None:
    with pytest.raises(CellError) as error:
        options_of(keywords)
    assert str(error.value) == said


def test_a_short_name_of_the_line_is_told_the_long_one() -> None:
    with pytest.raises(CellError, match=r"no option 'm': from Python it is called model\.$"):
        options_of({"m": "claude-haiku-5-5"})


def test_a_table_of_questions_takes_no_option_of_a_page() -> None:
    with pytest.raises(CellError, match="'attach' is an option of claude"):
        options_of_many({"attach": ["df"]})
    assert options_of_many({"stop": "."}).stop == (".",)


def test_none_and_false_leave_an_option_out() -> None:
    assert options_of({"model": None, "thinking": False, "conversation": None}) == options_of({})
