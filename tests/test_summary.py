"""The summary line: facts in one line, and a warning when the reply is not whole."""

from __future__ import annotations

import pytest

from claude_magic.display.reply.summary import facts, summary, warnings
from claude_magic.errors import APIError, Interrupted, StreamError
from claude_magic.wire import Headers, Message
from claude_magic.wire.short_text import span
from tests.replaying import exchange


def message(**fields: object) -> Message:
    whole = {"model": "claude-opus-5-5", "content": [], "usage": {"input_tokens": 46, "output_tokens": 133}}
    return Message(body={**whole, "stop_reason": "end_turn", **fields})


def test_the_line_says_model_tokens_time_and_request() -> None:
    usage = {"input_tokens": 46, "cache_read_input_tokens": 2048, "output_tokens": 133}
    told = exchange(message=message(usage=usage), seconds=2.4, first_token_seconds=0.6)
    assert summary(told) == (
        "claude-opus-5-5 · 46 in (+2,048 cached) / 133 out tokens · 2.4 s, first token 0.6 s · req_test"
    )


def test_what_was_written_to_the_cache_is_told_apart_from_what_was_read() -> None:
    usage = {"input_tokens": 3, "cache_read_input_tokens": 20, "cache_creation_input_tokens": 1024}
    assert "3 in (+20 cached, +1,024 written to the cache) / unknown out tokens" in facts(
        exchange(message=message(usage=usage))
    )


def test_the_model_is_the_one_that_answered() -> None:
    assert facts(exchange(message=message(model="claude-opus-5-5-20261001"))).startswith("claude-opus-5-5-20261001 · ")


def test_another_model_than_the_one_asked_for_is_told() -> None:
    assert facts(exchange(message=message(model="claude-haiku-4-5"))).startswith(
        "claude-haiku-4-5 (asked for claude-opus-5-5) · "
    )


def test_a_model_that_is_not_claude_is_always_named_so() -> None:
    small = exchange(message=message(), model_note="a small local model, not Claude")
    assert facts(small).startswith("claude-opus-5-5 (a small local model, not Claude) · ")


@pytest.mark.parametrize(("retries", "told"), [(0, ""), (1, " · after 1 retry"), (2, " · after 2 retries")])
def test_retries_are_told(retries: int, told: str) -> None:
    assert facts(exchange(message=message(), retries=retries)).removesuffix(" · req_test").endswith(f"1.0 s{told}")


def test_what_is_unknown_is_left_out() -> None:
    assert facts(exchange(message=Message(), headers=Headers())) == "claude-opus-5-5 · 1.0 s"


def test_tokens_of_a_reply_that_broke_off_are_estimated() -> None:
    body = {"content": [{"type": "text", "text": "a" * 400}], "usage": {"input_tokens": 46, "output_tokens": 1}}
    assert "46 in / about 100 out tokens" in facts(exchange(message=Message(body=body)))


@pytest.mark.parametrize(
    ("seconds", "said"), [(0.04, "0.04 s"), (0.62, "0.6 s"), (2.44, "2.4 s"), (48.2, "48 s"), (185, "3 min 5 s")]
)
def test_time_is_said_as_a_reader_would(seconds: float, said: str) -> None:
    assert span(seconds) == said


@pytest.mark.parametrize("reason", ["end_turn", "stop_sequence"])
def test_a_whole_reply_has_no_warning(reason: str) -> None:
    assert warnings(exchange(message=message(stop_reason=reason))) == []


@pytest.mark.parametrize(
    ("fields", "warning"),
    [
        (
            {"stop_reason": "max_tokens", "content": [{"type": "text", "text": "and"}]},
            "cut off (max_tokens): the reply reached its limit of 9 tokens. Raise -t, or ask for the rest with --finish.",
        ),
        (
            {"stop_reason": "max_tokens", "content": [{"type": "thinking", "thinking": "hm"}]},
            "cut off (max_tokens): the reply reached its limit of 9 tokens. Raise -t.",
        ),
        (
            {"stop_reason": "refusal", "stop_details": {"category": "cyber", "explanation": "Not this."}},
            "refused (refusal, cyber): Not this.",
        ),
        (
            {"stop_reason": "refusal", "stop_details": {"category": None, "explanation": None}},
            "refused (refusal): the model declined to answer.",
        ),
        (
            {"stop_reason": "pause_turn"},
            "paused (pause_turn): the API stopped a long turn; send this reply back to let it go on.",
        ),
        (
            {"stop_reason": "model_context_window_exceeded"},
            "cut off (model_context_window_exceeded): the model's context window is full.",
        ),
        (
            {"stop_reason": "tool_use", "content": [{"type": "tool_use", "name": "get_weather"}]},
            "waiting for a tool (tool_use): the model asks for get_weather.",
        ),
        ({"stop_reason": "something_new"}, "stopped: something_new."),
        ({"stop_reason": None}, "ended without a stop reason."),
    ],
)
def test_every_other_end_is_a_warning(fields: dict[str, object], warning: str) -> None:
    assert warnings(exchange(message=message(**fields))) == [warning]


def test_a_reply_that_was_stopped_is_marked_interrupted() -> None:
    assert warnings(exchange("Hi", error=Interrupted("stopped")))[0].startswith("interrupted: ")


def test_a_reply_that_failed_on_the_way_is_marked_incomplete() -> None:
    for error in (StreamError("dropped"), APIError("overloaded", status=200)):
        assert warnings(exchange("Hi", error=error)) == ["incomplete: it breaks off here."]


def test_no_fact_brings_controls_or_a_second_line_with_it() -> None:
    hostile = exchange(
        message=message(model="claude\x1b]0;x\x07\n\u202eevil"), headers=Headers([("request-id", "r" * 500)])
    )
    assert facts(hostile).startswith("claude]0;x evil (asked for claude-opus-5-5) · ")
    assert facts(hostile).endswith(f"{'r' * 100}…")
