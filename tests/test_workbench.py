"""The workbench over a real kernel and real sockets; its front end speaks the widgets' own protocol."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import KEY
from tests.notebook_kernel import Kernel
from tests.notebook_shell import Shell
from tests.server import STREAM, Answer, Server, event, failure, reply, text_events, whole
from tests.workbench_front import Front

IMPORT = "from claude_magic import claude"
KEY_LIKE = "sk-" + "ant-api03-q7Zr2LmX9vKd0TbWc4Hs"


@pytest.fixture
def front(kernel: Kernel) -> Front:
    made = Front(kernel)
    assert made.run(IMPORT).error is None
    return made


@pytest.fixture
def opened(front: Front) -> Callable[[str], str]:
    """Opens a workbench with a prompt; its id."""
    return lambda text="Say hello.": front.open(f"w = claude.workbench({text!r})\nw")


def ran(front: Front, bench: str) -> None:
    """Press Run, and wait for its end."""
    front.idle()
    begun = front.begun
    front.press(bench, "Run")
    front.until(lambda: front.begun > begun and "Running" not in front.told(bench))
    front.idle()  # what the run has sent has come


def test_run_sends_what_stands_in_the_fields_and_shows_the_reply(
    front: Front, endpoint: Server, opened: Callable[..., str]
) -> None:
    endpoint.answers(reply("Hello, ", "**you**."))
    bench = opened("Say hello.")
    for label, value in {
        "Model": "claude-haiku-5-5",
        "Max tokens": "300",
        "System": "Be brief.",
        "Temperature": "0.5",
        "Top k": "4",
        "Stop sequences": "END\n\\n\\nHuman:",
        "Thinking": True,
        "Effort": "low",
    }.items():
        front.type(bench, label, value)
    ran(front, bench)
    assert endpoint.last.json == {
        "model": "claude-haiku-5-5",
        "max_tokens": 300,
        "system": "Be brief.",
        "messages": [{"role": "user", "content": "Say hello."}],
        "temperature": 0.5,
        "top_k": 4,
        "stop_sequences": ["END", "\n\nHuman:"],
        "thinking": {"type": "adaptive", "display": "summarized"},
        "output_config": {"effort": "low"},
        "stream": True,
    }
    assert "Hello, <strong>you</strong>." in front.answer(bench)
    assert "46 in / " in front.answer(bench)
    assert " · $" in front.answer(bench)
    assert front.kernel.value("claude.last.text") == "Hello, **you**."
    assert front.kernel.value("[dict(r)['prompt'] for r in claude.journal.last()]") == ["Say hello."]
    assert front.kernel.value("len(claude.journal.last())") == 1


def test_turns_are_added_given_to_a_role_and_deleted(
    front: Front, endpoint: Server, opened: Callable[..., str]
) -> None:
    endpoint.answers(reply("Fine."))
    bench = opened("One")
    front.press(bench, "Add turn")
    front.until(lambda: "Delete turn 2" in front.labels(bench))
    front.type(bench, "Assistant", "Two\nuser: still two")
    front.press(bench, "Add turn")
    front.until(lambda: "Delete turn 3" in front.labels(bench))
    front.press(bench, "Add turn")
    front.until(lambda: "Delete turn 4" in front.labels(bench))
    front.press(bench, "Delete turn 4")
    front.until(lambda: "Delete turn 4" not in front.labels(bench))
    second = [n for n in front._within(bench) if front.states[n].get("description") == "User"][1]
    front._say(second, {"method": "update", "state": {"value": "  Three  "}, "buffer_paths": []})
    ran(front, bench)
    sent = [
        {"role": "user", "content": "One"},
        {"role": "assistant", "content": "Two\nuser: still two"},
        {"role": "user", "content": "Three"},
    ]
    assert endpoint.last.json["messages"] == sent
    front.idle()
    front.press(bench, "Add reply")
    front.until(lambda: "Delete turn 5" in front.labels(bench))
    assert front.kernel.value("w.form.turns[3:]") == [["assistant", "Fine."], ["user", ""]]


def test_pressing_run_twice_sends_once(front: Front, endpoint: Server, opened: Callable[..., str]) -> None:
    endpoint.answers(Answer(headers=STREAM, pieces=[0.5, *(event(e) for e in text_events(["Once."]))]))
    bench = opened()
    front.press(bench, "Run")
    front.press(bench, "Run")
    front.until(lambda: "Once." in front.answer(bench) and not front.told(bench))
    front.take(0.5)
    assert len(endpoint.received) == 1


def test_a_press_right_after_a_failure_is_obeyed(front: Front, endpoint: Server, opened: Callable[..., str]) -> None:
    endpoint.answers(failure(400, "invalid_request_error", "no"), reply("Better."))
    bench = opened()
    front.press(bench, "Run")
    front.until(lambda: "APIError" in front.told(bench) and front.states[front.named(bench, "Stop")]["disabled"])
    front.type(bench, "System", "Be brief.")
    front.press(bench, "Run")
    front.until(lambda: "Better." in front.answer(bench))
    assert endpoint.last.json["system"] == "Be brief."


def test_stop_is_obeyed_at_once_and_what_had_arrived_is_kept(
    front: Front, endpoint: Server, opened: Callable[..., str]
) -> None:
    begun = [event(e) for e in text_events(["What came."])][:4]
    endpoint.answers(Answer(headers=STREAM, pieces=begun, ending="hang"))
    bench = opened()
    front.press(bench, "Run")
    front.until(lambda: "What came." in front.answer(bench))
    front.press(bench, "Stop")
    assert endpoint.dropped.wait(60)
    front.until(lambda: front.told(bench).startswith("Interrupted: stopped after"))
    assert "What came." in front.answer(bench)
    assert "interrupted: it breaks off here" in front.answer(bench)
    assert front.kernel.value("claude.last.text") == "What came."
    assert front.kernel.value("type(claude.last.error).__name__") == "Interrupted"
    endpoint.answers(reply("Again."))
    ran(front, bench)
    assert "Again." in front.answer(bench)


def test_an_error_of_the_api_is_one_line(front: Front, endpoint: Server, opened: Callable[..., str]) -> None:
    endpoint.answers(failure(400, "invalid_request_error", "temperature: <b>no</b>"))
    bench = opened()
    front.press(bench, "Run")
    front.until(lambda: front.told(bench).startswith("APIError: "))
    assert "temperature: &lt;b&gt;no&lt;/b&gt;" in front.told_html(bench)
    assert "\n" not in front.told(bench)
    assert front.kernel.value("claude.last.status") == 400


@pytest.mark.parametrize(
    ("label", "value", "said"),
    [
        ("Max tokens", "many", "CellError: -t is not a whole number: 'many'."),
        ("Temperature", "warm", "CellError: --temperature is not a number: 'warm'."),
        ("User", "  ", "CellError: the prompt is empty"),
        ("Turn 1", "Assistant", "CellError: there is no user turn: all turns are the assistant's."),
        ("User", "{{nowhere}}", "CellError: no variable nowhere"),
    ],
)
def test_what_cannot_be_sent_is_one_line_and_nothing_is_sent(
    front: Front, endpoint: Server, opened: Callable[..., str], label: str, value: str, said: str
) -> None:
    bench = opened()
    front.type(bench, label, value)
    front.press(bench, "Run")
    front.until(lambda: front.told(bench).startswith(said))
    assert endpoint.received == []


def test_a_typed_key_is_taken_out_and_nothing_is_sent(
    front: Front, endpoint: Server, opened: Callable[..., str]
) -> None:
    endpoint.answers(reply("Sent."))
    bench = opened()
    for key in (KEY_LIKE, KEY):
        front.type(bench, "User", f"my key is {key}")
        front.press(bench, "Run")
        front.until(lambda: "nothing was sent" in front.told(bench))
        assert key not in front.kernel.value("str(w.form)")
        assert endpoint.received == []
        front.idle()
        front.type(bench, "System", f"s{key[:3]}")
        front.until(lambda: True)


def test_no_widget_holds_the_key(front: Front, endpoint: Server, opened: Callable[..., str]) -> None:
    endpoint.answers(reply("Done."))
    front.run(f"token_secret = {KEY_LIKE!r}; harmless = {KEY_LIKE!r}; text = 'x' + {KEY!r}")
    bench = opened("{{token_secret}} {{harmless}} {{city}} {{text}}")
    front.type(bench, "city", "Lisbon")
    assert "looks like a secret" in json.dumps(front.states)
    front.press(bench, "Run")
    front.until(lambda: "looks like a secret" in front.told(bench))
    front.type(bench, "User", "Hello")
    for press in ("Run", "Copy code", "Preview", "Insert as cell"):
        front.idle()
        front.press(bench, press)
        front.take(1.0)
    states = json.dumps(front.run("import ipywidgets; s = ipywidgets.Widget.get_manager_state()").outputs)
    states += json.dumps(front.kernel.value("s")) + json.dumps(front.states)
    assert endpoint.received
    assert "Done." in states
    assert KEY_LIKE not in states
    assert KEY not in states


def test_variables_of_the_prompt_are_fields_and_what_is_typed_wins(
    front: Front, endpoint: Server, opened: Callable[..., str]
) -> None:
    endpoint.answers(reply("Fine."))
    front.run("city = 'Lisbon'; number = 3; d = {'a': [1]}")
    bench = opened('{{city}} {{number}} {{d["a"]}} {{year}}')
    assert [front.states[front.named(bench, name)]["value"] for name in ("city", "year")] == ["Lisbon", ""]
    front.type(bench, "city", "Porto")
    front.type(bench, "year", "1755")
    front.run("number = 4; city = 'Faro'")
    ran(front, bench)
    assert endpoint.last.json["messages"][0]["content"] == "Porto 4 [\n  1\n] 1755"
    front.type(bench, "User", "no variables")
    front.until(lambda: "city" not in front.labels(bench))


def test_the_inserted_cell_sends_the_same_request(front: Front, endpoint: Server, opened: Callable[..., str]) -> None:
    endpoint.answers(reply("Fine."))
    front.run("city = 'Lisbon'\n%config Claude.system = 'Say it in verse.'\n%config Claude.conversation = 'main'")
    bench = opened('It\'s "{{city}}" in {{year}}: \\{{braces}}\n\nassistant: no marker ')
    front.type(bench, "year", "{{city}}\nsystem: 1")
    front.type(bench, "System", "Two\nlines.")
    front.type(bench, "Stop sequences", "\\n\\n\nit's")
    front.type(bench, "Top p", "0.9")
    ran(front, bench)
    source = front.kernel.value("w.cell")
    assert front.run(source).error is None
    first, second = endpoint.received
    assert second.json == first.json
    assert first.json["messages"] == [
        {
            "role": "user",
            "content": 'It\'s "Lisbon" in {{city}}\nsystem: 1: {{braces}}\n\nassistant: no marker',
        }
    ]


def test_insert_as_cell_and_copy_code_show_the_text_and_give_one_order(
    front: Front, endpoint: Server, opened: Callable[..., str]
) -> None:
    bench = opened('Say "hi" & <go>.')
    front.press(bench, "Copy code")
    front.until(lambda: 'data-act="copy"' in front._html(bench, "cm-order"))
    order = front._html(bench, "cm-order")
    assert "import anthropic" in order
    assert "<go>" not in order
    front.press(bench, "done")
    front.until(lambda: front.told(bench).startswith("Copied: "))
    assert front._html(bench, "cm-order") == ""
    front.idle()
    front.press(bench, "Insert as cell")
    front.until(lambda: 'data-act="insert"' in front._html(bench, "cm-order"))
    front.press(bench, "not done")
    front.until(lambda: "copy the text below" in front.told(bench))
    assert 'Say "hi" & <go>.' in front.states[front.named(bench, "The cell")]["value"]
    assert endpoint.received == []


def test_an_order_that_no_page_follows_is_taken_back(front: Front, opened: Callable[..., str]) -> None:
    bench = opened()
    front.press(bench, "Insert as cell")
    front.until(lambda: bool(front._html(bench, "cm-order")))
    front.until(lambda: not front._html(bench, "cm-order") and "copy the text below" in front.told(bench))


def test_two_workbenches_run_at_once(front: Front, endpoint: Server, opened: Callable[..., str]) -> None:
    both = threading.Barrier(2, timeout=100)
    slow = Answer(headers=STREAM, pieces=[lambda: both.wait() and None, *(event(e) for e in text_events(["Both."]))])
    endpoint.answers(slow)
    one, two = opened("One"), opened("Two")
    front.press(one, "Run")
    front.press(two, "Run")
    front.until(lambda: "Both." in front.answer(one) and "Both." in front.answer(two))
    assert sorted(r.json["messages"][0]["content"] for r in endpoint.received) == ["One", "Two"]


@pytest.mark.kernel
def test_a_press_while_a_cell_runs_is_obeyed_when_it_has_ended(
    front: Front, endpoint: Server, opened: Callable[..., str]
) -> None:
    endpoint.answers(reply("Later."))
    bench = opened()
    front.kernel.client.execute("import time; time.sleep(1.5)")
    front.press(bench, "Run")
    front.press(bench, "Run")
    front.until(lambda: "Later." in front.answer(bench))
    front.take(0.5)
    assert len(endpoint.received) == 1


@pytest.mark.kernel
def test_a_reply_streams_while_the_kernel_answers_cells(
    front: Front, endpoint: Server, opened: Callable[..., str]
) -> None:
    go_on = threading.Event()
    pieces = [event(e) for e in text_events(["First, ", "then."])]
    endpoint.answers(Answer(headers=STREAM, pieces=[*pieces[:4], lambda: go_on.wait(100) and None, *pieces[4:]]))
    bench = opened()
    front.press(bench, "Run")
    front.until(lambda: "First," in front.answer(bench))
    assert front.kernel.value("1 + 1") == 2
    go_on.set()
    front.until(lambda: "First, then." in front.answer(bench))


@pytest.mark.slow
def test_what_is_streamed_grows_with_the_reply_and_not_with_its_square(
    front: Front, endpoint: Server, opened: Callable[..., str]
) -> None:
    bench, sent = opened(), []
    for size in (50_000, 200_000):
        words = [f"Line {number} of the reply, with *some* words.\n\n" for number in range(size // 45)]
        pieces: list[Any] = []
        for number, made in enumerate(text_events(words)):
            pieces += [event(made)] + [0.02] * (number % (size // 9_000) == 0)
        endpoint.answers(Answer(headers=STREAM, pieces=pieces))
        before, updates = front.sent, front.updates
        front.idle()
        ran(front, bench)
        assert f"Line {size // 45 - 1} " in front.answer(bench)
        sent.append((front.sent - before) / size)
        assert front.updates - updates < 400
    print("bytes sent for a byte of the reply:", sent)
    assert sent[1] < 12
    assert sent[1] < 1.5 * sent[0]


def test_what_a_reply_says_never_runs(front: Front, endpoint: Server, opened: Callable[..., str]) -> None:
    endpoint.answers(reply("<img src=x onerror=alert(1)> <script>alert(2)</script> [x](javascript:alert(3))"))
    bench = opened()
    ran(front, bench)
    answer = front.answer(bench)
    assert "&lt;img src=x onerror" in answer
    assert "<img" not in answer
    assert "<script" not in answer
    assert 'href="javascript' not in answer


def test_it_opens_and_fails_in_one_line_without_a_key() -> None:
    with Shell() as kernel:
        front = Front(kernel)
        front.run(f"%load_ext claude_magic\n{IMPORT}\nclaude.settings.provider = 'anthropic'")
        bench = front.open("w = claude.workbench('Hello')\nw")
        assert "claude-opus-5-5" in front.states[front.named(bench, "Model")]["options"]
        for press in ("Run", "List models"):
            front.press(bench, press)
            front.until(lambda: front.told(bench).startswith("SettingsError: "))
            front.idle()
            front.type(bench, "System", press)


def test_the_models_of_the_endpoint_are_asked_for_on_demand(
    front: Front, endpoint: Server, opened: Callable[..., str]
) -> None:
    listing = {"data": [{"type": "model", "id": "claude-new-9", "display_name": "New"}], "has_more": False}
    answer = Answer(headers=(("content-type", "application/json"),), pieces=[json.dumps(listing).encode()])
    endpoint.answers(answer)
    bench = opened()
    assert endpoint.received == []
    front.press(bench, "List models")
    front.until(lambda: front.told(bench) == "1 models to choose from.")
    assert front.states[front.named(bench, "Model")]["options"] == ["claude-new-9"]


def test_a_budget_refuses_as_in_a_cell(front: Front, endpoint: Server, opened: Callable[..., str]) -> None:
    endpoint.answers(Answer(headers=(("content-type", "application/json"),), pieces=[b'{"input_tokens": 12}']))
    front.run("%config Claude.budget_usd = 0.000001")
    bench = opened()
    front.press(bench, "Run")
    front.until(lambda: front.told(bench).startswith("OverBudget: over the budget"))
    assert [r for r in endpoint.received if r.path.endswith("/messages")] == []


def test_only_recorded_answers_are_given_as_in_a_cell(
    front: Front, endpoint: Server, opened: Callable[..., str]
) -> None:
    endpoint.answers(reply("Recorded."))
    bench = opened("Say it.")
    ran(front, bench)
    front.run("%config Claude.replay = 'only'\n%config Claude.replay_speed = 0")
    again = opened("Say it.")
    ran(front, again)
    assert "Recorded." in front.answer(again)
    assert "replayed, recorded 20" in front.answer(again)
    other = opened("Say something else.")
    front.press(other, "Run")
    front.until(lambda: front.told(other).startswith("NotRecorded: "))
    assert len(endpoint.received) == 1


def test_an_earlier_question_is_brought_back(front: Front, endpoint: Server, opened: Callable[..., str]) -> None:
    endpoint.answers(reply("Fine."))
    front.run("%%claude -m claude-haiku-5-5 -t 77 -s Verse --temperature 0.3 --stop X --thinking\nOn {single} \\{{b}}.")
    front.run("%%claude --turns\nuser: a\nassistant: b\nuser: c")
    bench = opened("")
    front.press(bench, "History")
    front.until(lambda: "Earlier requests" in front.labels(bench))
    listed = front.states[front.named(bench, "Earlier requests")]["_options_labels"]
    assert [line.split(" · ")[2] for line in listed] == ["c", "On {single} {{b}}."]
    front.type(bench, "Earlier requests", listed[1])
    front.idle()
    front.press(bench, "Load")
    front.until(lambda: "is in the workbench again" in front.told(bench))
    assert "Earlier requests" not in front.labels(bench)
    assert listed[1] not in json.dumps(front.states, ensure_ascii=False)
    ran(front, bench)
    assert endpoint.received[-1].json == endpoint.received[0].json


def test_it_shows_the_request_and_its_price_and_sends_nothing(
    front: Front, endpoint: Server, opened: Callable[..., str]
) -> None:
    endpoint.answers(Answer(headers=(("content-type", "application/json"),), pieces=[b'{"input_tokens": 12}']))
    bench = opened("How much?")
    front.press(bench, "Preview")
    front.until(lambda: front.told(bench) == "Nothing was sent to a model.")
    text = front.states[front.named(bench, "What would be sent")]["value"]
    assert '"content": "How much?"' in text
    assert "12" in text
    assert [r.path for r in endpoint.received] == ["/v1/messages/count_tokens"]


def test_the_notebook_keeps_a_static_twin_with_the_last_reply(
    front: Front, endpoint: Server, opened: Callable[..., str]
) -> None:
    endpoint.answers(reply("Kept **reply**."))
    shown = front.run("w = claude.workbench('Keep <this>.')\nw")
    view, twin = shown.outputs
    bench = view["data"]["application/vnd.jupyter.widget-view+json"]["model_id"]
    assert view["data"]["text/plain"] == ""
    assert "Run this cell to open it again." in twin["data"]["text/plain"]
    assert "Keep &lt;this&gt;." in twin["data"]["text/html"]
    ran(front, bench)
    front.until(lambda: bool(front.displays))
    assert "Kept <strong>reply</strong>." in front.displays[-1]["text/html"]
    assert "Kept **reply**." in front.displays[-1]["text/plain"]
    assert "<script" not in front.displays[-1]["text/html"]
    assert "onload" not in front.displays[-1]["text/html"]


def test_the_local_model_needs_no_name(front: Front, opened: Callable[..., str]) -> None:
    front.run("%config Claude.provider = 'local'")
    bench = opened("Hello")
    assert front.states[front.named(bench, "Model")]["value"] == ""
    assert front.kernel.value("w.cell") == "%%claude -t 300\nHello"


def test_a_whole_reply_that_is_not_streamed_is_shown(
    front: Front, endpoint: Server, opened: Callable[..., str]
) -> None:
    front.run("%config Claude.stream = False")
    endpoint.answers(whole("At once."))
    bench = opened()
    ran(front, bench)
    assert "At once." in front.answer(bench)


@pytest.mark.process
def test_a_terminal_is_told_in_one_line(tmp_path: Path) -> None:
    code = f"{IMPORT}\nget_ipython().run_line_magic('load_ext', 'claude_magic')\nclaude.workbench()"
    told = subprocess.run(
        [sys.executable, "-m", "IPython", "--no-banner", "--colors=NoColor", "-c", code],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[1],
    )
    assert told.stdout.strip().startswith("SettingsError: the workbench needs a notebook's page")
    assert len(told.stdout.strip().splitlines()) == 1


def test_a_closed_workbench_is_gone(front: Front, opened: Callable[..., str]) -> None:
    bench = opened()
    front.run("w.close()")
    front.take(0.2)
    assert bench not in front.states
