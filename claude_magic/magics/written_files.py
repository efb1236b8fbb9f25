"""Shows the files that code execution wrote under a reply, and downloads them when a button is pressed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..api.saved_files import SavedFile
from ..wire import Exchange
from ..wire.stored_file import StoredFile, written_ids

if TYPE_CHECKING:
    from .claude import ClaudeHandle


def files_of(exchanges: Sequence[Exchange]) -> list[StoredFile]:
    """The files that these replies name, each once; those that were not asked about have only an id."""
    found: dict[str, StoredFile] = {}
    for exchange in exchanges:
        for file_id in written_ids(exchange.message.content):
            found.setdefault(file_id, StoredFile(id=file_id))
        found.update((file.id, file) for file in exchange.written)
    return list(found.values())


def show_files(handle: ClaudeHandle, files: Sequence[StoredFile], *, page: bool) -> None:
    """Shows the files under the running cell.

    Args:
        page: Whether there is a page; else it is a terminal.
    """
    if not files:
        return
    from ..display.download_panel import download_bundles, files_text

    if not page:
        print(files_text(files))
        return
    from IPython.core.display_functions import publish_display_data

    def download(file: StoredFile) -> str:
        return f"saved as {save(handle, file)}"

    for bundle in download_bundles(files, download):
        publish_display_data(bundle)


def save(handle: ClaudeHandle, file: StoredFile) -> str:
    """Writes a file into the notebook's folder, with a number behind its name if that is taken; its new name.

    Raises:
        ClaudeError: It cannot be downloaded or written.
    """
    from .files import download

    session = handle.session
    last = session.last
    try:
        return str(download(handle, file.id, SavedFile(".", name=file.filename, numbered=True), file.filename))
    finally:
        session.last = last  # a button changes nothing that a cell may look at
