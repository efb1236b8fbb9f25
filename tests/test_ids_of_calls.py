"""Ids of calls are unique in what is replayed, also of servers that begin to count anew with each reply."""

from __future__ import annotations

from claude_magic.wire.history import history
from claude_magic.wire.message_places import Message


def _called(ident: str, result: str) -> list[Message]:
    call = {"type": "tool_use", "id": ident, "name": "add", "input": {}}
    answer = {"type": "tool_result", "tool_use_id": ident, "content": result}
    return [{"role": "assistant", "content": [call]}, {"role": "user", "content": [answer]}]


def test_an_id_that_an_earlier_reply_took_is_changed_on_both_sides() -> None:
    said: list[Message] = [{"role": "user", "content": "hi"}, *_called("call_0", "3"), *_called("call_0", "4")]
    first, second = (history(said).messages[at : at + 2] for at in (1, 3))
    assert first == tuple(said[1:3])
    assert [block.get("id") or block["tool_use_id"] for m in second for block in m["content"]] == ["call_0_2"] * 2
    assert second[1]["content"][0]["content"] == "4"
    assert history(history(said).messages).messages == history(said).messages
