"""The doors: `%%claude`, `%claude` and the `claude` object hand values from room to room."""

from __future__ import annotations

from typing import Any

from . import tab, transforms
from .magic import ClaudeMagics
from .notebook import claude


def load(shell: Any) -> None:
    """Give `shell` the magics, the settings and the Tab key; loading again changes nothing."""
    if "claude" in shell.magics_manager.magics["cell"] and isinstance(_registered(shell), ClaudeMagics):
        return
    claude.open(shell)
    magics = ClaudeMagics(shell)
    shell.register_magics(magics)
    shell.events.register("pre_run_cell", magics.remember_cell)
    shell.events.register("post_run_cell", magics.failing.remember)
    transforms.add(shell)
    tab.add(shell)


def unload(shell: Any) -> None:
    """Take back what `load` gave."""
    magics = _registered(shell)
    if not isinstance(magics, ClaudeMagics):
        return
    tab.remove(shell)
    transforms.remove(shell)
    shell.events.unregister("pre_run_cell", magics.remember_cell)
    shell.events.unregister("post_run_cell", magics.failing.remember)
    for kind in ("line", "cell"):
        shell.magics_manager.magics[kind].pop("claude", None)
    shell.magics_manager.registry.pop(type(magics).__name__, None)
    if magics in shell.configurables:
        shell.configurables.remove(magics)
    claude.close()


def _registered(shell: Any) -> object:
    return getattr(shell.magics_manager.magics["cell"].get("claude"), "__self__", None)
