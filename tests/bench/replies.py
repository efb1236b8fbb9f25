"""Replies as the API streams them: a delta of a few characters each, spaces before the last brace.

Such spaces stand in every recorded stream; how many there are differs from delta to delta.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Sequence

from tests.server import event, text_events

_SECTION = """
## Step {number}: what the measurements say

The kernel sends a message for every change, so a reply that is *rewritten* with each token costs more the
longer it gets. Take `n = {number}` tokens: the sum is $n(n+1)/2$, which for a long reply is **far more** than
the reply itself, at $5 or €4 a million.

- first, cut the text where a block has ended;
- then draw only the tail, at most {number} times;
  - a nested point, with [a link](https://example.org/{number});
- last, put the finished page in its place.

| size | messages | seconds |
|-----:|---------:|--------:|
| 10 KB | {number} | 0.25 |
| 100 KB | 1{number} | 2.5 |

```python
def total(sizes: list[int]) -> int:
    \"\"\"The bytes of {number} updates.\"\"\"
    return sum(size for size in sizes if size > {number})
```

1. Measure it again, with nothing else running.
2. Compare: a ratio in one run says more than two numbers from two days.
"""
_LENGTHS = (4, 3, 6, 1, 5, 4, 7, 2, 4, 4)  # characters of a delta: 4 on average, as tokens have
_TILE = 2_000  # deltas that are written out; a longer stream repeats them


def reply(size: int) -> str:
    """Markdown of `size` characters, of the kinds that replies have."""
    sections: list[str] = []
    length = 0
    while length < size:
        sections.append(_SECTION.format(number=len(sections) + 1))
        length += len(sections[-1])
    return "".join(sections)[:size]


def cut(text: str) -> list[str]:
    """`text` as deltas of 4 characters on average."""
    lengths, found, position = itertools.cycle(_LENGTHS), [], 0
    while position < len(text):
        length = next(lengths)
        found.append(text[position : position + length])
        position += length
    return found


def deltas(count: int) -> list[str]:
    """`count` deltas."""
    tile = cut(reply(_TILE * 5))[: min(_TILE, count)]
    return list(itertools.islice(itertools.cycle(tile), count))


def chunks(texts: Sequence[str]) -> Iterator[bytes]:
    """The HTTP body that streams `texts`: an HTTP chunk an event, and the last chunk."""
    known: dict[tuple[str, int], bytes] = {}
    place = 0
    for data in text_events(texts):
        if data["type"] != "content_block_delta":
            yield _chunk(event(data))
            continue
        place += 1
        key = (data["delta"]["text"], place % 11)
        if key not in known:
            known[key] = _chunk(_delta(*key))
        yield known[key]
    yield b"0\r\n\r\n"


def _delta(text: str, spaces: int) -> bytes:
    quoted = json.dumps(text, ensure_ascii=False)
    start = '{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":'
    return f"event: content_block_delta\ndata: {start}{quoted}}}{' ' * spaces}}}\n\n".encode()


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)
