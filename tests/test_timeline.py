"""The picture of a reply over time: what stands where, and that nothing in it runs, fetches or grows."""

from __future__ import annotations

import json
import re
import time
import xml.etree.ElementTree as ElementTree
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from claude_magic.display.panel.timeline import timeline
from claude_magic.errors import Interrupted
from claude_magic.wire import Exchange, Message, TimedEvent
from tests.exchange_fields import exchange_of
from tests.panel_exchange import exchange, request
from tests.test_panel import HOSTILE

TAGS = {"svg", "g", "text", "rect", "title", "path"}
ATTRIBUTES = {
    *("class", "role", "aria-label", "viewBox", "fill", "style", "font-family", "x", "y", "width", "height", "rx", "d"),
    *("fill-opacity", "opacity", "text-anchor", "stroke", "stroke-opacity", "stroke-dasharray"),
}


def start(seconds: float, index: Any, kind: str, **block: Any) -> TimedEvent:
    data = {"type": "content_block_start", "index": index, "content_block": {"type": kind, **block}}
    return TimedEvent(seconds, "content_block_start", json.dumps(data))


def stop(seconds: float, index: Any) -> TimedEvent:
    return TimedEvent(seconds, "content_block_stop", json.dumps({"type": "content_block_stop", "index": index}))


def ping(seconds: float) -> TimedEvent:
    return TimedEvent(seconds, "ping", '{"type": "ping"}')


def made(*events: TimedEvent, **fields: Any) -> Exchange:
    message = Message(body={"stop_reason": "end_turn"})
    return exchange_of(request=request(), message=message, events=events, **fields)


def drawn(*events: TimedEvent, **fields: Any) -> ElementTree.Element:
    return ElementTree.fromstring(timeline(made(*events, **fields)))


def titles(svg: ElementTree.Element, tag: str = "rect") -> list[str]:
    return [each.findtext("title") or "" for each in svg.iter(tag) if each.find("title") is not None]


def is_inert(source: str) -> bool:
    """Whether it is well-formed, of known elements and attributes, and refers to nothing."""
    root = ElementTree.fromstring(source)
    known = all(each.tag in TAGS and set(each.attrib) <= ATTRIBUTES for each in root.iter())
    values = [value for each in root.iter() for value in each.attrib.values()]
    return known and not any(re.search(r"url\(|:/|javascript:|expression", value) for value in values)


def test_each_block_stands_from_its_start_to_its_stop() -> None:
    svg = drawn(
        *(start(1.0, 0, "thinking"), stop(2.5, 0), start(2.5, 1, "text"), ping(3.0), stop(4.0, 1)),
        *(start(4.0, 2, "tool_use", name="get_weather"), stop(5.0, 2)),
        seconds=5.25,
        first_token_seconds=1.1,
    )
    assert titles(svg) == [
        "waiting, 0.00 s to 1.10 s",
        "thinking, 1.00 s to 2.50 s",
        "text, 2.50 s to 4.00 s",
        "tools: get_weather, 4.00 s to 5.00 s",
    ]
    assert titles(svg, "path") == ["ping", "end"]
    assert svg.get("aria-label") == "waiting 1.1 s, thinking 1.5 s, text 1.5 s, tools 1.0 s, 5.2 s in all"


def test_a_tool_is_named_beside_its_time_on_the_side_that_has_room() -> None:
    first, last = (
        (start(0.2, 0, "tool_use", name="first"), stop(0.4, 0)),
        (start(5.0, 1, "tool_use", name="the_last_one"),),
    )
    named = {each.text: each.get("text-anchor") for each in drawn(*first, *last, seconds=5.25).iter("text")}
    assert (named["first"], named["the_last_one"]) == (None, "end")


def test_the_seconds_are_told_at_round_numbers() -> None:
    words = [each.text for each in drawn(start(0.1, 0, "text"), stop(24.0, 0), seconds=24.4).iter("text")]
    assert words[-6:] == ["0 s", "5 s", "10 s", "15 s", "20 s", "24 s"]


def test_no_two_numbers_on_the_axis_are_alike_in_any_range() -> None:
    for power in range(-60, 71):  # from a microsecond to more than a hundred days
        for factor in (1.0, 1.04, 1.7, 2.6, 5.5, 9.49, 9.96):
            end = factor * 10 ** (power / 10)
            svg = drawn(start(end / 3, 0, "text"), stop(end, 0), seconds=end)
            axis = [each.text for each in svg.iter("text")][2:]
            assert 3 <= len(axis) <= 8, (end, axis)
            assert len(set(axis)) == len(axis), (end, axis)
            numbers = [float(str(text).split()[0]) for text in axis[:-1]]
            assert numbers == sorted(set(numbers)), (end, axis)


def test_the_axis_has_a_unit_that_fits() -> None:
    def axis(end: float) -> list[str | None]:
        return [each.text for each in drawn(stop(end, 0), seconds=end).iter("text")][1:]

    assert axis(5e-6) == ["0 µs", "1 µs", "2 µs", "3 µs", "4 µs", "5 µs"]
    assert axis(0.0042) == ["0 ms", "1 ms", "2 ms", "3 ms", "4.2 ms"]
    assert axis(0.9) == ["0 ms", "200 ms", "400 ms", "600 ms", "800 ms", "900 ms"]
    assert axis(2.0) == ["0 s", "0.5 s", "1 s", "1.5 s", "2.0 s"]
    assert axis(90.0) == ["0 s", "20 s", "40 s", "60 s", "80 s", "1 min 30 s"]
    assert axis(600.0) == ["0 min", "2 min", "4 min", "6 min", "8 min", "10 min"]
    assert axis(3 * 3600.0) == ["0 h", "0.5 h", "1 h", "1.5 h", "2 h", "2.5 h", "3 h"]


def test_short_times_are_told_in_their_own_unit() -> None:
    svg = drawn(start(0.0021, 0, "text"), stop(0.0042, 0), seconds=0.0042, first_token_seconds=0.0021)
    assert svg.get("aria-label") == "waiting 2.1 ms, text 2.1 ms, 4.2 ms in all"
    assert titles(svg) == ["waiting, 0 ms to 2.1 ms", "text, 2.1 ms to 4.2 ms"]


def test_a_brief_axis_has_its_end_only() -> None:
    brief = ElementTree.fromstring(timeline(made(start(0.1, 0, "text"), seconds=24.4), brief=True))
    assert [each.text for each in brief.iter("text")] == ["waiting 0.1 s", "text 24 s", "24 s"]


def test_the_panel_s_exchange_is_drawn() -> None:
    assert titles(ElementTree.fromstring(timeline(exchange()))) == [
        "waiting, 0.00 s to 0.93 s",
        "text, 0.85 s to 3.65 s",
    ]


def test_without_events_there_is_nothing() -> None:
    assert timeline(made()) == ""


def test_a_block_without_an_end_goes_on_to_the_end_and_the_end_is_a_broken_line() -> None:
    broken = made(start(1.0, 0, "text"), seconds=3.0).with_error(Interrupted("stopped"))
    svg = ElementTree.fromstring(timeline(broken))
    assert titles(svg)[-1] == "text, 1.00 s to 3.00 s"
    assert titles(svg, "path") == ["incomplete"]


def test_only_pings_are_all_waiting() -> None:
    assert titles(drawn(ping(1), ping(2), seconds=3.0)) == ["waiting, 0.00 s to 3.00 s"]


def test_events_at_one_time_are_still_seen() -> None:
    svg = drawn(start(1.0, 0, "text"), stop(1.0, 0), start(1.0, 1, "tool_use", name="a"), stop(1.0, 1), seconds=1.0)
    assert [float(each.get("width", "0")) for each in svg.iter("rect")] == [540.0, 1.5, 1.5]


def test_events_without_a_name_are_read_by_their_data() -> None:
    svg = drawn(start(1.0, 0, "text")._replace(event=""), stop(2.0, 0)._replace(event=""), seconds=2.0)
    assert titles(svg)[-1] == "text, 1.00 s to 2.00 s"


def test_a_block_that_starts_again_ends_the_one_before() -> None:
    svg = drawn(start(1.0, 0, "text"), start(2.0, 0, "thinking"), stop(3.0, 0), stop(9.0, 7), seconds=9.0)
    assert titles(svg)[1:] == ["thinking, 2.00 s to 3.00 s", "text, 1.00 s to 2.00 s"]


def test_more_blocks_than_can_be_seen_are_drawn_as_one() -> None:
    events = [each for at in range(5_000) for each in (start(at, at, "tool_use", name=f"t{at}"), stop(at + 0.5, at))]
    source = timeline(made(*events, *map(ping, range(5_000)), seconds=5_000.0))
    svg = ElementTree.fromstring(source)
    assert len(titles(svg)) == 61
    assert titles(svg)[-1] == "tools: 4,941 more, 59.00 s to 4999.50 s"
    assert len(source) < 30_000


def test_a_long_reply_is_drawn_at_once() -> None:
    events = exchange(20_000)
    began = time.process_time()
    timeline(events)
    assert time.process_time() - began < 10


def test_hostile_names_do_nothing() -> None:
    names = (HOSTILE, "sk-ant-api03-abcdefgh", "]]>--><![CDATA[", "&quot;", "\ud800\0\x1b[31m")
    events = [start(at, at, kind, name=name) for at, name in enumerate(names) for kind in ("tool_use", HOSTILE)]
    source = timeline(made(*events, seconds=9.0))
    assert is_inert(source)
    assert "abcdefgh" not in source
    assert source.isprintable()


ODD = (
    "",
    "[",
    "null",
    "[1]",
    '{"type": 1}',
    "[" * 100_000,
    '{"type":"content_block_start"}',
    '{"index":NaN}',
    "1" * 5000,
)
indexes = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | st.lists(st.integers())
kinds = (
    st.sampled_from(["text", "thinking", "redacted_thinking", "tool_use", "server_tool_use", "fallback", ""])
    | st.text()
)
seconds = st.floats() | st.floats(0, 100)
events = st.one_of(
    st.builds(start, seconds, indexes, kinds, name=st.text() | st.integers()),
    st.builds(stop, seconds, indexes),
    st.builds(ping, seconds),
    st.builds(TimedEvent, seconds, st.sampled_from(["", "ping", "content_block_start"]), st.sampled_from(ODD)),
)


@given(st.lists(events, min_size=1, max_size=80), seconds, st.none() | seconds)
def test_any_events_make_a_picture_that_does_nothing(
    found: list[TimedEvent], whole: float, first: float | None
) -> None:
    source = timeline(made(*found, seconds=whole, first_token_seconds=first))
    assert is_inert(source)
    assert len(source) < 40_000
    numbers = [float(n) for n in re.findall(r' (?:x|y|width|height)="([^"]*)"', source)]
    assert all(0 <= number <= 680 for number in numbers)


def test_the_last_number_of_the_axis_ends_within_the_picture() -> None:
    for seconds in (0.00778, 0.25, 12.345, 1_000.0):
        *_, last = drawn(start(seconds / 2, 0, "text"), seconds=seconds).iter("text")
        assert (last.get("x"), last.get("text-anchor")) == ("680", "end")
