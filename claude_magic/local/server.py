"""The child process: llama.cpp's HTTP server, which speaks the Messages API, for one parent only.

It imports nothing of the package, takes its orders as one line of JSON from standard input (other
users can see arguments), answers with one line, and ends as soon as its parent is gone, however
that died.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import sys
import threading
import time
from typing import Any

_CONTEXT = 8192  # tokens; what the shipped model was trained on, and 190 MB of memory for it
_PATIENCE = 30.0  # seconds that the server, once loaded, may take to answer a first request
_LOG_PATIENCE = 1.0  # seconds that the reason of a failure may take to be written

# The shipped model's own template adds a system prompt where none is given; this one does not.
_TEMPLATE = (
    "{% for message in messages %}"
    "{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n'}}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Jupyter's stop button interrupts the whole process group
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever the library prints goes where it is drained
    line = sys.stdin.readline()
    if not line:
        os._exit(0)  # the parent was gone first
    orders = json.loads(line)
    _end_while_loading()
    threading.Thread(target=_end_with, args=(orders["parent"],), daemon=True).start()
    threading.Thread(target=_end_with_input, daemon=True).start()
    try:
        server = _server(orders)
        answer = {"url": _check_address(server.listening_address, orders["key"])}
    except Exception as error:
        answer = {"error": f"{type(error).__name__}: {error}"}
        _say_all()
    print(json.dumps(answer), file=answers, flush=True)
    while "url" in answer:
        time.sleep(60)
    os._exit(1)  # not by way of llama.cpp's destructors, which may wait for threads that never began


def _server(orders: dict[str, Any]) -> Any:
    if orders["library"]:
        sys.path.append(orders["library"])
    import xllamacpp

    wanted = xllamacpp.CommonParams()
    wanted.model.path = orders["path"]
    wanted.model_alias = {orders["name"]}
    wanted.hostnames = ["127.0.0.1"]
    wanted.port = 0  # the system gives a free one, with nobody in between
    wanted.api_keys = [orders["key"]]
    wanted.n_parallel = 1  # requests queue; a second place would double the memory
    wanted.n_ctx = _CONTEXT  # a model trained on less gets less
    wanted.cache_ram_mib = 0  # else up to 8 GB of earlier prompts
    wanted.cpuparams.n_threads = wanted.cpuparams_batch.n_threads = _threads()
    wanted.ui = False
    if orders["shipped"]:
        wanted.chat_template = _TEMPLATE
    return xllamacpp.Server(wanted)


def _threads() -> int:
    """Half of the processors: as many as there are cores, usually, and the notebook needs some itself.

    llama.cpp's threads wait for each other in a loop many times per token: with one on each of two busy
    processors, 60 tokens took from 1.5 s to over a minute, and with a single one from 0.9 to 2.7 s.
    """
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, count // 2)


def _say_all() -> None:
    """Wait until llama.cpp has written why: a thread of its own writes its log, and would end with us unheard.

    Source: https://github.com/ggml-org/llama.cpp/blob/master/common/log.h (common_log_flush)
    """
    waiting = threading.Thread(target=_flush, daemon=True)
    waiting.start()
    waiting.join(_LOG_PATIENCE)


def _flush() -> None:
    """The library exports its functions under the names that C++ compilers other than Microsoft's give them."""
    import ctypes

    try:
        library = ctypes.CDLL(sys.modules["xllamacpp.xllamacpp"].__file__)
        log, flush = library["_Z15common_log_mainv"], library["_Z16common_log_flushP10common_log"]
    except (KeyError, OSError, AttributeError):
        time.sleep(_LOG_PATIENCE)
        return
    log.restype, flush.argtypes, flush.restype = ctypes.c_void_p, [ctypes.c_void_p], None
    flush(log())


def _check_address(url: str, key: str) -> str:
    """The address, once what listens there has taken our key."""
    asked = http.client.HTTPConnection(url.removeprefix("http://"), timeout=_PATIENCE)
    try:
        asked.request("GET", "/v1/models", headers={"x-api-key": key})
        status = asked.getresponse().status
    finally:
        asked.close()
    if status != 200:
        raise OSError(f"HTTP {status} from its own server at {url}")
    return url


def _end_while_loading() -> None:
    """Have Linux end this process when its input closes.

    Loading holds the interpreter's lock, so that no thread of ours runs before it is done. When the
    last writer of a pipe is gone, whoever asked for it is sent SIGIO, which ends a process.

    Source: https://man7.org/linux/man-pages/man2/fcntl.2.html (F_SETOWN), open.2.html (O_ASYNC)
    """
    if sys.platform != "linux":
        return
    import fcntl
    import select

    signal.signal(signal.SIGIO, signal.SIG_DFL)
    fcntl.fcntl(0, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(0, fcntl.F_SETFL, fcntl.fcntl(0, fcntl.F_GETFL) | os.O_ASYNC)
    if select.select([0], [], [], 0)[0]:
        os._exit(0)  # it closed before that


def _end_with_input() -> None:
    """The parent holds the other end of standard input, and never writes to it again."""
    sys.stdin.read()
    os._exit(0)


def _end_with(parent: int) -> None:
    """A second line of defence: a fork of the parent may hold that end too."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(0)


if __name__ == "__main__":
    main()
