"""Serves the site on this machine, under a sub-path as GitHub Pages does; `make site-serve` opens it."""

from __future__ import annotations

import functools
import http.server
import webbrowser
from pathlib import Path

SITE = Path(__file__).parents[2] / "build" / "site"
PREFIX = "/claude-magic/"


class SiteHandler(http.server.SimpleHTTPRequestHandler):
    """Files of the site below the sub-path, and nothing else."""

    protocol_version = "HTTP/1.1"
    extensions_map = {  # noqa: RUF012  # as the base class has it
        **http.server.SimpleHTTPRequestHandler.extensions_map,
        ".mjs": "text/javascript",
        ".wasm": "application/wasm",
    }

    def translate_path(self, path: str) -> str:
        if not path.startswith(PREFIX):
            return str(Path(self.directory) / "absent")
        return super().translate_path(path.removeprefix(PREFIX.rstrip("/")))

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing: a page asks for hundreds of files."""


def server_of(site: Path, port: int = 0) -> http.server.ThreadingHTTPServer:
    """A server of the folder, not serving yet; port 0 is any free one."""
    return http.server.ThreadingHTTPServer(("127.0.0.1", port), functools.partial(SiteHandler, directory=str(site)))


def main() -> None:
    with server_of(SITE) as server:
        address = f"http://127.0.0.1:{server.server_port}{PREFIX}"
        print(f"{address}  (Ctrl-C ends it)")
        webbrowser.open(address)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print()


if __name__ == "__main__":
    main()
