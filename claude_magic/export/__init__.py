"""A request as a program: what `%%claude` sent, as the documentation would write it, ready to run elsewhere.

The key is never in it: every program reads it from the environment. Importing this package imports no writer; a
language is added to `LANGUAGES`, with a module that has `program(call) -> str`.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass

from ..errors import CellError
from ..wire import Request


@dataclass(frozen=True, kw_only=True)
class Language:
    """A language that a request can be written in.

    Attributes:
        title: Its name as people read it.
        suffix: What a file with such a program is called at its end.
        module: The module of this package that writes it.
        reads_files: Whether its programs can read an attachment from the file it came from.
    """

    title: str
    suffix: str
    module: str
    reads_files: bool = True


LANGUAGES = {
    "curl": Language(title="curl", suffix=".sh", module="curl.write"),
    "python": Language(title="Python", suffix=".py", module="python"),
    "typescript": Language(title="TypeScript", suffix=".ts", module="typescript"),
    "openai": Language(title="OpenAI SDK", suffix=".py", module="openai.write"),
    "requests": Language(title="Python with requests", suffix=".py", module="requests_py"),
    "http": Language(title="HTTP message", suffix=".http", module="http", reads_files=False),
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
    writer = importlib.import_module(f"{__name__}.{chosen.module}")
    try:
        written: str = writer.program(call(request, files or {} if chosen.reads_files else {}))
    except RecursionError:
        raise CellError("the request is nested too deeply for a program. Flatten what is nested in it.") from None
    return written


__all__ = ["LANGUAGES", "Language", "program"]
