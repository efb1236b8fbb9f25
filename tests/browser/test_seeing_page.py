"""Looking inside, comparing and mapping in a real JupyterLab: seen in both themes, and inert."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.lab_page import (
    Lab,
    cell,
    open_notebook,
    outputs,
    run_cell,
    screenshot,
    start_cell,
    use_theme,
    wait_until_idle,
    write_notebook,
)

pytestmark = pytest.mark.browser

SETUP = '''
import json, os
from tests.server import JSON, STREAM, Answer, Server, event, message, reply, whole

server = Server()
os.environ["ANTHROPIC_BASE_URL"], os.environ["ANTHROPIC_API_KEY"] = server.url, "test-key-of-this-notebook"

def streamed(*blocks, pause=0.4):
    """A reply of these blocks, each a start and its deltas, with a pause before each delta."""
    pieces = [event({"type": "message_start", "message": message()})]
    for index, (block, deltas) in enumerate(blocks):
        pieces += [pause, event({"type": "content_block_start", "index": index, "content_block": block})]
        for delta in deltas:
            pieces += [pause, event({"type": "content_block_delta", "index": index, "delta": delta})]
        pieces.append(event({"type": "content_block_stop", "index": index}))
    end = {"stop_reason": "tool_use", "stop_sequence": None}
    pieces += [event({"type": "message_delta", "delta": end, "usage": {"output_tokens": 40}}), event({"type": "message_stop"})]
    return Answer(headers=STREAM, pieces=pieces)

thinking = ({"type": "thinking", "thinking": "", "signature": ""}, [{"type": "thinking_delta", "thinking": "Hm. "}] * 3)
text = ({"type": "text", "text": ""}, [{"type": "text_delta", "text": "I look it up.</script><b id=x>"}] * 4)
call = {"type": "tool_use", "id": "t", "name": "get_weather", "input": {}}
tool = (call, [{"type": "input_json_delta", "partial_json": '{"city": "Oslo"}'}])
count = lambda n: Answer(headers=JSON, pieces=[json.dumps({"input_tokens": n}).encode()], framing="length")
table = [{"id": "claude-opus-5-5", "display_name": "Opus 5.5", "max_input_tokens": 1_000_000, "max_tokens": 128_000,
          "capabilities": {"thinking": {"supported": True}, "image_input": {"supported": True}}},
         {"id": "claude-sonnet-4-5-20250929", "max_input_tokens": 200_000, "retires_at": "2026-11-30T00:00:00Z",
          "lifecycle": "deprecated"}]
models = Answer(headers=JSON, pieces=[json.dumps({"data": table, "has_more": False}).encode()], framing="length")
%load_ext claude_magic
from claude_magic import claude
import pandas
server.answers(streamed(thinking, text, tool))
'''
CELLS = (
    SETUP,
    "%%claude --events\nWeather in Oslo?",
    "server.answers(count(120), count(80), count(30), count(20))\nclaude.count('What is a monad?', system='Be brief.')",
    "server.answers(models)\nclaude.models",
    "server.answers(reply('Short: **Oslo**.'), reply('- a\\n- list'), reply('<img src=x onerror=alert(1)>'), reply('4'))",
    "%%claude --compare model=claude-opus-5-5,claude-haiku-5-5 temperature=0,1\nWhich city?",
    "server.answers(*[whole(w) for w in ('Norway', 'Portugal', 'Peru')])\n"
    "rows = [{'city': c, 'expected': e} for c, e in [('Oslo', 'Norway'), ('Lisbon', 'Portugal'), ('Riga', 'Latvia')]]\n"
    "claude.map(rows, 'Where is {{city}}?', grade='contains', concurrency=1)",
    "server.answers(reply('one'), reply('two'))",
    "%%claude --diff\nquestion",
    "%%claude --diff -t 99\nquestion",
)


@pytest.mark.parametrize("dark", [False, True])
def test_what_is_inside_is_fit_to_be_seen(
    browser_page: Page, lab: Lab, dark: bool, foreign_requests: list[str]
) -> None:
    page, name = browser_page, "dark" if dark else "light"
    page.on("dialog", lambda dialog: pytest.fail(f"a script ran: {dialog.message}"))
    write_notebook(lab, f"seeing-{name}.ipynb", *CELLS)
    open_notebook(page, lab, f"seeing-{name}.ipynb")
    use_theme(page, dark=dark)
    run_cell(page, 0)
    start_cell(page, 1)
    expect(outputs(page, 1).locator("table.cm-events tr").nth(6)).to_be_visible()
    screenshot(page, f"events-live-{name}")
    wait_until_idle(page)
    expect(outputs(page, 1).locator("svg.cm-timeline").first).to_be_visible()
    expect(outputs(page, 1).locator("svg.cm-timeline").first).to_contain_text("get_weather")
    screenshot(cell(page, 1), f"events-{name}")
    for index, seen in (
        (2, "system prompt"),
        (3, "claude-opus-5-5"),
        (5, "temperature=1"),
        (6, "66.7% passed"),
        (9, "99"),
    ):
        if index in (5, 6):
            run_cell(page, index - 1)
        if index == 9:
            run_cell(page, 7)
            run_cell(page, 8)
        run_cell(page, index)
        expect(cell(page, index).locator(".jp-Cell-outputArea")).to_contain_text(seen)
        screenshot(cell(page, index), f"seeing-{index}-{name}")
    assert page.locator(".jp-OutputArea b#x, .jp-OutputArea img").count() == 0
    assert foreign_requests == []
