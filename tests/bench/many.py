"""A thousand questions, 32 at once, to a server that takes 200 ms for each: wall seconds and memory."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Mapping

from .child import SHORT, answer, median, paired, peak_memory, served
from .table import Row, Section

COUNT, AT_ONCE, LATENCY = (8, 4, 0.05) if SHORT else (1_000, 32, 0.2)
GOAL = 1.15
ROUNDS = 1 if SHORT else 3


def section() -> Section:
    """`claude.map` beside the official SDK's asynchronous client, a fresh process each."""
    with served("tests.bench.many", "serve") as url:
        found = paired("many", ["ours", "sdk"], rounds=ROUNDS, url=url)
    ideal = COUNT / AT_ONCE * LATENCY
    seconds, peer = (median(found[name], "seconds") for name in ("ours", "sdk"))
    grown, peer_grown = (median(found[name], "grown") for name in ("ours", "sdk"))
    return Section(
        title=f"(g) {COUNT:,} questions, {AT_ONCE} at once, {LATENCY * 1000:.0f} ms each. Peer: AsyncAnthropic. "
        "Floor: the latency alone.",
        rows=[
            Row(
                what="claude.map, written to the journal",
                ours=f"{seconds:.2f} s",
                peer=f"{peer:.2f} s",
                floor=f"{ideal:.2f} s",
                ratio=f"{seconds / ideal:.2f} ours/floor",
                goal=f"< {GOAL} ours/floor",
                met=seconds < GOAL * ideal,
            ),
            Row(what="    memory it adds", ours=f"{grown:.0f} MB", peer=f"{peer_grown:.0f} MB"),
        ],
        notes=[f"medians of {ROUNDS} processes each, by turns"],
    )


def ours() -> Mapping[str, float]:
    """Seconds and megabytes of `claude.map`."""
    from claude_magic import claude

    claude("warm up", stream=False)
    before, began = peak_memory(), time.perf_counter()
    replies = claude.map([f"question {n}" for n in range(COUNT)], concurrency=AT_ONCE)
    seconds = time.perf_counter() - began
    assert not replies.errors
    return {"seconds": seconds, "grown": peak_memory() - before}


def sdk() -> Mapping[str, float]:
    """The same with the official SDK."""
    import anthropic

    async def ask() -> tuple[float, float]:
        client, gate = anthropic.AsyncAnthropic(), asyncio.Semaphore(AT_ONCE)

        async def one(text: str) -> object:
            async with gate:
                message = {"role": "user", "content": text}
                return await client.messages.create(model="claude-opus-5-5", max_tokens=100, messages=[message])

        await one("warm up")
        before, began = peak_memory(), time.perf_counter()
        await asyncio.gather(*(one(f"question {n}") for n in range(COUNT)))
        return time.perf_counter() - began, peak_memory() - before

    seconds, grown = asyncio.run(ask())
    return {"seconds": seconds, "grown": grown}


def _serve() -> None:
    """Answer each request after a while; one event loop, so that it is not what is measured."""
    body = (
        b'{"id":"msg_1","type":"message","role":"assistant","model":"claude-opus-5-5","stop_reason":"end_turn",'
        b'"content":[{"type":"text","text":"An answer of a few words."}],"usage":{"input_tokens":9,"output_tokens":7}}'
    )
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body)

    async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while request := await reader.readuntil(b"\r\n\r\n"):
            length = next(line for line in request.lower().split(b"\r\n") if line.startswith(b"content-length:"))
            await reader.readexactly(int(length.split(b":")[1]))
            await asyncio.sleep(LATENCY)
            writer.write(head + body)

    async def serve() -> None:
        server = await asyncio.start_server(connection, "127.0.0.1", 0, backlog=200)
        print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
        await server.serve_forever()

    asyncio.run(serve())


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115  connections that end are no news
        _serve()
    answer({"ours": ours, "sdk": sdk})
