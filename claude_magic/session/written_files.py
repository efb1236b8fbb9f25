"""Files that code execution wrote: a reply has their ids only, so the API is asked for names and sizes."""

from __future__ import annotations

from dataclasses import replace

from ..errors import ClaudeError
from ..settings import Claude
from ..wire import Exchange
from ..wire.stored_file import StoredFile, file_path, written_ids
from .endpoint_call import endpoint_call
from .endpoint_send import EndpointSender
from .ledger import Caller
from .provider import base_url
from .send import Sender

_MOST = 20  # files of one reply that are asked about


def with_written_files(sender: Sender, settings: Claude, exchange: Exchange, caller: Caller) -> Exchange:
    """The exchange with the files of its reply; one that the API does not describe has only an id.

    Nothing is sent for a reply that was replayed.
    """
    ids = written_ids(exchange.message.content)
    if not ids:
        return exchange
    if exchange.replayed:
        settings = _only_recorded(settings)
    described = [
        _describe(sender, settings, file_id, caller.part(f"/written{number}"))
        for number, file_id in enumerate(ids[:_MOST], 1)
    ]
    return replace(exchange, written=(*described, *(StoredFile(id=file_id) for file_id in ids[_MOST:])))


def _describe(sender: Sender, settings: Claude, file_id: str, caller: Caller) -> StoredFile:
    try:
        call = endpoint_call("GET", file_path(file_id), base_url=base_url(settings))
        exchange = EndpointSender(sender=sender, settings=settings, caller=caller).send(call)
    except ClaudeError:
        return StoredFile(id=file_id)
    file = StoredFile.of_json(exchange.json) if exchange.error is None else None
    return file or StoredFile(id=file_id)


def _only_recorded(settings: Claude) -> Claude:
    """The same settings, with which nothing is sent."""
    recorded = Claude()
    for name, value in settings.assigned_values().items():
        setattr(recorded, name, value)
    recorded.replay = "only"
    return recorded
