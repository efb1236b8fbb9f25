"""`make bench` runs to its end: each section, as short as it can be."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.bench.__main__ import SECTIONS
from tests.notebook_kernel import ROOT


@pytest.mark.process
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", SECTIONS)
def test_a_section_runs_to_its_end(name: str) -> None:
    command = [sys.executable, "-m", "tests.bench", name]
    ran = subprocess.run(command, cwd=ROOT, env={**os.environ, "BENCH": "short"}, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr[-3000:]
    assert f"({name}) " in ran.stdout
    assert "s in all" in ran.stdout
