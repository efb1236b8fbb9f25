"""The extension: what `%load_ext claude_magic` adds to a shell, and `%unload_ext` removes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..display.workbench.place import provide
from .claude import claude
from .ipython import completion, input_transforms
from .magics import ClaudeMagics

if TYPE_CHECKING:
    from ..display.workbench.bench import Workbench
    from ..wire import Exchange
    from .workbench.workbench import WorkbenchSource

_EXCHANGE = ("claude_magic.wire.exchange", "Exchange")
_ENTRIES = ("claude_magic.journal.journal", "Entries")
_JOURNAL = ("claude_magic.journal.journal", "Journal")


def load(shell: Any) -> None:
    """Adds the magics, the settings and the completions to `shell`; loading again changes nothing."""
    if "claude" in shell.magics_manager.magics["cell"] and isinstance(_registered_magics(shell), ClaudeMagics):
        return
    claude.open(shell)
    magics = ClaudeMagics(shell)
    shell.register_magics(magics)
    shell.events.register("pre_run_cell", claude.cells.begin)
    shell.events.register("post_run_cell", magics.last_error.remember)
    input_transforms.add(shell)
    completion.add(shell)
    formatter = shell.display_formatter.ipython_display_formatter
    for kind, show in _DISPLAYS.items():
        formatter.for_type_by_name(*kind, show)  # their class is not imported for it
    provide(_Workbenches(shell))


def unload(shell: Any) -> None:
    """Removes what `load` added."""
    magics = _registered_magics(shell)
    if not isinstance(magics, ClaudeMagics):
        return
    _forget_display(shell)
    provide(None)
    completion.remove(shell)
    input_transforms.remove(shell)
    shell.events.unregister("pre_run_cell", claude.cells.begin)
    shell.events.unregister("post_run_cell", magics.last_error.remember)
    for kind in ("line", "cell"):
        shell.magics_manager.magics[kind].pop("claude", None)
    shell.magics_manager.registry.pop(type(magics).__name__, None)
    if magics in shell.configurables:
        shell.configurables.remove(magics)
    claude.close()


def _show(exchange: Any) -> None:
    """Shows the reply and the panel of an exchange at the end of a cell."""
    from .views import show

    show(exchange, page=claude.cells.in_notebook)


def _show_entries(entries: Any) -> None:
    """Shows rows of the journal; on a page with buttons that open a workbench."""
    from IPython.core.display_functions import publish_display_data

    from .views import entry_outputs

    for bundle in entry_outputs(entries):
        publish_display_data(bundle)


def _show_journal(journal: Any) -> None:
    """Shows the last rows of the journal."""
    _show_entries(journal.last())


_DISPLAYS = {_EXCHANGE: _show, _ENTRIES: _show_entries, _JOURNAL: _show_journal}


class _Workbenches:
    """Makes workbenches for buttons in the page; what they need is imported with the first."""

    def __init__(self, shell: Any) -> None:
        self._shell = shell

    def of_exchange(self, exchange: Exchange) -> Workbench:
        return self._source.of_exchange(exchange)

    def of_row(self, number: int) -> Workbench:
        return self._source.of_row(number)

    @property
    def _source(self) -> WorkbenchSource:
        from .ipython.prompt_namespace import prompt_namespace
        from .workbench.workbench import WorkbenchSource

        return WorkbenchSource(session=claude.session, namespace=lambda: prompt_namespace(self._shell))


def _forget_display(shell: Any) -> None:
    """Lets IPython show what it showed before we came by its repr again."""
    formatter = shell.display_formatter.ipython_display_formatter
    for name in _DISPLAYS:
        formatter.deferred_printers.pop(name, None)
    for kind in [kind for kind in formatter.type_printers if (kind.__module__, kind.__name__) in _DISPLAYS]:
        formatter.pop(kind)


def _registered_magics(shell: Any) -> object:
    return getattr(shell.magics_manager.magics["cell"].get("claude"), "__self__", None)
