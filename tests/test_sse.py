"""Server-sent events, decoded: against recorded traffic, a naive reference, and hostile bytes."""

from __future__ import annotations

import base64
import json
import random
import re
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_magic.wire import Decoder, ServerSentEvent

CASES = [
    *["basic", "data_missing_event", "event_missing_data", "multiple_events", "multiple_events_with_data"],
    *["multiple_data_lines_with_empty_line", "data_json_escaped_double_new_line", "multiple_data_lines"],
    *["special_new_line_u2028", "multi_byte_split", "error_event", "crlf", "cr_only", "crlf_split_between_chunks"],
    *["comment_lines", "no_trailing_blank_line", "no_trailing_newline", "no_space_after_colon", "two_spaces"],
    *[
        "field_without_colon",
        "id_and_retry",
        "bad_retry",
        "unknown_field",
        "bom",
        "one_byte_chunks",
        "blank_lines_only",
    ],
    *["id_only_then_blank", "u0085_and_vt"],
]


def decoded(*chunks: bytes) -> list[ServerSentEvent]:
    decoder = Decoder()
    return [event for chunk in chunks for event in decoder.feed(chunk)]


def cases(recorded: Path) -> dict[str, Any]:
    return {case["name"]: case for case in json.loads((recorded / "sse_decoder_cases.json").read_text())}


def test_every_recorded_case_is_known_here(recorded: Path) -> None:
    assert sorted(cases(recorded)) == sorted(CASES)


@pytest.mark.parametrize("name", [name for name in CASES if name != "bom"])
def test_a_recorded_case_is_decoded_as_the_official_sdk_does(name: str, recorded: Path) -> None:
    case = cases(recorded)[name]
    events = decoded(*(base64.b64decode(chunk) for chunk in case["chunks_b64"]))
    assert [event._asdict() for event in events] == case["events"]


def test_a_byte_order_mark_is_stripped_as_the_specification_asks(recorded: Path) -> None:
    """The official SDK keeps it, and so loses the first field: its event has no name. WHATWG: strip it."""
    chunks = [base64.b64decode(chunk) for chunk in cases(recorded)["bom"]["chunks_b64"]]
    assert decoded(*chunks) == [ServerSentEvent("a", "1")]


def test_a_byte_order_mark_may_come_byte_by_byte() -> None:
    assert decoded(*(bytes([b]) for b in b"\xef\xbb\xbfdata: 1\n\n")) == [ServerSentEvent(None, "1")]


def test_only_one_byte_order_mark_is_stripped_and_only_at_the_start() -> None:
    events = decoded(b"\xef\xbb\xbfdata: 1\n\n\xef\xbb\xbfdata: 2\n\ndata: \xef\xbb\xbf3\n\n")
    assert events == [ServerSentEvent(None, "1"), ServerSentEvent(None, "\ufeff3")]


def test_a_recorded_stream_has_the_events_that_the_official_sdk_saw(recorded: Path) -> None:
    extra = {"text", "thinking", "input_json", "citation", "signature"}  # the SDK's own, between the API's
    for path in sorted((recorded / "streams").glob("*.sse")):
        expected = json.loads(path.with_suffix(".expected.json").read_text())
        names = next(value for key, value in expected.items() if "event" in key)
        seen = [event.event for event in decoded(path.read_bytes()) if event.event != "ping"]
        assert seen == [name for name in names if name not in extra | {"ping"}], path.name


def test_a_recorded_stream_cut_in_two_anywhere_gives_the_same_events(recorded: Path) -> None:
    for path in sorted((recorded / "streams").glob("*.sse")):
        stream = path.read_bytes()
        whole, step = decoded(stream), 1 if len(stream) < 3_000 else 97 if len(stream) < 20_000 else 9_973
        for cut in range(0, len(stream), step):
            assert decoded(stream[:cut], stream[cut:]) == whole, (path.name, cut)


def test_a_recorded_stream_byte_by_byte_gives_the_same_events(recorded: Path) -> None:
    for path in sorted((recorded / "streams").glob("*.sse")):
        stream = path.read_bytes()[:50_000]
        assert decoded(*(stream[i : i + 1] for i in range(len(stream)))) == decoded(stream), path.name


@pytest.mark.parametrize("newline", [b"\r\n", b"\r"])
def test_a_recorded_stream_with_other_line_ends_gives_the_same_events(newline: bytes, recorded: Path) -> None:
    for path in sorted((recorded / "streams").glob("*.sse")):
        stream = path.read_bytes()
        assert decoded(stream.replace(b"\n", newline)) == decoded(stream), path.name


def reference(stream: bytes) -> list[ServerSentEvent]:
    """The specification, word for word and slowly; an event without data is given, as the SDKs do."""
    lines = re.split(r"\r\n|\n|\r", stream.decode("utf-8", "replace").removeprefix("\ufeff"))[:-1]
    events, sticky = [], None
    name, data, retry, anything = None, [], None, False
    for line in lines:
        if not line:
            if anything:
                events.append(ServerSentEvent(name, "\n".join(data), sticky, retry))
            name, data, retry, anything = None, [], None, False
            continue
        field, colon, value = line.partition(":")
        value = value[1:] if colon and value[:1] == " " else value
        if field == "data":
            data.append(value)
        elif field == "event":
            name = value
        elif field == "id" and "\0" not in value:
            sticky = value
        elif field == "retry" and re.fullmatch("[0-9]{1,15}", value):
            retry = int(value)
        else:
            continue
        anything = True
    return events


SNIPPETS = st.sampled_from(
    [
        *(b"data", b"event", b"id", b"retry", b"foo", b":", b": ", b" ", b"\n", b"\r", b"\r\n", b"\n\n", b"1", b"\0"),
        *(b"\xef\xbb\xbf", b"\xe2\x98\x83", b"\xe2\x98", b"\xff", b"\xf0\x9f\x98\x80", b"\xe2\x80\xa8", b"\xc2\x85"),
        *(b"data: {}", b"event: ping", b"\x0b", b"\x0c", b"\x1c", b"\xc2\xb2", b"\xd9\xa1"),
    ]
)


@given(st.lists(SNIPPETS, max_size=40).map(b"".join), st.integers(0, 2**32))
def test_any_bytes_cut_anyhow_are_decoded_as_the_specification_says(stream: bytes, seed: int) -> None:
    cuts = sorted(random.Random(seed).choices(range(len(stream) + 1), k=5))
    chunks = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert decoded(*chunks) == reference(stream)


@given(st.lists(st.binary(max_size=30), max_size=10))
def test_no_bytes_make_it_raise(chunks: list[bytes]) -> None:
    assert decoded(*chunks) == reference(b"".join(chunks))


def test_a_retry_of_thousands_of_digits_is_passed_over() -> None:
    assert decoded(b"retry: " + b"9" * 5_000 + b"\ndata: 1\n\n") == [ServerSentEvent(None, "1")]


def test_an_id_with_a_null_character_is_passed_over() -> None:
    assert decoded(b"id: 1\nid: 2\0\ndata: x\n\n") == [ServerSentEvent(None, "x", "1")]


def test_a_line_of_ten_megabytes_in_small_chunks_takes_linear_time() -> None:
    chunk, decoder, began = b"x" * 1_000, Decoder(), time.process_time()
    assert list(decoder.feed(b"data: ")) == []
    for _ in range(10_000):
        assert list(decoder.feed(chunk)) == []
    (event,) = decoder.feed(b"\n\n")
    assert len(event.data) == 10_000_000
    assert time.process_time() - began < 50  # quadratic: over 100 s


@pytest.mark.slow
def test_many_short_data_lines_take_linear_time() -> None:
    began = time.process_time()
    (event,) = decoded(*[b"data: x\n"] * 200_000, b"\n")
    assert event.data.count("\n") == 199_999
    assert time.process_time() - began < 50
