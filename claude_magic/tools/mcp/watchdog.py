"""A process between the notebook and a server that ends the server when the notebook has ended, however that happened.

It imports nothing of the package. The server inherits its standard input, output and error; the watchdog only watches
the last, a pipe that the notebook reads: when its reader is gone, the notebook has ended. The server sees the end of
its input too, and has a moment to end by itself.

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

_GRACE = 2.0  # seconds for a server to end by itself, and again after SIGTERM
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
    """Ignores a signal: it goes to the whole process group, so the server ends, and then the watchdog."""


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
