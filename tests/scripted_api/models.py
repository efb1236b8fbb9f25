"""`/v1/models`: pages by `after_id`, and single models."""

from __future__ import annotations

from typing import Any

from tests.scripted_api.wire import Asked, after_id_page, error, json_answer
from tests.server import Answer

_NAMES = ("claude-fable-5-2", "claude-opus-5-5", "claude-sonnet-5-5", "claude-haiku-5-5", "claude-opus-4-8")


def model(name: str, **fields: Any) -> dict[str, Any]:
    """A model as the API describes it."""
    title = name.removeprefix("claude-").replace("-", " ").title()
    return {
        "type": "model",
        "id": name,
        "display_name": f"Claude {title}",
        "created_at": "2026-09-22T00:00:00Z",
        "max_input_tokens": 1_000_000,
        "max_tokens": 128_000,
        "lifecycle": "active",
        "capabilities": {"batch": {"supported": True}, "thinking": {"supported": True}},
        **fields,
    }


class Models:
    """The models of the API.

    Attributes:
        all: As `/v1/models` lists them; a test may add some.
    """

    def __init__(self) -> None:
        self.all = [model(name) for name in _NAMES]

    def answer(self, asked: Asked) -> Answer | None:
        if asked.match("GET", "/v1/models"):
            wanted = asked.values("lifecycle[]")
            return after_id_page([each for each in self.all if not wanted or each["lifecycle"] in wanted], asked)
        if found := asked.match("GET", "/v1/models/{}"):
            known = {each["id"]: each for each in self.all}
            return (
                json_answer(known[found[1]])
                if found[1] in known
                else error(404, "not_found_error", f"model: {found[1]}")
            )
        return None
