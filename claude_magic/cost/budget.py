"""What this kernel may spend: what could be spent is set aside before anything is sent.

Source of the rule: a budget that only looks back is passed by whoever asks several times at once.
"""

from __future__ import annotations

from ..concurrency import Lock
from ..errors import OverBudget


class Budget:
    """Dollars that were spent, and those set aside for what is under way.

    Attributes:
        spent: US dollars, since the kernel began.
    """

    def __init__(self) -> None:
        self.spent = 0.0
        self._set_aside = 0.0
        self._lock = Lock()

    def reserve(self, most: float, limit: float | None) -> None:
        """Set aside what an exchange can cost at most.

        Args:
            limit: US dollars; `None` for none.

        Raises:
            OverBudget: It does not fit.
        """
        with self._lock:
            promised = self.spent + self._set_aside
            if limit is not None and promised + most > limit:
                raise OverBudget.from_figures(
                    most, spent=promised, limit=limit, setting="budget_usd", since="in this kernel"
                )
            self._set_aside += most

    def settle(self, most: float, usd: float | None) -> None:
        """Take what was set aside back, and count what was spent; what is unknown counts as all of it."""
        with self._lock:
            self._set_aside -= most
            self.spent += most if usd is None else usd

    def remaining(self, limit: float) -> float:
        """US dollars that may still be spent."""
        with self._lock:
            return max(0.0, limit - self.spent - self._set_aside)
