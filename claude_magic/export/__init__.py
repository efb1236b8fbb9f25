"""Writes a request as a program that can run elsewhere.

No program contains the key: it is read from the environment. Importing this package imports no writer; to add a
language, add it to `LANGUAGES` with a module that has `program(call) -> str`.
"""

from __future__ import annotations

import base64
import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import CellError

if TYPE_CHECKING:  # the table of options reads LANGUAGES at start-up
    from ..wire import Request


@dataclass(frozen=True, kw_only=True)
class Language:
    """A language that a request can be written in.

    Attributes:
        title: The name shown to users.
        module: The module in this package that writes programs.
        syntax: The name by which its colours are known, as after a Markdown fence; `""` for none.
        reads_files: Whether its programs can read an attachment from its file.
        is_sdk: Whether its programs use the client of an SDK, which has the form of requests itself.
    """

    title: str
    module: str
    syntax: str = ""
    reads_files: bool = True
    is_sdk: bool = False


LANGUAGES = {
    "curl": Language(title="curl", module="curl.write", syntax="bash"),
    "python": Language(title="Python", module="python", syntax="python", is_sdk=True),
    "typescript": Language(title="TypeScript", module="typescript", syntax="typescript", is_sdk=True),
    "openai": Language(title="OpenAI SDK", module="openai.write", syntax="python", is_sdk=True),
    "requests": Language(title="Python with requests", module="requests_py", syntax="python"),
    "http": Language(title="HTTP message", module="http", syntax="http", reads_files=False),
}


def program(request: Request, language: str, *, files: Mapping[str, str] | None = None) -> str:
    """The request as the text of a program.

    Args:
        files: The base64 data of attachments, as in `source.data`, and the path each came from: the program
            reads that file. Data not listed stands in the program itself.

    Raises:
        CellError: There is no such language, or the request cannot be written in it.
    """
    from .call import call

    if language not in LANGUAGES:
        raise CellError(f"no such language: {language!r}. Choose one of {', '.join(LANGUAGES)}.")
    chosen = LANGUAGES[language]
    if request.hosting is not None:
        from . import platforms

        request = platforms.of_sdk(request) if chosen.is_sdk else platforms.of_wire(request)
    writer = importlib.import_module(f"{__name__}.{chosen.module}")
    try:
        source: str = writer.program(call(request, files or {} if chosen.reads_files else {}))
    except RecursionError:
        raise CellError("the request is nested too deeply for a program. Flatten what is nested in it.") from None
    except ValueError as error:  # such as an address that is none
        raise CellError(f"the request cannot be written as a program: {str(error)[:200]}. Look at its url.") from None
    return source


def unchanged_files(files: Mapping[str, str]) -> dict[str, str]:
    """The files whose content is still what was sent: neither scaled before sending nor changed since.

    Args:
        files: The base64 data of attachments, and the path each came from.
    """
    return {data: path for data, path in files.items() if _holds(path, data)}


def _holds(path: str, data: str) -> bool:
    try:
        return base64.b64encode(Path(path).read_bytes()).decode() == data
    except (OSError, ValueError):
        return False


__all__ = ["LANGUAGES", "Language", "program", "unchanged_files"]
