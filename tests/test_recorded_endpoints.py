"""Real recorded exchanges of models, files, batches and token counts, read as they came."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from claude_magic import claude
from claude_magic.errors import APIError
from tests.notebook_shell import forget
from tests.scripted_api import ScriptedAPI
from tests.server import Answer


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    yield
    forget()


def interactions(recorded: Path) -> Iterator[tuple[str, str, int, list[tuple[str, str]], bytes]]:
    """Method, path, status, headers and body of what was asked of other endpoints than messages."""
    for file in sorted((recorded / "exchanges").rglob("*.y*ml")):
        whole = yaml.safe_load(file.read_text(encoding="utf-8"))
        for each in whole.get("interactions") or whole.get("http_interactions"):
            url = urlsplit(each["request"]["uri"])
            if url.netloc != "api.anthropic.com" or url.path == "/v1/messages":
                continue
            response: dict[str, Any] = each["response"]
            status = response["status"]
            headers = [
                (name.lower(), values[0] if isinstance(values, list) else values)
                for name, values in response["headers"].items()
                if name.lower() not in ("content-encoding", "content-length", "transfer-encoding", "set-cookie")
            ]
            text = response["body"]["string"]
            body = text if isinstance(text, bytes) else text.encode()
            target = f"{url.path}?{url.query}" if url.query else url.path
            yield (
                each["request"]["method"].upper(),
                target,
                int(status["code"] if isinstance(status, dict) else status),
                headers,
                body,
            )


def test_each_recorded_answer_is_read_as_it_came(recorded: Path, api: ScriptedAPI) -> None:
    kinds = set()
    for method, target, status, headers, body in interactions(recorded):
        api.server.respond = lambda _, s=status, h=headers, b=body: Answer(status=s, headers=h, pieces=[b])  # type: ignore[misc, method-assign]
        how: dict[str, Any] = {"json": {"requests": []}} if method == "POST" else {}
        if status >= 400:
            with pytest.raises(APIError) as caught:
                claude.request(method, target, yes=True, **how)
            assert json.loads(body)["error"]["message"].rstrip(".") in str(caught.value)
            continue
        exchange = claude.request(method, target, yes=True, **how)
        assert exchange.answer is not None
        kinds.add(exchange.answer.kind)
        if exchange.answer.kind == "jsonl":
            assert exchange.json == [json.loads(line) for line in body.split(b"\n") if line.strip()]
        else:
            assert exchange.json == json.loads(body)
    assert kinds == {"json", "jsonl"}
