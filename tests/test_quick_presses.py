"""Buttons of the approval panel that are pressed quickly, or while the kernel is busy: no press is lost or misread."""

from __future__ import annotations

from typing import Any

import pytest

from tests.notebook_shell import Shell
from tests.workbench_front import Front

ASKED = """
from claude_magic.display.approval.bundle import approval_widget
from claude_magic.wire.tool import Call
said = []
calls = [Call(id=f"id-{n}", name="pay", arguments={"amount": n}) for n in range(2)]
approval_widget(calls, lambda decisions: said.append({k: [d.run, d.arguments] for k, d in decisions.items()})).publish()
"""


@pytest.fixture
def page(shell: Shell) -> Front:
    front = Front(shell)
    ran = front.run(ASKED)
    assert ran.error is None, ran.error
    return front


def drain(page: Front) -> None:
    """Take what the kernel has sent."""
    for message in page.kernel.client.iopub_channel.get_msgs():
        page._take(message)


def buttons(page: Front, label: str) -> list[str]:
    """The widgets of this label, in the order of the calls."""
    return [name for name, state in page.states.items() if state.get("description") == label]


def press(page: Front, widget: str) -> None:
    page._say(widget, {"method": "custom", "content": {"event": "click"}})
    drain(page)


def written(page: Front, text: str) -> None:
    """What a front end sends when a field is left."""
    (field,) = [name for name, state in page.states.items() if state["_model_name"] == "TextareaModel"]
    page._say(field, {"method": "update", "state": {"value": text}, "buffer_paths": []})
    drain(page)


def shown(page: Front) -> str:
    return " ".join(str(state.get("value", "")) for state in page.states.values())


def decided(page: Front) -> Any:
    return page.kernel.value("said")


def test_presses_on_two_calls_right_after_another_are_both_obeyed(page: Front) -> None:
    for widget in buttons(page, "Run"):
        press(page, widget)
    assert decided(page) == [{"id-0": [True, None], "id-1": [True, None]}]


def test_a_second_press_after_a_mistake_is_obeyed_at_once(page: Front) -> None:
    press(page, buttons(page, "Edit arguments")[0])
    written(page, '{"amount": }')
    press(page, buttons(page, "Run with these arguments")[0])
    assert "not JSON" in shown(page)
    written(page, '{"amount": 5}')
    assert "not JSON" not in shown(page)
    press(page, buttons(page, "Run with these arguments")[0])
    press(page, buttons(page, "Run")[0])
    assert decided(page) == [{"id-0": [True, {"amount": 5}], "id-1": [True, None]}]


def test_a_press_never_comes_before_what_was_typed(page: Front) -> None:
    """A front end holds back single keys while the kernel is busy, but no press: so keys are not sent one by one."""
    press(page, buttons(page, "Edit arguments")[0])
    fields = [state for state in page.states.values() if state["_model_name"] in ("TextareaModel", "TextModel")]
    assert len(fields) == 3
    assert [state["continuous_update"] for state in fields] == [False] * 3
