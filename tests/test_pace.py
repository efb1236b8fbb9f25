"""Requests stay below the rate limits that headers tell: against a scripted token bucket, on a scripted clock."""

from __future__ import annotations

import heapq
import itertools
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from claude_magic.api.transports import pace as pace_module
from claude_magic.api.transports.pace import Pace, Ticket
from claude_magic.magics.claude import ClaudeHandle
from claude_magic.wire import Headers, Request
from tests.server import Answer, Received, Server, failure, message

ASKED = Request(method="POST", url="https://host/v1/messages", body={"model": "m"})


class Bucket:
    """A token bucket as the API's: full at first, refilled all the time."""

    def __init__(self, limit: float, clock: Callable[[], float], *, minute: float = 60.0, level: float | None = None):
        self.limit, self.clock, self.minute = limit, clock, minute
        self.level, self.seen = limit if level is None else level, clock()

    def look(self) -> float:
        now = self.clock()
        self.level = min(self.limit, self.level + self.limit / self.minute * (now - self.seen))
        self.seen = now
        return self.level

    def take(self, amount: float = 1.0) -> bool:
        """Whether there was so much."""
        if self.look() < amount:
            return False
        self.level -= amount
        return True


@dataclass
class World:
    """Kernels that ask one API, on a clock that jumps to whatever comes next.

    Attributes:
        latency: Seconds until an answer, of the row's number.
        tokens: What a reply takes of the bucket of tokens, if there is one.
    """

    latency: Callable[[int], float]
    requests: float = 50
    full: float | None = None
    token_limit: float = 0
    tokens: float = 0
    now: float = 0.0
    refused: int = 0
    done: int = 0
    ended: float = 0.0
    kernels: list[Kernel] = field(default_factory=list)
    events: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.order = itertools.count()
        self.bucket = Bucket(self.requests, lambda: self.now, level=self.full)
        self.token_bucket = Bucket(self.token_limit, lambda: self.now)

    def at(self, seconds: float, do: Callable[[], object]) -> None:
        heapq.heappush(self.events, (self.now + seconds, next(self.order), do))

    def run(self) -> World:
        while self.events:
            self.now, _, do = heapq.heappop(self.events)
            do()
        self.ended = self.now
        return self

    def serve(self) -> tuple[bool, Headers]:
        """Whether a request is let in, and the headers of its answer."""
        left = self.token_bucket.look() if self.token_limit else 0.0
        accepted = (not self.token_limit or left >= 0) and self.bucket.take()
        if accepted and self.token_limit:
            self.token_bucket.level -= self.tokens
        self.refused += not accepted
        pairs = [("requests", self.requests, self.bucket.level)]
        if self.token_limit:
            pairs.append(("output-tokens", self.token_limit, max(0, round(self.token_bucket.level, -3))))
        told = [(f"anthropic-ratelimit-{k}-limit", str(int(limit))) for k, limit, _ in pairs]
        told += [(f"anthropic-ratelimit-{k}-remaining", str(int(level))) for k, _, level in pairs]
        return accepted, Headers(told)


class Kernel:
    """Workers that share a `Pace`, as the threads of `claude.map` do."""

    def __init__(self, world: World, rows: int, workers: int, *, begins: float = 0.0) -> None:
        self.world, self.pace = world, Pace(lambda: world.now)
        self.rows = iter(range(rows))
        for _ in range(workers):
            world.at(begins, self.next)

    def next(self) -> None:
        row = next(self.rows, None)
        if row is not None:
            self.ask(row)

    def ask(self, row: int) -> None:
        entered = self.pace.enter(ASKED)
        if not isinstance(entered, Ticket):
            self.world.at(entered, lambda: self.ask(row))
            return
        accepted, headers = self.world.serve()
        seconds = self.world.latency(row) if accepted else 0.05

        def answered() -> None:
            self.pace.leave(entered, headers)
            self.world.done += accepted
            if accepted:
                self.next()
            else:
                self.world.at(1.2, lambda: self.ask(row))  # its retry-after

        self.world.at(seconds, answered)


def allowed(rows: int, limit: float = 50, full: float | None = None) -> float:
    """The seconds in which a bucket lets so many in."""
    return (rows - (limit if full is None else full)) * 60 / limit


@pytest.mark.parametrize("workers", [1, 4, 8, 16])
@pytest.mark.parametrize("latency", [0.2, 1.0, 2.0])
def test_200_rows_end_in_the_time_of_the_bucket_and_5_percent(workers: int, latency: float) -> None:
    world = World(latency=lambda _: latency)
    Kernel(world, 200, workers)
    world.run()
    assert world.done == 200
    assert world.refused <= 2
    at_least = max(allowed(200), 200 * latency / workers)
    assert world.ended <= 1.05 * at_least + latency


@pytest.mark.parametrize("kernels", [2, 3, 4])
@pytest.mark.parametrize("begins", [0.0, 0.3, 0.7, 20.0, 100.0])
@pytest.mark.parametrize(("workers", "latency"), [(8, 0.3), (16, 0.2), (16, 1.0)])
def test_several_kernels_share_a_bucket_and_two_requests_at_most_are_refused(
    kernels: int, begins: float, workers: int, latency: float
) -> None:
    world = World(latency=lambda row: latency + 0.05 * (row % 7))
    rows = 200 // kernels
    for number in range(kernels):
        Kernel(world, rows, workers, begins=number * begins)
    world.run()
    assert world.done == rows * kernels
    assert world.refused <= 2
    assert world.ended <= max(1.05 * allowed(200), begins * (kernels - 1) + allowed(rows)) + 15


def test_a_kernel_that_finds_an_empty_bucket_is_refused_twice_at_most() -> None:
    world = World(latency=lambda _: 0.5, full=0)
    Kernel(world, 40, 8)
    world.run()
    assert (world.done, world.refused <= 2) == (40, True)
    assert world.ended <= 1.05 * allowed(40, full=0) + 6


def test_tokens_of_replies_are_paced_by_what_they_took_so_far() -> None:
    world = World(latency=lambda _: 0.5, requests=1_000, token_limit=40_000, tokens=1_000)
    Kernel(world, 200, 8)
    world.run()
    assert world.done == 200
    assert world.refused == 0
    assert world.ended <= 1.10 * (200_000 - 40_000) * 60 / 40_000


def test_an_endpoint_without_limits_is_not_held_back() -> None:
    pace = Pace(lambda: 0.0)
    first = pace.enter(ASKED)
    assert isinstance(first, Ticket)
    pace.leave(first, Headers())
    assert all(isinstance(pace.enter(ASKED), Ticket) for _ in range(100))


def test_before_the_first_answer_few_go_and_the_others_a_moment_apart() -> None:
    clock = [0.0]
    pace = Pace(lambda: clock[0])
    assert [isinstance(pace.enter(ASKED), Ticket) for _ in range(3)] == [True, True, False]
    for seconds in (0.25, 0.75, 1.75, 2.75):  # at intervals that grow up to a second
        clock[0] = seconds
        assert [isinstance(pace.enter(ASKED), Ticket) for _ in range(2)] == [True, False]
    other = Request(method="POST", url="https://host/v1/messages", body={"model": "another"})
    assert isinstance(pace.enter(other), Ticket)


@pytest.mark.parametrize("told", [("x", "3"), ("0", "0"), ("50", ""), ("9" * 5_000, "1"), ("-5", "2"), ("50", "1e3")])
def test_headers_that_make_no_sense_hold_nothing_back(told: tuple[str, str]) -> None:
    pace = Pace(lambda: 0.0)
    names = ("anthropic-ratelimit-requests-limit", "anthropic-ratelimit-requests-remaining")
    first = pace.enter(ASKED)
    assert isinstance(first, Ticket)
    pace.leave(first, Headers(zip(names, told, strict=True)))
    assert all(isinstance(pace.enter(ASKED), Ticket) for _ in range(100))


class Limited(Server):
    """Lets in what a bucket allows, which a short minute fills; refuses the rest."""

    minute = 1.0

    def __init__(self) -> None:
        super().__init__()
        self.bucket = Bucket(50, time.monotonic, minute=self.minute)
        self.refusals = 0

    def respond(self, request: Received) -> Answer:
        with self._lock:
            accepted, left = self.bucket.take(), str(int(self.bucket.level))
            self.refusals += not accepted
        limits = (("anthropic-ratelimit-requests-limit", "50"), ("anthropic-ratelimit-requests-remaining", left))
        if not accepted:
            return failure(429, "rate_limit_error", "slow down", ("retry-after", "0.02"), *limits)
        text = request.json["messages"][-1]["content"].upper()
        body = json.dumps(message(content=[{"type": "text", "text": text}], stop_reason="end_turn"))
        return Answer(headers=(("content-type", "application/json"), *limits), pieces=[body.encode()], framing="length")


@pytest.mark.slow
def test_map_over_real_sockets_is_hardly_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A minute lasts a second here; a slow machine makes it slower, and never refuses more."""
    monkeypatch.setattr(pace_module, "MINUTE", Limited.minute)
    server = Limited()
    monkeypatch.setenv("ANTHROPIC_BASE_URL", server.url)
    monkeypatch.setenv("ANTHROPIC_API_KEY", "test-key-8d1f6a0e2b")
    try:
        texts = [f"question {n}" for n in range(120)]
        replies = ClaudeHandle().map(texts, concurrency=4)
        assert replies == [text.upper() for text in texts]
        assert server.refusals <= 2
        assert len(server.received) == 120 + server.refusals
    finally:
        server.close()
