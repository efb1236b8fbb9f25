"""`--times` and `--compare` in terminal IPython, on a pty: rendered, one after the other, each with its name."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.paced import go_on, paced
from tests.server import Server, failure
from tests.terminal_screen import in_terminal

TEXT = "A **bold** word.\n\nStep 1\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\nStep 2 and the **end**.\n"


@pytest.mark.process
@pytest.mark.parametrize("rich", [True, False])
def test_replies_follow_one_another_with_their_names(endpoint: Server, tmp_path: Path, rich: bool) -> None:
    if rich:
        pytest.importorskip("rich")
    endpoint.answers(paced(TEXT, tmp_path), failure(404, "not_found_error", "no such model"), paced(TEXT, tmp_path))
    code = (
        "import sys\n" + ("" if rich else "sys.modules['rich'] = None\n") + "from IPython import start_ipython\n"
        'cell = \'get_ipython().run_line_magic("load_ext", "claude_magic")\\n'
        'get_ipython().run_line_magic("config", "Claude.concurrency = 1")\\n'
        'get_ipython().run_cell_magic("claude", "--compare max-tokens=5,6,7", "Tell me.")\'\n'
        "start_ipython(['--no-banner', '--colors=NoColor', '-c', cell])\n"
    )
    with in_terminal([sys.executable, "-c", code], os.environ, columns=100) as running:
        seen = running.read_until(lambda lines: "Step 1" in " ".join(lines))
        assert "--- max_tokens=5" in seen
        assert not any("max_tokens=6" in line for line in seen)
        go_on(tmp_path, 1)
        go_on(tmp_path, 2)
        ended = running.read_to_end()
    text = "\n".join(ended)
    order = [
        text.index(words) for words in ("--- max_tokens=5", "--- max_tokens=6", "no such model", "--- max_tokens=7")
    ]
    assert order == sorted(order)
    shown = text[: text.index("3 replies")]
    assert shown.count("Step 2 and the") == 2
    assert ("**" in shown) is not rich
    assert shown.count("claude-opus-5-5 · ") == 2
