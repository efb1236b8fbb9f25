"""An exchange from flat fields, such as `seconds` and `usd`."""

from __future__ import annotations

from typing import Any

from claude_magic.wire import Exchange, Record, Response, Timing

_GROUPS = {"response": Response, "timing": Timing, "record": Record}


def exchange_of(**fields: Any) -> Exchange:
    """An exchange; fields of its parts may be given flat."""
    for name, group in _GROUPS.items():
        flat = {each: fields.pop(each) for each in group.__dataclass_fields__ if each in fields}
        fields.setdefault(name, group(**flat))
    return Exchange(**fields)
