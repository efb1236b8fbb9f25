"""`claude.map` tells what it will send, and asks first above a price."""

from __future__ import annotations

import pytest

from claude_magic.batch.estimate import Estimate
from tests.batch_api import PATH, BatchAPI
from tests.notebook_kernel import Ran
from tests.notebook_shell import Shell
from tests.server import Server, whole

CLAUDE = "from claude_magic import claude\nimport builtins\n"
SETUP = "%config Claude.confirm_above_usd = 0.01\n%config Claude.max_tokens = 10000"


def answer_with(*words: str) -> str:
    """Code that answers questions so, and keeps them in `questions`."""
    return (
        f"{CLAUDE}questions, words = [], {list(words)}\n"
        "def answer(question):\n    questions.append(question)\n    return words.pop(0)\n"
        "builtins.input = answer\n"
    )


def printed(ran: Ran) -> str:
    """What the cell printed; the bar is on the other stream."""
    return "".join(output["text"] for output in ran.outputs if output.get("name") == "stdout")


@pytest.fixture
def notebook(shell: Shell, endpoint: Server, monkeypatch: pytest.MonkeyPatch) -> Shell:
    endpoint.answers(whole("ok"))
    monkeypatch.setattr("claude_magic.magics.ipython.cells.Cells.asks", property(lambda _: True))
    for line in SETUP.split("\n"):
        assert shell.run(line).error is None
    return shell


def test_above_the_price_the_user_is_asked_first(notebook: Shell, endpoint: Server) -> None:
    ran = notebook.run(f"{answer_with('y')}replies = list(claude.map(['a', 'b']))\nprint(questions[0])\nprint(replies)")
    assert ran.error is None
    assert printed(ran).startswith("claude.map: 2 requests, about ")
    assert ": Claude.confirm_above_usd is $0.01" in ran.stdout
    assert "['ok', 'ok']" in ran.stdout


def test_a_no_sends_nothing(notebook: Shell, endpoint: Server) -> None:
    ran = notebook.run(f"{answer_with('what?', 'n')}claude.map(['a', 'b'])")
    assert ran.error is not None
    assert ran.error[1] == "refused: nothing was sent."
    assert endpoint.received == []


def test_yes_answers(notebook: Shell, endpoint: Server) -> None:
    ran = notebook.run(f"{answer_with()}claude.map(['a', 'b'], yes=True)\nprint(questions)")
    assert printed(ran).endswith("[]\n")
    assert len(endpoint.received) == 2


def test_below_the_price_nobody_is_asked(notebook: Shell, endpoint: Server) -> None:
    ran = notebook.run(f"{answer_with()}claude.map(['a', 'b'], max_tokens=1)\nprint(questions)")
    assert printed(ran).endswith("[]\n")
    assert len(endpoint.received) == 2


def test_what_is_known_already_needs_no_approval(notebook: Shell, endpoint: Server) -> None:
    notebook.run(f"{CLAUDE}claude.map(['a', 'b'], yes=True)")
    ran = notebook.run(f"{answer_with()}print(list(claude.map(['a', 'b'])))")
    assert "['ok', 'ok']" in ran.stdout
    assert len(endpoint.received) == 2


def test_an_unknown_price_is_asked_about(notebook: Shell, endpoint: Server) -> None:
    ran = notebook.run(f"{answer_with('n')}claude.map(['a'], model='nobody-knows-it')")
    assert ran.error is not None
    assert endpoint.received == []
    assert "at an unknown price" in notebook.user_ns["questions"][0]


def test_where_nobody_can_be_asked_nothing_is_sent(
    notebook: Shell, endpoint: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("claude_magic.magics.ipython.cells.Cells.asks", property(lambda _: False))
    ran = notebook.run(f"{CLAUDE}claude.map(['a', 'b'])")
    assert ran.error is not None
    assert "Say yes=True" in ran.error[1]
    assert endpoint.received == []


def test_the_bar_begins_with_requests_tokens_price_and_time(
    endpoint: Server, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    tqdm = pytest.importorskip("tqdm")
    from claude_magic import claude

    monkeypatch.setattr("tqdm.auto.tqdm", tqdm.tqdm)  # the one of a terminal

    endpoint.answers(whole("ok"))
    claude("a first question")
    claude.map(["a", "b", "c"])
    begin = capsys.readouterr().err.partition("]")[0]
    assert "0/3 [00:00<?, ?it/s, 3 requests, about " in begin
    assert "tokens in, at most $" in begin
    assert begin.endswith(" s")


def test_a_price_or_a_time_that_is_unknown_is_not_guessed() -> None:
    assert Estimate(rows=2, requests=2, tokens=9, usd=None).line(None) == (
        "2 requests, about 9 tokens in, at an unknown price"
    )
    assert Estimate(rows=2, requests=2, tokens=9, usd=0.5).line(90).endswith("about 1 min 30 s")


@pytest.fixture
def batches(shell: Shell, batch_api: BatchAPI, monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.setattr("claude_magic.magics.ipython.cells.Cells.asks", property(lambda _: True))
    for line in SETUP.split("\n"):
        assert shell.run(line).error is None
    return shell


def test_a_batch_asks_above_the_price_and_a_no_leaves_nothing(batches: Shell, batch_api: BatchAPI) -> None:
    """Its requests may come from a generator."""
    ran = batches.run(f"{answer_with('n')}claude.batch(text for text in ['a', 'b'])")
    assert ran.error is not None
    assert ran.error[1] == "refused: nothing was sent."
    assert batches.value("questions[0]").startswith("claude.batch: 2 requests, about ")
    assert [each for each in batch_api.received if each.method == "POST"] == []

    ran = batches.run(f"{answer_with('y')}batch = claude.batch(['a', 'b'])")
    assert ran.error is None
    assert batches.value("len(questions)") == 1
    ran = batches.run(f"{answer_with()}batch = claude.batch(['a', 'b'])")  # attaches to it
    assert ran.error is None
    assert batches.value("questions") == []


def test_yes_answers_for_a_batch_and_where_nobody_is_asked_nothing_is_sent(
    batches: Shell, batch_api: BatchAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("claude_magic.magics.ipython.cells.Cells.asks", property(lambda _: False))
    ran = batches.run(f"{CLAUDE}claude.batch(['a'])")
    assert ran.error is not None
    assert ran.error[1].startswith("claude.batch needs your approval: 1 request, about ")
    assert [each for each in batch_api.received if each.method == "POST"] == []

    assert batches.run("batch = claude.batch(['a'], yes=True)").error is None
    assert [each.path for each in batch_api.received if each.method == "POST"] == [PATH]


@pytest.mark.parametrize(
    ("cell", "permit"),
    [
        ("get_ipython().run_cell_magic('claude', '--batch {}', 'a')", "--yes"),
        ("claude('a', batch=True, {})", "yes=True"),
    ],
)
def test_a_cell_of_a_batch_asks_above_the_price(cell: str, permit: str, batches: Shell, batch_api: BatchAPI) -> None:
    ran = batches.run(answer_with("n") + cell.format(""))
    assert ran.error is not None
    assert ran.error[1] == "refused: nothing was sent."
    assert ": 1 request, about " in batches.value("questions[0]")
    assert [each for each in batch_api.received if each.method == "POST"] == []

    assert batches.run(answer_with() + cell.format(permit)).error is None
    assert batches.run(answer_with() + cell.format("")).error is None  # attaches to it
    assert batches.value("questions") == []
    assert [each.path for each in batch_api.received if each.method == "POST"] == [PATH]


def test_where_nobody_is_asked_a_cell_of_a_batch_names_what_permits_it(
    batches: Shell, batch_api: BatchAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("claude_magic.magics.ipython.cells.Cells.asks", property(lambda _: False))
    ran = batches.run("%%claude --batch --times 2\na")
    assert ran.error is not None
    assert ran.error[1].startswith("%%claude --batch needs your approval: 2 requests, about ")
    assert ran.error[1].endswith("; nothing was sent. Say --yes to send it.")
    assert [each for each in batch_api.received if each.method == "POST"] == []
