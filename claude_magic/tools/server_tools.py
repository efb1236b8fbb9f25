"""Tools that the API runs itself, by short name; their current types are dated data.

Source: https://docs.anthropic.com/en/docs/agents-and-tools/tool-use/overview
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Any

from ..errors import CellError


def definitions(names: Sequence[str], param: Mapping[str, Any]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The definitions of these server tools, and the rest of `param`.

    Args:
        param: Fields of the body; a field named like a tool, such as `web_search`, holds options of that tool.

    Raises:
        CellError: The options of a tool are not a JSON object.
    """
    left = dict(param)
    tools = []
    for name in dict.fromkeys(names):
        tool = _documented_tools()[name]
        options = left.pop(tool["name"], {})
        if not isinstance(options, dict):
            raise CellError(f"--param {tool['name']} holds options of the tool, as in '{{\"max_uses\": 3}}'.")
        tools.append({**tool, **options})
    return tools, left


@functools.cache
def _documented_tools() -> Mapping[str, Any]:
    text = resources.files(__package__).joinpath("server_tools.json").read_text(encoding="utf-8")
    tools: Mapping[str, Any] = json.loads(text)["tools"]
    return tools
