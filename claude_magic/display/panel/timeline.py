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
from ..reply.summary import span
from ..text.excerpt import one_line, plain_line

_MOST_BLOCKS = 60
_MOST_TICKS = 100
_LARGEST_START = 1_000_000  # characters of an event that is looked into
_LONGEST = 1e7  # seconds
_DELTA = "content_block_delta"
_LANES = ("waiting", "thinking", "text", "tools", "other")
_LANE_OF = {"thinking": "thinking", "redacted_thinking": "thinking", "text": "text"}
_SHADE = {"waiting": 0.12, "thinking": 0.35, "text": 0.8, "tools": 0.6, "other": 0.25}

_WIDTH, _LEFT, _RIGHT = 680.0, 120.0, 660.0  # of the picture, and of the time in it
_LANE, _BAR, _TOP, _BELOW = 18.0, 10.0, 4.0, 22.0
_CHARACTER = 6.0


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


def timeline(exchange: Exchange) -> str:
    """An SVG element of bounded size, safe to put into a page; `""` if there are no events."""
    events = exchange.events
    if not events:
        return ""
    blocks, ticks, last = _read(events)
    end = max(_seconds(exchange.seconds), last, 0.001)
    blocks = _limit_blocks(
        [_first_token_block(exchange, blocks, end), *(replace(b, end=min(b.end, end)) for b in blocks)]
    )
    lanes = [lane for lane in _LANES if any(block.lane == lane for block in blocks)]
    bottom = _TOP + _LANE * len(lanes)
    inner = [
        *(line for place, lane in enumerate(lanes) for line in _lane(lane, place, blocks, end)),
        *_axis(end, bottom),
        *_ticks(ticks, end, bottom),
        _end_line(exchange, bottom),
    ]
    told = ", ".join(f"{lane} {_sum(blocks, lane)}" for lane in lanes)
    return (
        f'<svg class="cm-timeline" role="img" aria-label="{told}, {span(end)} in all" '
        f'viewBox="0 0 {_WIDTH:g} {bottom + _BELOW:g}" fill="currentColor" '
        'style="display:block;width:100%;max-width:680px;height:auto;font-size:11px" '
        f'font-family="sans-serif">{" ".join(inner)}</svg>'
    )


def _read(events: Sequence[TimedEvent]) -> tuple[list[_Block], list[float], float]:
    """The blocks as they began and ended, when there was a ping, and when the last event came."""
    blocks: list[_Block] = []
    begun: dict[str, int] = {}
    ticks: list[float] = []
    last = 0.0
    for seconds, name, data in events:
        if name == _DELTA:
            last = max(last, _seconds(seconds))
            continue
        at = last = max(last, _seconds(seconds))  # time does not go back
        event = _object(data)
        kind = event.get("type") or name
        if kind == "ping":
            ticks.append(at)
        elif kind == "content_block_start":
            place = _place(event)
            _end(blocks, begun.pop(place, None), at)
            begun[place] = len(blocks)
            blocks.append(_open_block(event.get("content_block"), at))
        elif kind == "content_block_stop":
            _end(blocks, begun.pop(_place(event), None), at)
    return blocks, ticks, last


def _object(data: str) -> dict[str, object]:
    try:
        found = json.loads(data) if len(data) < _LARGEST_START else None
    except (ValueError, RecursionError):
        found = None
    return found if isinstance(found, dict) else {}


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
    kept, rest = blocks[:_MOST_BLOCKS], blocks[_MOST_BLOCKS:]
    for lane in _LANES:
        merged = [block for block in rest if block.lane == lane]
        if merged:
            begin, end = min(block.begin for block in merged), max(block.end for block in merged)
            kept.append(_Block(lane=lane, begin=begin, end=end, name=f"{len(merged):,} more"))
    return kept


def _lane(lane: str, place: int, blocks: Sequence[_Block], end: float) -> Iterator[str]:
    """The title of a lane, its blocks, and their names where there is room."""
    y = _TOP + _LANE * place
    middle = y + _LANE / 2 + 4
    yield f'<text x="{_LEFT - 8:g}" y="{middle:g}" text-anchor="end">{lane} {_sum(blocks, lane)}</text>'
    own = [block for block in blocks if block.lane == lane]
    for number, block in enumerate(own):
        left, right = _x(block.begin, end), _x(block.end, end)
        name = one_line(block.name, 60)
        said = f"{f'{lane}: {name}' if name else lane}, {block.begin:.2f} s to {block.end:.2f} s"
        yield (
            f'<rect x="{left:.1f}" y="{y + (_LANE - _BAR) / 2:g}" width="{max(right - left, 1.5):.1f}" '
            f'height="{_BAR:g}" rx="2" fill-opacity="{_SHADE[lane]}"><title>{said}</title></rect>'
        )
        needed = len(plain_line(block.name, 60)) * _CHARACTER + 8
        after = (_x(own[number + 1].begin, end) if number + 1 < len(own) else _WIDTH) - right
        before = left - (_x(own[number - 1].end, end) if number else _LEFT)
        if name and needed <= after:
            yield f'<text x="{right + 4:.1f}" y="{middle:g}" opacity="0.75">{name}</text>'
        elif name and needed <= before:
            yield f'<text x="{left - 4:.1f}" y="{middle:g}" text-anchor="end" opacity="0.75">{name}</text>'


def _axis(end: float, bottom: float) -> Iterator[str]:
    """The seconds, at round numbers, and where it ended."""
    yield f'<path d="M{_LEFT:g} {bottom:g}H{_RIGHT:g}" stroke="currentColor" stroke-opacity="0.4"/>'
    step = _step(end)
    for number in range(int(end / step) + 1):
        x = _x(number * step, end)
        if x < _RIGHT - 50:
            said = f"{number * step:g} s"
            yield f'<text x="{x:.1f}" y="{bottom + 16:g}" text-anchor="middle" opacity="0.65">{said}</text>'
    yield f'<text x="{_RIGHT:g}" y="{bottom + 16:g}" text-anchor="middle">{span(end)}</text>'


def _step(end: float) -> float:
    """A round number of seconds, so that there are at most seven of them."""
    power = float(10 ** math.floor(math.log10(end / 6)))
    return next(power * factor for factor in (1, 2, 5, 10, 20) if end / (power * factor) <= 6)


def _ticks(ticks: Sequence[float], end: float, bottom: float) -> Iterator[str]:
    """Signs of life, as strokes on the axis; those that would stand on one place are one."""
    for x in list(dict.fromkeys(round(_x(at, end)) for at in ticks))[:_MOST_TICKS]:
        yield f'<path d="M{x} {bottom - 4:g}v6" stroke="currentColor"><title>ping</title></path>'


def _end_line(exchange: Exchange, bottom: float) -> str:
    """A line where the reply ended; broken if it did not come to its end."""
    whole = exchange.error is None and exchange.message.stop_reason is not None
    dashes, said = ("", "end") if whole else (' stroke-dasharray="3 2"', "incomplete")
    return f'<path d="M{_RIGHT:g} 0V{bottom + 4:g}" stroke="currentColor"{dashes}><title>{said}</title></path>'


def _sum(blocks: Sequence[_Block], lane: str) -> str:
    return span(sum(block.end - block.begin for block in blocks if block.lane == lane))


def _x(seconds: float, end: float) -> float:
    return _LEFT + (_RIGHT - _LEFT) * min(max(seconds / end, 0.0), 1.0)


def _seconds(value: float) -> float:
    """A time as it can be drawn: not negative, not a year, not `nan`."""
    return min(max(value, 0.0), _LONGEST) if math.isfinite(value) else 0.0
