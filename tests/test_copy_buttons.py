"""What a page gets to copy: the whole text of each block, before the press, and one script for all panels."""

from __future__ import annotations

import gc
import json
import re
import weakref
from html.parser import HTMLParser
from typing import Any

import comm
import pytest

from claude_magic.display import clipboard
from claude_magic.display.panel import live_panels
from claude_magic.display.panel.panel import panel_bundles
from claude_magic.wire import Headers
from tests.notebook_shell import Shell
from tests.panel_exchange import REQUEST_ID, exchange, request
from tests.server import Server, reply


class _Blocks(HTMLParser):
    """The text that each button would copy, by its label."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.found: dict[str, str] = {}
        self._label = ""
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        if "data-copy" in known:
            self._label = str(known["data-copy"])
            self.found[self._label] = known.get("data-text") or ""
            if "data-text" in known:
                self._label = ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "pre":
            self._label = ""

    def handle_data(self, data: str) -> None:
        if self._label:
            self.found[self._label] += data


def _blocks() -> dict[str, str]:
    """What the panel that was made last offers to copy."""
    values = [str(widget.value) for widget in live_panels.latest().widgets if hasattr(widget, "placeholder")]
    return _Blocks("".join(values)).found


def _show(**body: Any) -> None:
    panel_bundles(exchange(request=request(**body)))


def test_a_live_panel_offers_the_headers_the_request_the_response_and_the_program(shell: Shell) -> None:
    _show()
    blocks = _blocks()
    asked = exchange()
    assert set(blocks) == {
        *("Copy response headers", "Copy request JSON", "Copy response JSON", "Copy the program: curl"),
    }
    assert json.loads(blocks["Copy request JSON"]) == asked.request.body
    assert json.loads(blocks["Copy response JSON"]) == asked.message.body
    assert blocks["Copy the program: curl"] == asked.code("curl")
    lines = blocks["Copy response headers"].split("\n")
    assert f"request-id: {REQUEST_ID}" in lines
    assert "anthropic-ratelimit-requests-limit: 20000" in lines
    assert not any("cookie" in line for line in lines)


def test_what_is_shown_in_part_is_copied_whole(shell: Shell) -> None:
    _show(system="word " * 5_000, tools=[{"name": f"t{number}"} for number in range(900)])
    blocks = _blocks()
    asked = exchange(request=request(system="word " * 5_000, tools=[{"name": f"t{number}"} for number in range(900)]))
    assert json.loads(blocks["Copy request JSON"]) == asked.request.body
    assert blocks["Copy the program: curl"] == asked.code("curl")


def test_what_is_too_long_for_a_page_has_no_button(shell: Shell) -> None:
    _show(system="word " * 50_000)
    assert "Copy request JSON" not in _blocks()
    assert "Copy the program: curl" not in _blocks()
    assert "Copy response JSON" in _blocks()


@pytest.mark.parametrize("text", ["\n first line empty", "\"quoted\" 'twice' <pre> &amp;", "\ttab "])
def test_a_text_is_copied_as_it_is(text: str) -> None:
    attributes = clipboard.copy_attributes("Copy", text, text)
    shown = clipboard.clean(text, 1_000)
    escaped = shown.replace("&", "&amp;").replace("<", "&lt;")
    assert _Blocks(f"<pre{attributes}>{escaped}</pre>").found == {"Copy": text}


@pytest.mark.parametrize("text", ["a\x1b]52;c;x\x07", "a \u202e b", "a\u2066b"])
def test_what_nobody_sees_is_not_copied(text: str) -> None:
    assert clipboard.copy_attributes("Copy", text, text) == ""
    attributes = clipboard.copy_json_attributes("Copy", {"text": text}, "{…}")
    (copied,) = _Blocks(f"<pre{attributes}></pre>").found.values()
    assert copied.isascii()
    assert json.loads(copied) == {"text": text}


def test_a_key_is_not_copied() -> None:
    attributes = clipboard.copy_attributes("Copy", "key: sk-ant-api03-abcdefgh", "key: sk-ant-api03-abcdefgh")
    assert attributes == ' data-copy="Copy"'  # what is shown, in which there is none
    longer = clipboard.copy_attributes("Copy", "key: sk-ant-api03-abcdefgh and more", "key: …")
    assert _Blocks(f"<pre{longer}></pre>").found == {"Copy": "key: sk-ant-(not shown) and more"}


def test_a_header_of_the_server_stays_one_attribute(shell: Shell) -> None:
    sent = Headers([("request-id", '"><script>alert(1)</script>'), ("via", "a\" onload='x'")])
    panel_bundles(exchange(headers=sent))
    source = "".join(str(widget.value) for widget in live_panels.latest().widgets if hasattr(widget, "placeholder"))
    assert "<script" not in source
    assert "onload='x'" not in re.sub(r'data-text="[^"]*"', "", source).replace("a\" onload='x'", "", 1)
    assert _blocks()["Copy response headers"].endswith("via: a\" onload='x'")


def test_a_saved_cell_holds_no_script_and_no_button(shell: Shell, endpoint: Server) -> None:
    endpoint.answers(reply("```python\nx = 1\n```"))
    ran = shell.run("%%claude\nhi")
    saved = "".join(ran.data("text/html"))
    assert "onload" not in saved
    assert "<script" not in saved
    assert "<button" not in saved
    assert "data-copy" not in saved


def test_the_request_id_of_the_summary_is_marked(shell: Shell, endpoint: Server) -> None:
    endpoint.answers(reply("hi"))
    ran = shell.run("%%claude\nhi")
    shell.run("from claude_magic import claude")
    request_id = shell.value("claude.last.request_id")
    assert request_id
    assert f'<span class="cm-id">{request_id}</span>' in ran.data("text/html")[0]


def test_all_panels_share_one_script(shell: Shell, endpoint: Server) -> None:
    endpoint.answers(reply("hi"), reply("hi"))
    shell.run("%%claude\none", cell_id="a")
    first = live_panels.latest().widgets[0].children[-1]
    shell.run("%%claude\ntwo", cell_id="b")
    assert live_panels.latest().widgets[0].children[-1] is first
    assert "cmCopy" in first.value
    assert len(first.value) < 8_000
    assert "cmCopy" not in "".join(str(getattr(each, "value", "")) for each in live_panels.latest().widgets)


def test_a_cell_that_runs_again_closes_its_widgets(shell: Shell, endpoint: Server) -> None:
    endpoint.answers(*(reply("hi") for _ in range(13)))
    shell.run("%%claude\nanother cell", cell_id="other")
    other = live_panels.latest().widgets[0]
    counts, alive = [], []
    for _ in range(12):
        ran = shell.run("%%claude\nagain", cell_id="same")
        assert ran.error is None
        counts.append(len(comm.get_comm_manager().comms))
        alive.append(weakref.ref(live_panels.latest().widgets[0]))
    assert len(set(counts)) == 1
    assert other.comm is not None
    gc.collect()
    assert sum(each() is not None for each in alive) <= 2


def test_without_cell_ids_every_panel_lives(shell: Shell, endpoint: Server) -> None:
    endpoint.answers(reply("hi"), reply("hi"))
    shell.run("%%claude\none")
    first = live_panels.latest().widgets[0]
    shell.run("%%claude\none")
    assert first.comm is not None
