"""One question with several settings, side by side."""

from __future__ import annotations

import re

import pytest

from tests.notebook_kernel import Kernel
from tests.server import JSON, Answer, Server, failure, reply, silence, whole


def asked(endpoint: Server) -> list[tuple[object, ...]]:
    names = ("model", "temperature", "system", "max_tokens")
    return sorted(tuple(received.json.get(name) for name in names) for received in endpoint.received)


def test_each_combination_is_asked(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(reply("an answer"))
    kernel.run("short = 'Be brief.'")
    ran = kernel.run("%%claude --compare model=a,b temperature=0,1 system=@short -t 50\nquestion")
    assert ran.error is None
    assert asked(endpoint) == [(model, heat, "Be brief.", 50) for model in ("a", "b") for heat in (0, 1)]
    table = ran.data("text/plain")[-1]
    assert "model=a, temperature=0, system=@short" in table
    assert table.split("\n")[1].split("  ")[0] == "request"
    assert re.search(r"tokens in  tokens out +price, \$ +seconds", table)
    assert "end_turn" in table
    assert "an answer" in ran.data("text/html")[0]


def test_the_table_is_bound(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(reply("one"))
    kernel.run("%%claude --compare model=a,b -o table\nquestion")
    assert kernel.value("type(table).__name__") == "DataFrame"
    assert kernel.value("list(table.model)") == ["a", "b"]
    assert kernel.value("list(table.reply)") == ["one", "one"]
    assert kernel.value("table.exchange[0].message.stop_reason") == "end_turn"


def test_a_snippet_is_a_value(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(reply("one"))
    kernel.run("%%claude --save terse\nOne word only.")
    kernel.run("%%claude --compare system=@terse,Long\nquestion")
    assert sorted(received.json["system"] for received in endpoint.received[1:]) == ["Long", "One word only."]


def test_a_refusal_of_one_stands_beside_the_others(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(failure(404, "not_found_error", "model: nope"), reply("fine"))
    kernel.run("%config Claude.concurrency = 1")
    ran = kernel.run("%%claude --compare model=a,b\nquestion")
    assert ran.error is None
    assert "model: nope" in ran.data("text/plain")[-1]
    assert "fine" in ran.data("text/plain")[-1]


def test_one_that_cannot_be_sent_stands_beside_the_others(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(reply("fine"))
    kernel.run("%config Claude.budget_usd = 1")
    ran = kernel.run("%%claude --compare model=claude-haiku-5-5,unknown-model -o table\nquestion")
    assert ran.error is None
    assert "OverBudget: the price of unknown-model is unknown" in ran.data("text/plain")[-1]
    assert kernel.value("table.reply[0]") == "fine"
    assert kernel.value("type(table.reply[1]).__name__") == "OverBudget"
    assert "the price of unknown-model is unknown" in ran.data("text/html")[0]


def test_where_none_can_be_sent_it_is_an_error(kernel: Kernel, endpoint: Server) -> None:
    ran = kernel.run("%%claude --compare model=a,b\nsk-" + "ant-api03-abcdefghijk")
    assert ran.error is not None
    assert "looks like an API key" in ran.error[1]
    assert endpoint.received == []


def test_numbers_are_bound_as_numbers(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(reply("one"))
    kernel.run("%%claude --compare temperature=0,0.5 max-tokens=5 stop=1 -o table\nquestion")
    assert kernel.value("[[*row] for row in table[['temperature', 'max_tokens', 'stop']].values.tolist()]") == [
        [0, 5, "1"],
        [0.5, 5, "1"],
    ]


def test_what_was_whole_when_it_was_stopped_is_bound(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(whole("done"), silence(kernel.interrupt))
    kernel.run("%config Claude.concurrency = 1")
    ran = kernel.run("%%claude --no-stream --compare model=a,b,c -o table\nquestion")
    assert ran.error is not None
    assert ran.error[0] == "Interrupted"
    assert kernel.value("table.reply[0]") == "done"
    assert kernel.value("[type(each).__name__ for each in table.reply[1:]]") == ["Interrupted"] * 2
    assert "done" in ran.data("text/plain")[-1]


def test_only_so_many_are_under_way_at_once(kernel: Kernel, endpoint: Server) -> None:
    slow = Answer(headers=JSON, pieces=whole("x").pieces, before_headers=0.4)
    endpoint.answers(slow)
    kernel.run("%config Claude.concurrency = 2")
    ran = kernel.run("%%claude --no-stream --compare temperature=0,0.2,0.4,0.6,0.8,1\nquestion")
    assert ran.error is None
    assert ran.seconds >= 1.2


def test_they_are_sent_in_the_order_of_the_table(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(whole("x"))
    kernel.run("%config Claude.concurrency = 1")
    kernel.run("%%claude --no-stream --compare model=a,b,c,d,e,f\nquestion")
    assert [received.json["model"] for received in endpoint.received] == list("abcdef")


def test_replies_grow_side_by_side(kernel: Kernel, endpoint: Server) -> None:
    pieces = list(reply("begun ", "and ended").pieces)
    endpoint.answers(Answer(headers=reply("x").headers, pieces=[*pieces[:4], 1.5, *pieces[4:]]))
    ran = kernel.run("%%claude --compare model=a,b\nquestion")
    states = [m["content"]["data"].get("state", {}) for _, m in ran.messages if m["msg_type"] == "comm_msg"]
    live = [str(state.get("value")) for state in states]
    assert any("<p>begun</p>" in html and "and ended" not in html for html in live)


def test_what_is_shown_is_inert(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(reply("<img src=x onerror=alert(1)> <script>alert(2)</script>"))
    ran = kernel.run("%%claude --compare model=<b>,b\nquestion")
    for html in ran.data("text/html"):
        assert "<script" not in html
        assert "<img" not in html
        assert "<b>" not in html


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("--compare", "needs a value"),
        ("--compare model", "takes NAME=A,B"),
        ("--compare colour=a,b", "NAME is one of model, max-tokens"),
        ("--compare model=", "takes NAME=A,B"),
        ("--compare model=a,b,a", "names model=a twice; --times 2 asks"),
        ("--compare model=a,b model=c", "names model twice; write all its values in one list"),
        ("--compare temperature=warm,cold", "is not a number: 'warm'"),
        ("--compare system=@nobody", "no variable with a text, and no snippet"),
        ("--compare temperature=1,2,3,4,5 top-p=.1,.2,.3,.4,.5", "more than 20 replies"),
        ("-c --compare model=a,b", "outside of any conversation"),
    ],
)
def test_what_cannot_be_compared_is_one_line(kernel: Kernel, endpoint: Server, line: str, said: str) -> None:
    ran = kernel.run(f"%%claude {line}\nquestion")
    assert ran.error is not None
    assert said in ran.error[1]
    assert endpoint.received == []


def test_it_is_stopped_and_keeps_what_came(kernel: Kernel, endpoint: Server) -> None:
    pieces = list(reply("begun ", "and ended").pieces)
    endpoint.answers(Answer(headers=reply("x").headers, pieces=[*pieces[:4], 60.0, *pieces[4:]]))
    ran = kernel.run("%%claude --compare model=a,b\nquestion", stop_when="begun")
    assert ran.error is not None
    assert ran.error[0] == "Interrupted"
    assert "begun" in ran.data("text/html")[0]
    assert ran.seconds < 55


def test_snippets_can_be_looked_up_and_counted(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(reply("one"))
    kernel.run("%%claude --save terse\nOne word only.")
    kernel.run("from claude_magic import claude")
    assert kernel.value("['terse' in claude.snippets, 'other' in claude.snippets, len(claude.snippets)]") == [
        True,
        False,
        1,
    ]
