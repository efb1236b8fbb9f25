"""A request that was sent opens in a workbench: from Python, from its panel, from a row of the journal."""

from __future__ import annotations

import html
import json
import re
from typing import Any

import pytest
from ipywidgets.widgets.widget import _instances

from claude_magic.display.panel import live_panels
from claude_magic.errors import CellError
from claude_magic.magics.workbench.form_from_request import form_of
from claude_magic.wire import Headers, Request
from tests.conftest import KEY
from tests.notebook_shell import Shell
from tests.server import Server, reply

TOOL = {"name": "population", "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}}}


@pytest.fixture
def shown(shell: Shell, endpoint: Server) -> Shell:
    """A shell in which a cell with all fields has asked, and its panel lives."""
    endpoint.answers(reply("Two."), reply("Three."))
    shell.run("from claude_magic import claude\nx = 'a thing'")
    line = (
        '%%claude -m claude-haiku-5-5 -t 77 -s "Be brief." --temperature 0.5 --stop END --thinking --effort low '
        f"--param tools {json.dumps([TOOL])} --param metadata {json.dumps({'user_id': 'u'})} --turns\n"
    )
    ran = shell.run(line + "user: What is {{x}}, \\{{y}}?\nassistant: One of two.\nuser: And the other?")
    assert ran.error is None
    return shell


def _buttons(label: str) -> list[Any]:
    return [each for each in _instances.values() if getattr(each, "description", "") == label]


def _bench(box: Any) -> Any:
    """The widgets of the one workbench below a widget, by their label."""

    def within(widget: Any) -> Any:
        yield widget
        for child in getattr(widget, "children", ()):
            yield from within(child)

    return {each.description: each for each in within(box) if getattr(each, "description", "")}


def test_the_workbench_of_an_exchange_sends_the_same_request(shown: Shell, endpoint: Server) -> None:
    first = endpoint.last.json
    ran = shown.run("w = claude.workbench(claude.last)\nprint(w.cell)")
    assert ran.error is None

    again = shown.run(ran.stdout.rstrip("\n"))

    assert again.error is None
    assert len(endpoint.received) == 2
    assert endpoint.last.json == first
    assert {"tools", "metadata", "thinking", "output_config", "stop_sequences"} <= set(first)


def test_the_button_of_a_panel_opens_and_closes_it(shown: Shell) -> None:
    outer = live_panels.latest().widgets[0]
    (button,) = _buttons("Open in workbench")
    before = len(_instances)

    button.click()

    fields = _bench(outer)
    assert fields["Max tokens"].value == "77"
    assert fields["System"].value == "Be brief."
    assert '"population"' in fields["Other fields"].value
    assert button.description == "Close workbench"
    button.click()
    assert "Run" not in _bench(outer)
    assert button.description == "Open in workbench"
    assert len(_instances) == before


def test_a_workbench_goes_with_its_panel(shown: Shell) -> None:
    _buttons("Open in workbench")[0].click()
    assert _buttons("Run")

    live_panels.close_all()

    assert _buttons("Run") == _buttons("Open in workbench") == []


def test_each_row_of_the_journal_has_a_button_and_its_twin_has_none(shown: Shell) -> None:
    ran = shown.run("claude.journal")

    live, twin = ran.outputs
    assert set(live["data"]) == {"application/vnd.jupyter.widget-view+json", "text/plain"}
    assert "<button" not in twin["data"]["text/html"]
    box = _instances[live["data"]["application/vnd.jupyter.widget-view+json"]["model_id"]]
    table, field, _ = box.children
    (number,) = re.findall(r'aria-label="Open in workbench: \d+" data-open="(\d+)"', table.value)

    field.value = number

    assert _bench(box)["Max tokens"].value == "77"
    assert field.value == ""
    field.value = "12345"  # no row of it
    assert _bench(box)["Max tokens"].value == "77"


def test_a_cell_that_shows_the_journal_again_closes_its_widgets(shown: Shell) -> None:
    counts = []
    for _ in range(4):
        ran = shown.run("claude.journal", cell_id="rows")
        box = _instances[ran.data("application/vnd.jupyter.widget-view+json")[0]["model_id"]]
        box.children[1].value = "1"
        counts.append(len(_instances))

    assert len(set(counts)) == 1


def test_calls_of_endpoints_offer_no_workbench(shell: Shell, api: Any) -> None:
    ran = shell.run("%claude --get /v1/models")
    assert ran.error is None
    assert _buttons("Open in workbench") == []
    assert "<button" not in str(shell.run("from claude_magic import claude\nclaude.journal").outputs)
    said = shell.run("claude.workbench(claude.last)").error

    assert said is not None
    assert "GET /v1/models asks for no message" in said[1]


def test_a_static_panel_has_no_button(shown: Shell) -> None:
    from claude_magic.display.panel.panel import static_panel

    assert "<button" not in static_panel(shown.user_ns["claude"].last, live=True)


def _request(**body: Any) -> Request:
    return Request(method="POST", url="https://api.example/v1/messages", headers=Headers([]), body=body)


def test_what_a_workbench_cannot_hold_is_said() -> None:
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}}
    asked = [{"type": "text", "text": "Look."}, image, image, {"type": "document", "source": {}}]
    use = [{"type": "thinking", "thinking": "Hm"}, {"type": "tool_use", "id": "t", "name": "f", "input": {}}]
    result = [{"type": "tool_result", "tool_use_id": "t", "content": "1"}]
    form, note = form_of(
        _request(
            system=[{"type": "text", "text": "S", "cache_control": {"type": "ephemeral"}}],
            messages=[
                {"role": "user", "content": asked},
                {"role": "assistant", "content": use},
                {"role": "user", "content": result},
                {"role": "user", "content": "And {{now}}?"},
            ],
        )
    )

    assert form.turns == (("user", "Look.\n\nAnd \\{{now}}?"),)
    assert form.system == "S"
    assert note == (
        "Left out, as a workbench holds text only: 2 images, 1 document, 1 thinking, 1 tool_use, 1 tool_result, "
        "1 cache_control."
    )


def test_a_key_in_another_field_is_not_shown(endpoint: Server) -> None:
    form, _ = form_of(_request(messages=[], metadata={"user_id": KEY}))

    assert '"user_id"' in form.params
    assert KEY not in form.params


@pytest.mark.parametrize(
    ("typed", "said"), [("[1]", "not an object"), ('{"a b": 1}', "not an object"), ("{", "not JSON")]
)
def test_other_fields_that_are_no_object_are_an_error(shell: Shell, typed: str, said: str) -> None:
    shell.run("from claude_magic import claude\nw = claude.workbench('hi')")
    bench = _bench(shell.user_ns["w"].widget)
    bench["Other fields"].value = typed

    with pytest.raises(CellError, match=f"Other fields: {said}"):
        shell.user_ns["w"].cell  # noqa: B018


def test_the_note_stands_in_the_workbench(shell: Shell, endpoint: Server) -> None:
    endpoint.answers(reply("A dot."))
    shell.run("from claude_magic import claude\nimport PIL.Image\npicture = PIL.Image.new('RGB', (4, 4))")
    shell.run("%%claude -a picture\nWhat is it?")
    shell.run("w = claude.workbench(claude.last)")

    notices = [w.value for w in _instances.values() if "cm-notice" in w.trait_values().get("_dom_classes", ())]
    assert any("Left out, as a workbench holds text only: 1 image." in html.unescape(each) for each in notices)
