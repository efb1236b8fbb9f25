"""What it costs to read a long streamed reply in: ours, the official SDK, and a bare look at the bytes."""

from __future__ import annotations

import json
import math
import os
import socket
import statistics
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from .child import SHORT, answer, cpu, median, median_ratio, paired
from .replies import deltas
from .table import Row, Section, milliseconds

GOAL = 8.0  # SDK over ours
GROWTH = 1.05
COUNTS = {100: 1, 200: 1} if SHORT else {25_000: 3, 100_000: 1}  # deltas -> rounds
LONGEST = 400 if SHORT else 400_000
PACED = f"{100 if SHORT else 3000} deltas paced"
_READ = 65_536
_BODY: dict[str, Any] = {"model": "claude-opus-5-5", "max_tokens": 4096}


def section(url: str) -> Section:
    """A row a length, one of a reply that takes its time, and how the cost grows."""
    spent: dict[int, float] = {}
    rows: list[Row] = []
    for count, rounds in COUNTS.items():
        row, spent[count] = _against_sdk(f"{count} deltas", rounds, url)
        rows.append(row)
    longest, spent[LONGEST] = _alone(f"{LONGEST} deltas", url)
    growth = exponent(spent)
    grown = Row(
        what="growth of ours, 25,000 to 400,000",
        ours=f"n^{growth:.3f}",
        goal=f"<= n^{GROWTH}",
        met=growth <= GROWTH,
    )
    paced, _ = _against_sdk(PACED, 1, url, goal=False)
    return Section(
        title="(b) A streamed reply, CPU. Peer: anthropic's messages.stream. Floor: the bytes received and scanned.",
        rows=[*rows, longest, grown, paced],
        notes=["paced: 1,000 deltas a second, so that each read brings one; most of it is the system's work"],
    )


def _against_sdk(asked: str, rounds: int, url: str, *, goal: bool = True) -> tuple[Row, float]:
    """The row, and the seconds that ours took."""
    found = paired("streams", ("ours", "sdk", "scan"), asked, rounds=rounds, url=url)
    ratio = median_ratio(found["sdk"], found["ours"])
    row = Row(
        what=_said(asked),
        ours=milliseconds(median(found["ours"])),
        peer=milliseconds(median(found["sdk"])),
        floor=milliseconds(median(found["scan"])),
        ratio=f"{ratio:.1f} peer/ours",
        goal=f">= {GOAL:.0f} peer/ours" if goal else "",
        met=ratio >= GOAL if goal else None,
    )
    return row, median(found["ours"])


def _alone(asked: str, url: str) -> tuple[Row, float]:
    """The row, and the seconds that ours took; the SDK would need minutes."""
    found = paired("streams", ("ours", "scan"), asked, rounds=2, url=url)
    ours, floor = median(found["ours"]), median(found["scan"])
    return Row(what=_said(asked), ours=milliseconds(ours), floor=milliseconds(floor)), ours


def exponent(spent: Mapping[int, float]) -> float:
    """The slope of log seconds over log deltas, by least squares."""
    sizes, seconds = ([math.log(value) for value in values] for values in (spent.keys(), spent.values()))
    return statistics.linear_regression(sizes, seconds).slope


def ours(asked: str) -> Mapping[str, Any]:
    from claude_magic import claude

    claude("a few words")
    with cpu() as spent:
        exchange = claude(asked)
    return _checked(asked, exchange.text, spent)


def sdk(asked: str) -> Mapping[str, Any]:
    import anthropic

    client = anthropic.Anthropic(max_retries=0)
    _streamed(client, "a few words")
    with cpu() as spent:
        text = _streamed(client, asked)
    return _checked(asked, text, spent)


def scan(asked: str) -> Mapping[str, Any]:
    address = urlsplit(os.environ["ANTHROPIC_BASE_URL"])
    body = json.dumps({**_BODY, "stream": True, "messages": [{"role": "user", "content": asked}]}).encode()
    with socket.create_connection((address.hostname, address.port)) as sock, cpu() as spent:
        sock.sendall(b"POST /v1/messages HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body))
        lines, last = 0, b""
        while not last.endswith(b"0\r\n\r\n"):
            chunk = sock.recv(_READ)
            lines += chunk.count(b"\n")
            last = (last + chunk)[-5:]
    return {**spent, "lines": lines}


def _streamed(client: Any, asked: str) -> str:
    """The final text, after the text of each delta was seen."""
    messages = [{"role": "user", "content": asked}]
    with client.messages.stream(**_BODY, messages=messages) as stream:
        for _ in stream.text_stream:
            pass
        text: str = stream.get_final_message().content[0].text
        return text


def _checked(asked: str, text: str, spent: Mapping[str, Any]) -> Mapping[str, Any]:
    expected = "".join(deltas(int(asked.split()[0])))
    if text != expected:
        raise AssertionError(f"{len(text):,} characters arrived, not {len(expected):,}")
    return spent


def _said(asked: str) -> str:
    count, _, rest = asked.partition(" ")
    return f"{int(count):,} {rest}"


if __name__ == "__main__":
    answer({"ours": ours, "sdk": sdk, "scan": scan})
