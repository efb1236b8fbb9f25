"""Message batches in a notebook: `claude.batches`, `claude.batch`, `%%claude --batch`, and what is shown."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from claude_magic.batch.message_batches import creation, part
from claude_magic.display.tables.batches import BatchFacts, batch_bundle, time_left
from claude_magic.errors import APIError, BatchExpired, CellError
from claude_magic.magics.claude import ClaudeHandle
from tests.batch_api import PATH, BatchAPI, custom_ids, echo, errored, last_text, succeeded
from tests.notebook_shell import Shell
from tests.server import reply


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(creation, "LOOKS", (0.0, 0.01))
    monkeypatch.setattr(creation, "backoff", lambda failed: 0.01)
    monkeypatch.setattr(part, "backoff", lambda failed: 0.01)


@pytest.fixture
def page(batch_api: BatchAPI) -> Iterator[Shell]:
    """A notebook's shell that asks an API with batches."""
    with Shell() as made:
        assert made.run("%load_ext claude_magic\nfrom claude_magic import claude").error is None
        yield made


BODY = {"messages": [{"role": "user", "content": "hello"}]}


def test_requests_may_be_texts_bodies_or_have_ids_of_their_own(batch_api: BatchAPI) -> None:
    requests = [
        "one",
        BODY,
        {"custom_id": "my own/ä", "params": {**BODY, "model": "claude-haiku-4-5", "max_tokens": 7, "system": "short"}},
        {"custom_id": "my own/ä", "params": {**BODY, "stream": False}},
    ]
    batch = ClaudeHandle().batch(requests, max_tokens=50)
    assert batch.results() == ["ONE", "HELLO", "HELLO", "HELLO"]
    (made,) = batch_api.batches.values()
    params = [each["params"] for each in made.requests]
    assert [each["max_tokens"] for each in params] == [50, 50, 7, 50]
    assert [each["model"] for each in params] == ["claude-opus-5-5"] * 2 + ["claude-haiku-4-5", "claude-opus-5-5"]
    assert params[2]["system"] == "short"
    assert not any("stream" in each for each in params)
    assert len(set(custom_ids(made))) == 4


def test_requests_may_come_from_a_generator_and_be_graded(batch_api: BatchAPI) -> None:
    rows = ({"params": {"messages": [{"role": "user", "content": f"n{n}"}]}, "expected": f"N{n % 2}"} for n in range(4))
    replies = ClaudeHandle().batch(rows, grade="exact").results()
    assert (replies.grades, replies.pass_rate) == ([True, True, False, False], 0.5)
    graded = ClaudeHandle().batch([{"params": BODY, "wanted": 5}], grade=lambda reply, row: len(reply) == row["wanted"])
    assert graded.results().grades == [True]


@pytest.mark.parametrize(
    ("requests", "said"),
    [
        ("text", "takes a list of requests or texts, not str"),
        ({"messages": []}, "not dict"),
        (None, "not NoneType"),
    ],
)
def test_what_is_no_list_of_requests_is_refused(requests: Any, said: str, batch_api: BatchAPI) -> None:
    with pytest.raises(CellError, match=said):
        ClaudeHandle().batch(requests)
    assert batch_api.received == []


def test_what_is_no_request_is_an_error_beside_the_others(batch_api: BatchAPI) -> None:
    odd = [5, {"prompt": "hi"}, {"params": None}, {"params": {**BODY, "stream": True}}, "fine"]
    *wrong, fine = ClaudeHandle().batch(odd).results()
    assert fine == "FINE"
    assert all(isinstance(each, CellError) for each in wrong)
    assert "request 3 is to be streamed" in str(wrong[3])


def test_the_batches_of_the_endpoint_are_a_table_the_newest_first(batch_api: BatchAPI) -> None:
    handle = ClaudeHandle()
    for n in range(23):
        handle.batch([f"text {n}"]).wait()
    batch_api.page_size = 10
    listed = handle.batches
    assert [each.id for each in listed] == list(reversed(batch_api.batches))[:20]
    assert len(listed.all()) == 23
    text = repr(listed)
    assert "yes" in text.splitlines()[1]
    assert text.count("msgbatch_") == 20
    assert "claude.batches.all()" in listed._repr_mimebundle_()["text/html"]


def test_no_batches_are_said_to_be_none(batch_api: BatchAPI) -> None:
    assert repr(ClaudeHandle().batches) == "no batches"


def test_a_batch_of_ours_is_attached_to_by_its_id(batch_api: BatchAPI) -> None:
    batch_api.polls = None
    (name,) = ClaudeHandle().map(["one", "two"], batch=True).ids
    found = ClaudeHandle().batches[name]
    batch_api.end()
    replies = found.results()
    assert (replies, replies.questions) == (["ONE", "TWO"], ["one", "two"])
    assert found.usd > 0


def test_a_batch_that_was_made_elsewhere_is_attached_to_by_its_id(batch_api: BatchAPI) -> None:
    elsewhere = ClaudeHandle()
    elsewhere.settings.journal = "elsewhere.db"
    (name,) = elsewhere.map(["one", "two", "expired"], batch=True).ids
    batch_api.outcome = lambda params: {"type": "expired"} if last_text(params) == "expired" else echo(params)
    found = ClaudeHandle().batches[name]
    batch_api.cuts = [1]
    expired, two, one = found.results()
    assert (one, two) == ("ONE", "TWO")
    assert isinstance(expired, BatchExpired)
    assert found.custom_ids == list(reversed(list(custom_ids(batch_api.batches[name]))))
    assert [each.reply for each in found][1:] == ["TWO", "ONE"]
    assert "not made here" in repr(found)
    assert len(ClaudeHandle().journal.last()) == 0


def test_a_batch_that_does_not_exist_is_an_error_in_the_words_of_the_api(batch_api: BatchAPI) -> None:
    with pytest.raises(APIError, match="Message batch not found: msgbatch_none"):
        ClaudeHandle().batches["msgbatch_none"].wait()
    for odd in ("", "a\nb"):
        with pytest.raises(CellError, match="no id of a batch"):
            ClaudeHandle().batches[odd]


def test_a_cell_shows_the_state_and_goes_on_in_the_background(page: Shell, batch_api: BatchAPI) -> None:
    batch_api.polls = None
    ran = page.run("batch = claude.map(['one', 'two'], batch=True)")
    assert ran.error is None
    (html,) = ran.data("text/html")
    (name,) = batch_api.batches
    assert name in html
    assert "in_progress" in html
    assert "2 rows in 1 batch" in html
    assert page.run("1 + 1").error is None  # other cells run
    batch_api.end()
    assert page.run("batch.wait()\nbatch").error is None
    assert page.value("batch.results()") == "['ONE', 'TWO']" or page.value("list(batch.results())") == ["ONE", "TWO"]


def test_at_the_end_of_its_own_cell_a_batch_is_not_shown_twice(page: Shell, batch_api: BatchAPI) -> None:
    ran = page.run("batch = claude.map(['one'], batch=True)\nbatch.wait()")
    assert len([o for o in ran.outputs if "1 row in 1 batch" in str(o)]) == 1
    later = page.run("batch")
    assert len([o for o in later.outputs if "1 row in 1 batch" in str(o)]) == 1


def test_stop_ends_the_waiting_and_not_the_batch(page: Shell, batch_api: BatchAPI) -> None:
    batch_api.polls = None
    ran = page.run("batch = claude.map(['one'], batch=True)\nprint('wait' + 'ing')\nbatch.wait()", stop_when="waiting")
    assert ran.error is not None
    assert ran.error[0] == "Interrupted"
    (name,) = batch_api.batches
    assert f"stopped waiting; the batch goes on, and is paid for: {name}" in ran.error[1]
    assert [r.method for r in batch_api.received if "cancel" in r.path] == []
    batch_api.end()
    assert page.run("assert list(batch.results()) == ['ONE']").error is None


def test_a_cell_may_be_answered_by_a_batch(page: Shell, batch_api: BatchAPI) -> None:
    ran = page.run("%%claude --batch -o batch\nhello there")
    assert ran.error is None
    assert page.run("batch.wait()\nassert list(batch.results()) == ['HELLO THERE']").error is None
    assert "HELLO THERE" in page.run("batch").data("text/html")[-1]
    again = page.run("%%claude --batch -o batch\nhello there")
    assert "HELLO THERE" in again.data("text/html")[0]
    assert batch_api.created == 1
    page.run("%%claude --batch --again -o batch\nhello there")
    assert batch_api.created == 2


def test_a_cell_asks_several_times_or_with_several_settings_in_one_batch(page: Shell, batch_api: BatchAPI) -> None:
    assert page.run("%%claude --batch --times 3 -o three\nhello").error is None
    assert page.run("assert list(three.results()) == ['HELLO'] * 3").error is None
    assert page.run("%%claude --batch --compare max-tokens=20,60 -o table\nhello").error is None
    ran = page.run(
        "found = table.results()\nassert list(found.max_tokens) == [20, 60]\nassert list(found.reply) == ['HELLO'] * 2"
    )
    assert ran.error is None, ran.error
    assert [len(made.requests) for made in batch_api.batches.values()] == [3, 2]


def test_an_ordinary_answer_is_not_taken_for_that_of_a_batch_cell(page: Shell, batch_api: BatchAPI) -> None:
    batch_api.answers(reply("from before"))
    assert page.run("%%claude\nhello").error is None
    assert page.run("%%claude --batch -o batch\nhello").error is None
    assert page.run("assert list(batch.results()) == ['HELLO']").error is None


@pytest.mark.parametrize("option", ["--new", "--events", "--raw", "--diff", "--as json", "--stream", "-c", "--step"])
def test_options_that_mean_nothing_in_a_batch_are_refused_by_name(
    option: str, page: Shell, batch_api: BatchAPI
) -> None:
    ran = page.run(f"%%claude --batch {option}\nhello")
    assert ran.error is not None
    assert ran.error[0] == "CellError"
    assert batch_api.received == []


def test_from_python_batch_returns_the_batch(batch_api: BatchAPI) -> None:
    handle = ClaudeHandle()
    assert handle("hello", batch=True, times=2).results() == ["HELLO", "HELLO"]
    with pytest.raises(CellError, match="runs no functions"):
        handle("hello", batch=True, tools=[handle.tool(_nothing, approve=False)])


def _nothing() -> str:
    """Return nothing."""
    return ""


HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\x1b[31m\u202eabc"


def test_hostile_ids_texts_and_errors_reach_no_page(page: Shell, batch_api: BatchAPI) -> None:
    batch_api.outcome = lambda params: errored("invalid_request_error", HOSTILE)
    ran = page.run(f"batch = claude.batch([{HOSTILE!r}])\nreplies = batch.results()\nreplies")
    assert ran.error is None
    for html in ran.data("text/html"):
        assert "<script>" not in html
        assert "<img" not in html
    for shown in (*ran.data("text/html"), *ran.data("text/plain"), ran.stdout):
        assert "\x1b" not in shown
        assert "\u202e" not in shown


def test_hostile_fields_of_a_batch_are_shown_as_text(batch_api: BatchAPI) -> None:
    facts = BatchFacts(rows=1, parts=[(HOSTILE, HOSTILE, {"processing": 1}, HOSTILE)], note=HOSTILE)
    html = batch_bundle(facts)["text/html"]
    assert "<script>" not in html
    assert "<img" not in html


def test_the_time_left_is_told_in_hours_and_minutes() -> None:
    now = datetime(2026, 11, 28, 12, tzinfo=timezone.utc)
    ends: Callable[[float], str] = lambda minutes: (now + timedelta(minutes=minutes)).isoformat()  # noqa: E731
    assert time_left(ends(23 * 60 + 5), now) == "23 h 5 min"
    assert time_left(ends(7), now) == "7 min"
    assert time_left(ends(-7), now) == "ends now"
    assert time_left("2026-11-28T12:30:00Z", now) == "30 min"
    assert time_left("soon", now) == ""


def test_the_price_of_a_batch_that_runs_is_a_bound_and_not_zero(batch_api: BatchAPI) -> None:
    batch_api.polls = None
    batch = ClaudeHandle().batch(["one", "two"], max_tokens=1_000)
    assert "2 rows in 1 batch · at most $0.02" in repr(batch)
    assert "at half the price, known when it ends" in repr(batch)
    attached = ClaudeHandle().batch(["one"], max_tokens=1_000)  # of another kernel
    assert "1 row in 1 batch · with 1 request of other tables · at most $0.02" in repr(attached)
    batch_api.end()
    batch.wait()
    assert "2 rows in 1 batch · $0.0001 in all, at half the price" in repr(batch)


def test_replies_of_unknown_price_are_counted_beside_the_sum(batch_api: BatchAPI) -> None:
    batch_api.polls = 0

    def outcome(params: Any) -> dict[str, Any]:
        return succeeded("ok", **({"usage": None} if last_text(params) == "two" else {}))

    batch_api.outcome = outcome
    batch = ClaudeHandle().batch(["one", "two"]).wait()
    assert "$0.0001 + 1 of unknown price in all, at half the price" in repr(batch)
    assert "2 of 2 answered · $0.0001 + 1 of unknown price · " in batch.results().summary


def test_what_shows_a_request_says_that_a_batch_sends_it(page: Shell, batch_api: BatchAPI) -> None:
    for action in ("--show python", "--preview"):
        ran = page.run(f"%%claude --batch {action}\nhello")
        assert "--batch sends this within POST /v1/messages/batches, not streamed and at half the price." in ran.text
    assert [each.path for each in batch_api.received if each.path == PATH] == []


def test_a_price_that_is_unknown_is_not_shown_as_zero(batch_api: BatchAPI) -> None:
    batch_api.polls = None
    batch = ClaudeHandle().batch(["one"], model="nobody-knows-it")
    assert "1 row in 1 batch · at half the price, known when it ends" in repr(batch)
    batch_api.end()


def test_the_state_is_a_table_of_batches_with_their_counts() -> None:
    counts = {"processing": 0, "succeeded": 90, "errored": 5, "canceled": 3, "expired": 2}
    facts = BatchFacts(
        rows=120, known=20, failed_before=3, parts=[("msgbatch_1", "ended", counts, "")], usd=0.5, done=True
    )
    text = batch_bundle(facts)["text/plain"]
    assert text.splitlines()[0] == (
        "120 rows in 1 batch · 20 known without one · $0.5000 in all, at half the price · "
        "3 failed before: resume=True sends them again"
    )
    assert text.splitlines()[2].split()[-5:] == ["0", "90", "5", "3", "2"]


def test_a_page_without_batches_in_a_recording_says_so(batch_api: BatchAPI) -> None:
    handle = ClaudeHandle()
    handle.settings.replay = "only"
    with pytest.raises(Exception, match="nothing is sent while only recorded answers are given"):
        len(handle.batches)


def test_json_of_results_with_odd_keys_and_values_is_kept_in_the_journal(batch_api: BatchAPI) -> None:
    odd = {"__proto__": {"x": 1}, "constructor": [None, "</script>"], "usage": {"input_tokens": 1, "output_tokens": 1}}
    batch_api.outcome = lambda params: succeeded("fine", **odd)
    handle = ClaudeHandle()
    assert handle.batch(["x"]).results() == ["FINE".lower()]
    exchange = handle.journal.exchange(handle.journal.last()[0]["id"])
    assert json.loads(json.dumps(exchange.message.body))["constructor"] == [None, "</script>"]


def test_a_line_of_the_results_that_is_no_json_costs_only_its_own_row(batch_api: BatchAPI) -> None:
    batch_api.polls = None
    batch = ClaudeHandle().map(["one", "two", "three"], batch=True)
    batch_api.end()
    (made,) = batch_api.batches.values()
    made.garbled = {1}
    one, two, three = batch.results()
    assert (one, three) == ("ONE", "THREE")
    assert isinstance(two, BatchExpired)
    assert "1 line of them could not be read" in str(two)


def test_a_batch_is_deleted_after_approval_only(page: Shell, batch_api: BatchAPI) -> None:
    page.run("batch = claude.map(['one'], batch=True)\n_ = batch.wait()", asks=True)
    (name,) = batch_api.batches
    asked = page.run("batch.delete()", asks=True)
    assert asked.error is None, asked.error
    assert f"/v1/messages/batches/{name}" in str(asked.outputs)
    assert batch_api.deleted == []
    assert page.run("%claude --refuse", asks=True).error is None
    assert batch_api.deleted == []
    page.run("batch.delete()", asks=True)
    assert page.run("%claude --approve", asks=True).error is None
    assert batch_api.deleted == [name]
    assert page.run("assert list(claude.map(['one'], batch=True).results()) == ['ONE']").error is None


def test_where_nobody_can_be_asked_a_batch_is_deleted_by_yes_only(page: Shell, batch_api: BatchAPI) -> None:
    page.run("batch = claude.map(['one'], batch=True)\n_ = batch.wait()")
    (name,) = batch_api.batches
    refused = page.run("batch.delete()")
    assert refused.error is not None
    assert "nobody can be asked" in refused.error[1]
    assert batch_api.deleted == []
    assert page.run("batch.delete(yes=True)").error is None
    assert batch_api.deleted == [name]


def test_a_batch_that_goes_on_is_not_deleted(batch_api: BatchAPI) -> None:
    batch_api.polls = None
    batch = ClaudeHandle().map(["one"], batch=True)
    with pytest.raises(CellError, match="goes on cannot be deleted"):
        batch.delete(yes=True)
    assert batch_api.deleted == []


def test_attaching_needs_no_approval_of_a_price(batch_api: BatchAPI) -> None:
    batch_api.polls = None
    handle = ClaudeHandle()
    handle.map(["one", "two"], batch=True)
    handle.settings.confirm_above_usd = 0.0
    again = handle.map(["one", "two"], batch=True)
    with pytest.raises(CellError, match="needs your approval"):
        handle.map(["one", "three"], batch=True)
    batch_api.end()
    assert again.results() == ["ONE", "TWO"]
    assert batch_api.created == 1
