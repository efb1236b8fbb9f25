"""Stands between the notebook and a server, as a process: whatever became of the notebook, the server ends.

It imports nothing of the package. The server has its standard input, output and error; the guard only
watches the last one, a pipe that the notebook reads: once nobody reads it, the notebook is gone,
however it died. A server is told by its own input too, which has then ended; it has a moment to obey.

Source: https://man7.org/linux/man-pages/man2/poll.2.html (POLLERR)
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import threading
import time

_GRACE = 2.0  # seconds for a server to end by itself, and again after it was told
_NO_SUCH_COMMAND = 127  # as shells say it


def main() -> None:
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, _wait_for_the_server)  # a function, since a child would inherit that it is ignored
    try:
        server = subprocess.Popen(sys.argv[1:])  # noqa: S603 - what the reader asked for
    except (OSError, ValueError) as error:
        print(f"{sys.argv[1]}: {getattr(error, 'strerror', None) or error}", file=sys.stderr, flush=True)
        os._exit(_NO_SUCH_COMMAND)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)  # the pipes end with the server, not with us
    os.dup2(nothing, 1)
    threading.Thread(target=_end_with_the_notebook, daemon=True).start()
    code = server.wait()
    os._exit(code if code >= 0 else 128 - code)


def _wait_for_the_server(*_: object) -> None:
    """A signal goes to the whole group: the server ends by it, and then we do."""


def _end_with_the_notebook() -> None:
    watched = select.poll()
    watched.register(2, 0)
    while not any(seen & (select.POLLERR | select.POLLHUP | select.POLLNVAL) for _, seen in watched.poll()):
        pass
    for number in (signal.SIGTERM, signal.SIGKILL):
        time.sleep(_GRACE)
        os.killpg(0, number)


if __name__ == "__main__":
    main()
