"""Variables, exceptions and forms of reply, in a real kernel."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.notebook_kernel import Kernel, Ran
from tests.server import Server, reply, silence


def text(server: Server) -> str:
    """What the last request's last message says."""
    content = server.last.json["messages"][-1]["content"]
    return content if isinstance(content, str) else "".join(b.get("text", "") for b in content)


def line(ran: Ran) -> str:
    assert ran.error is not None
    assert len(ran.error[2]) == 1, ran.error[2]
    return ran.error[2][0]


def next_input(kernel: Kernel, code: str, cell_id: str = "") -> list[str]:
    """What a cell puts into the next one."""
    answer = kernel.answer(kernel.submit(code, cell_id=cell_id))
    assert answer["status"] == "ok", answer
    return [p["text"] for p in answer["payload"] if p["source"] == "set_next_input"]


def test_a_variable_is_inserted_once(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(reply("ok"))
    kernel.run("name = 'Ada {{other}}'; d = {'a': [1, 2]}")
    kernel.run('%%claude\nHello {{name}}, {{d["a"][1]}}, {"json": {"x": 1}}, {single}, \\{{name}}')
    assert text(endpoint) == 'Hello Ada {{other}}, 2, {"json": {"x": 1}}, {single}, {{name}}'


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("%%claude\n{{nmae}}", "name"),
        ("%%claude\n{{password}}", "secret"),
        ("%claude tell {{nmae}}", "name"),
        ("%%claude --schema Nope\nhi", "no such variable"),
        ("%%claude --as xml\nhi", "--as is one of text, markdown, code, json, html"),
        ("%%claude --times 0\nhi", "from 1 to 20"),
        ("%%claude --explain", "no cell has failed yet"),
    ],
)
def test_what_cannot_be_composed_is_one_line_and_nothing_is_sent(
    kernel: Kernel, endpoint: Server, cell: str, said: str
) -> None:
    kernel.run("name = 'Ada'; password = 'hunter2'")
    assert said in line(kernel.run(cell))
    assert endpoint.received == []


def test_a_secret_is_sent_only_if_allowed(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(reply("ok"))
    kernel.run("password = 'hunter2'")
    assert "hunter2" not in line(kernel.run("%%claude\n{{password}}"))
    kernel.run("%%claude --allow-secret\n{{password}}")
    assert text(endpoint) == "hunter2"


def test_explain_sends_the_failing_cell_and_its_traceback(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(reply("because"))
    kernel.run("secret_value = 'do-not-send'\nx = 1 / 0")
    kernel.run("%%claude --explain")
    said = text(endpoint)
    assert "x = 1 / 0" in said
    assert "ZeroDivisionError: division by zero" in said
    assert "site-packages" not in said


def test_fix_puts_the_corrected_cell_into_the_next_input(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(reply("Here:\n\n```python\nx = 1 / 1\n```\nIt divided by zero."))
    kernel.run("x = 1 / 0")
    assert next_input(kernel, "%%claude --fix") == ["x = 1 / 1"]
    assert kernel.value("'x' in globals()") is False


def test_code_goes_into_the_next_cell_once(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(reply("```sh\nls\n```\n```python\nprint(1)\n```"))
    assert next_input(kernel, "%%claude --as code --lang python -o source\nhi", "a") == ["print(1)"]
    assert next_input(kernel, "%%claude --as code --lang python -o source\nhi", "a") == []
    assert kernel.value("source") == "print(1)"


def test_a_reply_without_code_is_an_error_that_keeps_it(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(reply("no code here"))
    ran = kernel.run("%%claude --as code\nhi")
    assert line(ran)
    assert "no code here" in str(ran.data("text/plain"))


def test_json_is_parsed_and_shown_as_a_tree(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(reply('```json\n{"a": [1, "<b>"]}\n```'))
    ran = kernel.run("%%claude --as json -o value\nhi")
    assert ran.error is None
    assert kernel.value("value") == {"a": [1, "<b>"]}
    assert "<b>" not in str(ran.data("text/html"))


def test_html_is_shown_in_a_frame_that_runs_nothing(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(reply("```html\n<h1>Hi</h1><script>alert(1)</script>\n```"))
    page = kernel.run("%%claude --as html\nhi").data("text/html")[0]
    assert "<iframe" in page
    assert "sandbox" in page
    assert "allow-same-origin" not in page
    assert "<script>alert" not in page


def test_a_tag_is_taken_out(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(reply("well <answer>42</answer> yes"))
    kernel.run("%%claude --tag answer -o value\nhi")
    assert kernel.value("value") == "42"


SCHEMA = "from dataclasses import dataclass\n@dataclass\nclass Weather:\n    city: str\n    degrees: float"


def test_a_schema_is_asked_for_and_the_object_bound(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(reply(json.dumps({"city": "Lisbon", "degrees": 21})))
    kernel.run(SCHEMA)
    ran = kernel.run("%%claude --effort low --schema Weather -o w\nhi")
    assert ran.error is None, ran.error
    config = endpoint.last.json["output_config"]
    assert (config["effort"], config["format"]["type"]) == ("low", "json_schema")
    assert config["format"]["schema"]["additionalProperties"] is False
    assert kernel.value("[type(w).__name__, w.city, w.degrees]") == ["Weather", "Lisbon", 21.0]


def test_a_reply_that_does_not_fit_shows_both(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(reply(json.dumps({"city": "Lisbon", "degrees": "warm"})))
    kernel.run(SCHEMA)
    ran = kernel.run("%%claude --schema Weather -o w\nhi")
    said = line(ran)
    assert "degrees" in said
    assert "warm" in said
    assert kernel.value("'w' in globals()") is False


def test_several_replies_stand_side_by_side_in_order(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(*(reply(f"reply {n}") for n in range(3)))
    ran = kernel.run("%%claude --times 3 -o texts\nhi")
    assert ran.error is None, ran.error
    assert sorted(kernel.value("texts")) == ["reply 0", "reply 1", "reply 2"]
    assert ran.data("text/html")[-1].count('class="cm-reply"') == 3


def test_several_replies_can_be_interrupted(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(silence(), silence(), silence(kernel.interrupt))
    ran = kernel.run("%%claude --times 3\nhi")
    assert line(ran).startswith("Interrupted")
    assert ran.seconds < 55


def test_attachments_stand_before_the_text_and_above_the_reply(
    kernel: Kernel, endpoint: Server, tmp_path: Path
) -> None:
    endpoint.answers(reply("ok"))
    (tmp_path / "a note.txt").write_text("Tuesday")
    kernel.run("table = {'a': [1, 2]}")
    ran = kernel.run("%%claude -a 'a note.txt' --attach table\nWhen?")
    assert ran.error is None, ran.error
    assert [b["type"] for b in endpoint.last.json["messages"][0]["content"]] == ["document", "document", "text"]
    assert "a note.txt" in ran.data("text/html")[0]


@pytest.mark.slow
def test_a_request_that_is_too_large_is_not_sent(kernel: Kernel, endpoint: Server, tmp_path: Path) -> None:
    (tmp_path / "large.txt").write_text("x" * 31_000_000)
    assert "MB" in line(kernel.run("%%claude -a large.txt -a large.txt\nhi"))
    assert endpoint.received == []
