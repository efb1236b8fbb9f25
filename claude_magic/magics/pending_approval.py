"""A turn that waits for the user: buttons under the cell, or `%claude --approve`, resume it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..concurrency import Lock
from ..errors import CellError
from ..session.turn import RESULTS, Turn, approve, pending_calls
from ..tools.calls import refuse
from ..wire.tool import Call

if TYPE_CHECKING:
    from ..display.approval.bundle import Approval, Decision
    from ..display.live.detached import DetachedOutput
    from .presenters import CellPresenter
    from .turn_runner import TurnRunner


class PendingApproval:
    """The turn that waits, and the buttons that the user sees.

    Args:
        runner: Resumes the turn.
    """

    def __init__(self, runner: TurnRunner, turn: Turn, presenter: CellPresenter) -> None:
        self.turn = turn
        self.presenter = presenter
        self._runner = runner
        self._lock = Lock()
        self._taken = False
        self._output: DetachedOutput | None = None
        self._buttons: Approval | None = None

    def take(self) -> bool:
        """Whether it still waited; from now on it does not."""
        with self._lock:
            taken, self._taken = self._taken, True
        return not taken

    def show(self, messages: dict[str, str]) -> None:
        """Shows the buttons under the cell, whose later replies will appear there too.

        Args:
            messages: The mime bundle of the messages so far; `{}` for none.
        """
        from ..display.approval.bundle import Approval
        from ..display.live.detached import DetachedOutput

        self._output = DetachedOutput(uuid.uuid4().hex)
        self._output.begin(messages)
        self._buttons = Approval((), self._on_decision)
        self._ask()
        self._buttons.publish()

    def ask_again(self, turn: Turn, presenter: CellPresenter) -> None:
        """Lets the turn wait once more, in the same place."""
        with self._lock:
            self.turn, self.presenter, self._taken = turn, presenter, False
        self._ask()

    def close(self, why: str = "") -> None:
        """Removes the buttons, and shows why."""
        if self._buttons is not None:
            self._buttons.done(why)

    def _ask(self) -> None:
        assert self._buttons is not None  # noqa: S101  it is shown
        self._buttons.ask(pending_calls(self.turn), sends=self.turn.waits == RESULTS)

    def _on_decision(self, decisions: Mapping[str, Decision]) -> None:
        """The user pressed a button."""
        calls = [_apply(decisions.get(call.id), call) for call in self.turn.exchange.calls]
        assert self._output is not None  # noqa: S101  it is shown
        self._runner.resume_below(self, calls, self._output)


def _apply(decision: Decision | None, call: Call) -> Call:
    if decision is None or decision.run:
        return approve(call, None if decision is None else decision.arguments)
    return refuse(call, decision.why)


def decide(pending: PendingApproval | None, argument: str, *, refuses: bool) -> tuple[PendingApproval, list[Call]]:
    """The turn that waits, taken, and its calls as `%claude --approve` or `--refuse` decides them.

    Args:
        argument: Of a refusal, why; of an approval, edited arguments as JSON; `""` for none.

    Raises:
        CellError: No turn waits, or the arguments are invalid.
    """
    if pending is not None and refuses and pending.turn.waits == RESULTS:
        raise CellError("the calls were run; their results wait to be sent. %claude --approve sends them.")
    arguments = _arguments(argument, pending) if pending is not None and argument and not refuses else None
    if pending is None or not pending.take():
        raise CellError("nothing waits for your approval. It is asked for when a cell with --tools calls a function.")
    pending.close("decided in another cell")
    waiting = {call.id for call in pending_calls(pending.turn)}
    if refuses:
        calls = pending.turn.exchange.calls
        return pending, [refuse(call, argument) if call.id in waiting else call for call in calls]
    return pending, [approve(call, arguments) for call in pending.turn.exchange.calls]


def _arguments(text: str, pending: PendingApproval) -> dict[str, Any]:
    """The edited arguments of the one call that waits."""
    try:
        arguments = json.loads(text)
    except ValueError as error:
        raise CellError(f"the arguments after --approve are not JSON: {error}. The call still waits.") from None
    if not isinstance(arguments, dict) or len(pending_calls(pending.turn)) != 1:
        raise CellError(
            'after --approve may stand the arguments of one call, as in \'{"city": "Oslo"}\'. The calls still wait.'
        )
    return arguments
