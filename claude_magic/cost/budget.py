"""The budget of this kernel: the highest cost of a request is reserved before it is sent.

Without reservations, concurrent requests could exceed the budget together.
"""

from __future__ import annotations

from ..concurrency import Lock
from ..errors import OverBudget


class Budget:
    """The dollars spent, and those reserved for requests in progress.

    Attributes:
        spent: US dollars, since the kernel began.
    """

    def __init__(self) -> None:
        self.spent = 0.0
        self._reserved = 0.0
        self._lock = Lock()

    def reserve(self, max_cost: float, limit: float | None) -> None:
        """Reserves the highest cost of an exchange, in US dollars.

        Args:
            limit: The budget, in US dollars; `None` for no limit.

        Raises:
            OverBudget: The budget does not allow it.
        """
        with self._lock:
            used = self.spent + self._reserved
            if limit is not None and used + max_cost > limit:
                raise OverBudget.from_figures(
                    max_cost, spent=used, limit=limit, setting="budget_usd", since="in this kernel"
                )
            self._reserved += max_cost

    def settle(self, max_cost: float, usd: float | None) -> None:
        """Ends a reservation, and adds the real cost in US dollars; `None`, if unknown, counts as `max_cost`."""
        with self._lock:
            self._reserved -= max_cost
            self.spent += max_cost if usd is None else usd

    def remaining(self, limit: float) -> float:
        """US dollars that may still be spent."""
        with self._lock:
            return max(0.0, limit - self.spent - self._reserved)
