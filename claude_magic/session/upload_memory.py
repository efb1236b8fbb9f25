"""Which content was uploaded as which file: in the journal, or where none is kept, in this process.

Entries are told apart by endpoint and account: by the key, and the workspace if a header names one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..api import credentials, platforms
from ..errors import ClaudeError, SettingsError
from ..settings import Claude
from .ledger import Ledger
from .provider import base_url

if TYPE_CHECKING:
    from ..journal import Journal
    from ..journal.uploads import Upload

WORKSPACE = "anthropic-workspace-id"


@dataclass(frozen=True, kw_only=True)
class UploadMemory:
    """The uploads of one ledger.

    Attributes:
        unkept: Those made while no journal was kept, the newest first.
    """

    ledger: Ledger
    unkept: list[Upload] = field(default_factory=list)

    def find(self, settings: Claude, digest: str, media_type: str, account: str) -> Upload | None:
        """The last upload of a content, as a media type."""
        wanted = digest, base_url(settings), account
        if journal := self._journal(settings):
            from ..journal.uploads import find_uploads

            try:
                several = find_uploads(journal, *wanted)
            except SettingsError:  # it cannot be read, as the line under the reply will say
                several = []
        else:
            several = [each for each in self.unkept if (each.digest, each.endpoint, each.account) == wanted]
        return next((each for each in several if each.media_type == media_type), None)

    def media_type(self, settings: Claude, file_id: str) -> str:
        """The media type of a file that was uploaded from here; `""` if it was not."""
        journal = self._journal(settings)
        if journal is None:
            return next((each.media_type for each in self.unkept if each.file_id == file_id), "")
        from ..journal.uploads import media_type_of

        try:
            return media_type_of(journal, file_id, base_url(settings))
        except SettingsError:
            return ""

    def add(self, settings: Claude, upload: Upload) -> str:
        """Keep an upload; why that failed, or `""`."""
        journal = self._journal(settings)
        if journal is None:
            self.unkept.insert(0, upload)
            return ""
        from ..journal.uploads import add_upload

        failure = add_upload(journal, upload)
        return f"not remembered, so it will be uploaded again: {failure}" if failure else ""

    def forget(self, settings: Claude, file_id: str) -> None:
        """Forget a file that is not there any more."""
        self.unkept[:] = [each for each in self.unkept if each.file_id != file_id]
        if journal := self._journal(settings):
            from ..journal.uploads import forget_upload

            forget_upload(journal, file_id, base_url(settings))  # what stays is asked about again, and gone again

    def record(self, settings: Claude, upload: Upload, place: str) -> None:
        """Write the exchange of an upload into a recording that is made now, so that it can be replayed elsewhere."""
        recorder, journal = self.ledger.recorder, self._journal(settings)
        if recorder is None or journal is None or upload.exchange_id is None:
            return
        try:
            recorder.record(place, journal.exchange(upload.exchange_id))
        except ClaudeError:  # the exchange of the cell meets the same error, and says so
            return

    def _journal(self, settings: Claude) -> Journal | None:
        return self.ledger.journal(settings)


def account(settings: Claude, headers: Mapping[str, str]) -> str:
    """Whose files a request sees.

    Raises:
        SettingsError: The key cannot be read.
    """
    platform = platforms.find(settings, offline=True)
    if platform is not None:  # of its accounts, only what the settings say is known
        return " ".join((platform.name, *platform.settings.values(), *workspace(headers).values()))
    credential = credentials.find()
    key = "" if credential is None else credential.secret.fingerprint()
    return " ".join(filter(None, (key, *workspace(headers).values())))


def workspace(headers: Mapping[str, str]) -> dict[str, str]:
    """The header that names a workspace, if there is one."""
    found = next((value for name, value in headers.items() if name.lower() == WORKSPACE), None)
    return {} if found is None else {WORKSPACE: found}
