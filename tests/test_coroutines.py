"""What takes the place of threads in a web page, with a `run_sync` that switches stacks, and without one."""

from __future__ import annotations

import asyncio
import gc
import weakref
from concurrent.futures import Future
from typing import Any

import pytest

pytest.importorskip("greenlet", reason="COROUTINE TESTS SKIPPED: no greenlet here")

from claude_magic.errors import ClaudeError
from tests.page_python import PagePython, can_run_sync

NAME = "claude_magic.concurrency.coroutines"


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> PagePython:
    return PagePython(monkeypatch)


@pytest.fixture
def seam(page: PagePython) -> Any:
    return page.module(NAME)


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The module in a browser that switches no stacks."""
    return PagePython(monkeypatch, jspi=False).module(NAME)


def test_what_waits_lets_the_others_go_on(page: PagePython, seam: Any) -> None:
    order: list[str] = []
    first, second = seam.Event(), seam.Event()

    def other() -> None:
        order.append("other begins")
        first.set()
        assert second.wait(60)
        order.append("other ends")

    def cell() -> None:
        seam.start_thread(other, name="other")
        order.append("cell waits")
        assert first.wait(60)
        order.append("cell goes on")
        second.set()
        seam.sleep(0.01)

    page.run(cell)
    assert order == ["cell waits", "other begins", "cell goes on", "other ends"]


def test_an_event_that_nobody_sets_is_waited_for_no_longer_than_asked(page: PagePython, seam: Any) -> None:
    assert page.run(lambda: seam.Event().wait(0.01)) is False


def test_an_event_that_was_cleared_is_waited_for_again(page: PagePython, seam: Any) -> None:
    event = seam.Event()
    event.set()
    event.clear()
    assert page.run(lambda: (event.is_set(), event.wait(0.01))) == (False, False)


def test_a_lock_is_held_while_its_owner_waits(page: PagePython, seam: Any) -> None:
    lock, order = seam.Lock(), []

    def other() -> None:
        with lock:
            order.append("other")

    def cell() -> None:
        with lock:
            seam.start_thread(other, name="other")
            seam.sleep(0.01)
            order.append("cell")
        seam.sleep(0.01)

    page.run(cell)
    assert order == ["cell", "other"]


def test_a_lock_is_waited_for_no_longer_than_asked(page: PagePython, seam: Any) -> None:
    lock, got = seam.Lock(), []

    def cell() -> None:
        with lock:
            seam.start_thread(lambda: got.append(lock.acquire(timeout=0.01)), name="other")
            seam.sleep(0.05)

    page.run(cell)
    assert got == [False]


def test_only_its_owner_takes_a_reentrant_lock_again(page: PagePython, seam: Any) -> None:
    lock, got = seam.Lock(reentrant=True), []

    def cell() -> None:
        with lock, lock:
            seam.start_thread(lambda: got.append(lock.acquire(timeout=0.01)), name="other")
            seam.sleep(0.05)
        assert lock.acquire(timeout=0)

    page.run(cell)
    assert got == [False]


def test_a_lock_that_cannot_be_waited_for_is_an_error_and_no_standstill(seam: Any) -> None:
    lock = seam.Lock()
    lock.acquire()
    with pytest.raises(RuntimeError, match="cannot go on before this ends"):
        lock.acquire()


def test_a_pool_runs_as_many_at_once_as_it_may_in_their_order(page: PagePython, seam: Any) -> None:
    under_way: list[int] = []
    most: list[int] = []

    def work(number: int) -> int:
        under_way.append(number)
        most.append(len(under_way))
        seam.sleep(0.005)
        under_way.remove(number)
        return number

    def cell() -> list[int]:
        pool = seam.thread_pool(3, name="test")
        several = [pool.submit(work, number) for number in range(7)]
        assert seam.completed(several, timeout=60) == set(several)
        return [each.result() for each in several]

    assert page.run(cell) == [*range(7)]
    assert max(most) == 3


def test_the_exception_of_a_call_is_in_its_future_and_ends_no_other(page: PagePython, seam: Any) -> None:
    def cell() -> tuple[BaseException | None, int]:
        pool = seam.thread_pool(1, name="test")
        fails, works = pool.submit(lambda: 1 / 0), pool.submit(lambda: 2)
        seam.completed([fails, works], timeout=60)
        return fails.exception(), works.result()

    error, result = page.run(cell)
    assert isinstance(error, ZeroDivisionError)
    assert result == 2


def test_one_future_is_enough_where_the_first_is_waited_for(page: PagePython, seam: Any) -> None:
    def cell() -> set[Future[Any]]:
        pool = seam.thread_pool(2, name="test")
        never, soon = seam.Event(), pool.submit(lambda: 1)
        late = pool.submit(never.wait, 60)
        done: set[Future[Any]] = seam.completed([late, soon], timeout=60, first=True)
        never.set()
        return {soon} ^ done

    assert page.run(cell) == set()


def test_what_a_pool_has_not_begun_is_canceled(page: PagePython, seam: Any) -> None:
    def cell() -> list[bool]:
        pool, end = seam.thread_pool(1, name="test"), seam.Event()
        several = [pool.submit(end.wait, 60), pool.submit(lambda: 1)]
        seam.sleep(0.005)
        pool.shutdown(wait=False, cancel_futures=True)
        end.set()
        seam.completed(several, timeout=60)
        return [each.cancelled() for each in several]

    assert page.run(cell) == [False, True]


def test_a_coroutine_of_the_user_is_waited_for(page: PagePython, seam: Any) -> None:
    async def later() -> str:
        await asyncio.sleep(0.001)
        return "done"

    assert page.run(lambda: seam.run_coroutine(later())) == "done"


def test_the_callback_of_a_widget_may_wait(page: PagePython, seam: Any) -> None:
    """It is called on a stack that cannot be switched."""
    got: list[bool] = []
    done = seam.Event()

    def press() -> None:
        got.append(can_run_sync())
        seam.sleep(0.001)
        done.set()

    def cell() -> None:
        asyncio.get_running_loop().call_soon(seam.from_widget, press)
        assert done.wait(60)

    page.run(cell)
    assert got == [True]


def test_no_garbage_is_collected_by_python_itself_while_a_stack_is_suspended(page: PagePython, seam: Any) -> None:
    """Pyodide 314.0 dies of an increment that follows the frames of a suspended stack."""
    seen: list[bool] = []
    done = seam.Event()

    def other() -> None:
        seam.sleep(0.001)
        seen.append(gc.isenabled())  # the cell still waits
        done.set()

    def cell() -> None:
        seam.start_thread(other, name="other")
        done.wait(60)
        seen.append(gc.isenabled())

    page.run(cell)
    assert seen == [False, True]


def test_garbage_is_collected_where_many_things_were_made_meanwhile(page: PagePython, seam: Any) -> None:
    class Circle:
        def __init__(self) -> None:
            self.me = self

    def cell() -> bool:
        circle, kept = weakref.ref(Circle()), []
        done = seam.Event()

        def other() -> None:
            kept.extend([] for _ in range(100_000))
            done.set()

        seam.start_thread(other, name="other")
        done.wait(60)
        return circle() is None

    assert page.run(cell)


def test_a_collector_that_the_user_turned_off_stays_off(page: PagePython, seam: Any) -> None:
    gc.disable()
    try:
        page.run(lambda: seam.sleep(0.001))
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_a_timer_runs_later(page: PagePython, seam: Any) -> None:
    def cell() -> tuple[bool, bool]:
        event = seam.Event()
        seam.start_timer(0.005, event.set)
        return event.is_set(), event.wait(60)

    assert page.run(cell) == (False, True)


def test_without_jspi_all_runs_in_its_caller_at_once(bare: Any) -> None:
    order: list[Any] = []

    def work() -> None:
        order.append(bare.runs_in_caller())

    bare.start_thread(work, name="work")
    order.append("after")
    assert (order, bare.runs_in_caller(), bare.can_run_beside()) == ([True, "after"], False, False)


def test_without_jspi_a_pool_calls_one_after_another(bare: Any) -> None:
    pool = bare.thread_pool(8, name="test")
    several = [pool.submit(divmod, 7, number) for number in (2, 0)]
    assert bare.completed(several, timeout=0) == set(several)
    assert several[0].result() == (3, 1)
    assert isinstance(several[1].exception(), ZeroDivisionError)


def test_without_jspi_an_async_function_that_waits_is_an_error_that_says_why(bare: Any) -> None:
    async def at_once() -> int:
        return 3

    async def cell() -> None:
        with pytest.raises(ClaudeError, match="this browser has no JSPI"):
            bare.run_coroutine(asyncio.sleep(1))

    assert bare.run_coroutine(at_once()) == 3
    asyncio.run(cell())


def test_without_jspi_nothing_is_waited_for_that_cannot_come(bare: Any) -> None:
    assert bare.Event().wait(0.001) is False
    with pytest.raises(RuntimeError, match="cannot go on before this ends"):
        bare.Event().wait()
