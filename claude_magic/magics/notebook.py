"""`claude`: the notebook's handle on the API from Python."""

from __future__ import annotations

import threading
from typing import Any

from ..cell.options import Options, from_keywords
from ..errors import ClaudeError, SettingsError
from ..settings import Claude
from ..wire import Exchange


class Notebook:
    """Ask from Python, and look at the last exchange.

    Attributes:
        settings: What `%config Claude` shows.
        last: The last exchange; after a failure it holds what arrived, and the `error`.
            `None` before the first.
    """

    def __init__(self) -> None:
        self.settings = Claude()
        self.last: Exchange | None = None
        self._shell: Any = None
        self._pool: Any = None
        self._lock = threading.Lock()

    def __call__(self, text: str, **options: Any) -> Exchange:
        """Ask, and return the exchange without displaying it.

        Args:
            text: The user message, sent exactly as given.
            options: The options of `%%claude`, with underscores: `max_tokens=100`, `stop=["."]`.

        Raises:
            ClaudeError: The exchange failed; `claude.last` holds what arrived.
        """
        exchange = self.ask(from_keywords(options), text)
        if exchange.error is not None:
            raise exchange.error
        return exchange

    def ask(self, options: Options, text: str, reader: Any = None) -> Exchange:
        """The exchange that was asked for, whole or not: look at its `error`."""
        from .asking import ask

        self.last = ask(self.settings, options, text, pool=self._connections(), reader=reader)
        return self.last

    def login(self, key: str | None = None, *, save: bool = False) -> None:
        """Keep a key in memory; it is asked for, and not shown while it is typed.

        Args:
            key: Only for programs that have it from elsewhere; typed in a cell it would stay in the notebook.
            save: Also write it to a file that only you can read, in your configuration folder.
        """
        from ..api import credentials

        credential = credentials.remember(_typed() if key is None else key, save=save)
        print(f"the key from {credential.source} is kept{' in memory' * (not save)}.")

    def logout(self) -> None:
        """Forget the key of `login`, and delete the saved file."""
        from ..api import credentials

        credentials.forget()

    def open(self, shell: Any) -> None:
        """Belong to `shell`: its configuration gives the settings; a wrong value is told and left out."""
        self._shell = shell
        self.settings = Claude()
        for name, value in shell.config.get("Claude", {}).items():
            try:
                setattr(self.settings, name, value)
            except ClaudeError as error:
                print(error)
        shell.configurables.append(self.settings)

    def close(self) -> None:
        """Belong to no shell."""
        if self._shell is not None and self.settings in self._shell.configurables:
            self._shell.configurables.remove(self.settings)
        self._shell = None
        self.settings = Claude()

    def __repr__(self) -> str:
        asks = f"claude: {self.settings.model} at {self.settings.base_url}"
        return f"{asks}; claude(text) asks, claude.last is the last exchange"

    def _connections(self) -> Any:
        from ..api.transports.direct import pool

        with self._lock:
            if self._pool is None:
                self._pool = pool()
            return self._pool


def _typed() -> str:
    import getpass

    try:
        return getpass.getpass("API key (not shown): ")
    except Exception as error:  # a front end without input, or end of input
        raise SettingsError(f"no key was typed: {error}. Set $ANTHROPIC_API_KEY before Jupyter starts.") from None


claude = Notebook()
