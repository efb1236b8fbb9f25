"""The extension: what `%load_ext claude_magic` adds to a shell, and `%unload_ext` removes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .claude import claude
from .ipython import completion, input_transforms
from .magics import ClaudeMagics

_EXCHANGE = ("claude_magic.wire.exchange", "Exchange")


def load(shell: Any) -> None:
    """Give `shell` the magics, the settings and the Tab key; loading again changes nothing."""
    if "claude" in shell.magics_manager.magics["cell"] and isinstance(_registered_magics(shell), ClaudeMagics):
        return
    claude.open(shell)
    magics = ClaudeMagics(shell)
    shell.register_magics(magics)
    shell.events.register("pre_run_cell", claude.cells.begin)
    shell.events.register("post_run_cell", magics.failing.remember)
    input_transforms.add(shell)
    completion.add(shell)
    _show_with(shell, _show)


def unload(shell: Any) -> None:
    """Take back what `load` gave."""
    magics = _registered_magics(shell)
    if not isinstance(magics, ClaudeMagics):
        return
    _show_with(shell, None)
    completion.remove(shell)
    input_transforms.remove(shell)
    shell.events.unregister("pre_run_cell", claude.cells.begin)
    shell.events.unregister("post_run_cell", magics.failing.remember)
    for kind in ("line", "cell"):
        shell.magics_manager.magics[kind].pop("claude", None)
    shell.magics_manager.registry.pop(type(magics).__name__, None)
    if magics in shell.configurables:
        shell.configurables.remove(magics)
    claude.close()


def _show(exchange: Any) -> None:
    """What a cell that ends in an exchange shows: its reply and its panel."""
    from .views import show

    show(exchange, page=claude.cells.in_notebook)


def _show_with(shell: Any, show: Callable[[Any], None] | None) -> None:
    """Let IPython show exchanges so; their class is not imported for it. `None` takes that back."""
    shown = shell.display_formatter.ipython_display_formatter
    if show is not None:
        shown.for_type_by_name(*_EXCHANGE, show)
        return
    shown.deferred_printers.pop(_EXCHANGE, None)
    for kind in [kind for kind in shown.type_printers if (kind.__module__, kind.__name__) == _EXCHANGE]:
        shown.pop(kind)


def _registered_magics(shell: Any) -> object:
    return getattr(shell.magics_manager.magics["cell"].get("claude"), "__self__", None)
