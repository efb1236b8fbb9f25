"""A call of an endpoint that waits for the user: buttons under the cell, or `%claude --approve`, send it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..concurrency import Lock
from ..errors import CellError, Interrupted

if TYPE_CHECKING:
    from ..display.approval.bundle import Approval, Decision
    from ..display.live.detached import DetachedOutput
    from ..session.endpoint_call import EndpointCall
    from ..wire.tool import Call
    from .approvals import Approvals
    from .endpoint_cell import EndpointCell
    from .ipython.cells import Place

_TITLE = "This changes something. Send it?"
_HOW = "To go on: %claude --approve {name} sends it, %claude --refuse {name} does not."
_REFUSED = "refused: nothing was sent"


class PendingCall:
    """The call that waits, and the buttons that the user sees.

    Args:
        cell: Sends it.
        place: The cell that asked.
        approvals: Where it waits beside others.

    Attributes:
        name: What `%claude --approve` calls it.
    """

    prompt_text = ""

    def __init__(
        self, cell: EndpointCell, call: EndpointCall, base_url: str, place: Place, approvals: Approvals
    ) -> None:
        self.place = place
        self.name = ""
        self._approvals = approvals
        self._cell = cell
        self._call = _as_tool_call(call, base_url)
        self._lock = Lock()
        self._taken = False
        self._output: DetachedOutput | None = None
        self._buttons: Approval | None = None

    def take(self) -> bool:
        """Whether it still waited; from now on it does not."""
        with self._lock:
            taken, self._taken = self._taken, True
        self._approvals.remove(self)
        return not taken

    @property
    def calls(self) -> tuple[Call, ...]:
        return (self._call,)

    def show(self) -> None:
        """Shows the buttons under the cell, where the answer will appear too."""
        from ..display.approval.bundle import Approval
        from ..display.live.detached import DetachedOutput

        self._output = DetachedOutput(uuid.uuid4().hex)
        self._output.begin({})
        self._approvals.add(self)
        how = _HOW.format(name=self.name)
        self._buttons = Approval((self._call,), self._on_decision, title=_TITLE, how=how)
        self._buttons.publish()

    def close(self, why: str = "") -> None:
        """Removes the buttons, and shows why."""
        if self._buttons is not None:
            self._buttons.done(why)

    def resume(self, argument: str, *, runs: bool) -> None:
        """`%claude --approve` and `%claude --refuse`: sends the call in this cell, or not.

        Args:
            argument: What stands after the name: with a refusal the reason, else nothing.

        Raises:
            ClaudeError: It is decided already, or it failed.
        """
        if runs and argument:
            raise CellError("the body of this call cannot be edited here. The call still waits; edit its own cell.")
        if not self.take():
            raise CellError("nothing waits for your approval: it was decided before.")
        self.close("decided in another cell" if runs else _REFUSED)
        if runs:
            self._cell.send(self._cell.presenter())

    def _on_decision(self, decisions: Mapping[str, Decision]) -> None:
        """The user pressed a button."""
        if not self.take() or self._output is None:
            return
        if not decisions[self._call.id].run:
            self.close(_REFUSED)
            return
        try:
            self._cell.send(self._output.next(raw=False, panel=self._cell.shows_panel))
        except KeyboardInterrupt:
            self._output.fail(Interrupted("stopped."))
        except Exception as error:  # after a button there is no traceback, and the answer is in claude.last
            self._output.fail(error)
        self.close()


def _as_tool_call(call: EndpointCall, base_url: str) -> Call:
    """The call as the buttons show one: method and path as its name, the body as its arguments."""
    from ..wire.tool import Call

    body = call.body if call.upload is None else call.upload.description
    key = " with the admin key" if call.uses_admin_key else ""
    headers = "".join(f", {name}: {value}" for name, value in call.headers.items())
    note = f"to {base_url}{key}{headers}"
    return Call(id="call", name=f"{call.method} {call.target}", arguments=body or {}, note=note)


def is_approved_in_terminal(call: EndpointCall, base_url: str) -> bool:
    """Whether whoever sits at the terminal lets the call go.

    Raises:
        CellError: Nobody answers there.
    """
    from ..display.approval.bundle import call_text

    print(f"{_TITLE}\n{call_text(_as_tool_call(call, base_url))}")
    while True:
        try:
            word = input("Send it? y or n: ").strip().lower()
        except (EOFError, OSError):
            raise CellError(
                f"{call.method} {call.target} needs your approval, and nobody answers here. Use --yes."
            ) from None
        if word in ("y", "yes"):
            return True
        if word in ("n", "no"):
            print(_REFUSED)
            return False
