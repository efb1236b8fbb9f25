"""Forks, other processes, threads and event loops: each gets its own answers, and no row of the journal is lost."""

from __future__ import annotations

import importlib.util
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from claude_magic.concurrency import Lock, in_child
from tests.notebook_kernel import ROOT
from tests.test_mapping import Echo

pytestmark = pytest.mark.process
forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")


@pytest.fixture
def echo(monkeypatch: pytest.MonkeyPatch) -> Iterator[Echo]:
    """An API that answers each question with itself, in upper case."""
    with_answers = Echo()
    with_answers.answers(with_answers.answer("never"))
    monkeypatch.setenv("ANTHROPIC_BASE_URL", with_answers.url)
    monkeypatch.setenv("ANTHROPIC_API_KEY", "test-key-8d1f6a0e2b")
    yield with_answers
    with_answers.close()


def run(program: str) -> str:
    """What a program of its own says; it must end well, and in time."""
    Path("program.py").write_text(program)
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore::DeprecationWarning"}
    ran = subprocess.run(
        [sys.executable, "program.py"], env=env, capture_output=True, text=True, timeout=250, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def rows() -> list[tuple[str, str]]:
    """Of each exchange in the journal: the session, and the reply; none may be left open."""
    (path,) = Path(os.environ["XDG_DATA_HOME"]).rglob("journal.db")
    with sqlite3.connect(path) as database:
        found = database.execute("select session, reply from exchange where stop_reason is not null").fetchall()
        assert database.execute("pragma integrity_check").fetchone() == ("ok",)
    database.close()
    return found


def processes_by_connection(echo: Echo) -> dict[int, set[str]]:
    """Which processes used each connection: a question begins with the name of its process."""
    found: dict[int, set[str]] = {}
    for received in echo.received:
        found.setdefault(received.connection, set()).add(received.json["messages"][0]["content"].split()[0])
    return found


FORKS = """
import os, sys, threading
from claude_magic import claude
from claude_magic.journal import database, writer
database.BUSY_TIMEOUT = writer._MAX_WAIT = writer._EXIT_TIMEOUT = 100.0  # a loaded machine is slow, and loses no row
def ask(who, count):
    for n in range(count):
        text = f"p{who} question {n}"
        assert claude(text, stream=False).text == text.upper(), text
ask("parent", 2)
threads = [threading.Thread(target=ask, args=("parent", 10)) for _ in range(3)]
[thread.start() for thread in threads]
children = []
for who in range(4):
    child = os.fork()
    if child == 0:
        try:
            ask(who, 5)
            assert claude.usage is not None
            HOW
        except BaseException:
            import traceback
            traceback.print_exc()
            os._exit(1)
    children.append(child)
ask("parent", 5)
[thread.join() for thread in threads]
assert [os.waitpid(child, 0)[1] for child in children] == [0] * 4
"""


@forks
@pytest.mark.parametrize("end", ["os._exit(0) if claude.journal.writer.flush() is None else 0", "sys.exit(0)"])
def test_children_of_a_process_that_asks_share_no_connection_and_lose_no_row(end: str, echo: Echo) -> None:
    run(FORKS.replace("        except BaseException", "        except Exception").replace("HOW", end))
    assert len(echo.received) == 2 + 30 + 20 + 5
    assert {len(users) for users in processes_by_connection(echo).values()} == {1}
    found = rows()
    assert sorted(reply for _, reply in found) == sorted(
        received.json["messages"][0]["content"].upper() for received in echo.received
    )
    sessions = {session: {reply.split()[0] for s, reply in found if s == session} for session, _ in found}
    assert sorted(map(sorted, sessions.values())) == [["P0"], ["P1"], ["P2"], ["P3"], ["PPARENT"]]


POOL = """
import concurrent.futures, multiprocessing, sys
from claude_magic import claude
def ask(text):
    return claude(text, stream=False).text
if __name__ == "__main__":
    claude.settings.model = "chosen"
    claude.settings.max_retries = 0
    assert claude("pparent one", stream=False).text == "PPARENT ONE"
    texts = [f"p question {n}" for n in range(6)]
    context = multiprocessing.get_context(sys.argv[1] if len(sys.argv) > 1 else "HOW")
    with context.Pool(2) as pool:
        assert pool.map(ask, texts) == [text.upper() for text in texts]
        assert [exchange.text for exchange in pool.map(claude, texts)] == [text.upper() for text in texts]
    with concurrent.futures.ProcessPoolExecutor(2, mp_context=context) as pool:
        assert [exchange.text for exchange in pool.map(claude, texts)] == [text.upper() for text in texts]
"""


@pytest.mark.parametrize("how", ["spawn", *(["fork", "forkserver"] if hasattr(os, "fork") else [])])
def test_a_pool_of_processes_may_ask_and_claude_itself_can_be_sent_there(how: str, echo: Echo) -> None:
    run(POOL.replace("HOW", how))
    assert len(echo.received) == 19
    assert {received.json["model"] for received in echo.received[7:]} == {"chosen"}


@pytest.mark.skipif(importlib.util.find_spec("joblib") is None, reason="joblib is not installed")
def test_joblib_may_ask(echo: Echo) -> None:
    run(
        "from joblib import Parallel, delayed\nfrom claude_magic import claude\nclaude('p', stream=False)\n"
        "found = Parallel(2)(delayed(lambda text: claude(text, stream=False).text)(t) for t in 'abcd')\n"
        "assert found == list('ABCD'), found\n"
    )


LOCKED = """
import os, signal, threading
from claude_magic import claude
from claude_magic.concurrency import threads
claude("p one", stream=False)
held, free = threading.Event(), threading.Event()
locks = [lock for lock in threads._locks if lock is not threads.fork_lock]  # a fork waits for that one
assert len(locks) > 5
def hold():
    [lock.acquire() for lock in locks]
    held.set()
    free.wait()
    [lock.release() for lock in locks]
thread = threading.Thread(target=hold)
thread.start()
held.wait()
child = os.fork()
if child == 0:
    signal.alarm(200)
    text = claude("p two", stream=False).text
    claude.journal.last()
    os._exit(0 if text == "P TWO" else 1)
status = os.waitpid(child, 0)[1]
free.set()
thread.join()
assert status == 0, status
assert claude("p three", stream=False).text == "P THREE"
"""


INHERITED = """
import os, threading
from claude_magic import claude
claude("p one", stream=False)
stop = threading.Event()
def keep_writing():
    while not stop.is_set():
        claude.journal.writer.run(lambda connection: connection.execute("select count(*) from exchange").fetchall())
writing = [threading.Thread(target=keep_writing) for _ in range(2)]
[thread.start() for thread in writing]
for _ in range(20):
    child = os.fork()
    if child == 0:
        open_files = [os.readlink(f"/proc/self/fd/{n}") for n in os.listdir("/proc/self/fd") if n.isdigit()
                      and os.path.islink(f"/proc/self/fd/{n}")]
        os._exit(any("journal.db" in name for name in open_files))
    assert os.waitpid(child, 0)[1] == 0
stop.set()
[thread.join() for thread in writing]
"""


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="open files are listed only on Linux")
def test_a_child_inherits_no_open_journal_and_no_lock_of_it(echo: Echo) -> None:
    run(INHERITED)


@forks
def test_a_lock_that_was_held_at_the_fork_holds_no_child(echo: Echo) -> None:
    run(LOCKED)


THREADS = """
import threading
from claude_magic import claude
begin, wrong = threading.Barrier(12), []
def ask(who):
    begin.wait()
    for n in range(4):
        text = f"p{who} question {n}"
        if claude(text, stream=bool(n % 2)).text.strip() != text.upper():
            wrong.append(text)
threads = [threading.Thread(target=ask, args=(who,)) for who in range(12)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
assert wrong == []
assert "48" in repr(claude.usage), repr(claude.usage)
assert len(claude.journal.last(100)) == 48
"""


def test_threads_that_begin_at_once_have_one_journal_and_get_their_own_answers(echo: Echo) -> None:
    run(THREADS)
    found = rows()
    assert len(found) == 48
    assert len({session for session, _ in found}) == 1


LOOP = """
import asyncio
from claude_magic import claude
@claude.tool(approve=False)
async def never(): "Never called."
async def main():
    texts = [f"p question {n}" for n in range(8)]
    several = asyncio.gather(*[asyncio.to_thread(claude, text, stream=False) for text in texts])
    assert claude("p in the loop", stream=False).text == "P IN THE LOOP"
    assert [each.text for each in await several] == [text.upper() for text in texts]
    assert list(claude.map([f"r{n}" for n in range(5)], "p {{prompt}}")) == [f"P R{n}" for n in range(5)]
asyncio.run(main())
asyncio.run(main(), debug=True)
"""


def test_an_event_loop_may_ask_itself_and_in_threads(echo: Echo) -> None:
    run(LOOP)


CHILD_OF_OURS = """
import collections, os, queue, subprocess, sys
from pathlib import Path
from claude_magic import local
process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, text=True)
model = local.Model(base_url="http://127.0.0.1:1", key="k", name="m", path=Path("m.gguf"))
local._current = model, local._Child(
    process=process, stdout_lines=queue.Queue(), stderr_tail=collections.deque(), readers=()
)
child = os.fork()
if child == 0:
    local.stop()
    sys.exit(0)  # what is registered for the end runs
assert os.waitpid(child, 0)[1] == 0
assert process.poll() is None
local.stop()
assert process.poll() is not None
"""


@forks
def test_the_end_of_a_child_leaves_the_local_model_of_its_parent_alone() -> None:
    run(CHILD_OF_OURS)


def test_a_lock_lets_one_in_and_a_reentrant_one_its_holder() -> None:
    lock, again = Lock(), Lock(reentrant=True)
    with lock:
        assert not lock.acquire(timeout=0)
    with again, again:
        assert again.acquire(timeout=0)
    lock.renew()
    assert lock.acquire(timeout=0)


def test_what_is_gone_is_not_called_in_a_child() -> None:
    class Owner:
        def forget(self) -> None: ...

    from claude_magic.concurrency import threads

    before = len(threads._child_callbacks)
    owner = Owner()
    in_child(owner.forget)
    assert threads._child_callbacks[before]() is not None
    del owner
    assert threads._child_callbacks[before]() is None
    del threads._child_callbacks[before:]
