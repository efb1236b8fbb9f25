"""A stream of events, folded into a message: against recorded traffic, `jiter`, and hostile events."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import jiter
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from claude_magic.api.accumulator import Accumulator, ErrorEvent
from claude_magic.errors import StreamError
from claude_magic.wire import Decoder, Fold, Message, Request, ServerSentEvent, fix_surrogates, partial_json
from tests.server import message


def folded(events: Iterable[dict[str, Any]]) -> Message:
    fold = Fold()
    for event in events:
        fold.add(event)
    return fold.message


def start(index: int, block: Any) -> dict[str, Any]:
    return {"type": "content_block_start", "index": index, "content_block": block}


def delta(index: Any, **fields: Any) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": index, "delta": fields}


def stop(index: Any) -> dict[str, Any]:
    return {"type": "content_block_stop", "index": index}


START = {"type": "message_start", "message": message()}
TEXT = {"type": "text", "text": ""}
TOOL = {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}}


def of_block(block: Any, *deltas: dict[str, Any], stopped: bool = True) -> Any:
    """The one block that `deltas` make of `block`."""
    ends = [stop(0)] if stopped else []
    return folded([START, start(0, block), *(delta(0, **fields) for fields in deltas), *ends]).content[0]


def of_arguments(*fragments: str, stopped: bool = True) -> Any:
    return of_block(TOOL, *({"type": "input_json_delta", "partial_json": f} for f in fragments), stopped=stopped)[
        "input"
    ]


def test_a_recorded_stream_folds_into_exactly_what_the_official_sdk_makes_of_it(recorded: Path) -> None:
    paths = sorted((recorded / "streams").glob("*.sse"))
    assert len(paths) >= 20
    for path in paths:
        final = json.loads(path.with_suffix(".expected.json").read_text())["final_message"]
        events = (json.loads(event.data) for event in Decoder().feed(path.read_bytes()))
        assert folded(events).body == final, path.name


def test_an_unknown_block_is_kept_as_it_came() -> None:
    block = {"type": "hologram", "beam": [1, {"x": None}]}
    assert of_block(block, {"type": "hologram_delta", "beam": 2}, {"type": "text_delta", "text": "x"}) == block


def test_an_unknown_event_changes_nothing() -> None:
    fold = Fold()
    fold.add(START)
    before = fold.message
    fold.add({"type": "weather", "message": {"content": []}})
    assert (fold.message, fold.fault) == (before, "")
    assert "'weather', of an unknown kind" in fold.notes[0]


@pytest.mark.parametrize(
    "unfit",
    [
        {"type": "thinking_delta", "thinking": "x"},
        {"type": "input_json_delta", "partial_json": "{"},
        {"type": "signature_delta", "signature": "x"},
        {"type": "compaction_delta", "content": "x"},
        {"type": "text_delta"},
        {"type": "text_delta", "text": 5},
        {"type": "text_delta", "text": None},
        {},
    ],
)
def test_a_delta_that_does_not_fit_its_block_is_passed_over(unfit: dict[str, Any]) -> None:
    assert of_block(TEXT, {"type": "text_delta", "text": "a"}, unfit, {"type": "text_delta", "text": "b"}) == {
        "type": "text",
        "text": "ab",
    }


def test_a_signature_replaces_the_one_before() -> None:
    block = {"type": "thinking", "thinking": "", "signature": ""}
    signed = of_block(block, *({"type": "signature_delta", "signature": s} for s in ("a", "b")))
    assert signed["signature"] == "b"


def test_citations_gather() -> None:
    cited = of_block(TEXT, *({"type": "citations_delta", "citation": {"n": n}} for n in (1, 2)))
    assert cited["citations"] == [{"n": 1}, {"n": 2}]


def test_usage_is_cumulative_and_keeps_what_is_not_told_again() -> None:
    told = {"type": "message_delta", "delta": {}, "usage": {"output_tokens": 9, "input_tokens": None}}
    assert folded([START, told]).usage == {"input_tokens": 46, "cache_read_input_tokens": 0, "output_tokens": 9}


def test_blocks_of_a_reply_may_be_written_by_turns() -> None:
    turns = [delta(i % 2, type="text_delta", text=str(i)) for i in range(6)]
    assert [b["text"] for b in folded([START, start(0, TEXT), start(1, TEXT), *turns]).content] == ["024", "135"]


def test_text_that_a_block_starts_with_is_kept() -> None:
    assert of_block({"type": "text", "text": "a"}, {"type": "text_delta", "text": "b"})["text"] == "ab"


# Surrogates


def test_a_surrogate_pair_split_over_two_deltas_is_joined() -> None:
    halves = ({"type": "text_delta", "text": "<\ud83d"}, {"type": "text_delta", "text": "\ude00>"})
    assert of_block(TEXT, *halves)["text"] == "<😀>"


def test_a_look_between_the_halves_of_a_pair_does_not_part_them() -> None:
    fold = Fold()
    for event in (START, start(0, TEXT), delta(0, type="text_delta", text="\ud83d")):
        fold.add(event)
    assert fold.message.text == "\ufffd"
    fold.add(delta(0, type="text_delta", text="\ude00"))
    assert fold.message.text == "😀"


@pytest.mark.parametrize("text", ["high \ud83d", "low \ude00", "swapped \ude00\ud83d"])
def test_a_lone_surrogate_is_replaced(text: str) -> None:
    replaced = text.replace("\ud83d", "\ufffd").replace("\ude00", "\ufffd")
    assert of_block(TEXT, {"type": "text_delta", "text": text})["text"] == replaced


@given(st.text(st.characters(exclude_categories=[]), max_size=20))
def test_sound_text_can_be_encoded_and_is_what_utf_16_makes_of_it(text: str) -> None:
    assert fix_surrogates(text) == text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


@pytest.mark.parametrize(
    "events",
    [
        [{"type": "message_start", "message": message(id="\ud800", content=[{"type": "x", "y": {"\ud800": 1}}])}],
        [START, start(0, {"type": "server_result", "content": [{"text": "\ud83d\ude00\ud800"}]})],
        [START, start(0, TEXT), delta(0, type="citations_delta", citation={"cited_text": "\udc00"})],
        [START, start(0, {"type": "thinking"}), delta(0, type="signature_delta", signature="\udc00")],
        [START, start(0, TOOL), delta(0, type="input_json_delta", partial_json='{"a": "\\ud800"}'), stop(0)],
        [START, {"type": "message_delta", "delta": {"stop_sequence": "\ud800"}, "usage": {}}],
    ],
)
def test_no_surrogate_is_left_anywhere_in_a_message(events: list[dict[str, Any]]) -> None:
    assert json.dumps(folded(events).body, ensure_ascii=False).encode()


# A tool's arguments


@pytest.mark.parametrize(
    "text",
    [
        *('{"a": 1, "b": "unf', '{"a": 1,', '{"a"', '{"a":', '{"a": tru', '{"a": [1, 2', '{"a": [1, {"b": "c'),
        *('{"a": -', '{"a": 1e', '{"a": 12.', "{", '{"a": "x\\', '{"a": "x\\u12', '{"a": {}', '{"a": "\\"}', "[[], [1"),
        *('{"a": "]}"', '{"a": [], "b": {"c": nul', '{"a":1 ', '{ "a" : [ 1 , ', '{"é☃😀": "é☃', '{"a": null, "b"'),
    ],
)
def test_arguments_that_are_cut_off_read_as_jiter_reads_them(text: str) -> None:
    assert partial_json.loads(text) == jiter.from_json(text.encode(), partial_mode=True)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.floats(-1e9, 1e9) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(max_size=4), JSON, max_size=4), st.sampled_from([None, 1]), st.booleans(), st.data())
def test_any_arguments_cut_off_anywhere_read_as_jiter_reads_them(
    value: Any, indent: int | None, ascii_only: bool, data: st.DataObject
) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    cut = text[: data.draw(st.integers(1, len(text)))]
    assert partial_json.loads(cut) == jiter.from_json(cut.encode(), partial_mode=True)


@given(st.text('{}[]",:\\ 01.e-+truefalsn\n', max_size=30))
@example("1" * 5_000)
def test_what_is_no_json_raises_nothing_but_a_value_error(text: str) -> None:
    with contextlib.suppress(ValueError):
        partial_json.loads(text)


@pytest.mark.parametrize("text", ['{"a": }', '{"a": 1,, ', "[xx", "{1", '{"a": 1, 2', "nonsense", '{"a": [1, 2}, x'])
def test_arguments_that_are_no_beginning_of_json_are_a_fault_and_what_follows_is_kept(text: str) -> None:
    fold = Fold()
    broken = [start(0, TOOL), delta(0, type="input_json_delta", partial_json=text), stop(0)]
    for event in [START, *broken, start(1, TEXT), delta(1, type="text_delta", text="after")]:
        fold.add(event)
    assert "not JSON" in fold.fault
    assert (fold.message.text, fold.message.cut) == ("after", {0})


def test_arguments_grow_with_their_fragments() -> None:
    assert of_arguments("", '{"a": [1', ', 2], "b": "x', stopped=False) == {"a": [1, 2]}


def test_arguments_without_fragments_are_empty() -> None:
    assert of_arguments("", "") == {}


def test_arguments_that_stop_unfinished_are_kept_as_far_as_they_go() -> None:
    assert of_arguments('{"a": 1, "b": "unf') == {"a": 1}


@pytest.mark.parametrize(
    "bomb", ["[" * 100_000, '{"a":' * 100_000, "[" * 990 + "]" * 990, "[" * 400_000 + "]" * 400_000]
)
def test_arguments_nested_too_deeply_are_a_stream_error(bomb: str) -> None:
    with contextlib.suppress(StreamError):
        of_arguments(bomb)
    of_arguments(bomb, stopped=False)


@pytest.mark.parametrize(
    "text", ["[" + "1" * 100_000 + "x", '["' + "\\\\" * 100_000, "[" + " " * 100_000 + "x", '{"a": ' + "1, " * 50_000]
)
def test_hostile_arguments_take_no_quadratic_time(text: str) -> None:
    with contextlib.suppress(ValueError):
        partial_json.loads(text)  # the limit of the whole suite is 120 s; quadratic ones would take minutes


# What was handed out stays as it was


def test_a_message_that_was_handed_out_is_not_changed_by_later_events() -> None:
    fold, seen = Fold(), []
    events = [
        START,
        start(0, TEXT),
        delta(0, type="text_delta", text="a"),
        delta(0, type="citations_delta", citation={"n": 1}),
        delta(0, type="citations_delta", citation={"n": 2}),
        delta(0, type="text_delta", text="b"),
        stop(0),
        start(1, TOOL),
        delta(1, type="input_json_delta", partial_json='{"a": [1'),
        delta(1, type="input_json_delta", partial_json=", 2]}"),
        stop(1),
        start(2, {"type": "thinking", "thinking": "", "signature": ""}),
        delta(2, type="thinking_delta", thinking="hm"),
        delta(2, type="signature_delta", signature="s"),
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 5}},
        {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 7}},
        {"type": "message_stop"},
    ]
    for event in events:
        fold.add(event)
        seen.append((fold.message, json.dumps(fold.message.body)))
    assert [json.dumps(handed_out.body) for handed_out, _ in seen] == [as_it_was for _, as_it_was in seen]


def test_changing_a_message_that_was_handed_out_does_not_change_the_next() -> None:
    fold = Fold()
    for event in (START, start(0, TEXT), delta(0, type="text_delta", text="a")):
        fold.add(event)
    fold.message.content[0]["text"] = "changed"
    fold.message.content.clear()
    assert fold.message.text == "a"


# Hostile events

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 3) | st.floats() | st.sampled_from(["", "x", "text", "\ud800"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "text", "content", "citations", "usage", "input"]), inner, max_size=3
        )
    ),
    max_leaves=6,
)
TYPES = st.sampled_from(
    [
        *("message_start", "content_block_start", "content_block_delta", "content_block_stop", "message_delta"),
        *("message_stop", "ping", "unknown"),
    ]
)
DELTAS = ANYTHING | st.fixed_dictionaries(
    {"type": st.sampled_from(["text_delta", "input_json_delta", "citations_delta", "signature_delta"]) | ANYTHING},
    optional={"text": ANYTHING, "partial_json": st.sampled_from(["{", "x", '"']) | ANYTHING, "citation": ANYTHING},
)
BLOCKS = ANYTHING | st.fixed_dictionaries(
    {"type": st.sampled_from(["text", "tool_use", "thinking"])}, optional={"text": ANYTHING, "citations": ANYTHING}
)
EVENTS = st.fixed_dictionaries(
    {"type": TYPES | ANYTHING},
    optional={
        "index": st.integers(-1, 2) | ANYTHING,
        "delta": DELTAS,
        "content_block": BLOCKS,
        "message": ANYTHING | st.just(message()),
        "usage": ANYTHING,
    },
)


@given(st.lists(EVENTS, max_size=12), st.booleans())
def test_events_of_any_shape_raise_nothing_but_a_stream_error(events: list[dict[str, Any]], begun: bool) -> None:
    fold = Fold()
    for event in [START] * begun + events:
        with contextlib.suppress(StreamError):
            fold.add(event)
        seen = fold.message
        assert isinstance(seen.text, str)
        assert all(isinstance(block, dict) for block in seen.content)
        assert isinstance(seen.usage, dict)
        for word in (seen.id, seen.model, seen.role, seen.stop_reason, seen.stop_sequence):
            assert word is None or isinstance(word, str)


def test_ends_before_the_message_are_passed_over_and_text_is_kept() -> None:
    assert folded([stop(0), {"type": "message_stop"}, {"type": "ping"}]) == Message()
    assert folded([delta(0, type="text_delta", text="x"), START, delta(0, type="text_delta", text="y")]).text == "xy"


def test_a_reply_whose_start_was_left_out_is_kept() -> None:
    """As llama.cpp leaves it out where the first token is half a character."""
    events = [start(0, TEXT), delta(0, type="text_delta", text="x"), stop(0)]
    assert (folded(events).text, folded(events).role, folded(events).id) == ("x", "assistant", None)


def test_a_second_message_start_is_passed_over() -> None:
    second = {"type": "message_start", "message": message(id="msg_other")}
    events = [
        START,
        start(0, TEXT),
        delta(0, type="text_delta", text="a"),
        second,
        delta(0, type="text_delta", text="b"),
    ]
    assert (folded(events).id, folded(events).text) == ("msg_01Test", "ab")


@pytest.mark.parametrize("index", [1, -1, 10**30, True, 0.0, "0", None, [], {}])
def test_the_text_of_a_block_that_never_began_is_kept(index: Any) -> None:
    assert folded([START, start(0, TEXT), delta(index, type="text_delta", text="x")]).text == "x"


def taken(*data: str, event: str | None = None) -> Accumulator:
    growing = Accumulator(Request(method="POST", url=""))
    growing.add_events([ServerSentEvent(event, datum) for datum in data])
    return growing


@pytest.mark.parametrize("depth", [900, 980, 1_000, 100_000])
def test_an_event_nested_deeply_raises_nothing_but_a_stream_error(depth: int) -> None:
    bomb = '{"type":"message_start","message":{"content":[' + '{"a":' * depth + "1" + "}" * depth + "]}}"
    with contextlib.suppress(StreamError):
        taken(bomb, event="message_start")


@pytest.mark.parametrize("data", ["[DONE]", "nonsense", "[1]", "5", "null", '"x"', "NaN", "1" * 5_000])
def test_data_of_other_dialects_without_a_name_is_passed_over(data: str) -> None:
    assert taken(json.dumps(START), data).exchange().message.id == "msg_01Test"


@pytest.mark.parametrize(("data", "name"), [("{nonsense", "content_block_delta"), ("{nonsense", None), ("x", "x")])
def test_data_that_is_no_json_is_a_stream_error(data: str, name: str | None) -> None:
    with pytest.raises(StreamError, match="not JSON"):
        taken(data, event=name).check()


def test_an_error_event_is_told_by_its_name_or_by_its_type() -> None:
    for event, data in ((None, '{"type": "error"}'), ("error", "{}")):
        with pytest.raises(ErrorEvent):
            taken(data, event=event)


def test_an_event_is_not_changed_by_the_fold() -> None:
    block = {"type": "text", "text": "", "citations": []}
    of_block(block, {"type": "text_delta", "text": "a"}, {"type": "citations_delta", "citation": 1})
    assert block == {"type": "text", "text": "", "citations": []}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("block", "fields"),
    [
        (TEXT, {"type": "text_delta", "text": "abcde" * 20}),
        (TEXT, {"type": "citations_delta", "citation": {"n": 1}}),
        (TOOL, {"type": "input_json_delta", "partial_json": "[" * 20}),
    ],
)
def test_the_work_of_an_event_does_not_grow_with_the_reply(block: dict[str, Any], fields: dict[str, Any]) -> None:
    fold, seconds = Fold(), []
    fold.add(START)
    fold.add(start(0, block))
    for _ in range(6):
        began = time.process_time()
        for _ in range(20_000):
            fold.add(delta(0, **fields))
        seconds.append(time.process_time() - began)
    assert min(seconds[3:]) < 3 * max(seconds[:3])  # what grew with each event would be 5 times as dear, or more


def test_a_reply_whose_start_was_forgotten_is_kept() -> None:
    fold = Fold()
    fold.add({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}})
    fold.add({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "😀"}})
    fold.add({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 1}})
    fold.add({"type": "message_stop"})
    assert (fold.message.text, fold.message.stop_reason, fold.is_complete) == ("😀", "end_turn", True)
