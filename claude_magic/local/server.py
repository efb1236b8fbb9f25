"""The child process: llama.cpp's HTTP server, which speaks the Messages API, for one parent only.

It imports nothing of the package, takes its orders from standard input (other users can see
arguments), and ends as soon as its parent is gone, however that died.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from typing import Any

_CONTEXT = 8192  # tokens of each of the two requests that may run at once
_PARALLEL = 2

# The shipped model's own template adds a system prompt where none is given; this one does not.
_SMOLLM2 = (
    "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n'}}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Jupyter's stop button interrupts the whole process group
    parent = os.getppid()
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever the library prints goes where it is drained
    orders = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    threading.Thread(target=_end_with_input, daemon=True).start()
    try:
        server = _server(orders)
    except Exception as error:
        answer = {"error": f"{type(error).__name__}: {error}"}
    else:
        answer = {"url": server.listening_address}
    print(json.dumps(answer), file=answers, flush=True)
    while "url" in answer:
        time.sleep(60)


def _server(orders: dict[str, Any]) -> Any:
    import xllamacpp

    wanted = xllamacpp.CommonParams()
    wanted.model.path = orders["path"]
    wanted.model_alias = {orders["name"]}
    wanted.hostnames = ["127.0.0.1"]
    wanted.port = orders["port"]
    wanted.api_keys = [orders["key"]]
    wanted.n_parallel = _PARALLEL
    wanted.n_ctx = _CONTEXT * _PARALLEL
    wanted.ui = False
    if orders["name"].startswith("SmolLM2"):
        wanted.chat_template = _SMOLLM2
    return xllamacpp.Server(wanted)


def _end_with_input() -> None:
    """The parent holds the other end of standard input, and never writes to it again."""
    sys.stdin.read()
    os._exit(0)


def _end_with(parent: int) -> None:
    """A second line of defence: another child of the parent may hold that end too."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(0)


if __name__ == "__main__":
    main()
