"""The request of a text completion, with `--legacy`."""

from __future__ import annotations

from ..api.endpoints.complete import API_VERSION, complete
from ..api.provider import Provider
from ..errors import CellError
from ..prompt.options.options import Options
from ..settings import Claude
from ..wire import Request


def completion(settings: Claude, options: Options, prompt: str, provider: Provider, *, model: str) -> Request:
    """The request that sends `prompt` to `/v1/complete`; without a credential.

    Raises:
        CellError: The local model would answer, which has no such endpoint.
    """
    if provider.local:
        raise CellError("--legacy: the local model takes messages only. Leave --legacy out, or set a Claude.base_url.")
    return complete(
        base_url=provider.base_url,
        api_version=options.api_version or API_VERSION,
        model=model,
        prompt=prompt,
        max_tokens=settings.max_tokens if options.max_tokens is None else options.max_tokens,
        stream=settings.stream if options.stream is None else options.stream,
        fields=options.body(),
        headers=options.header,
    )
