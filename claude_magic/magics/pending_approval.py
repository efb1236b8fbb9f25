"""A turn that waits for the user: buttons under the cell, or `%claude --approve`, resume it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..concurrency import Lock
from ..errors import CellError
from ..session import pending_turns
from ..session.turn import RESULTS, Turn, approve, pending_calls
from ..tools.calls import refuse
from ..wire.tool import Call
from .ipython.cells import Place

if TYPE_CHECKING:
    from ..display.approval.bundle import Approval, Decision
    from ..display.live.detached import DetachedOutput
    from ..journal.pending_turns import PendingRow
    from ..session.session import Session
    from .approvals import Approvals
    from .presenters import CellPresenter
    from .turn_runner import MessagesShown, TurnRunner

_ENDS = "After a restart of the kernel this cannot go on: {why}."


class PendingApproval:
    """The turn that waits, and the buttons that the user sees.

    Args:
        runner: Resumes the turn.
        place: The cell that asked.
        shown: Which messages of the turn are shown elsewhere.
        approvals: Where it waits beside others.

    Attributes:
        name: What `%claude --approve` calls it.
    """

    def __init__(
        self,
        runner: TurnRunner,
        turn: Turn,
        presenter: CellPresenter,
        place: Place,
        shown: MessagesShown,
        *,
        approvals: Approvals,
        session: Session,
    ) -> None:
        self.turn = turn
        self.presenter = presenter
        self.place = place
        self.shown = shown
        self.name = ""
        self._runner = runner
        self._approvals = approvals
        self._session = session
        self._lock = Lock()
        self._taken = False
        self._ends = ""  # why it ends with the kernel
        self._output: DetachedOutput | None = None
        self._buttons: Approval | None = None

    @property
    def calls(self) -> tuple[Call, ...]:
        """The calls that wait; `()` if their results wait to be sent."""
        return () if self.turn.waits == RESULTS else pending_calls(self.turn)

    @property
    def prompt_text(self) -> str:
        return self.turn.prompt.text

    def take(self) -> bool:
        """Whether it still waited, here and in the journal; from now on it does not."""
        with self._lock:
            taken, self._taken = self._taken, True
        if taken:
            return False
        self._approvals.remove(self)
        if self._ends or pending_turns.release(self._session, self.turn):
            return True
        self.close("decided in another notebook")
        return False

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
        self.turn, self._ends = pending_turns.keep(self._session, self.turn)
        self._approvals.add(self, None if self._ends else self.turn.exchange.entry)
        note = _ENDS.format(why=self._ends) if self._ends else ""
        sends = self.turn.waits == RESULTS
        self._buttons.ask(pending_calls(self.turn), sends=sends, name=self.name, note=note)

    def _on_decision(self, decisions: Mapping[str, Decision]) -> None:
        """The user pressed a button."""
        calls = [_apply(decisions.get(call.id), call) for call in self.turn.exchange.calls]
        assert self._output is not None  # noqa: S101  it is shown
        self._runner.resume_below(self, calls, self._output)


class StoredApproval:
    """A turn in the journal that waited in an earlier kernel; it has no buttons.

    Args:
        namespace: The notebook's variables, where its functions are looked up.
        runs: Whether its calls will run; else functions may be missing.

    Raises:
        CellError: A function is not defined; it still waits.
    """

    presenter = None

    def __init__(
        self, session: Session, row: PendingRow, namespace: Mapping[str, Any], title: str, *, runs: bool
    ) -> None:
        self._session = session
        self._row = row
        self.place = Place(cell=row.cell.rpartition("#")[0], run=0, title=title)
        self.turn = pending_turns.restore(session, row, namespace, runs=runs)

    def take(self) -> bool:
        """Whether it still waited in the journal; from now on it does not."""
        return pending_turns.take(self._session, self._row)

    def close(self, why: str = "") -> None:
        """Nothing is left to close."""


def decided_calls(turn: Turn, argument: str, *, refuses: bool) -> list[Call]:
    """The calls of a turn as `%claude --approve` or `--refuse` decides them.

    Args:
        argument: Of a refusal, why; of an approval, edited arguments as JSON; `""` for none.

    Raises:
        CellError: The arguments are invalid, or the calls were run already.
    """
    if refuses and turn.waits == RESULTS:
        raise CellError("the calls were run; their results wait to be sent. %claude --approve sends them.")
    if not refuses:
        arguments = _arguments(argument, turn) if argument else None
        return [approve(call, arguments) for call in turn.exchange.calls]
    waiting = {call.id for call in pending_calls(turn)}
    return [refuse(call, argument) if call.id in waiting else call for call in turn.exchange.calls]


def _apply(decision: Decision | None, call: Call) -> Call:
    if decision is None or decision.run:
        return approve(call, None if decision is None else decision.arguments)
    return refuse(call, decision.why)


def _arguments(text: str, turn: Turn) -> dict[str, Any]:
    """The edited arguments of the one call that waits."""
    try:
        arguments = json.loads(text)
    except ValueError as error:
        raise CellError(f"the arguments after --approve are not JSON: {error}. The call still waits.") from None
    if not isinstance(arguments, dict) or len(pending_calls(turn)) != 1:
        raise CellError(
            'after --approve may stand the arguments of one call, as in \'{"city": "Oslo"}\'. The calls still wait.'
        )
    return arguments
