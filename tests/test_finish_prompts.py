"""What `--finish` sends besides the rest of a reply, and what a conversation says of replaced turns."""

from __future__ import annotations

from tests.notebook_shell import Shell
from tests.server import Server, reply


def cut_then_whole(endpoint: Server) -> None:
    endpoint.answers(reply("One, two", stop_reason="max_tokens"), reply(", three."))


def test_finish_sends_what_is_attached(shell: Shell, endpoint: Server) -> None:
    cut_then_whole(endpoint)
    shell.run("notes = 'about numbers'\nfrom pathlib import Path\nPath('notes.txt').write_text(notes)")
    shell.run("%%claude\nCount.")
    assert shell.run("%%claude --finish -a notes.txt\nWith these.").error is None
    last = endpoint.last.json["messages"][-1]
    assert last["role"] == "user"
    assert "about numbers" in str(last["content"])
    assert last["content"][-1] == {"type": "text", "text": "With these."}


def test_finish_refuses_turns(shell: Shell, endpoint: Server) -> None:
    cut_then_whole(endpoint)
    shell.run("%%claude\nCount.")
    assert "leave --turns out" in str(shell.run("%%claude --finish --turns\nuser: go").error)
    assert len(endpoint.received) == 1


def test_a_conversation_that_begins_anew_says_what_it_replaces(shell: Shell, endpoint: Server) -> None:
    endpoint.answers(*(reply(str(number)) for number in range(3)))
    shell.run("from claude_magic import claude")
    shell.run("%%claude -c\none")
    shell.run("%%claude -c\ntwo")
    shell.run("%%claude --new\nthree")
    assert "begun anew: 2 turns removed" in shell.value("claude.last.notes")
    assert shell.value("len(claude.conversation())") == 1
