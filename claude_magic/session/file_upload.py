"""The upload of one file: streamed from disk, shown while it is sent, and remembered."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from ..api.multipart import Multipart, Part
from ..errors import CellError
from ..settings import Claude
from ..wire import Exchange
from ..wire.presenter import Presenter, SilentPresenter
from ..wire.stored_file import StoredFile
from ..wire.transfer import Transfer
from .endpoint_call import EndpointCall, endpoint_call
from .endpoint_send import EndpointSender
from .ledger import Caller
from .provider import base_url
from .send import Sender
from .upload_memory import account


class _Shown(SilentPresenter):
    """Shows an upload where the reply will be."""

    def __init__(self, presenter: Presenter, transfer: Transfer) -> None:
        self._presenter = presenter
        self._transfer = transfer

    def show(self, exchange: Exchange, note: str = "") -> None:
        self._presenter.show(exchange, note or self._transfer.text)


def upload_call(
    settings: Claude,
    what: Any,
    *,
    name: str = "",
    expires: float | timedelta | None = None,
    headers: Mapping[str, str] | None = None,
) -> EndpointCall:
    """The call that uploads a file.

    Args:
        what: A path, or bytes.
        name: `""` for the file's own.
        expires: After how many seconds the API deletes it; `None` for never.

    Raises:
        CellError: It cannot be read, or holds an API key.
    """
    seconds = expires.total_seconds() if isinstance(expires, timedelta) else expires
    if seconds is not None and (isinstance(seconds, bool) or not isinstance(seconds, int | float)):
        raise CellError(f"expires is a {type(expires).__name__}. Give seconds or a timedelta. Nothing was sent.")
    if seconds is not None and not math.isfinite(seconds):
        raise CellError(f"expires is {seconds}. Give seconds or a timedelta; None for never. Nothing was sent.")
    return endpoint_call(
        "POST",
        "/v1/files",
        base_url=base_url(settings),
        body=None if seconds is None else {"expires_in_seconds": round(seconds)},
        files=[("file", (name, what) if name else what)],
        headers=headers,
    )


def file_of(call: EndpointCall) -> Part:
    """The part of an upload that holds the file."""
    assert isinstance(call.upload, Multipart)  # noqa: S101  an upload has one
    return call.upload.parts[-1]


def send_upload(
    sender: Sender,
    settings: Claude,
    call: EndpointCall,
    caller: Caller,
    presenter: Presenter,
    transfer: Transfer | None = None,
) -> tuple[Exchange, StoredFile | None]:
    """The exchange of an upload, and its file, which is remembered; `None` if it failed.

    Args:
        transfer: Counts what was sent, for a presenter that shows it; `None` to show it as a note.
    """
    part, shown = file_of(call), presenter
    assert call.upload is not None  # noqa: S101  an upload has one
    if transfer is None:
        transfer = Transfer(part.filename or "the file", len(call.upload))
        shown = _Shown(presenter, transfer)
    call = replace(call, upload=replace(call.upload, sent=transfer.count))
    exchange = EndpointSender(sender=sender, settings=settings, caller=caller, presenter=shown).send(call)
    file = StoredFile.of_json(exchange.json) if exchange.error is None else None
    if file is None or exchange.replayed:
        return exchange, file
    from ..journal.uploads import Upload

    upload = Upload(
        digest=part.digest,
        endpoint=base_url(settings),
        account=account(settings, call.headers),
        file_id=file.id,
        filename=file.filename or part.filename,
        media_type=part.media_type,
        uploaded=exchange.began,
        expires=file.expires_at,
        exchange_id=exchange.entry,
    )
    return exchange.with_notes(sender.uploads.add(settings, upload)), file
