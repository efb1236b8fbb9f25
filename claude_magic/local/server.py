"""The child process: llama.cpp's HTTP server, which has the Messages API, for one parent only.

It imports nothing of the package, reads its parameters as one line of JSON from standard input (other users can see
command line arguments), answers with one line, and ends as soon as its parent has ended for any reason.
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

_CONTEXT = 8192  # tokens; the bundled model's maximum, which takes 190 MB of memory
_REQUEST_TIMEOUT = 30.0  # seconds for the first request, after the model was loaded
_LOG_TIMEOUT = 1.0  # seconds to write the reason of a failure

# The template of the bundled model adds a system prompt if there is none; this one does not.
_TEMPLATE = (
    "{% for message in messages %}"
    "{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n'}}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Jupyter's stop button interrupts the whole process group
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # output of the library goes to stderr
    line = sys.stdin.readline()
    if not line:
        os._exit(0)  # the parent has ended already
    parameters = json.loads(line)
    _exit_while_loading()
    threading.Thread(target=_exit_with_parent, args=(parameters["parent"],), daemon=True).start()
    threading.Thread(target=_exit_with_stdin, daemon=True).start()
    try:
        server = _server(parameters)
        answer = {"url": _check_address(server.listening_address, parameters["key"])}
    except Exception as error:
        answer = {"error": f"{type(error).__name__}: {error}"}
        _flush_log()
    print(json.dumps(answer), file=answers, flush=True)
    while "url" in answer:
        time.sleep(60)
    os._exit(1)  # without llama.cpp's destructors, which may wait for threads that never started


def _server(parameters: dict[str, Any]) -> Any:
    if parameters["library"]:
        sys.path.append(parameters["library"])
    import xllamacpp

    options = xllamacpp.CommonParams()
    options.model.path = parameters["path"]
    options.model_alias = {parameters["name"]}
    options.hostnames = ["127.0.0.1"]
    options.port = 0  # the system chooses a free one
    options.api_keys = [parameters["key"]]
    options.n_parallel = 1  # requests queue; a second slot would double the memory
    options.n_ctx = _CONTEXT  # the maximum; a smaller model uses less
    options.cache_ram_mib = 0  # else up to 8 GB of earlier prompts
    options.cpuparams.n_threads = options.cpuparams_batch.n_threads = _threads()
    options.ui = False
    if parameters["bundled"]:
        options.chat_template = _TEMPLATE
    return xllamacpp.Server(options)


def _threads() -> int:
    """Half of the logical processors: usually the number of cores, and the notebook needs some itself.

    llama.cpp's threads wait for each other in a busy loop many times per token: with one on each of two busy
    processors, 60 tokens took from 1.5 s to over a minute, with a single thread from 0.9 to 2.7 s.
    """
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, count // 2)


def _flush_log() -> None:
    """Waits until llama.cpp has written its log: a thread of the library writes it, and would end unfinished.

    Source: https://github.com/ggml-org/llama.cpp/blob/master/common/log.h (common_log_flush)
    """
    thread = threading.Thread(target=_call_log_flush, daemon=True)
    thread.start()
    thread.join(_LOG_TIMEOUT)


def _call_log_flush() -> None:
    """Calls a C++ function of the library, by the name that compilers other than Microsoft's give it."""
    import ctypes

    try:
        library = ctypes.CDLL(sys.modules["xllamacpp.xllamacpp"].__file__)
        log, flush = library["_Z15common_log_mainv"], library["_Z16common_log_flushP10common_log"]
    except (KeyError, OSError, AttributeError):
        time.sleep(_LOG_TIMEOUT)
        return
    log.restype, flush.argtypes, flush.restype = ctypes.c_void_p, [ctypes.c_void_p], None
    flush(log())


def _check_address(url: str, key: str) -> str:
    """Returns the address, after the server there has accepted the key."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=_REQUEST_TIMEOUT)
    try:
        connection.request("GET", "/v1/models", headers={"x-api-key": key})
        status = connection.getresponse().status
    finally:
        connection.close()
    if status != 200:
        raise OSError(f"HTTP {status} from its own server at {url}")
    return url


def _exit_while_loading() -> None:
    """Makes Linux end this process when its standard input is closed.

    Loading holds the interpreter's lock, so that no Python thread runs meanwhile. When the last writer of a pipe has
    closed it, the owner of the pipe receives SIGIO, which ends the process.

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
        os._exit(0)  # it was closed before


def _exit_with_stdin() -> None:
    """Exits when the parent, which holds the other end of standard input, has ended."""
    sys.stdin.read()
    os._exit(0)


def _exit_with_parent(parent: int) -> None:
    """Exits when the parent has ended, although a fork of the parent still holds standard input open."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(0)


if __name__ == "__main__":
    main()
