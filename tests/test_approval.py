"""Calls that wait for the reader: what is shown of them, and what is decided."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from claude_magic.display.approval.bundle import (
    Approval,
    Decision,
    approval_widget,
    arguments_text,
    editable,
    parse_edit,
    pending_html,
    pending_text,
)
from claude_magic.wire.tool import Call
from tests.browser.hostile import SNIPPETS
from tests.notebook_kernel import Kernel
from tests.notebook_shell import Shell
from tests.test_steps import assert_harmless, without_style

VIEW = "application/vnd.jupyter.widget-view+json"


def waiting(name: str = "send_mail", **fields: Any) -> Call:
    return Call(**{"id": name, "name": name, "arguments": {"to": "ann"}, **fields})


def test_each_call_is_shown_with_all_of_its_arguments_and_how_to_go_on() -> None:
    calls = [waiting("one"), waiting("two", arguments={"long": "x" * 5_000}, note="first time")]
    text = pending_text(calls)
    assert text.startswith('Claude asks to run these 2 calls:\n  one\n  {\n    "to": "ann"\n  }\n  two\n')
    assert "x" * 5_000 in text
    assert text.endswith('To go on: %claude --approve runs them, %claude --refuse "why" does not.')
    html = pending_html(calls)
    assert "x" * 5_000 in html
    assert "first time" in html


def test_what_cannot_be_seen_is_written_out() -> None:
    hidden = {"to": "a\u202eb\u200b\U000e0041\x9b\x1b", "é": "ok"}
    text = arguments_text(hidden)
    assert r"a\u202eb\u200b\udb40\udc41\u009b\u001b" in text
    assert "é" in text
    assert json.loads(text) == hidden
    assert r"\u202e" in pending_html([waiting(arguments=hidden)])
    assert r"\u202e" in pending_text([waiting(arguments=hidden)])


def test_hostile_calls_are_shown_and_do_nothing() -> None:
    for hostile in SNIPPETS:
        call = waiting(hostile, arguments={hostile: [hostile]}, note=hostile)
        approval = approval_widget([call] * 13, lambda decisions: None)
        for bundle in approval.bundles:
            assert_harmless(without_style(bundle["text/html"]))
            assert "\x1b" not in bundle["text/plain"], hostile


def test_a_key_in_arguments_is_not_shown_and_not_edited() -> None:
    key = "sk-" + "ant-api03-" + "a1B2" * 20
    call = waiting(arguments={"token": key})
    assert "a1B2" not in pending_html([call]) + pending_text([call])
    assert editable(call) == ""
    assert editable(waiting()) == '{\n  "to": "ann"\n}'
    assert editable(waiting(arguments={"x": "y" * 200_000})) == ""


@pytest.mark.slow
def test_many_and_huge_calls_are_bounded() -> None:
    calls = [waiting(f"n{number}", arguments={"x": "y" * 100_000}) for number in range(3_000)]
    for written in (pending_html(calls), pending_text(calls[:50])):
        assert len(written) < 2_000_000
    assert "2,500 more calls not shown" in pending_html(calls)


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ('{"a"}', "not JSON: Expecting ':' delimiter"),
        ("", "not JSON"),
        ("[1]", "arguments are an object"),
        ("[" * 100_000, "not JSON"),
        ("<script>", "not JSON"),
    ],
)
def test_what_is_wrong_with_edited_arguments_is_said(text: str, wrong: str) -> None:
    arguments, said = parse_edit(text)
    assert arguments is None
    assert wrong in said
    assert "\n" not in said


def test_it_is_decided_once_when_every_call_has_its_decision() -> None:
    decided: list[Any] = []
    approval = Approval([waiting("one"), waiting("two")], decided.append)
    approval.decide({"one": Decision(run=True)})
    approval.decide({"stranger": Decision(run=True)})
    approval.decide({"one": Decision(run=False, why="no")})
    assert decided == []
    approval.decide({"two": Decision(run=True, arguments={"to": "bob"})})
    approval.decide({"two": Decision(run=False)})
    assert decided == [{"one": Decision(run=False, why="no"), "two": Decision(run=True, arguments={"to": "bob"})}]


def test_many_clicks_at_once_decide_once() -> None:
    decided: list[Any] = []
    approval = Approval([waiting("one")], decided.append)
    barrier = threading.Barrier(8)

    def click() -> None:
        barrier.wait()
        approval.decide({"one": Decision(run=True)})

    threads = [threading.Thread(target=click) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(decided) == 1


def test_other_calls_may_be_asked_and_it_may_be_closed_from_within_the_decision() -> None:
    decided: list[Any] = []

    def decide(decisions: Any) -> None:
        decided.append(set(decisions))
        approval.ask([waiting("next")]) if len(decided) == 1 else approval.done("it was run.")

    approval = Approval([waiting("one")], decide)
    approval.decide({"one": Decision(run=True)})
    assert "next" in approval.bundles[-1]["text/plain"]
    approval.decide({"one": Decision(run=True)})
    approval.decide({"next": Decision(run=True)})
    approval.decide({"next": Decision(run=True)})
    assert decided == [{"one"}, {"next"}]
    assert approval.bundles[-1]["text/plain"] == "it was run."
    assert "asks to run" not in approval.bundles[-1]["text/html"]


def test_without_widgets_the_twin_stands_alone() -> None:
    (twin,) = approval_widget([waiting()], lambda decisions: None).bundles
    assert VIEW not in twin
    assert "%claude --approve runs it" in twin["text/html"]


@pytest.fixture
def widget_kernel() -> Iterator[Kernel]:
    with Shell() as kernel:
        assert kernel.run("from tests.test_approval import *").error is None
        yield kernel


def test_in_a_kernel_there_is_a_widget_and_then_its_twin(widget_kernel: Kernel) -> None:
    ran = widget_kernel.run("a = approval_widget([waiting('one'), waiting('two')], print); a.publish()")
    assert ran.error is None
    view, twin = [output["data"] for output in ran.outputs if output["type"] == "display_data"]
    assert VIEW in view
    name = re.search(r"cm-static-[0-9a-f]{12}", twin["text/html"])
    assert name is not None
    states = json.dumps([message["content"] for _, message in ran.messages if message["msg_type"] == "comm_open"])
    assert f".{name[0]}{{display: none" in states or f".{name[0]}{{display:none" in states or name[0] in states


def test_the_twin_changes_with_what_is_asked_also_from_another_thread(widget_kernel: Kernel) -> None:
    ran = widget_kernel.run(
        "a = approval_widget([waiting('one')], print); a.publish(); a.ask([waiting('next')])\n"
        "thread = threading.Thread(target=a.done, args=('it was <run>.',)); thread.start(); thread.join()"
    )
    assert ran.error is None
    twin = [output["data"] for output in ran.outputs if output["type"] == "display_data"][1]
    assert twin["text/plain"] == "it was <run>."
    assert "it was &lt;run&gt;." in twin["text/html"]


def test_no_secret_and_no_hostile_text_is_in_the_state_of_the_widget(widget_kernel: Kernel) -> None:
    ran = widget_kernel.run(
        "key = 'sk-' + 'ant-api03-' + 'a1B2' * 20\n"
        "a = approval_widget([waiting('<img src=x onerror=1>', arguments={'k': key, '<script>': '<script>'})] * 3, print)"
    )
    assert ran.error is None
    states = json.dumps([message["content"] for _, message in ran.messages if message["msg_type"] == "comm_open"])
    assert "a1B2" not in states
    assert "<script" not in states
    assert "<img" not in states
