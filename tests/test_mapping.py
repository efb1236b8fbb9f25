"""`claude.map`: a table of questions, each asked once, many at a time."""

from __future__ import annotations

import pickle
import re
import threading
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from typing import Any

import numpy
import pandas
import pytest

from claude_magic.batch.grading import Rubric, grader, is_pass
from claude_magic.batch.rows import rows_of
from claude_magic.errors import APIError, CellError, ConnectionFailed, Interrupted, OverBudget, SettingsError, TimedOut
from claude_magic.magics.claude import ClaudeHandle
from claude_magic.settings import Claude
from tests.notebook_shell import Shell
from tests.server import Answer, Server, failure, silence, whole


@pytest.fixture
def notebook(endpoint: Server) -> ClaudeHandle:
    """A handle of its own, outside of any shell."""
    return ClaudeHandle()


class Echo(Server):
    """Answers each question with itself, upper case, after `latency` seconds."""

    latency = 0.0
    most_at_once = 0
    _now = 0

    def _answer(self, connection: Any, answer: Answer) -> bool:
        with self._lock:
            self._now += 1
            self.most_at_once = max(self.most_at_once, self._now)
        time.sleep(self.latency)
        with self._lock:
            self._now -= 1
        return super()._answer(connection, answer)

    def _read(self, stream: Any, number: int) -> Any:
        received = super()._read(stream, number)
        if received is not None:
            text = received.json["messages"][-1]["content"]
            with self._lock:
                self.script.insert(0, self.answer(text))
                self.script.append(self.answer("never"))
        return received

    def answer(self, text: str) -> Answer:
        if "refuse" in text:
            return failure(400, "invalid_request_error", f"no {text}")
        return whole(text.upper())


@pytest.fixture
def echo(monkeypatch: pytest.MonkeyPatch) -> Any:
    made = Echo()
    made.answers(whole("never"))
    monkeypatch.setenv("ANTHROPIC_BASE_URL", made.url)
    monkeypatch.setenv("ANTHROPIC_API_KEY", "test-key-8d1f6a0e2b")
    yield made
    made.close()


def test_replies_come_in_the_order_of_the_questions(echo: Echo) -> None:
    echo.latency = 0.01
    texts = [f"question {n}" for n in range(40)]
    assert ClaudeHandle().map(texts, concurrency=1) == [text.upper() for text in texts]
    many = ClaudeHandle().map(texts, concurrency=16, resume=False)
    assert len(many) == 40


def test_no_more_are_under_way_than_said(echo: Echo) -> None:
    echo.latency = 0.03
    ClaudeHandle().map([f"q {n}" for n in range(30)], concurrency=4)
    assert 2 <= echo.most_at_once <= 4


def test_what_one_request_is_told_to_wait_the_others_wait_too(echo: Echo) -> None:
    texts = [f"question {n}" for n in range(30)]
    limited = [failure(429, "rate_limit_error", "slow down", ("retry-after", "1"))]
    answer = echo.answer
    echo.answer = lambda text: limited.pop() if text == texts[0] and limited else answer(text)  # type: ignore[method-assign]
    made = ClaudeHandle().map(texts, concurrency=2)
    assert all(isinstance(each, str) for each in made)
    order = [received.json["messages"][0]["content"] for received in echo.received]
    assert order.index(texts[0], 1) < 15  # left alone, the other thread would have asked all 29 by then


def test_a_template_is_filled_from_the_columns(echo: Echo) -> None:
    rows = [{"city": "Lisbon", "n": 1}, {"city": "Oslo", "n": 2}]
    assert ClaudeHandle().map(rows, "{{n}}. {{city}}: {x}", concurrency=1) == ["1. LISBON: {X}", "2. OSLO: {X}"]
    assert ClaudeHandle().map(["a"], "say {{prompt}}") == ["SAY A"]


def test_a_frame_comes_back_with_the_replies_as_a_column(echo: Echo, capsys: pytest.CaptureFixture[str]) -> None:
    frame = pandas.DataFrame({"word": ["one", "refuse", "three"]}, index=[7, 3, 9])
    made = ClaudeHandle().map(frame, "{{word}}", concurrency=1)
    assert list(frame.columns) == ["word"]
    assert list(made.index) == [7, 3, 9]
    assert [made.reply[7], made.reply[9]] == ["ONE", "THREE"]
    assert (made.reply[3], made.error[3].startswith("APIError: "), list(made.error.isna())) == (
        None,
        True,
        [True, False, True],
    )
    facts = ["stop_reason", "input_tokens", "output_tokens", "usd", "seconds"]
    assert list(made.columns) == ["word", "reply", "error", *facts]
    assert "2 of 3 answered · 1 × APIError" in capsys.readouterr().out


def test_a_second_run_sends_only_what_is_missing_or_failed(echo: Echo) -> None:
    texts = ["one", "refuse this", "three"]
    first = ClaudeHandle().map(texts, concurrency=1)
    assert isinstance(first[1], APIError)
    assert len(echo.received) == 3
    second = ClaudeHandle().map([*texts, "four"], concurrency=1)
    assert [reply for reply in second if isinstance(reply, str)] == ["ONE", "THREE", "FOUR"]
    assert sorted(received.json["messages"][0]["content"] for received in echo.received[3:]) == ["four", "refuse this"]
    assert "2 of them before" in second.summary


def test_equal_questions_are_asked_as_often_as_they_stand_there(echo: Echo) -> None:
    assert ClaudeHandle().map(["same"] * 3, concurrency=1) == ["SAME"] * 3
    assert len(echo.received) == 3
    ClaudeHandle().map(["same"] * 4, concurrency=1)
    assert len(echo.received) == 4


def test_everything_is_asked_again_if_that_is_wanted(echo: Echo) -> None:
    for options in ({}, {"resume": False}, {"again": True}):
        ClaudeHandle().map(["one"], **options)
    assert len(echo.received) == 3


@pytest.mark.parametrize(
    ("rows", "template", "said"),
    [
        ("text", None, "takes a list of texts or dicts, or a DataFrame, not str"),
        (7, None, "not int"),
        ([1, 2], None, "row 0 is neither a text nor a dict"),
        ([{"a": 1, "b": 2}], None, "which column is to be sent? There are a, b"),
        ([{"a": 1}], "{{b}}", "no column 'b'. There are a"),
    ],
)
def test_a_table_that_does_not_fit_is_refused_before_anything_is_sent(
    echo: Echo, rows: Any, template: str | None, said: str
) -> None:
    with pytest.raises(CellError, match=said.replace("?", r"\?")):
        ClaudeHandle().map(rows, template)
    assert echo.received == []


def test_a_row_that_cannot_be_asked_is_an_error_beside_the_others(echo: Echo) -> None:
    rows = [{"a": "fine"}, {"a": "sk-ant-api03-" + "aK3m9Q" * 7}, {"a": "  "}]
    made = ClaudeHandle().map(rows, "{{a}}", concurrency=1)
    assert made[0] == "FINE"
    assert [type(each) for each in made[1:]] == [CellError, CellError]
    assert len(echo.received) == 1


def frame_of(**columns: list[Any]) -> pandas.DataFrame:
    return pandas.DataFrame({name.replace("_", " "): values for name, values in columns.items()})


@pytest.mark.parametrize("template", ["say {{city name}}", "say {{ city name }}"])
def test_a_column_is_named_as_it_is_called(echo: Echo, template: str) -> None:
    assert ClaudeHandle().map(frame_of(city_name=["Oslo"]), template).reply[0] == "SAY OSLO"


def test_columns_that_no_variable_could_be_called_are_named_too(echo: Echo) -> None:
    frame = pandas.DataFrame([["a", "b", "c", "{{class}}"]], columns=[1, "class", "n°", "_class"])
    made = ClaudeHandle().map(frame, "{{1}} {{class}} {{n°}} {{_class}} {{other thing}} \\mathbf{{n°}} \\{{class}}")
    assert made.reply[0] == "A B C {{CLASS}} {{OTHER THING}} \\MATHBF{{N°}} {{CLASS}}"


def test_a_row_that_holds_nothing_where_it_is_asked_is_not_sent(echo: Echo) -> None:
    nothing = [None, float("nan"), pandas.NaT, pandas.NA]
    made = ClaudeHandle().map(pandas.DataFrame({"a": ["one", *nothing], "b": [None] * 5}, dtype=object), "{{a}}")
    assert made.reply[0] == "ONE"
    assert list(made.error[1:]) == ["CellError: the row has nothing in the column 'a'."] * 4
    assert len(echo.received) == 1


def test_rows_of_several_forms_are_one_table(echo: Echo) -> None:
    made = ClaudeHandle().map([{"a": "x"}, {"a": "y", "b": "z"}, {}], "{{a}}{{b}}")
    assert [str(each) for each in made] == [
        "the row has nothing in the column 'b'.",
        "YZ",
        "the row has nothing in the column 'a'.",
    ]
    with pytest.raises(CellError, match=r"which column is to be sent\? There are a, b"):
        ClaudeHandle().map([{"a": "x"}, {"a": "y", "b": "z"}])


def test_a_name_that_two_columns_have_is_refused(echo: Echo) -> None:
    frame = pandas.DataFrame([["one", "two", "three"]], columns=["a", "a", "b"])
    for template in ("{{a}}", None):
        with pytest.raises(CellError, match=r"which column|2 columns are called"):
            ClaudeHandle().map(frame, template)
    with pytest.raises(CellError, match="2 columns are called 'a'"):
        ClaudeHandle().map(frame, "{{b}}", grade="exact", expected="a")
    assert echo.received == []
    assert ClaudeHandle().map(frame, "{{b}}").reply[0] == "THREE"


def test_the_column_prompt_is_sent_and_what_is_expected_is_not(echo: Echo) -> None:
    rows = [{"prompt": "one", "expected": "ONE", "note": "x"}]
    made = ClaudeHandle().map(rows, grade="exact")
    assert (made, made.grades) == (["ONE"], [True])
    assert ClaudeHandle().map([{"q": "two", "expected": "TWO"}], grade="exact").grades == [True]


@pytest.mark.parametrize("concurrency", [0, -1, "x", 1.5])
def test_how_many_at_once_is_a_whole_number(echo: Echo, concurrency: Any) -> None:
    with pytest.raises(CellError, match="concurrency is a whole number from 1 on"):
        ClaudeHandle().map(["one"], concurrency=concurrency)


def test_a_template_is_a_text(echo: Echo) -> None:
    template: Any = 5
    with pytest.raises(CellError, match="the template is no text, but int"):
        ClaudeHandle().map(["one"], template)


def test_an_index_of_any_kind_stays(echo: Echo) -> None:
    for index in ([1, 1], pandas.MultiIndex.from_tuples([(1, "a"), (1, "a")]), pandas.to_datetime(["2026-01-01"] * 2)):
        made = ClaudeHandle().map(pandas.DataFrame({"a": ["one", "two"]}, index=index), concurrency=1)
        assert list(made.reply) == ["ONE", "TWO"]
        assert made.index.equals(pandas.Index(index))


def test_a_frame_without_rows_has_all_columns(echo: Echo) -> None:
    made = ClaudeHandle().map(pandas.DataFrame({"a": []}), "say {{a}}", grade="exact")
    assert list(made.columns)[-2:] == ["seconds", "grade"]
    assert len(made) == 0


def test_no_rows_are_no_replies(echo: Echo) -> None:
    made = ClaudeHandle().map([])
    assert list(made) == []
    assert "0 of 0 answered" in repr(made)


def test_a_conversation_is_refused(echo: Echo) -> None:
    notebook = ClaudeHandle()
    with pytest.raises(CellError, match="outside of any conversation"):
        notebook.map(["one"], conversation="main")


def test_a_budget_holds_for_all_rows_together(echo: Echo) -> None:
    notebook = ClaudeHandle()
    notebook.settings.budget_usd = 0.05
    echo.latency = 0.1
    made = notebook.map([f"question {n}" for n in range(40)], max_tokens=400, concurrency=12)
    refused = [each for each in made if isinstance(each, OverBudget)]
    assert 0 < len(refused) < 40
    assert notebook.usage.total.usd <= 0.05


def test_what_is_shown_is_inert(echo: Echo) -> None:
    made = ClaudeHandle().map(["<script>alert(1)</script>"])
    html = made._repr_mimebundle_()["text/html"]
    assert "<script>" not in html.lower()
    assert "&lt;SCRIPT&gt;" in html


# Grades


def test_replies_are_compared_with_what_was_expected(echo: Echo) -> None:
    rows = [{"q": "one", "right": "ONE"}, {"q": "two", "right": "two"}]
    for grade, passes in (("exact", [True, False]), ("contains", [True, False]), ("regex", [True, False])):
        made = ClaudeHandle().map(rows, "{{q}}", grade=grade, expected="right", concurrency=1)
        assert made.grades == passes
        assert made.pass_rate == 0.5
    assert "50.0% passed (1 of 2)" in made.summary


def test_a_function_grades_by_the_reply_and_by_its_row(echo: Echo) -> None:
    rows = [{"q": "one", "n": 3}, {"q": "refuse", "n": 3}, {"q": "three", "n": 3}]
    made = ClaudeHandle().map(rows, "{{q}}", grade=lambda reply, row: len(reply) == row["n"], concurrency=1)
    assert made.grades == [True, None, False]
    made = ClaudeHandle().map(rows, "{{q}}", grade=len, concurrency=1)
    assert made.grades == [3, None, 5]
    made = ClaudeHandle().map(rows, "{{q}}", grade=lambda reply: 1 / 0, concurrency=1)
    assert isinstance(made.grades[0], ZeroDivisionError)
    assert made.pass_rate is None


def test_a_model_grades_by_a_rubric(echo: Echo) -> None:
    class Judge(Echo):
        def answer(self, text: str) -> Answer:
            return (
                whole("pass\nwell done" if "GOOD" in text else "Fail: no")
                if "<rubric>" in text
                else whole(text.upper())
            )

    echo.answer = lambda text: Judge.answer(echo, text)  # type: ignore[method-assign]
    notebook = ClaudeHandle()
    rubric = notebook.rubric("Is it good?", model="claude-haiku-5-5")
    made = notebook.map(["good", "bad"], grade=rubric, concurrency=1)
    assert made.grades == [True, False]
    assert [received.json["model"] for received in echo.received[2:]] == ["claude-haiku-5-5"] * 2


def test_a_verdict_that_is_none_is_no_grade() -> None:
    assert [Rubric.verdict(said) for said in ("PASS", "I would say: fail.", "perhaps", "")] == [True, False, None, None]


@pytest.mark.parametrize(("grade", "expected"), [(True, True), (0, False), (0.5, True), (0.2, False), (None, None)])
def test_what_counts_as_passed(grade: Any, expected: bool | None) -> None:
    assert is_pass(grade) == expected


def test_a_grade_that_cannot_be_given_loses_nothing(echo: Echo) -> None:
    rows = [
        {"a": "one", "expected": "("},
        {"a": "two"},
        {"a": "three", "expected": "T.*"},
        {"a": "x", "expected": None},
    ]
    made = ClaudeHandle().map(rows, "{{a}}", grade="regex", concurrency=1)
    assert made == ["ONE", "TWO", "THREE", "X"]
    assert isinstance(made.grades[0], re.error)
    assert made.grades[1:] == [None, True, None]
    assert made.pass_rate == 1.0


@pytest.mark.parametrize("grade", [pandas.NA, numpy.array([1, 2]), "x" * 3])
def test_a_function_may_give_any_grade(echo: Echo, grade: Any) -> None:
    made = ClaudeHandle().map(["one"], grade=lambda reply: grade)
    assert made.grades[0] is grade
    assert "1 of 1 answered" in made.summary


def test_a_function_is_given_the_row_if_it_asks_for_one(echo: Echo) -> None:
    def close(reply: str, tolerance: float = 0.1) -> bool:
        return tolerance == 0.1

    def by_name(reply: str, row: Any = None) -> bool:
        return bool(row["prompt"] == "one")

    for grade in (close, by_name, lambda reply, row: row["prompt"] == "one", lambda *both: len(both) == 1, str.isupper):
        assert ClaudeHandle().map(["one"], grade=grade).grades == [True]


def test_a_grading_model_is_not_told_what_the_other_one_was(echo: Echo) -> None:
    notebook = ClaudeHandle()
    notebook.settings.system = "Answer in French."
    options = {"max_tokens": 5, "stop": ["."], "temperature": 1.0, "model": "claude-haiku-5-5", "header": {"x-a": "b"}}
    notebook.map(["one"], grade=notebook.rubric("Is it good?"), **options)
    asked, graded = (received.json for received in echo.received)
    assert set(asked) - set(graded) == {"system", "stop_sequences", "temperature"}
    assert (graded["model"], graded["max_tokens"]) == ("claude-haiku-5-5", 4096)
    assert echo.last.headers["x-a"] == "b"


def test_an_unknown_grader_or_column_is_one_line() -> None:
    with pytest.raises(CellError, match="grade='close' is not known"):
        grader("close", "expected", ["expected"], settings=Claude())
    with pytest.raises(CellError, match=r"compares with (a|the) column 'right'"):
        grader("exact", "right", ["a"], settings=Claude())


def test_rows_are_texts_dicts_and_frames() -> None:
    assert rows_of(["a"]) == [{"prompt": "a"}]
    assert rows_of({"a": 1} for _ in range(2)) == [{"a": 1}] * 2
    assert rows_of(pandas.DataFrame({"a": [1, 2], 3: ["x", "y"]})) == [{"a": 1, "3": "x"}, {"a": 2, "3": "y"}]


# Executors


def test_threads_of_somebody_else_send(echo: Echo) -> None:
    with ThreadPoolExecutor(3) as executor:
        made = ClaudeHandle().map([f"q {n}" for n in range(6)], executor=executor, concurrency=1)
    assert made == [f"Q {n}" for n in range(6)]
    assert all(answer.entry for answer in made.answers)


@pytest.mark.process
def test_another_process_sends_and_the_journal_is_written_here(echo: Echo) -> None:
    import multiprocessing

    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as executor:
        notebook = ClaudeHandle()
        made = notebook.map(["one", "refuse"], executor=executor, concurrency=1, stream=False)
        assert made[0] == "ONE"
        assert isinstance(made[1], APIError)
        assert made[1].status == 400
    assert notebook.journal.exchange(made.answers[0].entry).text == "ONE"


@pytest.mark.process
def test_a_process_without_a_key_says_so_and_sends_nothing(echo: Echo, monkeypatch: pytest.MonkeyPatch) -> None:
    import multiprocessing

    monkeypatch.delenv("ANTHROPIC_API_KEY")
    notebook = ClaudeHandle()
    try:
        notebook.login("a-key-that-is-only-in-memory")
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as executor:
            made = notebook.map(["one"], executor=executor)
    finally:
        notebook.logout()
    assert isinstance(made[0], SettingsError)
    assert "no API key where the executor runs" in str(made[0])
    assert echo.received == []


def test_the_key_of_the_place_that_sends_is_used_and_the_exchange_names_it(
    echo: Echo, monkeypatch: pytest.MonkeyPatch
) -> None:
    from claude_magic.batch.executors import send
    from claude_magic.wire import Headers, Request

    headers = Headers([("x-api-key", "$ANTHROPIC_API_KEY"), ("content-type", "application/json")])
    body = {"model": "m", "max_tokens": 1, "messages": [{"role": "user", "content": "one"}]}
    request = Request(method="POST", url=f"{echo.url}/v1/messages", headers=headers, body=body)
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", "a-token-of-that-place")
    exchange = send(request, 0, 5.0, 5.0, 0)
    assert exchange.text == "ONE"
    assert exchange.request == request
    assert echo.last.headers["authorization"] == "Bearer a-token-of-that-place"
    assert "x-api-key" not in echo.last.headers


def test_what_crosses_to_another_process_holds_no_key(echo: Echo) -> None:
    crossed: list[bytes] = []

    class Watched(ThreadPoolExecutor):
        def submit(self, /, *args: Any, **kwargs: Any) -> Any:
            crossed.append(pickle.dumps((args, kwargs)))
            return super().submit(*args, **kwargs)

    with Watched(1) as executor:
        made = ClaudeHandle().map(["one"], executor=executor)
        crossed.append(pickle.dumps(made.answers))
    assert made == ["ONE"]
    assert len(crossed) == 2
    assert not any(b"test-key-8d1f6a0e2b" in each for each in crossed)


def test_an_executor_that_fails_is_an_error_beside_the_others(echo: Echo) -> None:
    executor = ThreadPoolExecutor(1)
    executor.shutdown()
    made = ClaudeHandle().map(["one"], executor=executor)
    assert isinstance(made[0], ConnectionFailed)


@pytest.mark.process
@pytest.mark.filterwarnings("ignore")  # of distributed, about the machine
def test_a_cluster_of_dask_sends(echo: Echo) -> None:
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=2, processes=True, dashboard_address=None, silence_logs=50
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        texts = [f"question {n}" for n in range(12)] + ["same", "same"]
        made = ClaudeHandle().map(texts, executor=client.get_executor(), concurrency=4)
        assert sorted(made) == sorted(text.upper() for text in texts)
    assert len(echo.received) == 14


@pytest.mark.parametrize(
    "error",
    [
        APIError("no", status=404, type="t", request_id="r", body={"a": 1}),
        ConnectionFailed("no", retryable=False),
        TimedOut("late", retryable=True),
        Interrupted("stopped"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_comes_back_from_another_process_as_it_was(error: Exception) -> None:
    back = pickle.loads(pickle.dumps(error))
    assert (type(back), str(back), vars(back)) == (type(error), str(error), vars(error))


# In a kernel


def test_stopping_keeps_what_is_done(endpoint: Server) -> None:
    with Shell() as kernel:
        endpoint.answers(*[whole("done")] * 5, silence(kernel.interrupt))
        kernel.run("%load_ext claude_magic\nfrom claude_magic import claude\n%config Claude.concurrency = 1")
        ran = kernel.run("claude.map([f'q {n}' for n in range(10)])")
        assert ran.error is not None
        assert ran.error[0] == "Interrupted"
        assert "5 of 10 answered" in ran.error[1]
        assert len(ran.error[2]) == 1
        assert ran.seconds < 55
        assert kernel.value("[r for r in claude.mapped if isinstance(r, str)]") == ["done"] * 5
        endpoint.answers(whole("done"))
        before = len(endpoint.received)
        kernel.run("again = claude.map([f'q {n}' for n in range(10)])")
        assert kernel.value("list(again)") == ["done"] * 10
        assert len(endpoint.received) - before == 5


def test_nothing_is_graded_after_stop(endpoint: Server) -> None:
    with Shell() as kernel:
        endpoint.answers(*[whole("done")] * 3, silence(kernel.interrupt))
        kernel.run("%load_ext claude_magic\nfrom claude_magic import claude\n%config Claude.concurrency = 1")
        ran = kernel.run("claude.map(['a', 'b', 'c', 'd', 'e'], grade=claude.rubric('good?'))")
        assert ran.error is not None
        assert "3 of 5 answered" in ran.error[1]
        assert kernel.value("list(claude.mapped)[:3]") == ["done"] * 3
    assert not any("<rubric>" in str(received.json) for received in endpoint.received)


def test_its_threads_end(echo: Echo) -> None:
    ClaudeHandle().map([f"q {n}" for n in range(50)], concurrency=8)
    for _ in range(600):
        left = [thread.name for thread in threading.enumerate() if thread.name.startswith("claude-magic map")]
        if not left:
            return
        time.sleep(0.1)
    pytest.fail(f"threads that did not end: {left}")
