"""Builds the site: the manual, and all lessons in JupyterLite. `make site` runs it.

Everything that a page needs is in the site: no page asks another host for anything.
"""

from __future__ import annotations

import argparse
import gzip
import shutil
import subprocess
import sys
import time
from pathlib import Path

from lessons import lessons_address, write_lessons
from versions import ROOT, check_kernel, read_versions


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=ROOT / "build" / "site", help="where the site is written")
    parser.add_argument("--cache", type=Path, default=ROOT / "build" / "site-cache", help="what was downloaded")
    options = parser.parse_args()
    began = time.monotonic()
    site, cache = options.output.resolve(), options.cache.resolve()
    cache.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(site, ignore_errors=True)
    versions = read_versions()
    check_kernel(versions)
    write_lessons(site, versions, cache)
    if failed := write_manual(site, cache):
        return failed
    print(f"{site}: {_size(site)}, {time.monotonic() - began:.0f} s")
    return 0


def write_manual(site: Path, cache: Path) -> int:
    """Builds the manual with Sphinx; a warning is an error. Returns Sphinx's exit code."""
    command = [sys.executable, "-m", "sphinx", "--quiet", "--fresh-env", "--fail-on-warning", "--builder", "html"]
    command += ["--conf-dir", str(Path(__file__).parent), "--doctree-dir", str(cache / "doctrees")]
    command += ["-A", f"lessons={lessons_address()}", str(ROOT), str(site)]
    code = subprocess.run(command).returncode  # noqa: S603  # no shell
    for path in site.glob("_static/**/*.map"):  # for who debugs the theme
        path.unlink()
    first = '<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0; url=docs/index.html">'
    (site / "index.html").write_text(first + '<a href="docs/index.html">claude-magic</a>\n', encoding="utf-8")
    return code


def _size(site: Path) -> str:
    """How many files, and how large they are, as they are and as a server sends them."""
    contents = [path.read_bytes() for path in site.rglob("*") if path.is_file()]
    sent = sum(len(gzip.compress(content, 6)) for content in contents)
    return f"{len(contents)} files, {sum(map(len, contents)) / 1e6:.1f} MB, {sent / 1e6:.1f} MB compressed"


if __name__ == "__main__":
    sys.exit(main())
