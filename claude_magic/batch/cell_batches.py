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
from .map_batches import start_or_replay
from .message_batches.batch import Batch
from .message_batches.plan import Resume
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


def batch_of_cell(session: Session, prompt: Prompt, several: Sequence[Combination] = ()) -> Batch[Any]:
    """The batch that answers a cell's prompt, `times` times, or with each combination of settings.

    Raises:
        CellError: An option has no meaning in a batch, or it cannot be sent.
    """
    options = prompt.options
    _refuse_options(prompt)
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

    batch = start_or_replay(
        session, _plain(options), prompts, Resume(answers=not options.again, exchanges=False), results
    )
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
