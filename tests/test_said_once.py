"""What goes wrong is said once: the note at the reply marks where it ends, the error says why and what to do."""

from __future__ import annotations

import html
import re

import pytest

from claude_magic.display.reply.summary import facts
from claude_magic.wire import Headers
from claude_magic.wire.rate_limits import low_limits, rate_limits
from tests.notebook_shell import Shell
from tests.replaying import exchange
from tests.server import JSON, STREAM, Answer, Server, event, failure, reply, text_events

EVENTS = [event(each) for each in text_events(["Hello ", "there"])]
OVERLOADED = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
NO_RETRY = ("x-should-retry", "false")

FAILURES = {
    "bad request": failure(400, "invalid_request_error", "max_tokens: too big a number for this model"),
    "no such key": failure(401, "authentication_error", "invalid x-api-key"),
    "forbidden": failure(403, "permission_error", "not allowed for this account"),
    "no such model": failure(404, "not_found_error", "model: claude-x"),
    "too large": failure(413, "request_too_large", "the request is too large to be read"),
    "rate limited": failure(429, "rate_limit_error", "slow down a little please", ("retry-after", "120")),
    "server error": failure(500, "api_error", "an internal error has happened", NO_RETRY),
    "overloaded": failure(529, "overloaded_error", "Overloaded for the moment", NO_RETRY),
    "a gateway's page": Answer(
        status=502,
        headers=[("content-type", "text/html"), NO_RETRY],
        pieces=[b"<html><title>Bad gateway for this request</title></html>"],
        framing="length",
    ),
    "cut": Answer(headers=STREAM, pieces=EVENTS[:4], ending="cut"),
    "ended early": Answer(headers=STREAM, pieces=EVENTS[:4]),
    "an error in the stream": Answer(headers=STREAM, pieces=[*EVENTS[:4], event(OVERLOADED)]),
    "an error instead of a stream": Answer(headers=STREAM, pieces=[event(OVERLOADED)]),
    "no message": Answer(headers=JSON, pieces=[b'{"a": 1}'], framing="length"),
    "cut off": reply("{", stop_reason="max_tokens"),
    "refused": reply("no", stop_reason="refusal"),
}


def words(text: str) -> list[str]:
    return re.findall(r"[\w-]+", text.lower())


def runs(text: str, length: int = 4) -> set[tuple[str, ...]]:
    """All sequences of so many words."""
    all_words = words(text)
    return {tuple(all_words[at : at + length]) for at in range(len(all_words) - length + 1)}


def seen(source: str) -> str:
    """The words of a page, without its panel, whose tabs are closed."""
    without_style = re.sub(r"<style>.*?</style>", "", source, flags=re.S)
    return html.unescape(re.sub(r"<[^>]+>", "\n", without_style))


@pytest.mark.parametrize("options", ["", "--events", "--as json"])
@pytest.mark.parametrize("name", FAILURES)
def test_an_error_and_the_note_at_the_reply_do_not_repeat_each_other(
    name: str, options: str, shell: Shell, endpoint: Server
) -> None:
    endpoint.answers(FAILURES[name])
    ran = shell.run(f"%%claude --no-panel {options}\nhi")
    page = "\n".join(map(seen, ran.data("text/html")))
    if ran.error is None:
        assert name in ("cut off", "refused")
        return
    assert not runs(page) & runs(ran.error[1])
    whole = words(ran.error[1])
    assert len(runs(ran.error[1])) == max(0, len(whole) - 3), ran.error[1]  # nor the error itself


def test_where_a_reply_ends_and_why_stand_in_two_places(shell: Shell, endpoint: Server) -> None:
    endpoint.answers(FAILURES["ended early"])
    ran = shell.run("%%claude\nhi")
    assert '<div class="cm-warning">incomplete: it breaks off here.</div>' in ran.data("text/html")[0]
    assert ran.error is not None
    assert ran.error[1] == "the stream ended early, without message_stop. The part received is kept; try again."


def test_a_reply_that_was_cut_off_says_so_once_where_its_form_is_wrong(shell: Shell, endpoint: Server) -> None:
    endpoint.answers(FAILURES["cut off"])
    ran = shell.run("%%claude --as json\nhi")
    assert "cut off (max_tokens): the reply reached its limit of 4,096 tokens. Raise -t" in str(ran.outputs)
    assert ran.error is not None
    assert ran.error[1] == "the reply is not whole (max_tokens). It is in claude.last.text."
    from_python = shell.run("from claude_magic import claude\nclaude('hi', as_='json')").error
    assert from_python is not None
    assert (
        "cut off (max_tokens): the reply reached its limit of 4,096 tokens" in from_python[1]
    )  # it stands alone there


# Limits that are low


def limit(kind: str, of: int, left: int, prefix: str = "anthropic-ratelimit") -> list[tuple[str, str]]:
    fields = {"limit": of, "remaining": left, "reset": "2026-11-22T00:00:30Z"}
    return [(f"{prefix}-{kind}-{name}", str(value)) for name, value in fields.items()]


DATE = ("date", "Sun, 22 Nov 2026 00:00:00 GMT")


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        (limit("requests", 50, 4), "only 4 of 50 requests left, resets in 30 s"),
        (limit("requests", 50, 5), ""),
        (limit("tokens", 80_000, 7_999), "only 7,999 of 80,000 tokens left, resets in 30 s"),
        (limit("input-tokens", 80_000, 0), "only 0 of 80,000 input tokens left, resets in 30 s"),
        (limit("output-tokens", 8_000, 100), "only 100 of 8,000 output tokens left, resets in 30 s"),
        (
            limit("input-tokens", 1_000, 10, "anthropic-priority"),
            "only 10 of 1,000 priority input tokens left, resets in 30 s",
        ),
        (
            limit("output-tokens", 1_000, 10, "anthropic-fast"),
            "only 10 of 1,000 fast output tokens left, resets in 30 s",
        ),
        (
            [
                ("anthropic-ratelimit-unified-5h-utilization", "0.96"),
                ("anthropic-ratelimit-unified-5h-reset", "1795305630"),
            ],
            "only 4 % of unified 5h left, resets in 30 s",
        ),
        ([("anthropic-ratelimit-unified-7d-utilization", "0.5")], ""),
        ([("anthropic-ratelimit-unified-7d-utilization", "much")], ""),
        (limit("tokens", 0, 0), ""),
        (
            [*limit("requests", 50, 1), *limit("tokens", 50, 50), *limit("output-tokens", 90, 3)],
            "only 1 of 50 requests left, resets in 30 s; 3 of 90 output tokens left, resets in 30 s",
        ),
        ([name for name in limit("requests", 50, 1) if "reset" not in name[0]], "only 1 of 50 requests left"),
    ],
)
def test_less_than_a_tenth_of_a_limit_is_a_warning_in_the_summary_line(
    headers: list[tuple[str, str]], said: str
) -> None:
    line = facts(exchange("Hi", stop_reason="end_turn", headers=Headers([DATE, *headers])))
    assert line.endswith(f" · {said}") if said else "only" not in line


def test_a_recorded_answer_has_no_limits() -> None:
    headers = Headers([DATE, *limit("requests", 50, 1)])
    assert "only" not in facts(exchange("Hi", stop_reason="end_turn", headers=headers, replayed="2026-11-22T00:00:00"))


def test_a_share_that_is_used_is_a_limit_too() -> None:
    headers = Headers([("anthropic-ratelimit-unified-5h-utilization", "1.03")])
    assert [(each.kind, each.remaining, each.amount) for each in rate_limits(headers)] == [("unified-5h", 0, "0 %")]
    assert len(low_limits(headers)) == 1


def test_a_map_warns_once(shell: Shell, endpoint: Server) -> None:
    answer = reply("yes")
    low = [Answer(headers=[*STREAM, *limit("output-tokens", 9_000, left)], pieces=answer.pieces) for left in (8, 3, 5)]
    endpoint.answers(*low)
    ran = shell.run(
        "from claude_magic import claude\nreplies = claude.map(['a', 'b', 'c'], concurrency=1, resume=False)"
    )
    assert ran.error is None
    lines = [line for line in ran.stdout.splitlines() if "rate limits" in line]
    assert len(lines) == 1
    assert re.search(  # the bar may be text, of another stream
        r"rate limits came close: at one time only 3 of 9,000 output tokens left, resets at \d\d:\d\d:\d\d\.$", lines[0]
    )
    assert str(ran.outputs).count("output tokens left") == 1


def test_a_map_far_from_its_limits_says_nothing(shell: Shell, endpoint: Server) -> None:
    endpoint.answers(reply("yes"))
    assert "rate limits" not in str(
        shell.run("from claude_magic import claude\nreplies = claude.map(['a', 'b'])").outputs
    )
