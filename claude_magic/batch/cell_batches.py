"""`%%claude --batch`: a cell's prompt, once or several times or with several settings, answered by a message batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ..display.live.batch_status import show
from ..display.tables.map_replies import Replies
from ..errors import CellError, ClaudeError
from ..prompt.options.options import Options
from ..session.prompt import Prompt
from ..session.session import Session
from ..wire import Exchange, Request
from .compare import Combination
from .compare import results as comparison
from .estimate import UNSENT, PriceApprover
from .map_batches import start_or_replay
from .message_batches.batch import Batch
from .message_batches.plan import Resume
from .plan_approval import PlanApproval
from .runner import RowResult

_NO_MEANING = {
    "fresh": "--new",
    "finish": "--finish",
    "step": "--step",
    "events": "--events",
    "raw": "--raw",
    "diff": "--diff",
    "fix": "--fix",
    "as_": "--as",
    "lang": "--lang",
    "tag": "--tag",
    "curl": "--curl",
    "run_tools": "--run-tools",
}


def batch_of_cell(
    session: Session,
    prompt: Prompt,
    several: Sequence[Combination] = (),
    *,
    approver: PriceApprover | None = None,
    permit: str = "--yes",
) -> Batch[Any]:
    """The batch that answers a cell's prompt, `times` times, or with each combination of settings.

    Args:
        approver: Asks the user about a high price; `None` if nobody can be asked.
        permit: What lets it be sent without asking.

    Raises:
        CellError: An option has no meaning in a batch, it cannot be sent, or is too expensive for the user.
    """
    options = prompt.options
    _refuse_options(prompt)
    unsent = "no request was sent, only the files" if prompt.has_pending_files else UNSENT
    prompt = session.attach_files(prompt, session.settings_for(options), session.caller(options))
    if several:
        prompts = [replace(prompt, options=_plain(each.options)) for each in several]
        labels = [each.label for each in several]
    else:
        prompts = [replace(prompt, options=_plain(options))] * options.times
        labels = [prompt.text] * options.times

    def replies(answered: Batch[Any]) -> Replies:
        return Replies(list(answered), questions=labels, grades=None, passed=(), seconds=answered.seconds)

    def results(answered: Batch[Any]) -> Any:
        if not several:
            return replies(answered)
        return comparison(several, [_exchange(session, options, each) for each in answered])

    approve = PlanApproval(
        caller="%%claude --batch" if permit == "--yes" else "claude(batch=True)",
        approver=approver,
        yes=options.yes,
        permit=permit,
        unsent=unsent,
    )
    resume = Resume(answers=not options.again, exchanges=False)
    batch = start_or_replay(session, _plain(options), prompts, resume, results, approve)
    batch.shows = replies
    show(batch)
    return batch


def _refuse_options(prompt: Prompt) -> None:
    options, defaults = prompt.options, Options()
    for name, written in _NO_MEANING.items():
        if getattr(options, name) != getattr(defaults, name):
            raise CellError(
                f"{written} has no meaning with --batch: nothing is shown while it is answered. Leave it out."
            )
    if prompt.tools:
        raise CellError("a batch runs no functions of the notebook. Leave --tools out; nothing was sent.")
    if options.stream:
        raise CellError("a batch is not streamed. Leave --stream out.")


def _plain(options: Options) -> Options:
    return replace(options, stream=False, batch=False, times=1, compare={})


def _exchange(session: Session, options: Options, result: RowResult) -> Exchange:
    """The exchange of a row, from the journal; what was not answered has only its error."""
    journal = session.ledger.journal(session.settings_for(options))
    if journal is not None and result.entry is not None:
        return journal.exchange(result.entry)
    error = result.reply if isinstance(result.reply, ClaudeError) else None
    return Exchange(request=Request(method="POST", url=""), error=error)
