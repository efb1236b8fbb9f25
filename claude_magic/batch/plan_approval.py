"""Asks the user before message batches are made that may cost more than `Claude.confirm_above_usd`."""

from __future__ import annotations

from dataclasses import dataclass

from ..display.reply.summary import estimate_tokens
from ..settings import Claude
from .estimate import UNSENT, YES, Estimate, PriceApprover, check_price
from .message_batches.plan import Plan


@dataclass(frozen=True, kw_only=True)
class PlanApproval:
    """Asks about what is planned, once; what is answered or under way already costs nothing more.

    Attributes:
        caller: What would send it, in words.
        approver: Asks the user; `None` if nobody can be asked.
        yes: Whether nobody is asked.
        permit: What lets it be sent without asking.
        unsent: What was not sent by then, in words.
    """

    caller: str
    approver: PriceApprover | None
    yes: bool
    permit: str = YES
    unsent: str = UNSENT

    def check(self, planned: Plan, settings: Claude) -> None:
        """Asks, if it may cost more than the settings say, or an unknown amount.

        Raises:
            CellError: The user says no, or cannot be asked.
        """
        limit = settings.confirm_above_usd
        if limit is not None and not self.yes:
            check_price(_estimate(planned), limit, self.approver, self.caller, permit=self.permit, unsent=self.unsent)


def _estimate(planned: Plan) -> Estimate:
    """What the batches that are to be made send; a model that grades is paid when it is asked."""
    prices = [batch.highest for batch in planned.batches]
    known = [each for each in prices if each is not None]
    return Estimate(
        rows=len(planned.sources),
        requests=sum(batch.requests for batch in planned.batches),
        tokens=estimate_tokens(sum(batch.texts for batch in planned.batches)),
        usd=sum(known) if len(known) == len(prices) else None,
    )
