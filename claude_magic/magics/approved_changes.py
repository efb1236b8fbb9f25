"""Changes at the API that a value of the notebook makes, such as a batch that deletes itself: asked about first."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .claude import ClaudeHandle


class ApprovedChanges:
    """Changes that a value of the notebook makes, such as a batch: asked about as those of a cell are."""

    def __init__(self, handle: ClaudeHandle) -> None:
        self._handle = handle

    def delete(self, path: str) -> None:
        """Deletes what is at `path`, once a button under the cell or `%claude --approve` says so.

        Raises:
            CellError: Nobody can be asked.
        """
        from .changes import change

        change(self._handle, "DELETE", path, None, yes=False)
