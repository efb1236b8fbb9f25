"""Which cell sends a request, as far as the session needs to know."""

from __future__ import annotations

import os
from typing import Protocol


class Cells(Protocol):
    """The cells of a notebook, or what stands in their place."""

    @property
    def notebook(self) -> str:
        """The path of the notebook; `""` if unknown."""

    @property
    def has_name(self) -> bool:
        """Whether the running cell has a name that stays the same when it runs again."""

    def next(self) -> str:
        """A name for the next request of the running cell."""

    def lasting(self, name: str) -> str:
        """A form of `name` that is the same when the cell runs again."""


class NoCells:
    """Plain Python: each request stands alone."""

    notebook = ""
    has_name = False

    def next(self) -> str:
        return os.urandom(16).hex()

    def lasting(self, name: str) -> str:
        return name
