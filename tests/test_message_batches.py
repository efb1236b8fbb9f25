"""`claude.map(..., batch=True)`: rows answered by message batches, none of them paid twice."""

from __future__ import annotations

import json
import re
from typing import Any

import pandas
import pytest

from claude_magic.batch.message_batches import creation, part
from claude_magic.errors import (
    APIError,
    BatchCanceled,
    BatchExpired,
    CellError,
    ExchangeError,
    NotRecorded,
    OverBudget,
    SettingsError,
    StreamError,
)
from claude_magic.magics.claude import ClaudeHandle
from tests.batch_api import BatchAPI, custom_ids, echo, errored, last_text, succeeded
from tests.server import failure, whole

TEXTS = ["one", "two", "three"]


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(creation, "LOOKS", (0.0, 0.01))
    monkeypatch.setattr(creation, "backoff", lambda failed: 0.01)
    monkeypatch.setattr(part, "backoff", lambda failed: 0.01)


def test_rows_are_answered_by_one_batch_in_the_order_of_the_rows(batch_api: BatchAPI) -> None:
    batch = ClaudeHandle().map(TEXTS, "Say {{prompt}}", batch=True, max_tokens=20)
    assert batch.results() == ["SAY ONE", "SAY TWO", "SAY THREE"]
    (made,) = batch_api.batches.values()
    assert [each["params"]["messages"][0]["content"] for each in made.requests] == ["Say one", "Say two", "Say three"]
    assert {each["params"]["max_tokens"] for each in made.requests} == {20}
    assert batch.ids == [made.id]
    assert (batch.counts.succeeded, batch.counts.total, batch.done) == (3, 3, True)


def test_the_table_is_that_of_map_at_half_the_price(batch_api: BatchAPI) -> None:
    frame = pandas.DataFrame({"word": TEXTS, "expected": ["ONE", "no", "THREE"]}, index=[7, 3, 9])
    batch = ClaudeHandle().map(frame, "{{word}}", grade="exact", batch=True, model="claude-haiku-4-5")
    made = batch.results()
    assert list(made.index) == [7, 3, 9]
    facts = ["stop_reason", "input_tokens", "output_tokens", "usd", "seconds"]
    assert list(made.columns) == ["word", "expected", "reply", "error", *facts, "grade"]
    assert list(made.grade) == [True, False, True]
    assert made.usd[7] == pytest.approx((10 * 1 + 5 * 5) / 2 / 1e6)


def test_custom_ids_are_unique_and_of_the_form_the_api_wants_whatever_the_rows_hold(batch_api: BatchAPI) -> None:
    rows = ["a b", "ä", "x" * 100, "same", "same", '"}],"', "\u2028\ud83d", "0"]
    assert ClaudeHandle().map(rows, batch=True).results()[3:5] == ["SAME", "SAME"]
    (made,) = batch_api.batches.values()
    names = list(custom_ids(made))
    assert len(set(names)) == len(rows)
    assert all(re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", name) for name in names)
    assert [name.partition("-")[0] for name in names] == [str(n) for n in range(len(rows))]


def test_results_are_matched_by_custom_id_in_whatever_order_they_come(batch_api: BatchAPI) -> None:
    texts = [f"row {n}" for n in range(40)]
    assert batch_api.reverse
    assert ClaudeHandle().map(texts, batch=True).results() == [text.upper() for text in texts]


def test_running_it_again_in_another_kernel_attaches_to_the_batch_that_runs(batch_api: BatchAPI) -> None:
    batch_api.polls = None
    first = ClaudeHandle().map(TEXTS, batch=True)
    second = ClaudeHandle().map(TEXTS, batch=True)
    assert first.ids == second.ids
    batch_api.end()
    assert second.results() == first.results() == ["ONE", "TWO", "THREE"]
    assert batch_api.created == 1


def test_running_it_again_after_the_end_reads_the_results_from_the_journal(batch_api: BatchAPI) -> None:
    handle = ClaudeHandle()
    handle.map(TEXTS, batch=True).results()
    asked = len(batch_api.received)
    again = ClaudeHandle()
    replies = again.map(TEXTS, batch=True).results()
    assert replies == ["ONE", "TWO", "THREE"]
    assert len(batch_api.received) == asked
    assert "3 of them before · $0.0000" in replies.summary
    assert again.map(TEXTS) == replies  # an ordinary map takes them too


def test_only_rows_that_are_new_are_sent_in_another_batch(batch_api: BatchAPI) -> None:
    ClaudeHandle().map(TEXTS, batch=True).results()
    assert ClaudeHandle().map(["four", *TEXTS], batch=True).results() == ["FOUR", "ONE", "TWO", "THREE"]
    assert [len(made.requests) for made in batch_api.batches.values()] == [3, 1]


def test_equal_rows_are_sent_as_often_as_they_stand_there(batch_api: BatchAPI) -> None:
    ClaudeHandle().map(["same"] * 3, batch=True).results()
    assert ClaudeHandle().map(["same"] * 4, batch=True).results() == ["SAME"] * 4
    assert [len(made.requests) for made in batch_api.batches.values()] == [3, 1]


def test_what_an_ordinary_map_answered_is_in_no_batch(batch_api: BatchAPI) -> None:
    batch_api.answers(whole("from before"))
    ClaudeHandle().map(["one"])
    assert ClaudeHandle().map(["one"], batch=True).results() == ["from before"]
    assert batch_api.created == 0


def outcome_by_text(params: Any) -> dict[str, Any]:
    text = last_text(params)
    if text == "errors":
        return errored("invalid_request_error", "max_tokens: must be at least 1")
    return {"type": text} if text in ("canceled", "expired") else echo(params)


def test_each_kind_of_failure_is_told_apart_in_the_words_of_the_api(batch_api: BatchAPI) -> None:
    batch_api.outcome = outcome_by_text
    batch = ClaudeHandle().map(["fine", "errors", "canceled", "expired"], batch=True)
    fine, error, canceled, expired = batch.results()
    assert fine == "FINE"
    assert isinstance(error, APIError)
    assert (error.type, error.status, error.request_id) == ("invalid_request_error", 400, "req_011Row")
    assert "max_tokens: must be at least 1" in str(error)
    assert isinstance(canceled, BatchCanceled)
    assert isinstance(expired, BatchExpired)
    assert (batch.counts.succeeded, batch.counts.errored) == (1, 1)
    assert "1 of 4 answered · 1 × APIError · 1 × BatchCanceled · 1 × BatchExpired" in batch.results().summary
    assert batch.usd == pytest.approx(succeeded_usd())


def succeeded_usd() -> float:
    return (10 * 4 + 5 * 20) / 2 / 1e6  # of claude-opus-5-5


def test_rows_that_failed_are_sent_again_only_if_asked_to(batch_api: BatchAPI) -> None:
    batch_api.outcome = outcome_by_text
    rows = ["fine", "errors", "canceled", "expired"]
    ClaudeHandle().map(rows, batch=True).results()
    again = ClaudeHandle().map(rows, batch=True)
    assert [type(each).__name__ for each in again.results()] == ["str", "APIError", "BatchCanceled", "BatchExpired"]
    assert batch_api.created == 1
    assert "3 failed before: resume=True sends them again" in repr(again)
    batch_api.outcome = echo
    assert ClaudeHandle().map(rows, batch=True, resume=True).results() == ["FINE", "ERRORS", "CANCELED", "EXPIRED"]
    assert [len(made.requests) for made in batch_api.batches.values()] == [4, 3]
    ClaudeHandle().map(rows, batch=True, resume=False).results()
    assert [len(made.requests) for made in batch_api.batches.values()] == [4, 3, 4]


def test_rows_are_split_by_the_limits_of_the_api(batch_api: BatchAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    from claude_magic.batch.message_batches import start as start_module
    from claude_magic.batch.message_batches.plan import plan

    def small(*args: Any) -> Any:
        return plan(*args, most_requests=4, most_bytes=700)

    monkeypatch.setattr(start_module, "plan", small)
    batch_api.most_requests, batch_api.most_bytes = 4, 700
    texts = [f"row {n} {'x' * (200 if n == 5 else 0)}" for n in range(11)]
    batch = ClaudeHandle().map(texts, batch=True)
    assert batch.results() == [text.upper() for text in texts]
    sizes = [len(r.body) for r in batch_api.received if r.method == "POST"]
    assert max(sizes) <= 700
    assert max(len(made.requests) for made in batch_api.batches.values()) <= 4
    assert len(batch.ids) == len(batch_api.batches) >= 3


def test_a_lost_answer_to_the_creation_is_found_by_listing(batch_api: BatchAPI) -> None:
    batch_api.lose_creations = 1
    batch = ClaudeHandle().map(TEXTS, batch=True)
    assert batch.results() == ["ONE", "TWO", "THREE"]
    assert (batch_api.created, batch.ids) == (1, list(batch_api.batches))


def test_a_creation_whose_answer_is_lost_and_that_is_not_listed_is_looked_for_again(batch_api: BatchAPI) -> None:
    batch_api.creations = [failure(500, "api_error", "oops")]
    with pytest.raises(APIError, match=r"whether the batch was made is not known.*it is looked for first"):
        ClaudeHandle().map(TEXTS, batch=True)
    assert ClaudeHandle().map(TEXTS, batch=True).results() == ["ONE", "TWO", "THREE"]
    assert (batch_api.created, len(batch_api.batches)) == (2, 1)
    methods = [(r.method, r.path.partition("?")[0].count("/")) for r in batch_api.received]
    assert methods.index(("GET", 3)) < len(methods)


def test_another_batch_of_the_same_size_is_not_taken_for_a_lost_one(batch_api: BatchAPI) -> None:
    """The custom ids of its results tell."""
    handle = ClaudeHandle()
    handle.settings.journal = "elsewhere.db"
    handle.map(["x", "y", "z"], batch=True).results()  # made by somebody else, as far as the other journal knows
    batch_api.creations = [failure(500, "api_error", "oops")]
    with pytest.raises(APIError, match="not listed"):
        ClaudeHandle().map(TEXTS, batch=True)
    assert ClaudeHandle().map(TEXTS, batch=True).results() == ["ONE", "TWO", "THREE"]
    assert len(batch_api.batches) == 2


def test_another_batch_that_still_runs_is_found_out_by_its_results(batch_api: BatchAPI) -> None:
    batch_api.polls = None
    handle = ClaudeHandle()
    handle.settings.journal = "elsewhere.db"
    handle.map(["x", "y", "z"], batch=True)
    batch_api.creations = [failure(500, "api_error", "oops")]
    mistaken = ClaudeHandle().map(TEXTS, batch=True)
    batch_api.end()
    with pytest.raises(ExchangeError, match="is not the batch of these rows"):
        mistaken.wait()
    batch_api.polls = 0
    assert ClaudeHandle().map(TEXTS, batch=True).results() == ["ONE", "TWO", "THREE"]
    assert len(batch_api.batches) == 2


@pytest.mark.parametrize("status", [400, 401, 403, 413])
def test_a_refused_batch_leaves_nothing_behind(status: int, batch_api: BatchAPI) -> None:
    batch_api.creations = [failure(status, "invalid_request_error", "human review is turned off here")]
    with pytest.raises(APIError, match="human review is turned off here"):
        ClaudeHandle().map(TEXTS, batch=True)
    assert [r.method for r in batch_api.received] == ["POST"]
    assert ClaudeHandle().map(TEXTS, batch=True).results() == ["ONE", "TWO", "THREE"]


def test_a_busy_api_is_asked_again(batch_api: BatchAPI) -> None:
    batch_api.creations = [failure(429, "rate_limit_error", "slow"), failure(529, "overloaded_error", "busy")]
    assert ClaudeHandle().map(TEXTS, batch=True).results() == ["ONE", "TWO", "THREE"]
    assert (batch_api.created, len(batch_api.batches)) == (3, 1)


def test_errors_in_the_middle_of_polling_are_waited_out(batch_api: BatchAPI) -> None:
    batch_api.polls = 2
    batch_api.faults = [failure(500, "api_error", "oops"), failure(529, "overloaded_error", "busy")]
    assert ClaudeHandle().map(TEXTS, batch=True).results() == ["ONE", "TWO", "THREE"]
    assert batch_api.created == 1


def test_a_batch_that_can_no_longer_be_looked_at_says_why(batch_api: BatchAPI) -> None:
    batch_api.faults = [failure(404, "not_found_error", "Message batch not found")]
    batch = ClaudeHandle().map(TEXTS, batch=True)
    with pytest.raises(APIError, match="Message batch not found"):
        batch.wait()
    assert "Message batch not found" in repr(batch)
    assert all(isinstance(each.reply, ExchangeError) for each in batch)


@pytest.mark.parametrize("cuts", [[2], [-2], [0, 1, 2]])
def test_results_that_break_off_are_read_on_and_nothing_is_counted_twice(cuts: list[int], batch_api: BatchAPI) -> None:
    batch_api.cuts = list(cuts)
    handle = ClaudeHandle()
    batch = handle.map(TEXTS, batch=True)
    assert batch.results() == ["ONE", "TWO", "THREE"]
    assert batch.usd == pytest.approx(3 * succeeded_usd())
    assert (handle.usage.total.exchanges, handle.usage.total.usd) == (3, pytest.approx(3 * succeeded_usd()))
    assert len(handle.journal.last()) == 3


def test_results_that_break_off_again_and_again_are_kept_as_far_as_they_came(batch_api: BatchAPI) -> None:
    batch_api.cuts = [1] * (2 * part._TRIES)
    batch = ClaudeHandle().map(TEXTS, batch=True)
    replies = batch.results()  # it is looked at again, until they are whole
    assert replies == ["ONE", "TWO", "THREE"]
    assert batch_api.created == 1


def test_results_that_are_no_longer_kept_are_an_error_of_each_row(batch_api: BatchAPI) -> None:
    batch_api.polls = None
    batch = ClaudeHandle().map(TEXTS, batch=True)
    (made,) = batch_api.batches.values()
    batch_api.end()
    made.archived = made.created
    replies = ClaudeHandle().map(TEXTS, batch=True).results()
    assert all(isinstance(each, BatchExpired) and "no longer kept" in str(each) for each in replies)
    assert [str(each) for each in batch.results()] == [str(each) for each in replies]
    assert ClaudeHandle().map(TEXTS, batch=True).results()[0].args == replies[0].args
    assert batch_api.created == 1


def test_a_row_without_a_result_is_an_error_beside_the_others(batch_api: BatchAPI) -> None:
    batch_api.polls = None
    batch = ClaudeHandle().map(TEXTS, batch=True)
    batch_api.end()
    (made,) = batch_api.batches.values()
    del made.results[1]
    first, lost, third = batch.results()
    assert (first, third) == ("ONE", "THREE")
    assert isinstance(lost, BatchExpired)
    assert "no result for it" in str(lost)


def test_canceling_keeps_what_was_answered_and_costs_nothing_else(batch_api: BatchAPI) -> None:
    batch_api.polls = 1000
    batch = ClaudeHandle().map(TEXTS, batch=True)
    batch.cancel()
    replies = batch.results()
    assert all(isinstance(each, BatchCanceled) for each in replies)
    assert (batch.usd, batch.counts.canceled) == (0.0, 3)


def test_a_row_that_cannot_be_sent_is_an_error_beside_the_others(batch_api: BatchAPI) -> None:
    rows = [{"q": "one"}, {"q": None}, {"q": "sk-ant-" + "api03-" + "a1B2" * 20}, {"q": " "}]
    replies = ClaudeHandle().map(rows, "{{q}}", batch=True).results()
    assert replies[0] == "ONE"
    assert all(isinstance(each, CellError) for each in replies[1:])
    (made,) = batch_api.batches.values()
    assert len(made.requests) == 1


def test_no_rows_make_no_batch(batch_api: BatchAPI) -> None:
    batch = ClaudeHandle().map([], batch=True)
    assert (batch.results(), batch.ids, batch_api.received) == ([], [], [])


def test_a_rubric_grades_in_a_second_batch(batch_api: BatchAPI) -> None:
    def outcome(params: Any) -> dict[str, Any]:
        text = last_text(params)
        return succeeded("fail\nno" if "TWO" in text else "pass\nyes") if "<rubric>" in text else echo(params)

    batch_api.outcome = outcome
    handle = ClaudeHandle()
    batch = handle.map(TEXTS, grade=handle.rubric("Is it polite?", model="claude-haiku-4-5"), batch=True)
    replies = batch.results()
    assert (replies.grades, replies.pass_rate) == ([True, False, True], pytest.approx(2 / 3))
    assert [len(made.requests) for made in batch_api.batches.values()] == [3, 3]
    again = ClaudeHandle()
    assert (
        again.map(TEXTS, grade=again.rubric("Is it polite?", model="claude-haiku-4-5"), batch=True).results() == replies
    )
    assert batch_api.created == 2


def test_half_the_highest_price_is_reserved_and_given_back(batch_api: BatchAPI) -> None:
    handle = ClaudeHandle()
    full = handle.map(TEXTS, dry_run=True, max_tokens=1000)
    half = handle.map(TEXTS, dry_run=True, max_tokens=1000, batch=True)
    assert half.usd == pytest.approx(full.usd / 2)
    handle.settings.budget_usd = half.usd * 0.99
    with pytest.raises(OverBudget):
        handle.map(TEXTS, batch=True, max_tokens=1000)
    assert batch_api.received == []
    handle.settings.budget_usd = half.usd * 1.01
    batch_api.polls = None
    batch = handle.map(TEXTS, batch=True, max_tokens=1000)
    with pytest.raises(OverBudget):
        handle.map(["another"], batch=True, max_tokens=1000)
    batch_api.end()
    batch.results()
    assert handle.session.ledger.budget.spent == pytest.approx(3 * succeeded_usd())
    assert handle.session.ledger.budget.remaining(1.0) == pytest.approx(1.0 - 3 * succeeded_usd())


def test_the_budget_of_a_day_counts_batches_of_all_kernels(batch_api: BatchAPI) -> None:
    batch_api.polls = None
    one, other = ClaudeHandle(), ClaudeHandle()
    usd = one.map(TEXTS, dry_run=True, max_tokens=1000, batch=True).usd
    one.settings.budget_usd_per_day = other.settings.budget_usd_per_day = usd * 1.01
    batch = one.map(TEXTS, batch=True, max_tokens=1000)
    with pytest.raises(OverBudget, match="today"):
        other.map(["a", "b"], batch=True, max_tokens=1000)
    batch_api.end()
    batch.results()
    batch_api.polls = 0
    assert other.map(["a"], batch=True, max_tokens=1000).results() == ["A"]


def test_what_a_batch_cost_is_in_the_journal_once(batch_api: BatchAPI) -> None:
    handle = ClaudeHandle()
    handle.map(TEXTS, batch=True).results()
    for _ in range(2):
        other = ClaudeHandle()
        other.map(TEXTS, batch=True).results()
        assert other.usage.total.exchanges == 0
    (spent,) = json.loads(handle.journal.spend().to_json(orient="records"))
    assert (spent["exchanges"], spent["usd"]) == (3, pytest.approx(3 * succeeded_usd()))
    found = handle.journal.search("three")
    assert [row["prompt"] for row in found] == ["three"]
    exchange = handle.journal.exchange(found[0]["id"])
    assert (exchange.text, exchange.request.endpoint) == ("THREE", "/v1/messages")


@pytest.mark.parametrize(
    ("settings", "options", "error", "said"),
    [
        ({"journal": ""}, {}, SettingsError, "a batch needs the journal"),
        ({"provider": "local"}, {}, CellError, "the local model has no batches"),
        ({"conversation": "main"}, {}, CellError, "outside of any conversation"),
        ({}, {"concurrency": 3}, CellError, "no meaning in a batch"),
        ({}, {"executor": object()}, CellError, "no meaning in a batch"),
        ({}, {"stream": True}, CellError, "a batch is not streamed"),
        ({}, {"times": 3}, CellError, "'times' is an option of"),
    ],
)
def test_what_makes_no_sense_in_a_batch_is_refused(
    settings: dict[str, Any], options: dict[str, Any], error: type[Exception], said: str, batch_api: BatchAPI
) -> None:
    handle = ClaudeHandle()
    for name, value in settings.items():
        setattr(handle.settings, name, value)
    with pytest.raises(error, match=said):
        handle.map(TEXTS, batch=True, **options)
    assert batch_api.received == []


def test_recorded_answers_are_given_without_a_batch(batch_api: BatchAPI, tmp_path: Any) -> None:
    handle = ClaudeHandle()
    handle.record("rows.recording.txt")
    handle.map(TEXTS, batch=True).results()
    handle.record(None)
    asked = len(batch_api.received)
    other = ClaudeHandle()
    other.settings.journal = "empty.db"
    other.replay("rows.recording.txt")
    batch = other.map([*TEXTS, "new"], batch=True)
    *recorded, missing = batch.results()
    assert (recorded, batch.ids) == (["ONE", "TWO", "THREE"], [])
    assert isinstance(missing, NotRecorded)
    assert len(batch_api.received) == asked


def test_a_reply_that_is_odd_is_kept_or_is_an_error_of_its_row(batch_api: BatchAPI) -> None:
    odd: dict[str, dict[str, Any]] = {
        "surrogate": succeeded("half \ud83d pair"),
        "lines": succeeded("a\u2028b\u0085c"),
        "no message": {"type": "succeeded"},
        "kind": {"type": "forgotten"},
        "cut": succeeded("cut", stop_reason="max_tokens"),
    }
    batch_api.outcome = lambda params: odd[last_text(params)]
    surrogate, lines, no_message, kind, cut = ClaudeHandle().map(list(odd), batch=True).results()
    assert (surrogate, lines, cut) == ("half \ufffd pair", "a\u2028b\u0085c", "cut")
    assert isinstance(no_message, StreamError)
    assert "a result of a kind that is not known: 'forgotten'" in str(kind)


def test_a_key_that_a_result_repeats_is_redacted(batch_api: BatchAPI) -> None:
    key = "test-key-8d1f6a0e2b"
    batch_api.outcome = lambda params: succeeded(f"your key is {key}")
    (reply,) = ClaudeHandle().map(["x"], batch=True).results()
    assert key not in reply
