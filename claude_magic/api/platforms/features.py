"""Which features of the API a request uses that not every platform has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...wire import Request

FEATURES = {
    "count_tokens": "count of tokens",
    "batches": "message batches",
    "models": "list of models",
    "files": "Files API",
    "admin": "endpoints of the organization",
    "completions": "Text Completions",
    "endpoints": "endpoint but messages",
    "url_sources": "images and documents by URL",
    "web_search": "web search",
    "web_fetch": "web fetch",
    "code_execution": "code execution",
    "advisor": "advisor tool",
    "mcp": "MCP connector",
    "skills": "skills",
    "structured_outputs": "structured replies (output_config.format)",
    "automatic_caching": "automatic caching (cache_control of the whole request); --cache marks blocks instead",
    "cache_diagnostics": "cache diagnostics",
    "fallbacks": "fallbacks",
    "fast_mode": "fast mode",
    "inference_geo": "inference_geo",
}
"""Each feature, and its words in the sentence that a platform has none."""

_ENDPOINTS = (
    ("/v1/messages/count_tokens", "count_tokens"),
    ("/v1/messages/batches", "batches"),
    ("/v1/models", "models"),
    ("/v1/files", "files"),
    ("/v1/organizations", "admin"),
    ("/v1/complete", "completions"),
    ("/v1/skills", "skills"),
)
_TOOLS = ("web_search", "web_fetch", "code_execution", "advisor")
_FIELDS = {
    "mcp_servers": "mcp",
    "cache_control": "automatic_caching",
    "fallbacks": "fallbacks",
    "diagnostics": "cache_diagnostics",
}


def features(request: Request) -> Iterator[str]:
    """The features of `FEATURES` that a request uses."""
    path = request.endpoint.rstrip("/")
    if path != "/v1/messages":
        yield next((feature for start, feature in _ENDPOINTS if f"{path}/".startswith(f"{start}/")), "endpoints")
    body = request.body or {}
    yield from (feature for name, feature in _FIELDS.items() if body.get(name))
    if body.get("speed") == "fast":
        yield "fast_mode"
    if body.get("inference_geo"):
        yield "inference_geo"
    if _object(body.get("output_config")).get("format") or body.get("output_format"):
        yield "structured_outputs"
    if _object(body.get("container")).get("skills"):
        yield "skills"
    for tool in _objects(body.get("tools")):
        kind = str(tool.get("type") or "")
        yield from (name for name in _TOOLS if kind.startswith(f"{name}_2"))
    sources = {str(_object(block.get("source")).get("type")) for block in _blocks(body)}
    if "url" in sources:
        yield "url_sources"
    if "file" in sources and path == "/v1/messages":
        yield "files"


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _objects(value: Any) -> list[Mapping[str, Any]]:
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list | tuple) else []


def _blocks(body: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The content blocks of all messages, those within results of tools too."""
    for message in _objects(body.get("messages")):
        for block in _objects(message.get("content")):
            yield block
            yield from _objects(block.get("content"))
