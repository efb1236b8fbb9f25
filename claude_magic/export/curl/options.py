"""The options of a curl command, as far as they say what is sent; what cannot be read is refused by name.

Source: https://curl.se/docs/manpage.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ...errors import CellError
from .shell import Word

DATA = {"--data", "--data-raw", "--data-binary", "--data-ascii", "--json"}
_SHORT = {
    "X": "--request",
    "H": "--header",
    "d": "--data",
    "A": "--user-agent",
    "e": "--referer",
    "o": "--output",
    "m": "--max-time",
    "w": "--write-out",
    "D": "--dump-header",
    "x": "--proxy",
    "c": "--cookie-jar",
    "u": "--user",
    "b": "--cookie",
    "U": "--proxy-user",
    "E": "--cert",
    "K": "--config",
    "F": "--form",
    "T": "--upload-file",
    "G": "--get",
}
_TOLD = {"--request", "--header", "--user-agent", "--referer", "--url", *DATA}
_PASSED_OVER = re.compile(
    r"--(?:silent|show-error|no-buffer|include|location|verbose|compressed|insecure|fail|fail-with-body|globoff"
    r"|http[\d.]+|http2-prior-knowledge|ipv[46]|progress-bar|no-progress-meter|tlsv[\d.]+|disable|path-as-is)"
)
_PASSED_OVER_SHORT = set("sSNiLvkfgq#460123")
_PASSED_OVER_WITH_VALUE = {
    "--output",
    "--max-time",
    "--connect-timeout",
    "--retry",
    "--retry-delay",
    "--retry-max-time",
    "--write-out",
    "--dump-header",
    "--cacert",
    "--resolve",
    "--proxy",
    "--cookie-jar",
    "--limit-rate",
    "--max-redirs",
    "--keepalive-time",
}
_CREDENTIALS = {"--user", "--cookie", "--proxy-user", "--cert", "--oauth2-bearer", "--key", "--netrc", "--netrc-file"}
_FILES = {"--form", "--upload-file", "--config", "--data-urlencode", "--get"}


def key_error(name: str) -> CellError:
    """A secret stands in the command under `name`, which is told if it can be nothing but a name."""
    where = (
        name.lower() if re.fullmatch(r"-{0,2}[A-Za-z]+(?:-[A-Za-z0-9]+){0,3}", name) and len(name) < 30 else "header"
    )
    return CellError(
        f"the curl command holds a secret ({where}), so nothing of it was used. Take it out, revoke it if others "
        "saw it, and set $ANTHROPIC_API_KEY."
    )


def options(words: list[Word]) -> Iterator[tuple[str, Word]]:
    """Long names and values of the options that say what is sent; `--url` also where it has no name.

    Raises:
        CellError: An option is not known, lacks its value, reads a file or holds a credential.
    """
    left = iter(words)
    for word in left:
        if word.text == "-" or not word.text.startswith("-"):
            yield "--url", word
        elif word.text.startswith("--"):
            yield from _option_values(word.text, None, left)
        else:
            yield from _cluster(word, left)


def _cluster(word: Word, left: Iterator[Word]) -> Iterator[tuple[str, Word]]:
    """Short options in one word, such as `-sSX POST` or `-XPOST`."""
    for index, letter in enumerate(word.text[1:], start=2):
        if letter in _PASSED_OVER_SHORT:
            continue
        rest = word.text[index:]
        glued = Word(text=rest, variables=word.variables) if rest else None
        yield from _option_values(_SHORT.get(letter, f"-{letter}"), glued, left)
        return


def _option_values(name: str, glued: Word | None, left: Iterator[Word]) -> Iterator[tuple[str, Word]]:
    if _PASSED_OVER.fullmatch(name):
        return
    if name in _CREDENTIALS:
        raise key_error(name)
    if name in _FILES:
        raise CellError(f"the curl command uses {name}, which is not understood here. Put the JSON body behind -d.")
    if name not in _TOLD | _PASSED_OVER_WITH_VALUE:
        shown = re.match(r"-{1,2}[a-zA-Z0-9-]{0,30}", name)
        raise CellError(
            f"the curl command has an option that is not understood here: {shown[0] if shown else '-'}. Take it out."
        )
    value = glued or next(left, None)
    if value is None:
        raise CellError(f"the curl command ends where {name} needs a value. Copy the whole command.")
    if name == "--proxy" and "@" in value.text:
        raise key_error(name)
    if name in _TOLD:
        yield name, value
