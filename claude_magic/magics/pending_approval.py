"""A turn that waits for its reader: buttons under the cell, or `%claude --approve`, go on with it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping, Sequence
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


class PendingApproval:
    """The turn that waits, and what its reader sees of that.

    Args:
        go_on: Goes on with the turn, from the calls as they were decided, on a stage.
    """

    def __init__(
        self,
        turn: Turn,
        stage: CellPresenter,
        go_on: Callable[[PendingApproval, Sequence[Call], DetachedOutput], object],
    ) -> None:
        self.turn = turn
        self.stage = stage
        self._go_on = go_on
        self._lock = Lock()
        self._taken = False
        self._placed: DetachedOutput | None = None
        self._buttons: Approval | None = None

    def take(self) -> bool:
        """Whether it still waited; from now on it does not."""
        with self._lock:
            taken, self._taken = self._taken, True
        return not taken

    def show(self, messages: dict[str, str]) -> None:
        """Ask the reader: under the cell, whose later replies will stand there too.

        Args:
            messages: What shows the messages so far; `{}` for nothing.
        """
        from ..display.approval.bundle import Approval
        from ..display.live.detached import DetachedOutput

        self._placed = DetachedOutput(uuid.uuid4().hex)
        self._placed.begin(messages)
        self._buttons = Approval((), self._on_decision)
        self._ask()
        self._buttons.publish()

    def again(self, turn: Turn, stage: CellPresenter) -> None:
        """The turn waits once more, in the same place."""
        with self._lock:
            self.turn, self.stage, self._taken = turn, stage, False
        self._ask()

    def close(self, said: str = "") -> None:
        """Take the buttons away, and say why."""
        if self._buttons is not None:
            self._buttons.done(said)

    def _ask(self) -> None:
        assert self._buttons is not None  # noqa: S101  it is shown
        self._buttons.ask(pending_calls(self.turn), sends=self.turn.waits == RESULTS)

    def _on_decision(self, decisions: Mapping[str, Decision]) -> None:
        """What the buttons said."""
        several = [_decision(call, decisions.get(call.id)) for call in self.turn.exchange.calls]
        assert self._placed is not None  # noqa: S101  it is shown
        self._go_on(self, several, self._placed)


def _decision(call: Call, decision: Decision | None) -> Call:
    if decision is None or decision.run:
        return approve(call, None if decision is None else decision.arguments)
    return refuse(call, decision.why)


def by_word(found: PendingApproval | None, said: str, *, refuses: bool) -> tuple[PendingApproval, list[Call]]:
    """The turn that waits, taken, and its calls as `%claude --approve` or `--refuse` decides them.

    Args:
        said: Of a refusal, why; of an approval, other arguments as JSON; `""` for none.

    Raises:
        CellError: Nothing waits, or the arguments are none.
    """
    if found is not None and refuses and found.turn.waits == RESULTS:
        raise CellError("the calls were run; their results wait to be sent. %claude --approve sends them.")
    arguments = _arguments(said, found) if found is not None and said and not refuses else None
    if found is None or not found.take():
        raise CellError("nothing waits for your approval. It is asked for when a cell with --tools calls a function.")
    found.close("decided in another cell")
    asked = {call.id for call in pending_calls(found.turn)}
    if refuses:
        return found, [refuse(call, said) if call.id in asked else call for call in found.turn.exchange.calls]
    return found, [approve(call, arguments) for call in found.turn.exchange.calls]


def _arguments(said: str, found: PendingApproval) -> dict[str, Any]:
    """The arguments to run the call with that waits, instead of those it was asked for with."""
    try:
        arguments = json.loads(said)
    except ValueError as error:
        raise CellError(f"the arguments after --approve are not JSON: {error}. The call still waits.") from None
    if not isinstance(arguments, dict) or len(pending_calls(found.turn)) != 1:
        raise CellError(
            'after --approve may stand the arguments of one call, as in \'{"city": "Oslo"}\'. The calls still wait.'
        )
    return arguments
