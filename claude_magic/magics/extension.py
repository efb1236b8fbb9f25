"""The extension: what `%load_ext claude_magic` adds to a shell, and `%unload_ext` removes."""

from __future__ import annotations

from typing import Any

from .claude import claude
from .ipython import completion, input_transforms
from .magics import ClaudeMagics

_EXCHANGE = ("claude_magic.wire.exchange", "Exchange")


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
    formatter.for_type_by_name(*_EXCHANGE, _show)  # their class is not imported for it


def unload(shell: Any) -> None:
    """Removes what `load` added."""
    magics = _registered_magics(shell)
    if not isinstance(magics, ClaudeMagics):
        return
    _forget_display(shell)
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


def _forget_display(shell: Any) -> None:
    """Lets IPython show exchanges by their repr again."""
    formatter = shell.display_formatter.ipython_display_formatter
    formatter.deferred_printers.pop(_EXCHANGE, None)
    for kind in [kind for kind in formatter.type_printers if (kind.__module__, kind.__name__) == _EXCHANGE]:
        formatter.pop(kind)


def _registered_magics(shell: Any) -> object:
    return getattr(shell.magics_manager.magics["cell"].get("claude"), "__self__", None)
