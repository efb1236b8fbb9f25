"""An endpoint's address, however it was copied."""

from __future__ import annotations

import pytest

from claude_magic.settings import Claude, InvalidSetting
from tests.notebook_shell import Shell
from tests.server import Server, reply


@pytest.mark.parametrize("end", ["", "/", "/v1", "/v1/", "/v1/messages", "/v1/messages/", "//v1//messages"])
def test_every_spelling_of_an_endpoint_leads_to_its_messages(shell: Shell, endpoint: Server, end: str) -> None:
    endpoint.answers(reply("Hi"))
    assert shell.run(f"%config Claude.base_url = {endpoint.url + end!r}").stdout == ""
    assert shell.run("%%claude\nhi").error is None
    assert endpoint.last.path == "/v1/messages"


def test_the_environment_may_hold_each_of_these_spellings_too(
    shell: Shell, endpoint: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint.answers(reply("Hi"))
    monkeypatch.setenv("ANTHROPIC_BASE_URL", endpoint.url + "/v1/")
    assert shell.run("%%claude\nhi").error is None
    assert endpoint.last.path == "/v1/messages"


@pytest.mark.parametrize("path", ["/anthropic", "/v1/x", "/x/v1beta", "/v1/projects/p/locations/l"])
def test_a_path_of_the_endpoint_is_kept(path: str) -> None:
    assert Claude(base_url=f"https://h.example{path}").base_url == f"https://h.example{path}"
    assert Claude(base_url=f"https://h.example{path}/v1").base_url == f"https://h.example{path}"


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/chat/completions/", "/api/chat"])
def test_the_address_of_another_api_is_refused_in_words(path: str) -> None:
    with pytest.raises(InvalidSetting, match="base_url leads to another API"):
        Claude(base_url=f"https://h.example{path}")
