"""Conversations, tools, comparisons, tables, replay and Stop work on a cloud as they do with the API."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from claude_magic.errors import NotRecorded
from tests.aws import chunk, frames, streamed
from tests.google import Clouds, service_account
from tests.notebook_shell import Shell
from tests.server import Answer, Server, message, reply, whole

pytestmark = pytest.mark.usefixtures("only_loopback")

KEY = "a-key-of-bedrock-0123456789"
MODEL = "us.anthropic.claude-opus-5-5"


@pytest.fixture
def cloud(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Where Bedrock is; the API is at the fixture `endpoint`."""
    made = Server()
    made.strict = False
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", KEY)
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("ANTHROPIC_BEDROCK_BASE_URL", made.url)
    made.answers(streamed(frames("Hello")))
    yield made
    made.close()


@pytest.fixture
def bedrock(shell: Shell, cloud: Server) -> Server:
    """Every cell goes there."""
    shell.run(f"%config Claude.provider = 'bedrock'\n%config Claude.model = {MODEL!r}\nfrom claude_magic import claude")
    return cloud


def call(name: str, **arguments: Any) -> list[bytes]:
    """The frames of a reply that calls a tool."""
    block = {"type": "tool_use", "id": "toolu_01", "name": name, "input": {}}
    delta = {"type": "input_json_delta", "partial_json": json.dumps(arguments)}
    end = {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 9}}
    events = [
        {"type": "message_start", "message": message()},
        {"type": "content_block_start", "index": 0, "content_block": block},
        {"type": "content_block_delta", "index": 0, "delta": delta},
        {"type": "content_block_stop", "index": 0},
        end,
        {"type": "message_stop"},
    ]
    return [chunk(each) for each in events]


def test_a_conversation_goes_on(shell: Shell, bedrock: Server) -> None:
    assert shell.run("%%claude -c\nfirst", cell_id="a").error is None
    assert shell.run("%%claude -c\nsecond", cell_id="b").error is None
    sent = json.loads(bedrock.last.body)
    assert [each["role"] for each in sent["messages"]] == ["user", "assistant", "user"]
    assert "model" not in sent
    assert bedrock.last.path == f"/model/{MODEL}/invoke-with-response-stream"


def test_a_tool_is_called_and_its_result_goes_back(shell: Shell, bedrock: Server) -> None:
    shell.run("@claude.tool(approve=False)\ndef double(x: int) -> int:\n    'Doubles.'\n    return 2 * x")
    bedrock.answers(streamed(call("double", x=21)), streamed(frames("It is 42.")))
    assert shell.run("%%claude --tools double\nDouble 21.").error is None
    assert "42" in bedrock.last.body.decode()
    assert shell.value("claude.last.text") == "It is 42."


def test_providers_side_by_side(shell: Shell, cloud: Server, endpoint: Server) -> None:
    endpoint.answers(reply("from the API"))
    cloud.answers(streamed(frames("from Bedrock")))
    ran = shell.run("%%claude --compare provider=anthropic,bedrock -m opus -o table\nWho are you?")
    assert ran.error is None
    assert "from the API" in ran.text
    assert "from Bedrock" in ran.text
    assert cloud.last.headers["authorization"] == f"Bearer {KEY}"
    assert "authorization" not in endpoint.last.headers
    assert KEY not in str(endpoint.last.headers)
    assert endpoint.last.headers["x-api-key"] not in str(cloud.last.headers)
    assert json.loads(endpoint.last.body)["model"] == "claude-opus-5-5"
    assert cloud.last.path.startswith("/model/global.anthropic.claude-opus-5-5/")


def test_one_cell_goes_there_and_the_next_does_not(shell: Shell, cloud: Server, endpoint: Server) -> None:
    endpoint.answers(reply("from the API"))
    assert shell.run("%%claude --provider bedrock\nhi").error is None
    assert shell.run("%%claude\nhi").error is None
    assert (len(cloud.received), len(endpoint.received)) == (1, 1)


def test_a_table_of_questions(shell: Shell, bedrock: Server) -> None:
    bedrock.answers(whole("yes"))
    shell.run("replies = claude.map(['a', 'b', 'c'])")
    assert shell.value("list(replies)") == ["yes"] * 3
    assert {each.path for each in bedrock.received} == {f"/model/{MODEL}/invoke"}


def test_the_journal_gives_the_answer_again_and_says_who_gave_it(shell: Shell, bedrock: Server) -> None:
    shell.run("%%claude\nhi")
    shell.run("%config Claude.replay = 'only'")
    ran = shell.run("%%claude\nhi")
    assert ran.error is None
    assert shell.value("claude.last.text") == "Hello"
    assert len(bedrock.received) == 1
    assert "bedrock" in str(shell.run("claude.journal.spend('provider')").text)


def test_a_recording_replays_without_credentials_or_a_region(
    shell: Shell, bedrock: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = str(tmp_path / "lesson.recording.txt")
    shell.run(f"claude.record({path!r})\nclaude('hi')\nclaude.record(None)")
    assert KEY not in Path(path).read_text()
    monkeypatch.delenv("AWS_BEARER_TOKEN_BEDROCK")
    monkeypatch.delenv("AWS_REGION")
    monkeypatch.delenv("ANTHROPIC_BEDROCK_BASE_URL")
    shell.run(f"claude.replay({path!r})")
    ran = shell.run("print(claude('hi').text)")
    assert ran.stdout.strip() == "Hello"
    assert "x-amzn-requestid" in shell.run("dict(claude.last.headers)").text
    assert shell.run("claude('something else')").error[0] == NotRecorded.__name__
    assert len(bedrock.received) == 1


def test_a_stop_ends_the_reply_and_keeps_what_came(shell: Shell, bedrock: Server) -> None:
    bedrock.answers(Answer(headers=streamed([]).headers, pieces=frames("begun")[:4], ending="hang"))
    ran = shell.run("%%claude\nhi", stop_when="begun")
    assert ran.error is not None
    assert ran.error[0] == "Interrupted"
    assert shell.value("claude.last.text") == "begun"


def test_the_budget_knows_the_price_of_the_route_and_refuses_an_unknown_one(shell: Shell, bedrock: Server) -> None:
    shell.run("%config Claude.budget_usd = 5.0")
    assert shell.run("%%claude -m global.anthropic.claude-opus-5-5\nhi").error is None
    usd = shell.value("claude.last.usd")
    assert shell.run("%%claude -m us.anthropic.claude-opus-5-5\nhi").error is None
    assert shell.value("claude.last.usd") == pytest.approx(1.1 * usd)
    for model in ("anthropic.claude-opus-5-5", "arn:aws:bedrock:us-east-1:1:application-inference-profile/abc"):
        ran = shell.run(f"%%claude -m {model}\nhi")
        assert ran.error is not None
        assert f"the price of {model} is unknown" in ran.error[1]
    assert len(bedrock.received) == 2


def test_a_name_goes_out_as_it_is_typed_and_an_alias_as_the_data_say(shell: Shell, bedrock: Server) -> None:
    for typed, sent in (
        ("jp.anthropic.claude-opus-5-5", "jp.anthropic.claude-opus-5-5"),
        ("claude-haiku-4-5", "global.anthropic.claude-haiku-4-5-20251001-v1:0"),
        ("sonnet", "global.anthropic.claude-sonnet-5-5"),
        ("claude-nova-9", "anthropic.claude-nova-9"),
        ("meta.llama4", "meta.llama4"),
    ):
        shell.run(f"%%claude -m {typed}\nhi")
        assert bedrock.last.path == f"/model/{sent}/invoke-with-response-stream"


def test_the_executor_of_a_map_signs_where_it_runs(shell: Shell, bedrock: Server) -> None:
    bedrock.answers(whole("yes"))
    code = """
    from concurrent.futures import ThreadPoolExecutor
    with ThreadPoolExecutor(2) as pool:
        replies = claude.map(['a', 'b'], executor=pool)
    """
    import textwrap

    assert shell.run(textwrap.dedent(code)).error is None
    assert shell.value("list(replies)") == ["yes"] * 2
    assert {each.headers["authorization"] for each in bedrock.received} == {f"Bearer {KEY}"}


def test_preview_shows_what_would_be_sent_and_why_nothing_is_counted(shell: Shell, bedrock: Server) -> None:
    ran = shell.run("%%claude --preview\nhi")
    assert ran.error is None
    assert "Amazon Bedrock has no count of tokens" in ran.text
    assert bedrock.received == []


def test_the_journal_knows_what_was_really_sent(shell: Shell, bedrock: Server) -> None:
    shell.run("%%claude --header anthropic-beta a-1\nhi")
    shell.run("kept = claude.session.ledger.journal(claude.settings).exchange(claude.last.entry)")
    wire = shell.value("(kept.request.on_wire.url, dict(kept.request.on_wire.body), kept.request.on_wire.method)")
    assert wire == shell.value("(claude.last.request.on_wire.url, dict(claude.last.request.on_wire.body), 'POST')")
    assert json.loads(bedrock.last.body) == wire[1]
    assert shell.value("kept.request.body['model']") == MODEL
    assert "anthropic.AnthropicBedrock(" in shell.value("str(kept.code('python'))")
    assert shell.value("str(kept.code('curl'))") == shell.value("str(claude.last.code('curl'))")


def test_a_cached_prompt_has_marks_and_no_field_that_only_the_api_has(shell: Shell, bedrock: Server) -> None:
    ran = shell.run("%%claude --cache -s 'Be brief.'\nhi")
    assert ran.error is None
    sent = json.loads(bedrock.last.body)
    assert sent["system"][0]["cache_control"] == {"type": "ephemeral"}
    assert "diagnostics" not in sent


def test_a_request_that_is_too_large_for_the_cloud_is_one_line(shell: Shell, bedrock: Server) -> None:
    shell.user_ns["long"] = "x" * 21_000_000
    ran = shell.run("claude(long)")
    assert ran.error is not None
    assert "Amazon Bedrock takes 20 MB at most, and the request has 21.0 MB. Nothing was sent." in ran.error[1]
    assert bedrock.received == []


def test_an_answer_of_one_provider_is_none_of_another(
    shell: Shell, endpoint: Server, cloud: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same body goes to the API and to Claude Platform on AWS: who answered is a part of the question."""
    monkeypatch.setenv("ANTHROPIC_AWS_API_KEY", KEY)
    monkeypatch.setenv("ANTHROPIC_AWS_BASE_URL", cloud.url)
    monkeypatch.setenv("ANTHROPIC_AWS_WORKSPACE_ID", "w")
    shell.run("from claude_magic import claude\n%config Claude.replay = 'on'")
    endpoint.answers(reply("from the API"))
    cloud.answers(reply("from AWS"))
    for provider, text in (("anthropic", "API"), ("aws", "AWS"), ("anthropic", "API"), ("aws", "AWS")):
        assert shell.run(f"found = claude('hi', provider={provider!r}).text").error is None
        assert shell.value("found") == f"from {'the ' * (text == 'API')}{text}"
        shell.run(f"found = list(claude.map(['who?'], provider={provider!r}))")
        assert shell.value("found") == [f"from {'the ' * (text == 'API')}{text}"]


def test_a_recording_knows_who_answered_and_answers_others_too(
    shell: Shell, endpoint: Server, cloud: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ANTHROPIC_AWS_API_KEY", KEY)
    monkeypatch.setenv("ANTHROPIC_AWS_BASE_URL", cloud.url)
    monkeypatch.setenv("ANTHROPIC_AWS_WORKSPACE_ID", "w")
    endpoint.answers(reply("from the API"))
    cloud.answers(reply("from AWS"))
    path = str(tmp_path / "lesson.recording.txt")
    shell.run("from claude_magic import claude\n%config Claude.journal = ''")
    shell.run(f"claude.record({path!r})\nclaude('hi', provider='aws')\nclaude('hi')\nclaude.record(None)")
    shell.run(f"claude.replay({path!r})")
    for provider, text in (("anthropic", "from the API"), ("aws", "from AWS"), ("google-cloud", "from AWS")):
        assert shell.run(f"found = claude('hi', provider={provider!r}).text").error is None
        assert (provider, shell.value("found")) == (provider, text)


@pytest.mark.parametrize(
    ("provider", "shown"),
    [
        ("bedrock", "/model/global.anthropic.claude-opus-5-5/invoke-with-response-stream\n"),
        ("vertex", "/projects/p/locations/eu/publishers/anthropic/models/claude-opus-5-5:streamRawPredict\n"),
    ],
)
def test_a_preview_shows_the_request_in_the_form_in_which_it_would_be_sent(
    provider: str, shown: str, shell: Shell, cloud: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    account = service_account(tmp_path / "account.json", cloud)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(account))
    monkeypatch.setenv("ANTHROPIC_VERTEX_BASE_URL", cloud.url)
    monkeypatch.setattr(cloud, "respond", Clouds().respond)
    shell.run("%config Claude.region = 'eu'\n%config Claude.project = 'p'")
    ran = shell.run(f"%%claude --provider {provider} -m opus --preview\nhi")
    assert ran.error is None
    assert f"POST {cloud.url}{shown}" in ran.text
    assert '"anthropic_version"' in ran.text
    assert '"model"' not in ran.text
    assert ".," not in ran.text
