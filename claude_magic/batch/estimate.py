"""What `claude.map` would send: how many tokens, and the highest price; nobody is asked for it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TypeVar

from ..cost import prices
from ..cost.token_bounds import token_bound
from ..display.reply.summary import estimate_tokens
from ..errors import ClaudeError
from ..session.provider import is_local
from ..session.send import preview_request
from ..wire.short_text import dollars
from .runner import Job, RowResult, missing

Amount = TypeVar("Amount", int, float)


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """What would be sent; a token is a byte at least, so `most_tokens` is more than there can be.

    Attributes:
        rows: How many there are.
        requests: How many would be sent.
        known: Rows that are answered from the journal.
        refused: Why rows cannot be asked, and how many.
        tokens: About how many tokens would be sent.
        most_tokens: More than that cannot be; `None` if it cannot be told.
        most_reply: The most tokens of a reply.
        usd: The highest price, in US dollars; `None` if it is unknown.
        graded: Whether what a grading model is sent is among these.
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
        """The same, with what grades the replies."""
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
        """All of it in a line."""
        sent = f"{self.requests:,} requests" + " (those that grade among them)" * self.graded
        facts = [f"dry run, nothing was sent: {self.rows:,} rows, {sent}"]
        facts += [f"{self.known:,} rows answered before"] * bool(self.known)
        facts += [f"{count:,} × not to be asked: {why.rstrip('.')}" for why, count in self.refused]
        most = "more than can be told" if self.most_tokens is None else f"at most {self.most_tokens:,}"
        facts.append(f"about {self.tokens:,} tokens in ({most}), at most {self.most_reply:,} out for a reply")
        facts.append("price unknown: see Claude.prices" if self.usd is None else f"at most {dollars(self.usd)}")
        return " · ".join(facts)

    def __repr__(self) -> str:
        return self.summary


def estimate(job: Job, more: int = 0) -> Estimate:
    """What the rows of a job would be.

    Args:
        more: Further tokens of each request, such as a reply that is not there yet.
    """
    told: list[RowResult] = []
    found = Estimate(rows=len(job.questions))
    refused: Counter[str] = Counter()
    free = is_local(job.means.settings)
    for _, asking in missing(job, lambda _, answer: told.append(answer)):
        try:
            body = preview_request(job.means, asking).body or {}
        except ClaudeError as error:
            refused[str(error)] += 1
            continue
        text = f"{body.get('system', '')}{asking.question.new[0]['content']}"
        most = _sum(token_bound(body), more)
        price = (
            0.0
            if free
            else None
            if most is None
            else prices.highest_cost(body, sent=most, corrections=job.means.settings.prices)
        )
        found = replace(
            found,
            requests=found.requests + 1,
            tokens=found.tokens + estimate_tokens(len(text)) + more,
            most_tokens=_sum(found.most_tokens, most),
            most_reply=max(found.most_reply, int(body.get("max_tokens") or 0)),
            usd=_sum(found.usd, price),
        )
    refused.update(str(answer.reply) for answer in told if not isinstance(answer.reply, str))
    known = sum(isinstance(answer.reply, str) for answer in told)
    return replace(found, known=known, refused=tuple(refused.most_common()))


def _sum(one: Amount | None, other: Amount | None) -> Amount | None:
    return None if one is None or other is None else one + other
