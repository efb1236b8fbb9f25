"""A request, as a program: what `%%claude` sent, in the form of the documentation, ready to run elsewhere.

The key is never in it: every program reads it from the environment.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from ..errors import CellError
from ..wire import Request
from . import curl, http, openai, python, requests_py, typescript
from .call import Call, call
from .curl.parse import CurlCommand, request_fields

LANGUAGES: Mapping[str, Callable[[Call], str]] = MappingProxyType(
    {
        "curl": curl.program,
        "python": python.program,
        "typescript": typescript.program,
        "openai": openai.program,
        "requests": requests_py.program,
        "http": http.program,
    }
)


def program(request: Request, language: str, *, files: Mapping[str, str] | None = None) -> str:
    """The request as the text of a program.

    Args:
        files: The base64 data of attachments, as in `source.data`, and the path each came from: the program
            reads that file. What is not listed stands in the program itself, as does everything in `http`.

    Raises:
        CellError: There is no such language, or the request cannot be said in it.
    """
    if language not in LANGUAGES:
        raise CellError(f"no such language: {language!r}. Choose one of {', '.join(LANGUAGES)}.")
    try:
        return LANGUAGES[language](call(request, {} if files is None or language == "http" else files))
    except RecursionError:
        raise CellError("the request is nested too deeply for a program. Flatten what is nested in it.") from None


__all__ = ["LANGUAGES", "CurlCommand", "program", "request_fields"]
