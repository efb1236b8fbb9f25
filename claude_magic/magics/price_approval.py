"""Asks the user about a high price, in a line below the cell or in the terminal.

It is a line to type into and no button: the cell has a value to give and waits for it, and while a cell runs, a press
on a button reaches only kernels with subshells, in front ends that use them. Elsewhere the cell would wait forever.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..batch.estimate import YES
from ..errors import CellError

if TYPE_CHECKING:
    from .claude import ClaudeHandle


def approver(handle: ClaudeHandle, permit: str = YES) -> InputApprover | None:
    """Asks the user about a high price; `None` where nobody can be asked."""
    return InputApprover(permit) if handle.shell() is not None and handle.cells.asks else None


class InputApprover:
    """Asks with `input`, which a notebook shows below the cell: the cell waits, since it has a value to give.

    Args:
        permit: What lets it be sent without asking.
    """

    def __init__(self, permit: str = YES) -> None:
        self._permit = permit

    def approves(self, question: str) -> bool:
        """Whether the user says yes.

        Raises:
            CellError: Nobody answers.
        """
        while True:
            try:
                word = input(f"{question}\nSend it? y or n: ").strip().lower()
            except (EOFError, OSError, NotImplementedError):
                raise CellError(f"{question} Nobody answers here, and it was not sent. Say {self._permit}.") from None
            if word in ("y", "yes", "n", "no"):
                return word.startswith("y")
