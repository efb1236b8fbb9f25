"""A real xeus-python kernel: built on IPython, but with neither ipykernel's shell nor its requests."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import KernelManager

from tests.notebook_kernel import ROOT, Kernel
from tests.server import Server, reply

pytest.importorskip("xeus_python_shell", reason="xeus-python is not installed: that kernel is not tried in this run")


class Xeus(Kernel):
    """Runs cells in xeus-python."""

    def __enter__(self) -> Xeus:
        folder = Path(sys.prefix, "share", "jupyter", "kernels")
        self.manager = KernelManager(
            kernel_name="xpython",
            kernel_spec_manager=KernelSpecManager(kernel_dirs=[str(folder)]),
            transport="ipc" if os.name == "posix" else "tcp",
        )
        self.manager.kernel_spec.argv[0] = sys.executable
        path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
        self.manager.start_kernel(env={**os.environ, "PYTHONPATH": path}, cwd=os.getcwd())
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)
        return self


@pytest.fixture
def xeus(endpoint: Server) -> Iterator[Xeus]:
    with Xeus() as made:
        assert made.run("%load_ext claude_magic\nfrom claude_magic import claude").error is None
        yield made


@pytest.mark.kernel
def test_cells_are_answered_rendered_and_remembered(xeus: Xeus, endpoint: Server) -> None:
    endpoint.answers(reply("Hello *there*"), reply("again"), reply("```python\nprint(1)\n```"), reply("from Python"))
    first, second = (xeus.run("%%claude -c\nhi") for _ in range(2))
    assert [first.error, second.error] == [None, None]
    assert "<em>there</em>" in first.data("text/html")[0]
    assert endpoint.received[0].json["messages"] == [{"role": "user", "content": "hi"}]
    assert len(endpoint.received[1].json["messages"]) == 3
    code = xeus.run("%%claude --as code\nwrite it")
    assert code.error is None
    assert "cannot insert a cell" in code.stdout
    assert "from Python" in xeus.run("print(claude('hi').text)").stdout
    refused = xeus.run("%%claude --no-such-option\nhi")
    assert refused.error is not None
    assert "no option" in refused.error[1]
