"""`claude.files`: the files of the Files API, as a table; upload, download and deletion."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..api.saved_files import SavedFile
from ..errors import CellError, ExchangeError
from ..prompt.options.keywords import check_flags
from ..prompt.options.options import Options
from ..session.endpoint_call import EndpointCall, endpoint_call
from ..session.endpoint_pages import next_call
from ..session.file_upload import file_of, send_upload, upload_call
from ..session.provider import base_url
from ..wire import Exchange
from ..wire.stored_file import StoredFile, file_path
from ..wire.transfer import Transfer
from .changes import change

if TYPE_CHECKING:
    from .claude import ClaudeHandle

_ID = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_SHOWN = 100  # files of the table


class Files:
    """The files of your workspace, newest first; displayed, a table of them. Each access asks the API."""

    def __init__(self, handle: ClaudeHandle) -> None:
        self._handle = handle

    def upload(self, path: Any, *, name: str = "", expires: float | timedelta | None = None) -> File:
        """Upload a file, streamed from disk; its media type is read from its content.

        Args:
            path: A path, or bytes.
            name: Its name at the API; `""` for that of the path. Of bytes without one, the API invents a name.
            expires: When the API deletes it: seconds from now, or a `timedelta`; `None` for never.

        Raises:
            CellError: It cannot be read, or holds an API key.
            ExchangeError: The API refused it.
        """
        from ..display.transfer_bar import TransferBar

        session = self._handle.session
        settings = session.settings_for(Options())
        call = upload_call(settings, path, name=name, expires=expires)
        assert call.upload is not None  # noqa: S101  an upload has one
        transfer = Transfer(file_of(call).filename or "upload", len(call.upload))
        with TransferBar(transfer) as bar:
            exchange, file = send_upload(session.sender, settings, call, session.caller(Options()), bar, transfer)
        session.last = exchange
        if file is None:
            raise exchange.error or ExchangeError(f"the API answered with no file: {str(exchange.json)[:200]}.")
        return File(self._handle, file.id, exchange.json)

    def __getitem__(self, id: str | int) -> Any:
        """The file of an id; a number counts from the newest."""
        if isinstance(id, int | slice):
            return list(self)[id]
        if not isinstance(id, str) or not _ID.fullmatch(id):
            raise CellError(f"not the id of a file: {str(id)[:80]!r}. claude.files lists them.")
        return File(self._handle, id)

    def __iter__(self) -> Iterator[File]:
        call: EndpointCall | None = self._call()
        cursors = set[str]()
        while call is not None:
            body = self._list(call)
            for each in body["data"]:
                if StoredFile.of_json(each) is not None:
                    yield File(self._handle, each["id"], each)
            call = next_call(call, body, cursors)

    def __repr__(self) -> str:
        return self._repr_mimebundle_()["text/plain"]

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        from ..display.tables.files import file_table

        body = self._list(self._call())
        files = [StoredFile.of_json(each) for each in body["data"]]
        more = f"the newest {len(files)}; list(claude.files) has all" if body.get("next_page") else ""
        return file_table([each for each in files if each is not None], more)

    def _call(self) -> EndpointCall:
        settings = self._handle.session.settings_for(Options())
        return endpoint_call("GET", "/v1/files", base_url=base_url(settings), query={"limit": _SHOWN})

    def _list(self, call: EndpointCall) -> dict[str, Any]:
        """The JSON of one page."""
        exchange = self._handle.session.request(call)
        if exchange.error is not None:
            raise exchange.error
        body = exchange.json
        if not isinstance(body, dict) or not isinstance(body.get("data"), list):
            raise ExchangeError(f"the API answered with no list of files: {str(body)[:200]}.")
        return body


class File:
    """One file of the Files API.

    Attributes:
        id: Such as `file_011CNha8iCJcU1wXNR6q4V8w`; `-a` and the API refer to it so.
    """

    def __init__(self, handle: ClaudeHandle, id: str, metadata: Mapping[str, Any] | None = None) -> None:
        self.id = id
        self._handle = handle
        self._metadata = metadata

    @property
    def metadata(self) -> Mapping[str, Any]:
        """What the API says of it, as its JSON; asked for once.

        Raises:
            ExchangeError: There is no such file.
        """
        if self._metadata is None:
            found = request(self._handle, "GET", file_path(self.id)).json
            if StoredFile.of_json(found) is None:
                raise ExchangeError(f"the API answered with no file: {str(found)[:200]}.")
            self._metadata = found
        return self._metadata

    @property
    def filename(self) -> str:
        """Its name at the API."""
        return self._facts.filename

    @property
    def mime_type(self) -> str:
        return self._facts.mime_type

    @property
    def size_bytes(self) -> int | None:
        return self._facts.size_bytes

    @property
    def created_at(self) -> str:
        """In RFC 3339."""
        return self._facts.created_at

    @property
    def expires_at(self) -> str:
        """In RFC 3339; `""` for never."""
        return self._facts.expires_at

    @property
    def downloadable(self) -> bool | None:
        """Whether its content can be read back: only that of files which skills or code execution wrote."""
        return self._facts.downloadable

    def download(self, path: str | Path | None = None, *, overwrite: bool = False) -> Path:
        """Write its content to a file, and return the path of that.

        Args:
            path: A file, or a folder in which it gets its own name; `None` for the current folder.
            overwrite: Whether a file that is there may be replaced.

        Raises:
            CellError: There is such a file, or no such folder; nothing was sent.
            ExchangeError: It cannot be downloaded, as the API says.
        """
        target = Path(".") if path is None else path
        is_folder = Path(target).expanduser().is_dir() or str(target).endswith("/")
        name = self.filename if is_folder else ""
        check_flags(overwrite=overwrite)
        saved = SavedFile(target, overwrite=overwrite, name=name, permit="overwrite=True")
        return download(self._handle, self.id, saved, name)

    def delete(self, *, yes: bool = False) -> None:
        """Delete it at the API, once you have said so: with the buttons under the cell, or in the terminal.

        Args:
            yes: Whether you are not asked.

        Raises:
            CellError: Nobody can be asked.
            ExchangeError: There is no such file.
        """
        change(self._handle, "DELETE", file_path(self.id), None, yes=yes)

    @property
    def _facts(self) -> StoredFile:
        return StoredFile.of_json(self.metadata) or StoredFile(id=self.id)

    def __repr__(self) -> str:
        from ..display.text.excerpt import plain_line

        if self._metadata is None:
            return f"claude.files[{self.id!r}]"
        name, kind = plain_line(self.filename, 80), plain_line(self.mime_type, 60)
        return f"claude.files[{self.id!r}]: {name}, {kind}, {self.size_bytes} bytes"

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        from ..display.tables.files import file_table

        return file_table([self._facts])


def download(handle: ClaudeHandle, file_id: str, saved: SavedFile, name: str) -> Path:
    """Write the content of a file to where `saved` says, and return the path.

    Raises:
        CellError: It cannot be written there.
        ExchangeError: It cannot be downloaded.
    """
    from ..display.transfer_bar import TransferBar

    with TransferBar(Transfer(name or file_id)) as bar:
        request(handle, "GET", file_path(file_id, "/content"), presenter=bar, save=saved)
    assert saved.path is not None  # noqa: S101  it was written
    return saved.path


def request(handle: ClaudeHandle, method: str, path: str, **how: Any) -> Exchange:
    """The exchange of a call that succeeded.

    Args:
        how: `presenter` and `save`; see `Session.request`.

    Raises:
        ClaudeError: It cannot be sent, or failed.
    """
    session = handle.session
    exchange = session.request(endpoint_call(method, path, base_url=base_url(session.settings_for(Options()))), **how)
    if exchange.error is not None:
        raise exchange.error
    return exchange
