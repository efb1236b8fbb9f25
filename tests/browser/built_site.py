"""The site of `make site`, built once for all browser tests, and again only after its sources have changed."""

from __future__ import annotations

import contextlib
import hashlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.lab_page import REPOSITORY

PYTHON = REPOSITORY / ".venv-site" / "bin" / "python"  # with the tools of the site, which `make test` installs there
FOLDER = REPOSITORY / "build" / "test-site"
_SOURCES = ("claude_magic", "docs", "notebooks", "pyproject.toml", "README.md", "CHANGELOG.md", "CONTRIBUTING.md")


def built_site() -> Path:
    """The folder of the site."""
    if not PYTHON.exists():
        pytest.skip("SITE TESTS SKIPPED: `make test` and `make site` install its tools into .venv-site")
    stamp = FOLDER.with_suffix(".sources")
    FOLDER.parent.mkdir(exist_ok=True)
    with _one_at_a_time(FOLDER.with_suffix(".lock")):
        sources = _digest()
        if not stamp.exists() or stamp.read_text() != sources:
            stamp.unlink(missing_ok=True)
            command = [str(PYTHON), str(REPOSITORY / "docs" / "site" / "build.py"), "--output", str(FOLDER)]
            ran = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)
            assert ran.returncode == 0, ran.stdout + ran.stderr
            stamp.write_text(sources)
    return FOLDER


def _digest() -> str:
    """A digest of all that the site is made of."""
    digest = hashlib.sha256()
    for name in _SOURCES:
        path = REPOSITORY / name
        for each in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if each.is_file() and "__pycache__" not in each.parts:
                digest.update(str(each.relative_to(REPOSITORY)).encode() + b"\0" + each.read_bytes() + b"\0")
    return digest.hexdigest()


@contextlib.contextmanager
def _one_at_a_time(path: Path) -> Iterator[None]:
    """Lets one process build, and the others wait for it."""
    import fcntl

    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
