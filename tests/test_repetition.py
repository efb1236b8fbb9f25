"""A reply that repeats itself is ended, and nothing else is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from claude_magic.api.client import Client
from claude_magic.api.interrupt import Interrupt
from claude_magic.api.transports.http import HTTPTransport, pool
from claude_magic.api.transports.repetition import RepetitionLimit, is_repeating
from claude_magic.display.reply.summary import summary
from claude_magic.wire import Exchange, Headers, Request
from tests.server import STREAM, Answer, Server, event, text_events

ROOT = Path(__file__).parents[1]

LOOPS = {
    "a sentence": "I do not know. " + "I'm a bit of a mystic, and I'm a bit of a mystic. " * 20,
    "a sentence over paragraphs": "Well.\n\n" + "We are here.  We are here.\n\nWe are\nhere. " * 30,
    "a line": "In a world of machines,\n" + "A being of pure beauty,\n" * 30,
    "a paragraph": "The dragon was old. It slept, and it dreamt of gold, of caves, and of a girl. " * 3 * 5,
    "a word": "The digits are " + "again " * 200,
    "a list item": "- one\n" + "- A healthy diet keeps you healthy\n" * 30,
    "no spaces": "a[" + "8:8:23:24" * 200,
    "digits": "pi is 3." + "14" * 600,
    "other scripts": "答え:" + "これはペンです。" * 80,
    "code, for long": "```python\n" + "x = x + 1\n" * 150,
    "table rows, for long": "| a | b |\n|---|---|\n" + "| same | same |\n" * 80,
}
FINE = {
    "a refrain": ("Row, row, row your boat,\nGently down the stream.\n" * 4) + "The end.",
    "a refrain at the end": "We all live in a yellow submarine,\na yellow submarine, a yellow submarine.\n" * 4,
    "a sentence ten times, as asked": "I will not talk in class.\n" * 10,
    "a rule": "Title\n" + "=" * 120 + "\n\n" + "-" * 500,
    "a table": "| n | square |\n|---|---|\n" + "".join(f"| {n} | {n * n} |\n" for n in range(200)),
    "a wide table": "|" + " x |" * 60 + "\n|" + "---|" * 60 + "\n",
    "a table of equal rows": "| a | b | c |\n|---|---|---|\n" + "| yes | no | yes |\n" * 40,
    "an empty table": "| a | b | c |\n|---|---|---|\n" + "|   |   |   |\n" * 60,
    "a list": "".join(f"{n}. Item {n}: see page {n}.\n" for n in range(1, 200)),
    "a checklist": "- [ ] Task\n" * 30,
    "counting": ", ".join(map(str, range(1, 400))),
    "a multiplication table": "".join(f"7 x {n} = {7 * n}\n" for n in range(1, 100)),
    "a matrix": "```python\nboard = [\n" + "    [0, 0, 0, 0, 0, 0, 0, 0, 0, 0],\n" * 20 + "]\n```",
    "an open matrix": "```python\nboard = [\n" + "    [None, None, None, None],\n" * 20,
    "repeated code": "```python\n" + "print()\n" * 60 + "```",
    "getters": "```java\n" + "".join(f"    public int getField{n}() {{ return field{n}; }}\n" for n in range(60)),
    "HTML": "<table>\n" + ("  <tr>\n" + "    <td>Data</td>\n" * 4 + "  </tr>\n") * 8 + "</table>",
    "JSON": json.dumps([{"name": "", "value": None}] * 20, indent=2),
    "CSV of zeros": "a,b,c,d\n" + "0,0,0,0\n" * 60,
    "SQL": "".join(f"INSERT INTO users VALUES ({n}, 'user{n}', NULL);\n" for n in range(60)),
    "base64": "iVBORw0KGgoAAAANSUhEUgAA" + "A" * 500 + "AElFTkSuQmCC",
    "blank lines": "One.\n" + "\n" * 500 + "Two.",
    "laughter": "Ha" + "ha" * 90 + "!",
    "nothing": "",
}


@pytest.mark.parametrize("text", LOOPS.values(), ids=LOOPS)
def test_a_loop_is_one(text: str) -> None:
    assert is_repeating(text)


@pytest.mark.parametrize("text", FINE.values(), ids=FINE)
def test_what_people_and_programs_write_is_none_at_any_moment(text: str) -> None:
    assert [end for end in range(0, len(text) + 1, 7) if is_repeating(text[:end])] == []


@pytest.mark.parametrize("pattern", ["*.md", "docs/*.md", "tests/*.py", "claude_magic/*/*.py", "notebooks/*.ipynb"])
def test_no_file_of_this_project_is_one(pattern: str) -> None:
    texts = {path.name: path.read_text(encoding="utf-8")[:20_000] for path in sorted(ROOT.glob(pattern))}
    assert texts
    found = [
        name
        for name, text in texts.items()
        if name != Path(__file__).name and any(is_repeating(text[:end]) for end in range(400, len(text), 331))
    ]
    assert found == []


def test_a_text_however_long_is_looked_at_in_no_time() -> None:
    assert not is_repeating("".join(f"{n} " for n in range(200_000)))
    assert is_repeating("Intro.\n" * 1 + "one two three. " * 100_000)


def stream(*texts: str, ends: bool = True) -> list[bytes]:
    pieces = [event(each) for each in text_events(texts)]
    return pieces if ends else [piece for piece in pieces if b"_stop" not in piece and b"message_delta" not in piece]


def ask(server: Server, pieces: list[bytes], **answer: object) -> Exchange:
    server.answers(Answer(headers=STREAM, pieces=pieces, **answer))  # type: ignore[arg-type]
    request = Request(method="POST", url=f"{server.url}/v1/messages", headers=Headers(), body={"model": "small"})
    with pool() as connections:
        direct = HTTPTransport(
            pool=connections, credential=None, connect_timeout=100, timeout=100, interrupt=Interrupt()
        )
        return Client(transport=RepetitionLimit(inner=direct), credential=None).stream(request)


def test_a_reply_that_repeats_itself_is_ended_and_what_arrived_is_kept(server: Server) -> None:
    words = ["In a world,\n", *["A being of pure beauty,\n"] * 10_000]
    exchange = ask(server, stream(*words, ends=False), ending="hang")
    assert exchange.error is None
    assert exchange.message.stop_reason == "repetition"
    assert exchange.text.startswith("In a world,\nA being of pure beauty,\n")
    assert exchange.text.count("beauty") == exchange.message.usage["output_tokens"] - 1 < 40
    assert exchange.message.usage["input_tokens"] == 46
    assert "stopped (repetition): the model repeated itself" in summary(exchange)


def test_its_events_are_those_of_a_whole_message(server: Server) -> None:
    exchange = ask(server, stream(*["again "] * 200))
    assert [each.event for each in exchange.events][-3:] == ["content_block_stop", "message_delta", "message_stop"]


@pytest.mark.parametrize("size", [1, 7, 1_000, 100_000])
def test_any_other_reply_passes_unchanged_however_it_is_cut(server: Server, size: int) -> None:
    words = [f"word {n}\r\n" for n in range(100)]
    whole = b"".join(stream(*words))
    exchange = ask(server, [whole[at : at + size] for at in range(0, len(whole), size)])
    assert exchange.text == "".join(words)
    assert (exchange.message.stop_reason, exchange.message.usage["output_tokens"]) == ("end_turn", 100)


def test_a_reply_that_breaks_off_is_still_an_error(server: Server) -> None:
    exchange = ask(server, stream("Hello", ends=False))
    assert (exchange.text, type(exchange.error).__name__) == ("Hello", "StreamError")
