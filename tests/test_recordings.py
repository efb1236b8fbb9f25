"""Recordings: what was answered before is answered again, without a key, a network or a cent."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from claude_magic.api.client import Client
from claude_magic.api.interrupt import Interrupt
from claude_magic.api.transports.replay import ReplayTransport
from claude_magic.errors import APIError, SettingsError, StreamError
from claude_magic.journal.recordings import Recorder, read_recording, to_line
from claude_magic.journal.request_diff import describe_nearest
from claude_magic.wire import Exchange, Headers, Message, Request, TimedEvent
from claude_magic.wire.recorded_answer import RecordedAnswer
from tests.conftest import KEY
from tests.exchange_fields import exchange_of
from tests.notebook_kernel import Kernel, Ran
from tests.notebook_shell import Shell
from tests.server import Server, failure, reply, whole

ROOT = Path(__file__).parents[1]


def asked(text: str = "hello", **fields: Any) -> Request:
    body = {"model": "claude-opus-5-5", "max_tokens": 9, "messages": [{"role": "user", "content": text}], **fields}
    return Request(method="POST", url="https://api.test/v1/messages", body=body)


def exchange(request: Request, text: str = "hi", **fields: Any) -> Exchange:
    body = {"model": "m", "content": [{"type": "text", "text": text}], "stop_reason": "end_turn", "usage": {}}
    known = {"message": Message(body=body), "status": 200, "began": "2026-11-20T10:00:00.000+00:00"}
    return exchange_of(request=request, **{**known, **fields})


def recorded_in(path: Path, *exchanges: Exchange) -> Path:
    recorder = Recorder(path, lambda text: text)
    for number, each in enumerate(exchanges):
        recorder.record(f"cell {number}", each)
    return path


def texts(ran: Ran) -> list[str]:
    return [text for text in ran.data("text/plain") if text]


# What is equal


@pytest.mark.parametrize(
    "other",
    [
        replace(asked(), url="http://127.0.0.1:8080/proxy/v1/messages"),
        replace(asked(), headers=Headers([("anthropic-version", "2026-10-21"), ("x-api-key", "other")])),
        asked(stream=True),
        replace(asked(), body=dict(reversed(list(asked().body.items())))),
    ],
    ids=["host", "headers", "stream", "order of the fields"],
)
def test_a_request_is_the_same_whatever_does_not_reach_the_model(other: Request) -> None:
    assert other.identity == asked().identity


@pytest.mark.parametrize(
    "other",
    [
        asked("hello "),
        asked(model="claude-opus-5"),
        asked(max_tokens=10),
        asked(system=""),
        asked(temperature=1),
        asked(metadata={"user_id": "a"}),
        replace(asked(), url="https://api.test/v1/messages/count_tokens"),
    ],
    ids=["text", "model", "max_tokens", "system", "temperature", "metadata", "endpoint"],
)
def test_a_request_is_another_when_the_model_would_see_another(other: Request) -> None:
    assert other.identity != asked().identity


# The transport


def test_a_recorded_stream_gives_the_same_message_again(recorded: Path) -> None:
    from claude_magic.wire import Decoder

    paths = sorted((recorded / "streams").glob("*.sse"))
    assert paths
    for path in paths:
        events = [TimedEvent(0.0, e.event or "", e.data) for e in Decoder().feed(path.read_bytes())]
        expected = json.loads(path.with_suffix(".expected.json").read_text())
        again = Client(
            transport=ReplayTransport(
                recorded=RecordedAnswer(when="", status=200, events=events), speed=0, interrupt=Interrupt()
            ),
            credential=None,
        ).stream(asked())
        assert again.error is None or isinstance(again.error, StreamError)
        assert [(e.event, e.data) for e in again.events] == [(e.event, e.data) for e in events][: len(again.events)]
        assert again.text == "".join(b["text"] for b in expected["final_message"]["content"] if b["type"] == "text")


def test_the_rhythm_is_the_recorded_one_at_the_speed_that_is_set() -> None:
    events = [
        TimedEvent(0.5, "message_start", '{"type":"message_start","message":{"content":[]}}'),
        TimedEvent(1.0, "message_delta", '{"type":"message_delta","delta":{"stop_reason":"end_turn"}}'),
        TimedEvent(2.0, "message_stop", '{"type":"message_stop"}'),
    ]
    recorded = RecordedAnswer(when="", status=200, events=events)
    for speed, least, most in ((10, 0.2, 1.0), (0, 0.0, 0.15)):
        began = time.monotonic()
        transport = ReplayTransport(recorded=recorded, speed=speed, interrupt=Interrupt())
        assert Client(transport=transport, credential=None).stream(asked()).error is None
        took = time.monotonic() - began
        assert took >= least
        assert took < most or sys.gettrace() is not None


# The file


def test_a_line_is_the_same_whenever_it_is_written(tmp_path: Path) -> None:
    one, other = asked(stream=True, system="s"), asked(system="s", stream=True)
    assert to_line(exchange(one)) == to_line(exchange(other))
    keys = list(json.loads(to_line(exchange(one))))
    assert keys == sorted(keys)


def test_nothing_of_the_reader_or_the_server_is_in_a_recording() -> None:
    headers = [
        ("anthropic-organization-id", "org-1"),
        ("anthropic-workspace-id", "wrkspc-1"),
        ("set-cookie", "_cfuvid=c"),
        ("cf-ray", "ray-1"),
        ("request-id", "req_1"),
        ("x-anything", "x-1"),
        ("anthropic-ratelimit-requests-limit", "50"),
    ]
    sent = Headers([("x-api-key", "$ANTHROPIC_API_KEY"), ("x-token", "hush"), ("anthropic-version", "2023-06-01")])
    request = replace(asked(), headers=sent, url="https://secret.host.test/v1/messages")
    text = to_line(exchange(request, headers=Headers(headers)))
    for hidden in ("org-1", "wrkspc-1", "_cfuvid", "ray-1", "x-1", "hush", "API_KEY", "secret.host"):
        assert hidden not in text
    for kept in ("req_1", "2023-06-01", "anthropic-ratelimit-requests-limit"):
        assert kept in text


def test_a_key_in_a_reply_is_not_recorded(tmp_path: Path) -> None:
    from claude_magic.api.credentials import redact

    recorder = Recorder(tmp_path / "r.jsonl", redact)
    recorder.record("cell", exchange(asked(), "your key is sk-ant-" + "api03-abcdefghijklmnopqrstuvwxyz0123456789"))
    assert "abcdefghij" not in (tmp_path / "r.jsonl").read_text()


def test_a_cell_that_asks_again_replaces_what_it_recorded(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    recorder = Recorder(path, lambda text: text)
    recorder.record("a", exchange(asked("1"), "first"))
    recorder.record("b", exchange(asked("2"), "second"))
    recorder.record("a", exchange(asked("1"), "third"))
    answers = [json.loads(each)["response"]["body"]["content"][0]["text"] for each in path.read_text().splitlines()]
    assert answers == ["third", "second"]


def test_what_was_recorded_before_stays_until_there_is_something_new(tmp_path: Path) -> None:
    path = recorded_in(tmp_path / "r.jsonl", exchange(asked()))
    before = path.read_bytes()
    recorder = Recorder(path, lambda text: text)
    recorder.write()
    recorder.record("a", exchange(asked("cut"), message=Message(body={"content": [], "stop_reason": None})))
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("status", "kept"), [(400, True), (404, True), (413, True), (429, False), (500, False), (529, False)]
)
def test_a_refusal_of_the_request_itself_is_recorded(tmp_path: Path, status: int, kept: bool) -> None:
    body = {"type": "error", "error": {"type": "t", "message": "no such thing"}}
    error = APIError("no", status=status, type="t", body=body)
    path = recorded_in(tmp_path / "r.jsonl", exchange(asked(), message=Message(), status=status, error=error))
    assert path.exists() == kept
    if kept:
        answer = read_recording(path).answer(asked(), 0)
        assert answer is not None
        transport = ReplayTransport(recorded=answer, speed=0, interrupt=Interrupt())
        again = Client(transport=transport, credential=None).stream(asked())
        assert isinstance(again.error, APIError)
        assert again.error.status == status
        assert "no such thing" in str(again.error)


def test_equal_requests_get_their_answers_in_order_and_then_the_last_again(tmp_path: Path) -> None:
    recording = read_recording(recorded_in(tmp_path / "r.jsonl", exchange(asked(), "one"), exchange(asked(), "two")))
    answers = [recording.answer(asked(), number) for number in range(3)]
    assert [each.body["content"][0]["text"] for each in answers if each and each.body] == ["one", "two", "two"]


@pytest.mark.parametrize(
    "content", [b"{", b"[]\n", b'{"request": {}}\n', b"\xff\xfe", b'{"request": {"body": 1}, "response": {}}', b"null"]
)
def test_a_file_that_is_no_recording_is_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "r.jsonl"
    path.write_bytes(content)
    with pytest.raises(SettingsError, match="recording"):
        read_recording(path)
    with pytest.raises(SettingsError, match="No such file"):
        read_recording(tmp_path / "none.jsonl")


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("seconds", "1e999"),
        ("seconds", "NaN"),
        ("seconds", "1e12"),
        ("seconds", "-1"),
        ("first_token_seconds", '"x"'),
        ("first_token_seconds", "NaN"),
        ("recorded", '"<b>"'),
        ("recorded", "5"),
        ("status", "1e999"),
        ("status", "99999"),
        ("endpoint", '"http://[bad"'),
        ("events", '[[1e300, "a", "b"]]'),
        ("events", "[]"),
    ],
)
def test_a_recording_with_a_value_that_cannot_be_is_one_line(tmp_path: Path, name: str, wrong: str) -> None:
    recorded_in(tmp_path / "r.jsonl", exchange(asked(), events=[TimedEvent(0.1, "message_stop", "{}")]))
    text = (tmp_path / "r.jsonl").read_text(encoding="utf-8")
    before = json.dumps(found_in(json.loads(text), name))
    assert text.count(f'"{name}": {before}') == 1
    (tmp_path / "r.jsonl").write_text(text.replace(f'"{name}": {before}', f'"{name}": {wrong}'), encoding="utf-8")
    with pytest.raises(SettingsError, match=r"not a recording: .*line 1"):
        read_recording(tmp_path / "r.jsonl")


def found_in(value: Any, name: str) -> Any:
    return next(inner[name] for inner in (value, value["request"], value["response"]) if name in inner)


def test_a_folder_that_is_not_there_is_told_before_anything_is_recorded(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no such folder"):
        Recorder(tmp_path / "none" / "r.jsonl", lambda text: text).write()


def test_a_recording_that_an_editor_has_saved_is_the_same(tmp_path: Path) -> None:
    path = recorded_in(tmp_path / "r.jsonl", exchange(asked(), "one"))
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert read_recording(path).answer(asked(), 0) is not None


def test_a_place_that_cannot_be_written_is_one_line_and_keeps_what_was(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be written"):
        recorded_in(tmp_path / "none" / "r.jsonl", exchange(asked()))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"max_tokens": 10}, "max_tokens: recorded 9, now 10"),
        ({"system": "Be brief."}, "system: recorded nothing, now 'Be brief.'"),
        ({"messages": [{"role": "user", "content": "hullo"}]}, "messages[0].content: recorded 'hello', now 'hullo'"),
        ({"model": "claude-opus-5"}, "model: recorded 'claude-opus-5-5', now 'claude-opus-5'"),
    ],
    ids=["number", "added", "text", "model"],
)
def test_what_differs_from_the_nearest_is_told(change: dict[str, Any], told: str) -> None:
    others = [asked("something else entirely").body, asked().body, asked(tools=[]).body]
    assert told in describe_nearest({**asked().body, **change, "stream": True}, others)


def test_a_long_text_is_shown_where_it_differs() -> None:
    long = "word " * 500
    told = describe_nearest(asked(long + "now").body, [asked(long + "then").body])
    assert "then" in told
    assert "now" in told
    assert len(told) < 300


# In a notebook


def test_a_request_that_was_answered_is_not_sent_again(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(reply("first answer"))
    kernel.run("%%claude\nquestion", cell_id="a")
    kernel.run("%config Claude.replay = 'on'")
    again = kernel.run("%%claude\nquestion", cell_id="a")
    assert "first answer" in texts(again)[0]
    assert len(endpoint.received) == 1
    assert "replayed, recorded 20" in again.data("text/html")[0]
    assert "would have cost $0.0" in again.data("text/html")[0]


def test_on_sends_what_is_not_recorded(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(reply("one"), reply("two"))
    kernel.run("%config Claude.replay = 'on'")
    kernel.run("%%claude\nquestion", cell_id="a")
    second = kernel.run("%%claude\nquestion", cell_id="b")  # an equal one, but the first was answered once
    assert "two" in texts(second)[0]
    first = kernel.run("%%claude\nquestion", cell_id="a")
    assert "one" in texts(first)[0]
    assert len(endpoint.received) == 2


def test_two_equal_requests_are_the_first_and_the_second_answer_after_a_restart(endpoint: Server) -> None:
    endpoint.answers(reply("one"), reply("two"))
    cells = [("%%claude\nquestion", "a"), ("from claude_magic import claude\nprint(claude('question').text)", "b")]
    shown = []
    for mode in ("off", "only"):
        with Shell() as kernel:
            kernel.run(f"%load_ext claude_magic\n%config Claude.replay = {mode!r}")
            shown.append([kernel.run(code, cell_id=name) for code, name in cells])
    assert [texts(ran[0])[0] for ran in shown] == ["one", "one"]
    assert [ran[1].stdout for ran in shown] == ["two\n", "two\n"]
    assert len(endpoint.received) == 2


def test_only_never_sends_and_says_what_differs(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(reply("one"))
    kernel.run("%%claude -t 100\nquestion")
    kernel.run("%config Claude.replay = 'only'")
    ran = kernel.run("%%claude -t 200\nquestion")
    assert ran.error is not None
    assert ran.error[0] == "NotRecorded"
    assert "max_tokens: recorded 100, now 200" in ran.error[1]
    assert len(ran.error[2]) == 1
    assert len(endpoint.received) == 1


def test_again_asks_although_it_is_recorded(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(reply("one"), reply("two"))
    kernel.run("%config Claude.replay = 'on'")
    kernel.run("%%claude\nquestion", cell_id="a")
    assert "two" in texts(kernel.run("%%claude --again\nquestion", cell_id="a"))[0]


def test_a_failure_is_not_an_answer(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(failure(400, "invalid_request_error", "no"), reply("yes"))
    kernel.run("%config Claude.replay = 'on'")
    assert kernel.run("%%claude\nquestion", cell_id="a").error is not None
    assert "yes" in texts(kernel.run("%%claude\nquestion", cell_id="a"))[0]


def test_run_all_shows_again_what_the_page_shows(endpoint: Server) -> None:
    endpoint.answers(reply("old"), reply("new"), whole("unexpected"))
    with Shell() as kernel:
        kernel.run("%load_ext claude_magic")
        kernel.run("%%claude\nquestion", cell_id="a")
    with Shell() as kernel:
        kernel.run("%load_ext claude_magic\n%config Claude.reuse_on_run_all = True")
        assert "old" in texts(kernel.run("%%claude\nquestion", cell_id="a"))[0]
        assert len(endpoint.received) == 1
        assert "new" in texts(kernel.run("%%claude\nquestion", cell_id="another"))[0]
        assert len(endpoint.received) == 2


def test_run_all_asks_again_when_the_page_shows_something_else(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(reply("one"), reply("two"), reply("three"))
    kernel.run("%config Claude.reuse_on_run_all = True")
    kernel.run("%%claude\nquestion", cell_id="a")
    kernel.run("%%claude\nanother question", cell_id="a")
    assert "three" in texts(kernel.run("%%claude\nquestion", cell_id="a"))[0]


def test_a_conversation_is_replayed_turn_by_turn(endpoint: Server) -> None:
    endpoint.answers(reply("I am Claude."), reply("You said hello."))
    cells = [("%%claude --new\nhello", "a"), ("%%claude -c\nwhat did I say?", "b")]
    for mode in ("off", "only"):
        with Shell() as kernel:
            kernel.run(f"%load_ext claude_magic\n%config Claude.replay = {mode!r}")
            ran = [kernel.run(code, cell_id=name) for code, name in cells]
            assert [texts(each)[0] for each in ran] == ["I am Claude.", "You said hello."]
            kernel.run("from claude_magic import claude")
            assert kernel.value("len(claude.conversation())") == 2
    assert len(endpoint.received) == 2


def test_a_replay_is_stopped_like_a_reply(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(reply("slowly it comes"))
    kernel.run("%%claude\nquestion", cell_id="a")
    kernel.run(
        "%config Claude.replay = 'on'\nimport sqlite3; from claude_magic import claude\n"
        "db = sqlite3.connect(claude.journal.path); db.execute('update arrival set seconds = id * 100.0'); db.commit(); db.close()"
    )
    ran = kernel.run("%%claude\nquestion", cell_id="a", stop_when="claude-opus-5-5")
    assert ran.error is not None
    assert ran.error[0] == "Interrupted"
    assert ran.seconds < 90


def test_a_replayed_cell_that_is_run_again_soon_is_no_double_click(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(reply("one"))
    kernel.run("%%claude\nquestion", cell_id="a")
    kernel.run(
        "%config Claude.replay = 'on'\nimport sqlite3; from claude_magic import claude\n"
        "db = sqlite3.connect(claude.journal.path); db.execute('update exchange set seconds = 100'); db.commit(); db.close()"
    )
    for _ in range(2):
        ran = kernel.run("%%claude\nquestion", cell_id="a")
        assert "run twice at once" not in ran.data("text/html")[0]
        assert "100 s" in ran.data("text/html")[0] or "1 min 40 s" in ran.data("text/html")[0]


SOCKETS_REFUSED = """
import socket, sys
def refused(event, args):
    if event == "socket.connect" and args[0].family in (socket.AF_INET, socket.AF_INET6):
        if args[1][1] not in ports:
            raise RuntimeError(f"a socket was opened: {args[1]}")
import os
ports = set()
sys.addaudithook(refused)
"""


def notebook(*cells: str) -> dict[str, Any]:
    made = [
        {"cell_type": "code", "id": f"cell-{n}", "metadata": {}, "execution_count": None, "outputs": [], "source": cell}
        for n, cell in enumerate(cells)
    ]
    kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return {"cells": made, "metadata": {"kernelspec": kernelspec}, "nbformat": 4, "nbformat_minor": 5}


def executed(path: Path, **environment: str) -> list[dict[str, Any]]:
    """The cells of a notebook after `jupyter execute`, in a folder of its own."""
    env = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    ran = subprocess.run(
        [sys.executable, "-m", "jupyter", "execute", "--inplace", path.name],
        cwd=path.parent,
        env=env,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    return json.loads(path.read_text())["cells"]


QUESTIONS = (
    "%%claude\nWhat is a tuple?",
    "%%claude\nWhat is a tuple?",
    "%%claude -c talk --no-stream\nAnd a list?",
    "%%claude -c talk -o answer\nAnd a ☃?",
    "print(answer)",
)


@pytest.mark.process
def test_a_notebook_runs_from_its_recording_without_a_key_or_a_network(
    endpoint: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint.answers(
        reply("An *immutable* sequence."), reply("Another answer."), whole("A mutable one."), reply("A ☃ é 😀.")
    )
    path = tmp_path / "lesson.ipynb"
    first = "%load_ext claude_magic\nfrom claude_magic import claude\nclaude.{}('lesson.recording.txt');"
    path.write_text(json.dumps(notebook(first.format("record"), *QUESTIONS)))
    asked_live = [cell["outputs"] for cell in executed(path)[1:]]
    assert KEY not in (tmp_path / "lesson.recording.txt").read_text()
    assert endpoint.url.split("//")[1] not in (tmp_path / "lesson.recording.txt").read_text()
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    endpoint.received.clear()
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "somebody else"))
    refuse = SOCKETS_REFUSED + first.format("replay")
    path.write_text(json.dumps(notebook(refuse, *QUESTIONS)))
    replayed = [cell["outputs"] for cell in executed(path)[1:]]
    assert endpoint.received == []
    plain = [
        [output.get("data", {}).get("text/plain", output.get("text")) for output in outputs] for outputs in replayed
    ]
    assert plain == [
        [output.get("data", {}).get("text/plain", output.get("text")) for output in outputs] for outputs in asked_live
    ]
    assert "".join(plain[0][0]) == "An *immutable* sequence."
    assert "".join(plain[1][0]) == "Another answer."
    path.write_text(json.dumps(notebook(refuse, *QUESTIONS)))
    again = [cell["outputs"] for cell in executed(path)[1:]]
    html = [[output.get("data", {}).get("text/html") for output in outputs][:1] for outputs in again]
    assert html == [[output.get("data", {}).get("text/html") for output in outputs][:1] for outputs in replayed]


def test_a_question_that_was_not_recorded_stops_the_notebook(kernel: Kernel, endpoint: Server, tmp_path: Path) -> None:
    endpoint.answers(reply("one"))
    kernel.run("from claude_magic import claude; claude.record('r.jsonl')")
    kernel.run("%%claude\nWhat is a tuple?")
    kernel.run("claude.replay('r.jsonl')")
    ran = kernel.run("%%claude\nWhat is a turtle?")
    assert ran.error is not None
    assert "not recorded in r.jsonl" in ran.error[1]
    assert "'What is a tuple?', now 'What is a turtle?'" in ran.error[1]
    kernel.run("claude.replay(None)")
    assert kernel.run("%%claude\nWhat is a turtle?").error is None


def test_recording_takes_what_was_asked_before_it_began(kernel: Kernel, endpoint: Server, tmp_path: Path) -> None:
    endpoint.answers(reply("one"), reply("two"))
    kernel.run("%%claude\nfirst", cell_id="a")
    kernel.run("from claude_magic import claude; claude.record('r.jsonl')", cell_id="b")
    kernel.run("%%claude\nsecond", cell_id="c")
    recording = read_recording(tmp_path / "r.jsonl")
    assert [body["messages"][0]["content"] for body in recording.bodies] == ["first", "second"]


def test_several_at_once_are_all_recorded(kernel: Kernel, endpoint: Server, tmp_path: Path) -> None:
    endpoint.answers(whole("an answer"))
    kernel.run(
        "from claude_magic import claude; claude.record('r.jsonl'); import os; os.makedirs('sub'); os.chdir('sub')"
    )
    kernel.run("replies = claude.map([f'question {n}' for n in range(30)], concurrency=8)")
    assert len(read_recording(tmp_path / "r.jsonl").bodies) == 30
    kernel.run("claude.replay('../r.jsonl')")
    again = kernel.run("again = claude.map([f'question {n}' for n in range(30)], concurrency=8)")
    assert again.error is None
    assert kernel.value("[again == replies, len(again.errors)]") == [True, 0]
    assert len(endpoint.received) == 30


@pytest.mark.parametrize("code", ["%%claude --count\nquestion", "claude.models", "claude.count('question')"])
def test_only_sends_nothing_to_count_or_to_list_either(kernel: Kernel, endpoint: Server, code: str) -> None:
    kernel.run("from claude_magic import claude\n%config Claude.replay = 'only'")
    ran = kernel.run(code)
    assert ran.error is not None
    assert "nothing is sent while only recorded answers are given" in ran.error[1]
    preview = kernel.run("%%claude --preview\nquestion")
    assert preview.error is None
    assert "tokens not counted: nothing is sent" in preview.stdout
    assert endpoint.received == []
