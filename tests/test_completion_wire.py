"""`/v1/complete` on the wire: the bytes that the official SDK sent, and the answers as it read them.

Version 1.0 of the SDK has no completions any more: `text_completions.json` holds what 0.125.0 sent and read.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from claude_magic.api.accumulator import Accumulator
from claude_magic.api.endpoints.complete import complete
from claude_magic.cost.prices import highest_cost
from claude_magic.cost.token_bounds import token_bound
from claude_magic.errors import StreamError
from claude_magic.wire import Decoder, Message, Request
from claude_magic.wire.completion import last_question
from tests.scripted_api.completions import completes, completes_as_2023_01_01, completion
from tests.server import Answer, event

SDK = json.loads((Path(__file__).parent / "text_completions.json").read_text(encoding="utf-8"))
READINGS = {reading["name"]: reading for reading in SDK["readings"]}
PROMPT = "\n\nHuman: Hi\n\nAssistant:"
# A public recording of the real API, of April 2024: https://github.com/traceloop/openllmetry (Apache-2.0)
RECORDED = (
    '{"type":"completion","id":"compl_01Bs8Syxu1SsMMWuNRiptYXC","completion":" Hello!","stop_reason":"stop_sequence",'
    '"model":"claude-instant-1.2","stop":"\\n\\nHuman:","log_id":"compl_01Bs8Syxu1SsMMWuNRiptYXC"}'
)


@pytest.mark.parametrize("sent", SDK["requests"], ids=lambda sent: str(len(sent["body"])))
def test_a_request_has_the_bytes_of_the_official_sdk(sent: dict[str, Any]) -> None:
    given = dict(sent["arguments"])
    request = complete(
        base_url="https://h",
        api_version="2023-06-01",
        model=given.pop("model"),
        prompt=given.pop("prompt"),
        max_tokens=given.pop("max_tokens_to_sample"),
        stream=given.get("stream", False),
        fields=given,
    )
    assert request.content.decode() == sent["body"]
    assert (request.method, request.url) == (sent["method"], f"https://h{sent['path']}")
    for name in ("anthropic-version", "content-type", "accept"):
        assert request.headers[name] == sent["headers"][name]


def received(data: bytes) -> Accumulator:
    """What has arrived of a stream with these bytes."""
    accumulator = Accumulator(Request(method="POST", url="https://h/v1/complete"))
    accumulator.add_events(Decoder().feed(data))
    return accumulator


def data_of(answer: Answer) -> bytes:
    return b"".join(piece for piece in answer.pieces if isinstance(piece, bytes))


@pytest.mark.parametrize("name", [name for name, reading in READINGS.items() if reading["stream"]])
def test_a_stream_is_read_as_the_official_sdk_read_it(name: str) -> None:
    reading = READINGS[name]
    read = reading["completions"]
    accumulator = received(reading["answer"].encode())
    accumulator.check()
    message = accumulator.exchange().message
    assert message.text == "".join(each["completion"] for each in read)
    assert (message.id, message.model) == (read[-1]["id"], read[-1]["model"])
    assert (message.stop_reason, message.stop_sequence) == (read[-1]["stop_reason"], read[-1]["stop"])
    assert message.body == {**read[-1], "completion": message.text}


def test_a_recorded_completion_of_the_real_api_is_kept_as_it_came() -> None:
    accumulator = Accumulator(Request(method="POST", url="https://h/v1/complete"))
    accumulator.add_json(json.loads(RECORDED))
    accumulator.check()
    message = accumulator.exchange().message
    assert message.text == " Hello!"
    assert message.content == [{"type": "text", "text": " Hello!"}]
    assert message.usage == {}
    assert json.dumps(message.body, separators=(",", ":")) == RECORDED


def test_a_streamed_completion_has_the_body_of_one_that_was_not() -> None:
    assert received(data_of(completes(" Hel", "lo!"))).exchange().message.body == completion(" Hello!")


def test_two_events_and_the_end_of_the_connection_are_a_complete_reply() -> None:
    first, last = completion(" a", stop_reason=None, stop=None), completion("b")
    accumulator = received(event(first) + event(last))
    accumulator.check()
    assert accumulator.is_complete
    assert accumulator.exchange().message.text == " ab"


def test_a_stream_cut_anywhere_before_its_last_event_is_not_complete() -> None:
    data = data_of(completes(" Hel", "lo")).rstrip() + b"\n\n"
    for end in range(len(data)):
        accumulator = received(data[:end])
        assert not accumulator.is_complete
        with pytest.raises(StreamError, match="ended early"):
            accumulator.check()
    received(data).check()


def test_a_broken_off_completion_says_what_did_not_come() -> None:
    with pytest.raises(StreamError, match="without a completion event with a stop_reason"):
        received(event(completion(" a", stop_reason=None, stop=None))).check()


def test_a_stream_of_version_2023_01_01_holds_the_text_once() -> None:
    accumulator = received(data_of(completes_as_2023_01_01(" Hel", "lo", "!")))
    accumulator.check()
    assert accumulator.exchange().message.text == " Hello!"


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"completion": 7}, "a completion is not text: 7"),
        ({"completion": [" a"]}, "a completion is not text"),
        ({"completion": " a", "exception": "overloaded"}, "the server reports an exception: 'overloaded'"),
    ],
)
def test_what_is_no_text_is_an_error_and_the_rest_is_kept(wrong: dict[str, Any], why: str) -> None:
    accumulator = received(event(completion(" kept", stop_reason=None)) + event({**completion(""), **wrong}))
    with pytest.raises(StreamError, match=why):
        accumulator.check()
    assert accumulator.exchange().message.text.startswith(" kept")


def test_half_a_surrogate_pair_waits_for_the_other_half() -> None:
    halves = [completion("\ud83d", stop_reason=None), completion("\ude00")]
    message = received(b"".join(map(event, halves))).exchange().message
    assert message.text == "\U0001f600"
    assert message.body["completion"] == "\U0001f600"


def test_a_message_that_has_a_field_completion_stays_a_message() -> None:
    message = Message(body={"content": [{"type": "text", "text": "a"}], "completion": "b"})
    assert message.text == "a"


def test_the_most_that_a_completion_costs_is_known_where_its_price_is() -> None:
    body = {"model": "claude-2.1", "max_tokens_to_sample": 1_000_000, "prompt": PROMPT}
    bound = token_bound(body)
    assert bound is not None
    assert bound > len(PROMPT)
    prices = {"claude-2.1": {"input": 8.0, "output": 24.0}}
    assert highest_cost(body, sent=1_000_000, corrections=prices) == 32.0
    assert highest_cost(body, sent=1) is None


@pytest.mark.parametrize(
    ("prompt", "question"),
    [
        (PROMPT, "Hi"),
        (f"System.{PROMPT} Hello\n\nHuman: And you?\n\nAssistant: I", "And you?"),
        ("no turns ", "no turns"),
    ],
)
def test_the_journal_shows_the_last_question_of_a_prompt(prompt: str, question: str) -> None:
    assert last_question(prompt) == question
