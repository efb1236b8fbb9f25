"""A real LiteLLM proxy before the scripted API and, where it is installed, the local model.

It is no part of the extra for tests, whose libraries it would hold back: `$LITELLM_PYTHON` is the Python of an
environment with `litellm[proxy]`.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from claude_magic import local
from claude_magic.errors import APIError
from claude_magic.magics.claude import ClaudeHandle
from tests.server import JSON, Answer, Received, Server, reply, whole

PYTHON = os.environ.get("LITELLM_PYTHON", "")
KEY = "test-key-of-the-proxy"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.process,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not PYTHON, reason="NO LITELLM: $LITELLM_PYTHON names no Python with litellm[proxy]"),
]


class Upstream(Server):
    """The API behind the proxy: answers, and counts, whatever it is asked."""

    def respond(self, request: Received) -> Answer | None:
        if request.path.startswith("/v1/messages/count_tokens"):
            return Answer(headers=JSON, pieces=[b'{"input_tokens": 46}'], framing="length")
        body = json.loads(request.body)
        make = reply if body.get("stream") else whole
        return make("Hello there", model=body["model"])


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    server = Upstream()
    yield server
    server.close()


@pytest.fixture(scope="module")
def proxy(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a proxy that routes "cheap" to a cheaper model than its name says, and "ours" to one of its own."""
    folder = tmp_path_factory.mktemp("proxy")
    behind = {"api_base": upstream.url, "api_key": "test-key-behind-it"}
    priced = {"input_cost_per_token": 0.001, "output_cost_per_token": 0.01}
    models = {
        "claude-opus-5-5": {"model": "anthropic/claude-haiku-4-5", **behind},
        "ours": {"model": "anthropic/our-own-model", **behind, **priced},
        "unpriced": {"model": "anthropic/no-such-model", **behind},
    }
    if local.is_installed():
        model = local.start()
        models["tiny"] = {
            "model": f"openai/{model.name}",
            "api_base": f"{model.base_url}/v1",
            "api_key": model.key,
            **priced,
        }
    config = {
        "model_list": [{"model_name": name, "litellm_params": values} for name, values in models.items()],
        "general_settings": {"master_key": KEY},
        "litellm_settings": {"include_cost_in_streaming_usage": True},
    }
    path = folder / "config.json"  # JSON is YAML
    path.write_text(json.dumps(config), encoding="utf-8")
    port = _free_port()
    log = (folder / "log.txt").open("w")
    environment = {**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True"}  # nothing is fetched
    process = subprocess.Popen(
        [str(Path(PYTHON).with_name("litellm")), "--config", str(path), "--host", "127.0.0.1", "--port", str(port)],
        stdout=log,
        stderr=log,
        cwd=folder,
        env=environment,
        start_new_session=True,
    )
    try:
        _wait(f"http://127.0.0.1:{port}/health/liveliness", process)
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(60)
        log.close()
        local.stop()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    while process.poll() is None:
        try:
            if requests.get(url, timeout=10).status_code == 200:
                return
        except requests.RequestException:
            time.sleep(0.5)
    pytest.fail("the proxy has ended")


@pytest.fixture
def claude(proxy: str, monkeypatch: pytest.MonkeyPatch) -> ClaudeHandle:
    monkeypatch.setenv("ANTHROPIC_BASE_URL", proxy)
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    return ClaudeHandle()


@pytest.mark.parametrize("stream", [True, False])
def test_the_price_is_that_of_the_model_that_answers(stream: bool, claude: ClaudeHandle) -> None:
    exchange = claude("hi", model="claude-opus-5-5", stream=stream)
    assert (exchange.text, exchange.message.model) == ("Hello there", "claude-opus-5-5")
    assert exchange.usd == pytest.approx((46 + 5) / 1e6)  # Haiku's price
    assert exchange.headers["x-litellm-call-id"]
    assert claude("hi", model="ours", stream=stream).usd == pytest.approx(0.056)


@pytest.mark.parametrize("stream", [True, False])
def test_a_price_that_the_proxy_does_not_know_is_unknown(stream: bool, claude: ClaudeHandle) -> None:
    assert claude("hi", model="unpriced", stream=stream).usd is None


def test_a_conversation_passes_the_proxy(claude: ClaudeHandle, upstream: Upstream) -> None:
    claude("one", model="ours", conversation="main")
    claude("two", model="ours", conversation="main")
    assert [each["role"] for each in upstream.last.json["messages"]] == ["user", "assistant", "user"]


@pytest.mark.parametrize("stream", [True, False])
def test_openai_s_form_passes_the_proxy_at_its_price(stream: bool, claude: ClaudeHandle) -> None:
    message, chat = claude("hi", model="ours", stream=stream, openai=True)
    assert (message.text, chat.text, chat.message.stop_reason) == ("Hello there", "Hello there", "end_turn")
    assert chat.request.endpoint == "/v1/chat/completions"
    assert chat.usd == message.usd


def test_counting_and_models_pass_the_proxy(claude: ClaudeHandle) -> None:
    assert int(claude.count("hi", model="ours")) == 46
    assert {"claude-opus-5-5", "ours"} <= {each.id for each in claude.models}


def test_an_error_of_the_proxy_is_one_line_with_its_call_id(claude: ClaudeHandle) -> None:
    with pytest.raises(APIError, match=r"Invalid model name.*x-litellm-call-id [0-9a-f-]{36}"):
        claude("hi", model="nosuch")


@pytest.mark.skipif(not local.is_installed(), reason=f"NO LOCAL MODEL: {local.INSTALL}")
@pytest.mark.parametrize("stream", [True, False])
def test_the_local_model_answers_behind_the_proxy(stream: bool, claude: ClaudeHandle) -> None:
    exchange = claude("Say hello.", model="tiny", max_tokens=20, stream=stream, conversation="local")
    assert exchange.text
    assert exchange.usd
