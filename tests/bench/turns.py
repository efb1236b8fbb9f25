"""What a turn costs in a long conversation, beside serialising it: the rest should be next to nothing."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any

from .child import SHORT, answer, measured
from .table import Row, Section, milliseconds

GOAL = 1.3  # ours over json.dumps
TURNS, ROUNDS = (20, 1) if SHORT else (5_000, 15)


def section(url: str) -> Section:
    """From the cell's text to the bytes of the request, the whole conversation replayed."""
    found = measured("turns", "by_turns", url=url)
    ratio = statistics.median(a / b for a, b in zip(found["ours"], found["dumps"], strict=True))
    row = Row(
        what=f"a turn after {TURNS:,} others, CPU",
        ours=milliseconds(statistics.median(found["ours"])),
        peer=milliseconds(statistics.median(found["dumps"])),
        ratio=f"{ratio:.2f} ours/peer",
        goal=f"< {GOAL} ours/peer",
        met=ratio < GOAL,
    )
    return Section(title="(e) A long conversation. Peer: json.dumps of the same body.", rows=[row])


def by_turns() -> Mapping[str, list[float]]:
    """Seconds of one turn, a round each."""
    ours = _ours()
    body = json.loads(ours())
    found: dict[str, list[float]] = {"ours": [], "dumps": []}
    for round_ in range(ROUNDS + 1):
        for name, call in (("ours", ours), ("dumps", lambda: json.dumps(body, ensure_ascii=False).encode())):
            began = time.process_time()
            call()
            if round_:  # the first one warms up
                found[name].append(time.process_time() - began)
    return found


def _ours() -> Callable[[], bytes]:
    from claude_magic.api.provider import Provider
    from claude_magic.prompt.options.options import Options
    from claude_magic.session.conversation import ConversationTurn
    from claude_magic.session.conversations import Conversations
    from claude_magic.session.history import recall
    from claude_magic.session.prompt import Prompt
    from claude_magic.session.request import build_request
    from claude_magic.settings import Claude

    conversations = Conversations()
    main = conversations.open("main")
    main._turns = tuple(ConversationTurn(cell=str(number), messages=_messages(number)) for number in range(TURNS))
    options, settings = Options(conversation="main"), Claude()
    provider = Provider(base_url="http://127.0.0.1:1", credential=None)

    def content() -> bytes:
        prompt, _ = recall(Prompt(options=options, text="And now?"), "new", main, None)
        return build_request(settings, provider, prompt).content

    return content


def _messages(number: int) -> tuple[dict[str, Any], dict[str, Any]]:
    user = {"role": "user", "content": f"Question {number}: what is a list, and how long may it be?"}
    text = f"A list is a sequence, and this is answer {number}. " * 10
    return user, {"role": "assistant", "content": [{"type": "text", "text": text}]}


if __name__ == "__main__":
    answer({"by_turns": by_turns})
