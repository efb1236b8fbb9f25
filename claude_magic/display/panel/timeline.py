"""The events of a reply over time, as a small SVG: waiting, thinking, text, tools.

One lane for each kind of block, in the colour of the text around it, so that it reads in every theme.
A page that takes SVG away, as JupyterLab does in an untrusted notebook, is left with its words, a space apart.
The events are untrusted: a name passes `excerpt`; every other number and word is our own.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ...wire import Exchange, TimedEvent
from ...wire.short_text import span
from ..text.excerpt import one_line, plain_line

_MOST_BLOCKS = 60
_MOST_PINGS = 100
_LARGEST_START = 1_000_000  # characters of an event that is looked into
_LONGEST = 1e7  # seconds
_DELTA = "content_block_delta"
_LANES = ("waiting", "thinking", "text", "tools", "other")
_LANE_OF = {"thinking": "thinking", "redacted_thinking": "thinking", "text": "text"}
_SHADE = {"waiting": 0.12, "thinking": 0.35, "text": 0.8, "tools": 0.6, "other": 0.25}

_WIDTH, _LEFT, _RIGHT = 680.0, 120.0, 660.0  # of the picture, and of the time in it
_LANE, _BAR, _TOP, _BELOW = 18.0, 10.0, 4.0, 22.0
_CHARACTER = 6.0
_UNITS = (("h", 3600.0, 7200.0), ("min", 60.0, 120.0), ("s", 1.0, 1.0), ("ms", 1e-3, 1e-3), ("µs", 1e-6, 0.0))
"""Name and seconds of each unit, and how long a reply must take for it."""


@dataclass(frozen=True, kw_only=True)
class _Block:
    """A stretch of time in a lane.

    Attributes:
        name: What is called, of a tool; what is merged, of several; else `""`.
    """

    lane: str
    begin: float
    end: float
    name: str = ""


def timeline(exchange: Exchange, *, brief: bool = False) -> str:
    """An SVG element of bounded size, safe to put into a page; `""` if there are no events.

    Args:
        brief: Without numbers on the axis, but for its end.
    """
    events = exchange.events
    if not events:
        return ""
    blocks, pings, last = _read(events)
    end = max(_seconds(exchange.seconds), last, 1e-6)
    blocks = _limit_blocks(
        [_first_token_block(exchange, blocks, end), *(replace(b, end=min(b.end, end)) for b in blocks)]
    )
    lanes = [lane for lane in _LANES if any(block.lane == lane for block in blocks)]
    bottom = _TOP + _LANE * len(lanes)
    summary = ", ".join(f"{lane} {_sum(blocks, lane)}" for lane in lanes)
    pieces = [
        *(piece for place, lane in enumerate(lanes) for piece in _lane(lane, place, blocks, end)),
        _axis(end, bottom, brief=brief),
        f'<g stroke="currentColor">{" ".join([*_pings(pings, end, bottom), _end_line(exchange, bottom)])}</g>',
    ]
    return (
        f'<svg class="cm-timeline" role="img" aria-label="{summary}, {_amount(end)} in all" '
        f'viewBox="0 0 {_WIDTH:g} {bottom + _BELOW:g}" fill="currentColor" '
        f'style="display:block;max-width:680px;font-size:11px">{" ".join(pieces)}</svg>'
    )


def _read(events: Sequence[TimedEvent]) -> tuple[list[_Block], list[float], float]:
    """The blocks as they began and ended, when there was a ping, and when the last event came."""
    blocks: list[_Block] = []
    open_blocks: dict[str, int] = {}
    pings: list[float] = []
    last = 0.0
    for seconds, name, data in events:
        if name == _DELTA:
            last = max(last, _seconds(seconds))
            continue
        at = last = max(last, _seconds(seconds))  # time does not go back
        event = _object(data)
        kind = event.get("type") or name
        if kind == "ping":
            pings.append(at)
        elif kind == "content_block_start":
            place = _place(event)
            _end(blocks, open_blocks.pop(place, None), at)
            open_blocks[place] = len(blocks)
            blocks.append(_open_block(event.get("content_block"), at))
        elif kind == "content_block_stop":
            _end(blocks, open_blocks.pop(_place(event), None), at)
        elif kind == "completion":  # a text completion has no blocks: its text is one
            if kind not in open_blocks:
                open_blocks[kind] = len(blocks)
                blocks.append(_Block(lane="text", begin=at, end=at))
            _end(blocks, open_blocks[kind], at)
    return blocks, pings, last


def _object(data: str) -> dict[str, object]:
    try:
        value = json.loads(data) if len(data) < _LARGEST_START else None
    except (ValueError, RecursionError):
        value = None
    return value if isinstance(value, dict) else {}


def _place(event: dict[str, object]) -> str:
    """What names a block: its index, or whatever stands there."""
    index = event.get("index")
    return str(index)[:40] if isinstance(index, int | str) else type(index).__name__


def _open_block(block: object, at: float) -> _Block:
    """A block that has no end yet."""
    known = block if isinstance(block, dict) else {}
    kind, name = str(known.get("type"))[:40], known.get("name")
    lane = _LANE_OF.get(kind) or ("tools" if kind.endswith("tool_use") else "other")
    words = " ".join(word for word in (kind if lane == "other" else "", name) if isinstance(word, str) and word)
    return _Block(lane=lane, begin=at, end=math.inf, name=words[:200])


def _end(blocks: list[_Block], number: int | None, at: float) -> None:
    if number is not None:
        blocks[number] = replace(blocks[number], end=at)


def _first_token_block(exchange: Exchange, blocks: Sequence[_Block], end: float) -> _Block:
    """From the question to the first token."""
    first = exchange.first_token_seconds
    until = _seconds(first) if first is not None else min((block.begin for block in blocks), default=end)
    return _Block(lane="waiting", begin=0.0, end=min(until, end))


def _limit_blocks(blocks: list[_Block]) -> list[_Block]:
    """The first blocks, and the rest of each lane as one."""
    result, rest = blocks[:_MOST_BLOCKS], blocks[_MOST_BLOCKS:]
    for lane in _LANES:
        merged = [block for block in rest if block.lane == lane]
        if merged:
            begin, end = min(block.begin for block in merged), max(block.end for block in merged)
            result.append(_Block(lane=lane, begin=begin, end=end, name=f"{len(merged):,} more"))
    return result


def _lane(lane: str, place: int, blocks: Sequence[_Block], end: float) -> Iterator[str]:
    """The title of a lane, its blocks, and their names where there is room."""
    y = _TOP + _LANE * place
    middle = y + _LANE / 2 + 4
    yield f'<text x="{_LEFT - 8:g}" y="{middle:g}" text-anchor="end">{lane} {_sum(blocks, lane)}</text>'
    own = [block for block in blocks if block.lane == lane]
    for number, block in enumerate(own):
        left, right = _x(block.begin, end), _x(block.end, end)
        name = one_line(block.name, 60)
        label = f"{f'{lane}: {name}' if name else lane}, {_moment(block.begin, end)} to {_moment(block.end, end)}"
        yield (
            f'<rect x="{left:.0f}" y="{y + (_LANE - _BAR) / 2:g}" width="{max(right - left, 1.5):.1f}" '
            f'height="{_BAR:g}" fill-opacity="{_SHADE[lane]}"><title>{label}</title></rect>'
        )
        needed = len(plain_line(block.name, 60)) * _CHARACTER + 8
        after = (_x(own[number + 1].begin, end) if number + 1 < len(own) else _WIDTH) - right
        before = left - (_x(own[number - 1].end, end) if number else _LEFT)
        if name and needed <= after:
            yield f'<text x="{right + 4:.1f}" y="{middle:g}" opacity="0.75">{name}</text>'
        elif name and needed <= before:
            yield f'<text x="{left - 4:.1f}" y="{middle:g}" text-anchor="end" opacity="0.75">{name}</text>'


def _axis(end: float, bottom: float, *, brief: bool) -> str:
    """The time at round numbers, and where it ended, all in one unit and no two alike."""
    unit, seconds = _unit(end)
    step = _step(end / seconds) * seconds
    places = ((number, _x(number * step, end)) for number in range(0 if brief else int(end / step) + 1))
    y = f"{bottom + 16:g}"
    labels = [
        f'<text x="{x:.0f}" y="{y}">{number * step / seconds:.6g} {unit}</text>'
        for number, x in places
        if x < _RIGHT - 50
    ]
    labels.append(f'<text x="{_WIDTH:g}" y="{y}" text-anchor="end">{_end_label(end)}</text>')
    line = f'<path d="M{_LEFT:g} {bottom:g}H{_RIGHT:g}" stroke="currentColor" stroke-opacity="0.4"/>'
    return f'{line} <g text-anchor="middle">{" ".join(labels)}</g>'


def _step(end: float) -> float:
    """A round number, so that there are at most seven of them until `end`."""
    power = float(10 ** math.floor(math.log10(end / 6)))
    return next(power * factor for factor in (1, 2, 5, 10, 20) if end / (power * factor) <= 6)


def _pings(pings: list[float], end: float, bottom: float) -> Iterator[str]:
    """A stroke on the axis for each ping; those at one place are one."""
    for x in list(dict.fromkeys(round(_x(at, end)) for at in pings))[:_MOST_PINGS]:
        yield f'<path d="M{x} {bottom - 4:g}v6"><title>ping</title></path>'


def _end_line(exchange: Exchange, bottom: float) -> str:
    """A line where the reply ended; dashed if it is incomplete."""
    complete = exchange.error is None and exchange.message.stop_reason is not None
    dashes, label = ("", "end") if complete else (' stroke-dasharray="3 2"', "incomplete")
    return f'<path d="M{_RIGHT:g} 0V{bottom + 4:g}"{dashes}><title>{label}</title></path>'


def _unit(end: float) -> tuple[str, float]:
    """The unit of the axis, and its seconds."""
    return next((name, seconds) for name, seconds, least in _UNITS if end >= least)


def _end_label(end: float) -> str:
    """Where the axis ends, exact enough to differ from the last number before it, which is a tenth less."""
    unit, seconds = _unit(end)
    return span(end) if unit == "s" else f"{_three_digits(end / seconds)} {unit}"


def _moment(seconds: float, end: float) -> str:
    """A time within a reply that takes so long."""
    unit, scale = _unit(end)
    return f"{seconds:.2f} s" if scale >= 1 else f"{_three_digits(seconds / scale)} {unit}"


def _three_digits(value: float) -> str:
    digits = 2 - math.floor(math.log10(value)) if value > 0 else 0
    text = f"{value:.{min(max(digits, 0), 6)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _amount(seconds: float) -> str:
    """A duration in a unit that fits it: `2.4 s`, `31 ms`, `5 µs`."""
    if seconds >= 0.095:
        return span(seconds)
    return f"{seconds * 1e3:.2g} ms" if seconds >= 0.00095 else f"{seconds * 1e6:.0f} µs" if seconds else "0 s"


def _sum(blocks: Sequence[_Block], lane: str) -> str:
    return _amount(sum(block.end - block.begin for block in blocks if block.lane == lane))


def _x(seconds: float, end: float) -> float:
    return _LEFT + (_RIGHT - _LEFT) * min(max(seconds / end, 0.0), 1.0)


def _seconds(value: float) -> float:
    """A time as it can be drawn: not negative, not a year, not `nan`."""
    return min(max(value, 0.0), _LONGEST) if math.isfinite(value) else 0.0
