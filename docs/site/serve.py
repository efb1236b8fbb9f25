"""Serves the site on this machine, under a sub-path as GitHub Pages does; `make site-serve` opens it."""

from __future__ import annotations

import functools
import http.server
import webbrowser
from pathlib import Path
from typing import Any

SITE = Path(__file__).parents[2] / "build" / "site"
PREFIXES = ("/claude-magic/",)


class SiteHandler(http.server.SimpleHTTPRequestHandler):
    """Files of the site below a sub-path, and nothing else."""

    protocol_version = "HTTP/1.1"
    extensions_map = {  # noqa: RUF012  # as the base class has it
        **http.server.SimpleHTTPRequestHandler.extensions_map,
        ".mjs": "text/javascript",
        ".wasm": "application/wasm",
    }

    def __init__(self, *args: Any, prefixes: tuple[str, ...], **keywords: Any) -> None:
        self._prefixes = prefixes
        super().__init__(*args, **keywords)

    def translate_path(self, path: str) -> str:
        for prefix in self._prefixes:
            if path.startswith(prefix):
                return super().translate_path("/" + path.removeprefix(prefix))
        return str(Path(self.directory) / "absent")

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing: a page asks for hundreds of files."""


def server_of(site: Path, prefixes: tuple[str, ...] = PREFIXES) -> http.server.ThreadingHTTPServer:
    """A server of the folder on a free port of this machine, not serving yet."""
    handler = functools.partial(SiteHandler, directory=str(site), prefixes=prefixes)
    return http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)


def main() -> None:
    with server_of(SITE) as server:
        address = f"http://127.0.0.1:{server.server_port}{PREFIXES[0]}"
        print(f"{address}  (Ctrl-C ends it)")
        webbrowser.open(address)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print()


if __name__ == "__main__":
    main()
