"""What `claude.map` would send: how many tokens, and the highest price; nothing is sent to find out."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from ..cost.token_bounds import token_bound
from ..display.reply.summary import estimate_tokens
from ..errors import CellError, ClaudeError, SettingsError
from ..session.costs import highest_cost
from ..session.model_list import model_id
from ..session.provider import is_local
from ..session.request import preview_request
from ..wire.short_text import dollars, span
from .runner import Job, RowResult, missing

YES, UNSENT = "yes=True", "nothing was sent"

Amount = TypeVar("Amount", int, float)


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """What would be sent; a token is at least one byte, so `most_tokens` is an upper bound.

    Attributes:
        rows: The number of rows.
        requests: The number of requests to send.
        known: The number of rows with an answer in the journal.
        refused: Why rows have no prompt, and how many.
        tokens: About how many input tokens would be sent.
        most_tokens: An upper bound of them; `None` if there is none.
        most_reply: The most output tokens of one reply.
        usd: The highest price, in US dollars; `None` if unknown.
        graded: Whether the requests to a grading model are included.
    """

    rows: int
    requests: int = 0
    known: int = 0
    refused: tuple[tuple[str, int], ...] = ()
    tokens: int = 0
    most_tokens: int | None = 0
    most_reply: int = 0
    usd: float | None = 0.0
    graded: bool = False

    def plus(self, grading: Estimate) -> Estimate:
        """The same, with the requests that grade the replies."""
        return replace(
            self,
            requests=self.requests + grading.requests,
            tokens=self.tokens + grading.tokens,
            most_tokens=_sum(self.most_tokens, grading.most_tokens),
            usd=_sum(self.usd, grading.usd),
            graded=True,
        )

    @property
    def summary(self) -> str:
        """All of it in one line."""
        sent = f"{self.requests:,} requests" + " (those that grade among them)" * self.graded
        facts = [f"dry run, nothing was sent: {self.rows:,} rows, {sent}"]
        facts += [f"{self.known:,} rows answered before"] * bool(self.known)
        facts += [f"{count:,} × cannot be sent: {why.rstrip('.')}" for why, count in self.refused]
        most = "more than can be told" if self.most_tokens is None else f"at most {self.most_tokens:,}"
        facts.append(f"about {self.tokens:,} tokens in ({most}), at most {self.most_reply:,} out for a reply")
        facts.append("price unknown: see Claude.prices" if self.usd is None else f"at most {dollars(self.usd)}")
        return " · ".join(facts)

    @property
    def price(self) -> str:
        """The highest price, in words."""
        return "at an unknown price" if self.usd is None else f"at most {dollars(self.usd)}"

    def line(self, seconds: float | None) -> str:
        """What is to be sent, for the beginning of a progress line.

        Args:
            seconds: About how long it takes; `None` if unknown.
        """
        facts = [
            f"{self.requests:,} request{'s' * (self.requests != 1)}",
            f"about {self.tokens:,} tokens in",
            self.price,
        ]
        return ", ".join([*facts, *([] if seconds is None else [f"about {span(seconds)}"])])

    def __repr__(self) -> str:
        return self.summary


class PriceApprover(Protocol):
    """Asks the user."""

    def approves(self, question: str) -> bool:
        """Whether the user says yes.

        Raises:
            CellError: Nobody answers.
        """


def check_price(
    estimated: Estimate,
    limit: float,
    approver: PriceApprover | None,
    caller: str = "claude.map",
    *,
    permit: str = YES,
    unsent: str = UNSENT,
) -> None:
    """Asks the user if more than `limit` US dollars may be spent, or if the price is unknown.

    Args:
        caller: What would send it.
        permit: What lets it be sent without asking.
        unsent: What was not sent by now, in words.

    Raises:
        CellError: The user says no, or cannot be asked; nothing was sent.
    """
    if not estimated.requests or (estimated.usd is not None and estimated.usd <= limit):
        return
    told = f"{estimated.line(None)}: Claude.confirm_above_usd is {dollars(limit)}"
    if approver is None:
        raise CellError(f"{caller} needs your approval: {told}; {unsent}. Say {permit} to send it.")
    if not approver.approves(f"{caller}: {told}."):
        raise CellError(f"refused: {unsent}.")


def expected_seconds(job: Job, requests: int) -> float | None:
    """About how long so many requests of a job take, by the last replies of its model; `None` if there are none."""
    journal = job.sender.ledger.journal(job.settings)
    if journal is None or not requests:
        return None
    try:
        each = journal.mean_seconds(model_id(job.settings, job.options.model or job.settings.model))
    except SettingsError:
        return None
    return None if each is None else math.ceil(requests / job.at_once) * each


def estimate(job: Job, further: int = 0, *, batch: bool = False) -> Estimate:
    """What the rows of a job would send.

    Args:
        further: Further tokens of each request, such as a reply that is not there yet.
        batch: Whether they would be sent in a batch, at half the price.
    """
    others: list[RowResult] = []
    total = Estimate(rows=len(job.texts))
    refused: Counter[str] = Counter()
    for _, text in missing(job, lambda _, result: others.append(result)):
        try:
            total = _plus_request(job, total, text, further, batch)
        except ClaudeError as error:
            refused[str(error)] += 1
    refused.update(str(each.reply) for each in others if not isinstance(each.reply, str))
    known = sum(isinstance(each.reply, str) for each in others)
    return replace(total, known=known, refused=tuple(refused.most_common()))


def _plus_request(job: Job, total: Estimate, text: str, further: int, batch: bool) -> Estimate:
    """The estimate with one more request."""
    request = preview_request(job.settings, job.prompt(text))
    body = request.body or {}
    most = _sum(token_bound(body), further)
    usd = None if most is None else highest_cost(job.settings, request, most, batch=batch)
    return replace(
        total,
        requests=total.requests + 1,
        tokens=total.tokens + estimate_tokens(len(f"{body.get('system', '')}{text}")) + further,
        most_tokens=_sum(total.most_tokens, most),
        most_reply=max(total.most_reply, int(body.get("max_tokens") or 0)),
        usd=_sum(total.usd, 0.0 if is_local(job.settings) else usd),
    )


def _sum(one: Amount | None, other: Amount | None) -> Amount | None:
    return None if one is None or other is None else one + other
