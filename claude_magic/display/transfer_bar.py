"""The progress of one file that is sent or received, as a bar of tqdm where it is installed."""

from __future__ import annotations

import contextlib
import importlib.util
from typing import Any

from ..wire import Exchange
from ..wire.presenter import SilentPresenter
from ..wire.transfer import Transfer

_SMALL = 1_000_000  # bytes of a file that needs no bar


class TransferBar(SilentPresenter):
    """A bar that disappears at the end of its block.

    Args:
        transfer: Of an upload, counted while it is sent; of a download, taken from the exchange that is shown.
    """

    def __init__(self, transfer: Transfer) -> None:
        self._transfer = transfer
        self._bar: Any = None

    def __enter__(self) -> TransferBar:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            with contextlib.suppress(Exception):
                self._bar.close()

    def show(self, exchange: Exchange, note: str = "") -> None:
        transfer = self._transfer
        if exchange.request.method == "GET" and exchange.answer is not None:
            length = exchange.headers.get("content-length") or ""
            transfer.total = int(length) if length.isdecimal() else transfer.total
            transfer.count(exchange.answer.size)
        if transfer.total < _SMALL or importlib.util.find_spec("tqdm") is None:
            return
        if self._bar is None:
            from tqdm.auto import tqdm

            self._bar = tqdm(total=transfer.total, desc=transfer.name, unit="B", unit_scale=True, leave=False)
        self._bar.n = min(transfer.done, transfer.total)
        self._bar.refresh()
