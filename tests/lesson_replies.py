"""The lessons, and the replies that their recordings hold."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

LESSONS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))
_COMPARED = 40  # characters of a reply: a table cuts the rest


def missing_replies(lesson: Path, shown: str) -> list[str]:
    """The recorded replies of a lesson that are not in the text that its outputs show."""
    lines = lesson.with_suffix(".recording.txt").read_text(encoding="utf-8").splitlines()
    replies = [_text(json.loads(line)["response"]).strip()[:_COMPARED] for line in lines]
    assert replies
    flat = " ".join(shown.split())
    return [reply for reply in replies if " ".join(reply.split()) not in flat]


def _text(response: dict[str, Any]) -> str:
    """The text of a recorded message or error; of an endpoint's answer its id, or that of its first item."""
    if "events" in response:
        events = [json.loads(data) for _, name, data in response["events"] if name == "content_block_delta"]
        return "".join(event["delta"].get("text", "") for event in events)
    if "body" in response:
        error = response["body"].get("error")
        return str(error["message"] if error else response["body"]["content"][0]["text"])
    value = response["answer"].get("value")
    if value is None:  # of a file
        return base64.b64decode(response["answer"]["data"]).decode().split("\n")[0]
    item = value[0] if isinstance(value, list) else value["data"][0] if "data" in value else value
    return str(item.get("id") or item.get("custom_id") or item["input_tokens"])
