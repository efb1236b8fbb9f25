"""Looking inside from the notebook: events, differences, counts and models."""

from __future__ import annotations

import json

import pytest

from claude_magic.session import model_list
from claude_magic.settings import Claude
from tests.notebook_kernel import Kernel
from tests.notebook_shell import Shell
from tests.server import JSON, Answer, Server, failure, reply


def counted(*numbers: int) -> list[Answer]:
    return [Answer(headers=JSON, pieces=[b'{"input_tokens": %d}' % number]) for number in numbers]


def listed(*models: dict[str, object]) -> Answer:
    return Answer(headers=JSON, pieces=[json.dumps({"data": models, "has_more": False}).encode()])


def test_the_events_are_listed_as_they_arrive(kernel: Kernel, endpoint: Server) -> None:
    pieces = list(reply("begun ", "ended").pieces)
    endpoint.answers(Answer(headers=reply("x").headers, pieces=[*pieces[:4], 1.0, *pieces[4:]]))
    ran = kernel.run("%%claude --events\nquestion")
    assert ran.error is None
    live = [str(m["content"].get("data", {}).get("text/html")) for _, m in ran.messages if "display" in m["msg_type"]]
    assert any("begun" in html and "ended" not in html for html in live)
    (first, *_) = ran.data("text/plain")
    assert [line.split()[2] for line in first.splitlines()[:3]] == ["message_start", "content_block_start", "ping"]
    assert "message_stop" in first
    kernel.run("from claude_magic import claude")
    assert kernel.value("claude.last.text") == "begun ended"


def test_the_panel_draws_a_timeline(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(reply("hi"))
    twin = next(html for html in kernel.run("%%claude\nquestion").data("text/html") if "cm-static" in html)
    assert "<svg" in twin


def test_a_cell_shows_what_changed_since_it_ran_before(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(reply("one"), reply("two"), reply("two"))
    first = kernel.run("%%claude --diff\nquestion", cell_id="a")
    assert "nothing to compare with" in first.stdout
    second = kernel.run("%%claude --diff -t 10\nquestion", cell_id="a")
    told = second.data("text/plain")[-1]
    assert "max_tokens: 4096 → 10" in told
    assert "text: one → two" in told
    third = kernel.run("%%claude --diff -t 10\nquestion", cell_id="a")
    assert "nothing changed" in third.data("text/plain")[-1]


def test_a_cell_is_compared_with_what_an_earlier_kernel_was_answered(endpoint: Server) -> None:
    endpoint.answers(reply("old"), reply("new"))
    for expected in ("", "text: old → new"):
        with Shell() as kernel:
            kernel.run("%load_ext claude_magic")
            ran = kernel.run("%%claude --diff\nquestion", cell_id="a")
            assert expected in ran.data("text/plain")[-1]


def test_a_cell_counts_its_portions_and_asks_no_model(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(*counted(100, 20, 20))
    ran = kernel.run("%%claude --count -s 'Be brief.'\nquestion")
    assert ran.error is None
    told = ran.data("text/plain")[0]
    assert "system prompt" in told
    assert "100" in told
    assert {received.path for received in endpoint.received} == {"/v1/messages/count_tokens"}


def test_texts_and_exchanges_are_counted(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(reply("hi"), *counted(30))
    kernel.run("%%claude\nquestion")
    kernel.run("from claude_magic import claude")
    assert kernel.value("int(claude.count('a text'))") == 30
    assert kernel.value("claude.count(claude.last).total") == 30
    assert endpoint.last.headers["x-api-key"]


def test_an_endpoint_that_does_not_count_is_one_line(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(failure(404, "not_found_error", "no such path"))
    ran = kernel.run("%%claude --count\nquestion")
    assert ran.error is not None
    assert len(ran.error[2]) == 1


def test_models_are_listed_once_a_day_with_their_prices(endpoint: Server) -> None:
    endpoint.answers(listed({"id": "claude-opus-5-5", "max_input_tokens": 1_000_000}, {"id": "<b>tiny</b>"}))
    for _ in range(2):
        with Shell() as kernel:
            kernel.run("%load_ext claude_magic\nfrom claude_magic import claude")
            shown = kernel.run("claude.models")
            assert "claude-opus-5-5" in shown.data("text/plain")[0]
            assert "4.00" in shown.data("text/plain")[0]
            assert "<b>tiny" not in shown.data("text/html")[0]
    assert len(endpoint.received) == 1


def test_the_list_feeds_the_tab_key_and_the_advice(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(
        listed({"id": "brand-new-1"}, {"id": "brand-new-2"}), failure(404, "not_found_error", "model: brand-new")
    )
    kernel.run("from claude_magic import claude; claude.models")
    answer = kernel.complete("%%claude -m bra")
    assert {"brand-new-1", "brand-new-2"} <= set(answer["matches"])
    ran = kernel.run("%%claude -m brand-new\nquestion")
    assert ran.error is not None
    assert "Did you mean brand-new-" in ran.error[1]


def test_a_retired_model_is_not_offered(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(
        listed({"id": "claude-opus-9", "lifecycle": "active"}, {"id": "claude-opus-1", "lifecycle": "retired"}),
        failure(404, "not_found_error", "model: claude-opus-1"),
    )
    kernel.run("from claude_magic import claude; claude.models")
    answer = kernel.complete("%%claude -m claude-")
    assert "claude-opus-9" in answer["matches"]
    assert "claude-opus-1" not in answer["matches"]
    ran = kernel.run("%%claude -m claude-opus-1\nquestion")
    assert ran.error is not None
    assert ran.error[1].endswith("Did you mean claude-opus-9?")


def test_a_name_as_it_is_spoken_has_near_ones(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(failure(404, "not_found_error", "model: Opus 5.5"))
    ran = kernel.run("%%claude -m 'Opus 5.5'\nquestion")
    assert ran.error is not None
    assert "Did you mean claude-opus-5-5" in ran.error[1]


def test_the_list_of_the_local_model_is_not_that_of_the_api(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Claude()
    settings.local_model = "a.gguf"
    local = model_list.cache_path(settings)
    monkeypatch.setenv("ANTHROPIC_API_KEY", "a-key-of-the-environment")
    assert model_list.cache_path(settings) != local


@pytest.mark.parametrize("what", ["5", "[{'role': 'user'}]", "None"])
def test_only_texts_and_exchanges_are_counted(kernel: Kernel, endpoint: Server, what: str) -> None:
    ran = kernel.run(f"from claude_magic import claude\nclaude.count({what})")
    assert ran.error is not None
    assert "claude.count takes a text or an exchange" in ran.error[1]
    assert len(ran.error[2]) == 1


def test_another_notebook_with_a_cell_of_this_name_is_not_its_previous_run(endpoint: Server) -> None:
    endpoint.answers(reply("one"), reply("two"))
    for notebook, told in (
        ("a.ipynb", "nothing to compare"),
        ("copy of a.ipynb", "nothing to compare"),
        ("a.ipynb", ""),
    ):
        with Shell(JPY_SESSION_NAME=notebook) as kernel:
            kernel.run("%load_ext claude_magic")
            ran = kernel.run("%%claude --diff\nquestion", cell_id="a")
            assert ran.error is None
            assert ran.stdout.startswith(told)
            assert bool(ran.stdout) == bool(told)
