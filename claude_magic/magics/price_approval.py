"""Asks the user about a high price, in a line below the cell or in the terminal.

It is a line to type into and no button: the cell has a value to give and waits for it, and while a cell runs, a press
on a button reaches only kernels with subshells, in front ends that use them. Elsewhere the cell would wait forever.
"""

from __future__ import annotations

from ..errors import CellError


class InputApprover:
    """Asks with `input`, which a notebook shows below the cell: the cell waits, since it has a value to give."""

    def approves(self, question: str) -> bool:
        """Whether the user says yes.

        Raises:
            CellError: Nobody answers.
        """
        while True:
            try:
                word = input(f"{question}\nSend it? y or n: ").strip().lower()
            except (EOFError, OSError, NotImplementedError):
                raise CellError(f"{question} Nobody answers here, and nothing was sent. Say yes=True.") from None
            if word in ("y", "yes", "n", "no"):
                return word.startswith("y")
