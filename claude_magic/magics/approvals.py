"""All that waits for the user's approval, each under a name: in this kernel, and in the journal after a restart.

A name is the number of the exchange in the journal, which a restart does not change; `w1`, `w2` where there is none.
Each cell keeps its own: only running it again replaces what it asked before.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any, TypeAlias

from ..concurrency import Lock
from ..errors import CellError
from ..prompt.options.options import Options
from ..wire.short_text import one_line

if TYPE_CHECKING:
    from ..journal.pending_turns import PendingRow
    from ..session.session import Session
    from ..wire.tool import Call
    from .ipython.cells import Place
    from .pending_approval import PendingApproval
    from .pending_call import PendingCall

    Pending: TypeAlias = PendingApproval | PendingCall

_NAMED = 8  # of those that wait, in an error
_NAME = re.compile(r"#?(\d+|w\d+)")


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """Something that waits for the user's approval.

    Attributes:
        name: What stands after `%claude --approve`.
        cell: The number of the cell, such as `[5]`; in the journal, when it asked.
        prompt: What the cell asked.
        calls: The calls that wait; `()` if their results wait to be sent.
    """

    name: str
    cell: str
    prompt: str
    calls: tuple[Call, ...]


class WaitingList(Sequence[Waiting]):
    """What waits for the user's approval; displayed, a table."""

    def __init__(self, several: Sequence[Waiting]) -> None:
        self._several = tuple(several)

    def __len__(self) -> int:
        return len(self._several)

    def __getitem__(self, index: Any) -> Any:
        return self._several[index]

    def __repr__(self) -> str:
        return self._repr_mimebundle_()["text/plain"]

    def _repr_mimebundle_(self, **_: object) -> Mapping[str, str]:
        from ..display.approval.waiting_table import waiting_table

        return waiting_table([(each.name, each.cell, each.prompt, each.calls) for each in self])


class Approvals:
    """What waits for approval in one shell."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._live: list[Pending] = []
        self._lock = Lock()
        self._numbers = count(1)

    @property
    def waiting(self) -> WaitingList | None:
        """All that waits; `None` for nothing."""
        from ..session.pending_turns import find_all

        several = [*map(_live, self._live), *map(_stored, find_all(self._session))]
        return WaitingList(several) if several else None

    def add(self, pending: Pending, entry: int | None = None) -> None:
        """Keeps what waits from now on, under a name of its own.

        Args:
            entry: The exchange in the journal; `None` if it is not there.
        """
        with self._lock:
            name = str(entry or "")
            is_free = name and all(name != each.name for each in self._live)
            pending.name = name if is_free else f"w{next(self._numbers)}"
            self._live.append(pending)

    def remove(self, pending: Pending) -> None:
        """Forgets what does not wait any more."""
        with self._lock:
            self._live = [each for each in self._live if each is not pending]

    def replace(self, place: Place) -> None:
        """Closes what earlier runs of a cell asked: it runs again."""
        for each in [*self._live]:
            if each.place.cell == place.cell and each.place.run != place.run and each.take():
                each.close("replaced: its cell was run again")

    def choose(self, text: str, *, refuses: bool) -> tuple[Pending | PendingRow, str]:
        """What `%claude --approve TEXT` or `--refuse TEXT` means, and the rest of the text.

        Raises:
            CellError: Nothing waits, or nothing of this name, or several things and none is named.
            SettingsError: The journal cannot be read.
        """
        from ..session.pending_turns import find_all

        first, _, rest = text.strip().partition(" ")
        is_name = _NAME.fullmatch(first)
        if is_name and (named := self._named(is_name[1])) is not None:
            return named, rest.strip()
        several: Sequence[Pending | PendingRow] = [*self._live] or find_all(self._session)
        is_reason = refuses and (rest or not is_name)
        if first and not first.startswith(("{", "[", "'", '"')) and not is_reason:
            raise CellError(self._unknown(first, several))
        if not several:
            raise CellError(self._nothing())
        if len(several) > 1:
            from IPython.core.display_functions import display

            display(self.waiting)
            raise CellError(f"{len(several)} turns wait for your approval: {_names(several)}. Say which, by its name.")
        return several[0], text.strip()

    def _named(self, name: str) -> Pending | PendingRow | None:
        """What waits under a name, also for a kernel of another notebook."""
        from ..session.pending_turns import find

        live = next((each for each in self._live if each.name == name), None)
        return live or (find(self._session, int(name)) if name.isdecimal() else None)

    def _unknown(self, first: str, several: Sequence[Pending | PendingRow]) -> str:
        if not several:
            return f"nothing waits for your approval under the name {one_line(first, 40)}. {self._advice()}"
        return f"nothing waits under the name {one_line(first, 40)}; these still wait: {_names(several)}."

    def _nothing(self) -> str:
        return f"nothing waits for your approval. {self._advice()}"

    def _advice(self) -> str:
        session = self._session
        if session.ledger.journal(session.settings_for(Options())) is None:
            return (
                "No journal is kept (Claude.journal is ''), so what waited before a restart of the kernel is lost: "
                "run its cell again."
            )
        return (
            "It is asked for when a cell with --tools calls a function. After a restart, a replayed turn or a call "
            "of an endpoint no longer waits: run its cell again."
        )


def _live(pending: Pending) -> Waiting:
    return Waiting(name=pending.name, cell=pending.place.title, prompt=pending.prompt_text, calls=pending.calls)


def _stored(row: PendingRow) -> Waiting:
    from ..session.pending_turns import calls_of
    from ..session.turn import RESULTS

    calls = () if row.state["waits"] == RESULTS else calls_of(row)
    return Waiting(name=str(row.entry), cell=row.began, prompt=row.state["prompt"], calls=calls)


def _names(several: Sequence[Pending | PendingRow]) -> str:
    """Each with its cell and its first call, such as `12 (cell [5]: pay(amount=5))`."""
    from ..display.approval.waiting_table import short_name
    from ..journal.pending_turns import PendingRow

    waiting = [_stored(each) if isinstance(each, PendingRow) else _live(each) for each in several]
    names = [short_name(each.name, each.cell, each.calls) for each in waiting[:_NAMED]]
    more = len(waiting) - len(names)
    return ", ".join([*names, *([f"{more:,} more"] if more > 0 else [])])
