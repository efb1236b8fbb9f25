"""Uploads: a file is sent once, and is referred to by its id from then on.

Before an id is used again the API is asked whether the file is still there; one that expired or was deleted is
uploaded again.
"""

from __future__ import annotations

import email.utils
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from ..errors import APIError, CellError, ClaudeError, ExchangeError, Interrupted, NotRecorded
from ..settings import Claude
from ..wire import Exchange
from ..wire.presenter import Presenter
from ..wire.stored_file import StoredFile, file_path
from .endpoint_call import EndpointCall, endpoint_call
from .endpoint_send import EndpointSender
from .file_upload import file_of, send_upload, upload_call
from .ledger import Caller
from .prompt import Prompt
from .provider import base_url, is_local
from .send import Sender
from .upload_memory import account, workspace

_NOT_UPLOADED = "not uploaded yet: the cell uploads it when it runs, and its id is not known before"
_KIND_UNKNOWN = "its kind is looked up when the cell runs; shown as a document"

if TYPE_CHECKING:
    from ..journal.uploads import Upload
    from ..prompt.attachments.attach import Attachment
    from ..prompt.attachments.pending import PendingFile


@dataclass(frozen=True, kw_only=True)
class Uploads:
    """Uploads and looks up the files of one prompt.

    Attributes:
        caller: Who sends the prompt.
        presenter: Shows what is waited for.
    """

    sender: Sender
    settings: Claude
    caller: Caller
    presenter: Presenter

    def attach(self, prompt: Prompt) -> Prompt:
        """The prompt with the ids of its files.

        Raises:
            ClaudeError: A file cannot be uploaded, or is not there; nothing was asked of a model.
        """
        if not prompt.has_pending_files:
            return prompt
        if not self.sender.ledger.replays.never_sends(self.settings) and is_local(self.settings):
            return _for_local_model(prompt)
        notes: list[str] = []
        headers = workspace(prompt.options.header)
        attached = tuple(
            replace(self, caller=self.caller.part(f"/file{number}"))._attach(each, headers, notes)
            for number, each in enumerate(prompt.attachments, 1)
        )
        options = replace(prompt.options, notes=(*prompt.options.notes, *notes, *_container_note(prompt)))
        return replace(prompt, attachments=attached, options=options)

    def _attach(self, attachment: Attachment, headers: Mapping[str, str], notes: list[str]) -> Attachment:
        pending = attachment.pending
        if pending is None:
            return attachment
        if pending.file_id:
            return attachment.with_block(pending.block(self._find(pending.file_id, headers, notes)))
        call = _call_of(self.settings, pending, headers)
        file, words = self._upload(call)
        notes.append(f"{pending.filename} {words} {file.id}")
        return attachment.with_block(pending.block(file))

    def _upload(self, call: EndpointCall) -> tuple[StoredFile, str]:
        """The uploaded file, and whether it was uploaded now or before, in words."""
        memory, part = self.sender.uploads, file_of(call)
        known = memory.find(self.settings, part.digest, part.media_type, account(self.settings, call.headers))
        sends = not self.sender.ledger.replays.never_sends(self.settings)
        if known is not None and sends and (file := self._still_there(known, call.headers)) is not None:
            memory.record(self.settings, known, self.caller.cell)
            return file, "was uploaded before:"
        try:
            exchange, new = send_upload(self.sender, self.settings, call, self.caller, self.presenter)
        except NotRecorded:
            if known is None:
                raise
            return _file(known), "was uploaded before:"
        if new is None:
            raise self._failure(exchange)
        return new, "was uploaded:"

    def _find(self, file_id: str, headers: Mapping[str, str], notes: list[str]) -> StoredFile:
        """A file by its id, for its media type."""
        error: ClaudeError | None
        try:
            exchange = self._get(file_id, headers)
            file, error = StoredFile.of_json(exchange.json), exchange.error
        except NotRecorded as failure:
            file, error = None, failure
        else:
            if _is_gone(exchange):
                raise self._failure(exchange)
        if file is not None and error is None:
            return file
        media_type = self.sender.uploads.media_type(self.settings, file_id)
        if not media_type:
            notes.append(f"{file_id} is sent as a document, as its kind could not be looked up: {error or 'no answer'}")
        return StoredFile(id=file_id, mime_type=media_type or "text/plain")

    def _still_there(self, known: Upload, headers: Mapping[str, str]) -> StoredFile | None:
        """The file, unless the API says that it is gone or has expired; then it is forgotten."""
        exchange = replace(self, caller=replace(self.caller, again=True))._get(known.file_id, headers)
        file = StoredFile.of_json(exchange.json) if exchange.error is None else None
        if _is_gone(exchange) or (file is not None and is_expired(file.expires_at, exchange)):
            self.sender.uploads.forget(self.settings, known.file_id)
            return None
        return file or _file(known)

    def _get(self, file_id: str, headers: Mapping[str, str]) -> Exchange:
        call = endpoint_call("GET", file_path(file_id), base_url=base_url(self.settings), headers=headers)
        exchange = EndpointSender(
            sender=self.sender, settings=self.settings, caller=self.caller, presenter=self.presenter
        ).send(call)
        if isinstance(exchange.error, Interrupted):
            raise self._failure(exchange)
        return exchange

    def _failure(self, exchange: Exchange) -> ClaudeError:
        """The error of an exchange, which is shown where the reply would be."""
        self.presenter.finish(exchange)
        return exchange.error or ExchangeError(
            f"the API answered the upload with no file: {str(exchange.json)[:200]}. Try again."
        )

    def recall(self, prompt: Prompt) -> Prompt:
        """The prompt with the ids of files that were uploaded before, for a program or a preview; nothing is sent.

        Words stand in the place of an id that is not known yet.

        Raises:
            CellError: A file cannot be read or uploaded.
        """
        if not prompt.has_pending_files:
            return prompt
        if is_local(self.settings):
            return _for_local_model(prompt)
        headers = workspace(prompt.options.header)
        return replace(prompt, attachments=tuple(self._recall(each, headers) for each in prompt.attachments))

    def _recall(self, attachment: Attachment, headers: Mapping[str, str]) -> Attachment:
        pending, memory = attachment.pending, self.sender.uploads
        if pending is None:
            return attachment
        if pending.file_id:
            media_type = memory.media_type(self.settings, pending.file_id)
            file = StoredFile(id=pending.file_id, mime_type=media_type or "text/plain")
            found = attachment.with_block(pending.block(file))
            return found if media_type or pending.kind else _with_note(found, _KIND_UNKNOWN)
        part = file_of(_call_of(self.settings, pending, headers))
        known = memory.find(self.settings, part.digest, part.media_type, account(self.settings, headers))
        if known is not None:
            return attachment.with_block(pending.block(_file(known)))
        file = StoredFile(id=f"(the id of {pending.filename}, once it is uploaded)", mime_type=part.media_type)
        shown = replace(attachment.with_block(pending.block(file)), not_uploaded=True)
        return _with_note(shown, _NOT_UPLOADED)


def _with_note(attachment: Attachment, note: str) -> Attachment:
    return replace(attachment, note="; ".join(filter(None, (attachment.note, note))))


def _for_local_model(prompt: Prompt) -> Prompt:
    """The prompt with ids that are not looked up; the model reads no files, as the line under its reply says.

    Raises:
        CellError: A file is to be uploaded.
    """
    if any(each.pending and not each.pending.file_id for each in prompt.attachments):
        raise CellError("the local model has no Files API. Nothing was sent. Leave --upload out.")
    return replace(prompt, attachments=tuple(each.with_block(each.block) for each in prompt.attachments))


def _call_of(settings: Claude, pending: PendingFile, headers: Mapping[str, str]) -> EndpointCall:
    return upload_call(settings, pending.path or pending.data, name=pending.filename, headers=headers)


def _file(known: Upload) -> StoredFile:
    return StoredFile(id=known.file_id, filename=known.filename, mime_type=known.media_type)


def _is_gone(exchange: Exchange) -> bool:
    return isinstance(exchange.error, APIError) and exchange.error.status == 404


def is_expired(expires_at: str, exchange: Exchange) -> bool:
    """Whether a moment is over, by the server's clock or by this machine's: in doubt a file is uploaded again."""
    try:
        moment = datetime.fromisoformat(expires_at.replace("Z", "+00:00"))
    except ValueError:
        return False
    server = email.utils.parsedate_tz(exchange.headers.get("date", ""))
    clock = datetime.now(timezone.utc).timestamp()
    return moment.timestamp() <= max(clock, 0 if server is None else email.utils.mktime_tz(server))


def _container_note(prompt: Prompt) -> list[str]:
    """A note if a file is sent that only code execution reads, and the request has no such tool."""
    kinds = [each.pending.kind or each.block["type"] for each in prompt.attachments if each.pending]
    tools = prompt.options.param.get("tools") or []
    has_tool = any("code_execution" in str(each.get("type", "")) for each in tools if isinstance(each, Mapping))
    if "container_upload" not in kinds or has_tool:
        return []
    return ["only code execution reads a container_upload: add --code-execution"]
