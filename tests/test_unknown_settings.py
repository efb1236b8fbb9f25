"""A name that nothing reads is refused when it is set: otherwise the next request would silently ignore it."""

from __future__ import annotations

import pytest

from claude_magic.errors import SettingsError
from claude_magic.magics.claude import ClaudeHandle
from claude_magic.session.conversations import Conversations
from claude_magic.settings import Claude, InvalidSetting


@pytest.mark.parametrize(
    ("name", "advice"),
    [("model", "Set claude.settings.model."), ("max_tries", "See claude.settings."), ("map", "See claude.settings.")],
)
def test_the_handle_takes_no_values(name: str, advice: str) -> None:
    handle = ClaudeHandle()
    with pytest.raises(SettingsError) as caught:
        setattr(handle, name, "claude-haiku-5-5")
    assert str(caught.value) == f"claude.{name} cannot be set, and nothing was. {advice}"
    assert name not in vars(handle)


def test_a_misspelled_setting_is_refused_with_the_name_that_is_near() -> None:
    settings = Claude()
    with pytest.raises(InvalidSetting, match=r"^no setting modle; nothing was set\. Did you mean model\?"):
        settings.modle = "claude-haiku-5-5"
    with settings.hold_trait_notifications():  # traitlets keeps a method of its own in the object meanwhile
        settings.model = "claude-haiku-5-5"
    assert settings.assigned_values() == {"model": "claude-haiku-5-5"}


def test_a_conversation_takes_no_values() -> None:
    with pytest.raises(AttributeError, match="system"):
        Conversations().open("talk").system = "Be brief."  # type: ignore[attr-defined]
