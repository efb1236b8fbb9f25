"""The variables that a cell's text may insert: those of the notebook, with its inputs as they were typed."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping
from typing import Any


def prompt_namespace(shell: Any) -> Mapping[str, Any]:
    """The shell's variables; `In` and `_ih` hold what was typed, not the Python that IPython made of it."""
    history = getattr(shell, "history_manager", None)
    parsed, typed = getattr(history, "input_hist_parsed", None), getattr(history, "input_hist_raw", None)
    if parsed is None or typed is None:
        return shell.user_ns  # type: ignore[no-any-return]
    inputs = {name: typed for name in ("In", "_ih") if shell.user_ns.get(name) is parsed}
    return ChainMap(inputs, shell.user_ns)
