"""The live page, driven in a real kernel: what a frontend is left with, and what it took to send."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from typing import Any

import pytest

from claude_magic.display.live import page
from tests.notebook_kernel import Kernel, Ran
from tests.notebook_shell import Shell

PROSE = (
    "## A heading\n\n"
    + "Some words, *emphasis*, `code` and a [link](https://example.org/).\n" * 6
    + "\n- one\n- two\n\n"
)
CODE = "```python\n" + "def area(radius):  # of a circle\n    return 3.14159 * radius ** 2\n\n" * 6000 + "```\n"
TABLE = "| a | b |\n|---|---|\n" + "| cell one | cell two |\n" * 20000
ONE_LINE = "x" * 500_000


@pytest.fixture
def page_kernel(monkeypatch: pytest.MonkeyPatch) -> Iterator[Kernel]:
    monkeypatch.setattr(page, "time", time)  # the tests give it a clock of their own
    with Shell() as kernel:
        ran = kernel.run(f"from tests import test_page as t; from tests.replaying import *; prose = {PROSE!r}")
        assert ran.error is None
        yield kernel


def shown(ran: Ran) -> list[dict[str, Any]]:
    """The mime bundles of the cell's displays."""
    assert ran.error is None, ran.error
    return [output["data"] for output in ran.outputs if output["type"] == "display_data"]


def sent(ran: Ran) -> int:
    """Bytes on the wire."""
    wire = ("header", "parent_header", "metadata", "content")
    messages = ([message[name] for name in wire] for _, message in ran.messages)
    return sum(len(json.dumps(message, default=str, ensure_ascii=False).encode()) for message in messages)


def kinds(ran: Ran) -> list[str]:
    """Which messages about outputs were sent."""
    names = [message["msg_type"] for _, message in ran.messages]
    return [name for name in names if name not in ("status", "execute_input", "execute_result", "stream")]


def live_html(ran: Ran) -> list[str]:
    """The HTML of every display message, in the order sent."""
    contents = (message["content"] for _, message in ran.messages if "display_data" in message["msg_type"])
    return [content["data"].get("text/html", "") for content in contents]


@pytest.mark.parametrize("owns_cell", [True, False])
@pytest.mark.parametrize("repeats", [1, pytest.param(40, marks=pytest.mark.slow)])
def test_at_the_end_there_is_one_reply_and_one_panel(page_kernel: Kernel, repeats: int, owns_cell: bool) -> None:
    ran = page_kernel.run(f"_ = replay(prose * {repeats}, step=400, owns_cell={owns_cell}, panel=True)")
    reply, view, twin = shown(ran)
    assert set(reply) == {"text/html", "text/plain"}
    assert reply["text/plain"] == PROSE * repeats
    assert reply["text/html"].count("<h2") == repeats
    assert reply["text/html"].count('class="cm-summary"') == 1
    assert "application/vnd.jupyter.widget-view+json" in view
    assert "cm-static" in twin["text/html"]


@pytest.mark.slow
def test_without_a_panel_there_is_the_reply_alone(page_kernel: Kernel) -> None:
    for owns_cell in (True, False):
        assert len(shown(page_kernel.run(f"_ = replay(prose * 20, step=400, owns_cell={owns_cell})"))) == 1


def test_other_outputs_of_a_shared_cell_stay(page_kernel: Kernel) -> None:
    ran = page_kernel.run(
        "display({'text/plain': 'mine'}, raw=True)\n"
        "_ = replay(prose * 20, step=400, owns_cell=False, panel=True)\n"
        "display({'text/plain': 'mine too'}, raw=True)"
    )
    plain = [bundle["text/plain"] for bundle in shown(ran)]
    assert plain[0] == "mine"
    assert plain[1] == PROSE * 20
    assert plain[-1] == "mine too"
    assert len(plain) == 5
    assert "clear_output" not in kinds(ran)


@pytest.mark.slow
def test_two_replies_in_one_cell_both_stay(page_kernel: Kernel) -> None:
    ran = page_kernel.run("for _ in range(2): replay(prose * 20, step=400, owns_cell=False, panel=True)")
    assert [bundle["text/plain"] == PROSE * 20 for bundle in shown(ran)] == [True, False, False] * 2


@pytest.mark.slow
@pytest.mark.parametrize(
    ("source", "panel", "step"),
    [
        ("prose * 1000", True, 50_000),
        ("prose * 1000", True, 400),
        ("prose * 1000", False, 400),
        ("t.CODE", True, 400),
        ("t.ONE_LINE", True, 400),
        ("t.TABLE", True, 50_000),
    ],
)
def test_400_kb_take_less_than_ten_times_their_size(page_kernel: Kernel, source: str, panel: bool, step: int) -> None:
    """At full speed, and at 1,000 tokens a second."""
    ran = page_kernel.run(f"_ = replay(({source})[:400_000], step={step}, panel={panel})", timeout=100)
    assert ran.error is None
    assert sent(ran) < 10 * 400_000


def test_there_are_at_most_about_ten_updates_a_second(page_kernel: Kernel) -> None:
    ran = page_kernel.run("_ = replay('word ' * 500, step=5, every=0.01)")
    assert 20 < len(kinds(ran)) < 12 * 5


def test_outputs_are_not_made_anew_for_an_update(page_kernel: Kernel) -> None:
    ran = page_kernel.run("_ = replay(prose * 20, step=100)")
    assert kinds(ran).count("display_data") == 1


def test_a_very_quick_reply_shows_nothing_but_itself(page_kernel: Kernel) -> None:
    ran = page_kernel.run("_ = replay('Hi', step=1, every=0.05)")
    assert kinds(ran) == ["display_data"]


def test_while_nothing_came_a_quiet_line_says_who_is_waited_for(page_kernel: Kernel) -> None:
    ran = page_kernel.run("_ = replay(' ' * 30, step=1)")
    lines = [re.sub("<style>.*</style>", "", html) for html in live_html(ran)[:-1]]
    assert re.sub("<[^>]*>", "", lines[0]) == "waiting for claude-opus-5-5…"
    assert re.sub("<[^>]*>", "", lines[-1]) == "waiting for claude-opus-5-5… 3 s"
    assert len(lines) == 4


STEPS = """
import types
from claude_magic.errors import *
clock = [0.0]
page_module.time = types.SimpleNamespace(monotonic=lambda: clock[0])
page = Page(owns_cell={owns_cell}, raw=False, panel={panel})
def show(content, note="", **fields):
    clock[0] += 1
    page.show(exchange(content, seconds=clock[0], **fields), note)
"""


def steps(kernel: Kernel, code: str, *, owns_cell: bool = True, panel: bool = False) -> Ran:
    return kernel.run(STEPS.format(owns_cell=owns_cell, panel=panel) + code)


def test_a_note_takes_the_place_of_the_waiting_line(page_kernel: Kernel) -> None:
    ran = steps(page_kernel, "show([], 'overloaded: try 2 of 3 in 2 s <b>')")
    assert "overloaded: try 2 of 3 in 2 s &lt;b&gt; · 1 s" in live_html(ran)[0]


def test_while_thinking_the_thoughts_are_not_drawn_and_afterwards_folded(page_kernel: Kernel) -> None:
    ran = steps(
        page_kernel,
        "thought = {'type': 'thinking', 'thinking': 'Hm, **so**.'}\n"
        "show([thought])\n"
        "show([thought, {'type': 'text', 'text': 'Yes.'}])\n"
        "page.finish(exchange([thought, {'type': 'text', 'text': 'Yes.'}], stop_reason='end_turn'))",
    )
    thinking, text, reply = live_html(ran)
    assert "thinking… about 3 tokens · 1 s" in thinking
    assert "Hm" not in thinking
    for html in (text, reply):
        assert html.index('<details class="cm-thinking">') < html.index("Yes.")
        assert "<details open" not in html


@pytest.mark.parametrize("owns_cell", [True, False])
@pytest.mark.parametrize("waited", [True, False])
def test_a_failure_before_any_answer_leaves_nothing(page_kernel: Kernel, waited: bool, owns_cell: bool) -> None:
    ran = steps(
        page_kernel,
        f"if {waited}: show([], status=None)\n"
        "page.finish(exchange([], status=None, error=ConnectionFailed('refused')))",
        owns_cell=owns_cell,
        panel=True,
    )
    assert [bundle for bundle in shown(ran) if bundle["text/html"] or bundle["text/plain"]] == []


@pytest.mark.parametrize("owns_cell", [True, False])
def test_an_error_that_came_with_a_response_leaves_the_panel_alone(page_kernel: Kernel, owns_cell: bool) -> None:
    ran = steps(
        page_kernel,
        "show([], status=None)\npage.finish(exchange([], status=529, error=APIError('overloaded', status=529)))",
        owns_cell=owns_cell,
        panel=True,
    )
    view, twin = shown(ran)
    assert "application/vnd.jupyter.widget-view+json" in view
    assert "cm-static" in twin["text/html"]


@pytest.mark.parametrize(("error", "mark"), [("Interrupted('x')", "interrupted"), ("StreamError('x')", "incomplete")])
def test_what_arrived_stays_and_is_marked(page_kernel: Kernel, error: str, mark: str) -> None:
    ran = steps(page_kernel, f"show('Once')\npage.finish(exchange('Once upon', error={error}))")
    (reply,) = shown(ran)
    assert "Once upon" in reply["text/html"]
    assert f'<div class="cm-warning">{mark}: ' in reply["text/html"]


def test_to_finish_twice_shows_the_reply_once(page_kernel: Kernel) -> None:
    done = "page.finish(exchange('Hi', stop_reason='end_turn'))\n"
    ran = steps(page_kernel, done + done + "show('Hi again')", panel=True)
    assert [bundle["text/plain"] for bundle in shown(ran)].count("Hi") == 1
    assert len(shown(ran)) == 3


def test_after_a_finish_that_was_interrupted_another_shows_the_reply_once(page_kernel: Kernel) -> None:
    ran = steps(
        page_kernel,
        "import _thread, signal, threading\n"
        "from claude_magic.display.panel import panel as panel_module\n"
        "made, publish = panel_module.panel_bundles, page_module.publish_display_data\n"
        "def interrupted(exchange): raise KeyboardInterrupt\n"
        "def interrupted_on_the_way(*args, **fields):\n"
        "    signal.raise_signal(signal.SIGINT); publish(*args, **fields)\n"
        "whole = exchange('Hi', stop_reason='end_turn')\n"
        "show('H')\n"
        "panel_module.panel_bundles = interrupted\n"
        "caught = 0\n"
        "for hook in (interrupted, made):\n"
        "    panel_module.panel_bundles = hook\n"
        "    if hook is made: page_module.publish_display_data = interrupted_on_the_way\n"
        "    try: page.finish(whole)\n"
        "    except KeyboardInterrupt: caught += 1\n"
        "page_module.publish_display_data = publish\n"
        "page.finish(whole)\n"
        "assert caught == 2",
        panel=True,
    )
    assert [bundle["text/plain"] for bundle in shown(ran)].count("Hi") == 1
    assert len(shown(ran)) == 3


@pytest.mark.slow
def test_an_interrupt_anywhere_in_the_stream_leaves_one_reply(page_kernel: Kernel) -> None:
    for place in range(1, 60, 7):
        ran = page_kernel.run(f"interrupted_replay(prose * 20, at_line={place})")
        reply, *rest = shown(ran)
        assert "interrupted: " in reply["text/html"]
        assert len(rest) == 2


def test_a_call_is_a_step_and_a_block_of_an_unknown_kind_is_json(page_kernel: Kernel) -> None:
    ran = steps(
        page_kernel,
        "content = [{'type': 'tool_use', 'name': '<script>', 'input': {'a': '<img src=x>' * 10000}},\n"
        "           {'type': 'brand_new', 'x': 1}]\n"
        "show(content)\npage.finish(exchange(content, stop_reason='tool_use'))",
    )
    (reply,) = shown(ran)
    assert "<script" not in reply["text/html"]
    assert "<img" not in reply["text/html"]
    assert "characters not shown" in reply["text/html"]
    assert "brand_new" in reply["text/html"]
    assert "This reply has no text." not in reply["text/html"]
    assert reply["text/plain"].startswith('  <script>(a="<img src=x>')


def test_texts_with_nothing_between_them_are_one_text(page_kernel: Kernel) -> None:
    ran = steps(
        page_kernel,
        "page.finish(exchange([{'type': 'text', 'text': t} for t in ('The sky ', 'is **bl', 'ue**.')],"
        " stop_reason='end_turn'))",
    )
    (reply,) = shown(ran)
    assert "<p>The sky is <strong>blue</strong>.</p>" in reply["text/html"]


@pytest.mark.slow
def test_raw_shows_the_source(page_kernel: Kernel) -> None:
    ran = page_kernel.run("_ = replay('# *a* <b>\\n' * 2000, step=400, raw=True, panel=True)")
    reply = shown(ran)[0]["text/html"]
    assert reply.count("# *a* &lt;b&gt;") == 2000
    assert not any("<em>" in html or "<h1" in html for html in live_html(ran))
