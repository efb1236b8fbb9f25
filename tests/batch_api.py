"""A server that has Message Batches and nothing else but its script: fixture `batch_api`."""

from __future__ import annotations

from urllib.parse import parse_qsl, unquote, urlsplit

from tests.scripted_api.batches import PATH, Batch, Batches, custom_ids, echo, errored, last_text, succeeded
from tests.scripted_api.wire import Asked
from tests.server import Answer, Received, Server, failure


class BatchAPI(Batches, Server):
    """Message Batches behind a server of their own; other paths are answered from the script."""

    def __init__(self) -> None:
        Server.__init__(self)
        Batches.__init__(self)
        self.answers(failure(404, "not_found_error", "Not Found"))

    def respond(self, request: Received) -> Answer | None:
        parts = urlsplit(request.path)
        return self.answer(
            Asked(
                method=request.method,
                path=unquote(parts.path),
                query=parse_qsl(parts.query, keep_blank_values=True),
                headers=request.headers,
                body=request.body,
            )
        )


__all__ = ["PATH", "Batch", "BatchAPI", "Batches", "custom_ids", "echo", "errored", "last_text", "succeeded"]
