"""The shell that most tests use: it behaves as a kernel does, and nothing of one test is left for the next."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

import comm
import pytest
from IPython.core.interactiveshell import InteractiveShell

from claude_magic.display.live.batch_status import show
from tests.notebook_shell import Shell
from tests.server import Server, reply

DISPLAYED = """
from IPython.display import display, HTML
import sys
print("said"); print("wrong", file=sys.stderr)
h = display(HTML("<b>one</b>"), display_id=True)
h.update(HTML("<b>two</b>"))
40 + 2
"""


def test_it_keeps_what_a_notebook_would_save(shell: Shell) -> None:
    ran = shell.run(DISPLAYED)
    assert ran.error is None
    assert ran.data("text/html") == ["<b>two</b>"]
    assert ran.data("text/plain")[-1] == "42"
    assert [(o["name"], o["text"]) for o in ran.outputs if o["type"] == "stream"] == [
        ("stdout", "said\n"),
        ("stderr", "wrong\n"),
    ]


def test_it_keeps_the_error(shell: Shell) -> None:
    name, text, traceback = shell.run("1 / 0").error or ("", "", [])
    assert (name, text) == ("ZeroDivisionError", "division by zero")
    assert traceback


def test_it_asks_the_scripted_api(shell: Shell, endpoint: Server) -> None:
    endpoint.answers(reply("Hello *there*"))
    ran = shell.run("%%claude\nhi", cell_id="a")
    assert ran.error is None
    assert "<em>there</em>" in ran.data("text/html")[0]
    assert shell.value("__import__('claude_magic').claude.last.message.text") == "Hello *there*"
    assert endpoint.last.json["messages"] == [{"role": "user", "content": "hi"}]


def test_a_cell_is_interrupted(shell: Shell) -> None:
    ran = shell.run("print('begun', flush=True)\nimport threading\nthreading.Event().wait(60)", stop_when="begun")
    assert ran.error is not None
    assert ran.error[0] == "KeyboardInterrupt"
    assert shell.run("1").data("text/plain") == ["1"]


def test_widgets_have_comms(shell: Shell) -> None:
    ran = shell.run("import ipywidgets\nb = ipywidgets.Button(description='x'); b")
    kinds = [message["msg_type"] for _, message in ran.messages]
    assert "comm_open" in kinds
    pressed = "b.on_click(lambda _: print('pressed'))"
    shell.run(pressed)
    (model,) = ran.data("application/vnd.jupyter.widget-view+json")
    shell.send("comm_msg", {"comm_id": model["model_id"], "data": {"method": "custom", "content": {"event": "click"}}})
    assert "pressed" in str([m["content"] for m in shell.client.iopub_channel.get_msgs()])


@pytest.mark.parametrize("time", ["once", "twice"])
def test_nothing_is_left_for_the_next_test(time: str, shell: Shell, endpoint: Server) -> None:
    assert shell.run("from claude_magic import claude\nleft").error[:2] == ("NameError", "name 'left' is not defined")  # type: ignore[index]
    assert shell.value("[claude.last, list(claude.conversations), list(claude.snippets)]") == [
        None,
        [],
        [],
    ]
    assert shell.value("repr(claude.journal)") == "the last exchanges: none"
    assert shell.value("claude.settings.max_tokens") != 17
    endpoint.answers(reply("Hello"))
    shell.run("import os; del os.environ['ANTHROPIC_API_KEY']\nleft = 1\nclaude.login('hush-hush-hush')")
    shell.run("%config Claude.max_tokens = 17")
    assert shell.run("%%claude -c --save it\nhi").error is None
    assert endpoint.last.headers["x-api-key"] == "hush-hush-hush"
    assert endpoint.last.json["max_tokens"] == 17


def test_the_process_is_as_before_once_it_is_closed(endpoint: Server) -> None:
    before = (sys.path[:], sys.displayhook, sys.excepthook, sys.stdout, sys.modules["__main__"], dict(os.environ))
    comms = comm.create_comm
    with Shell() as shell:
        assert shell.run("%load_ext claude_magic\nimport sys; sys.path.append('x')").error is None
        assert comm.create_comm is not comms
    after = (sys.path[:], sys.displayhook, sys.excepthook, sys.stdout, sys.modules["__main__"], dict(os.environ))
    assert after == before
    assert comm.create_comm is comms
    assert sys.modules["IPython"].get_ipython() is None


def test_what_a_thread_of_an_earlier_shell_sends_reaches_no_later_one(endpoint: Server) -> None:
    with Shell() as earlier:
        publisher, displayed = earlier.manager.kernel.shell.display_pub, {"text/plain": "of before"}
    publisher.publish(displayed)
    with Shell() as later:
        publisher.publish(displayed)
        assert [o["data"] for o in later.run("41 + 1").outputs] == [{"text/plain": "42"}]
        assert later.run("print('its own')").stdout == "its own\n"


def test_a_batch_that_outlives_its_shell_creates_no_other_one(endpoint: Server) -> None:
    class Watched:
        shown_in: int | None = None
        done, state = False, "waits"

        def watch(self, listener: Callable[[Any], object]) -> None:
            self.listener = listener

        def _repr_mimebundle_(self) -> dict[str, str]:
            return {"text/plain": self.state}

    with Shell() as shell:
        shell.user_ns.update(show=show, watched=(watched := Watched()))
        assert shell.run("show(watched)").data("text/plain") == ["waits"]
    watched.state, watched.done = "has ended", True
    watched.listener(watched)
    assert not InteractiveShell.initialized()
