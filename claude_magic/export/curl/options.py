"""The options of a curl command that decide what is sent; an option that cannot be read is refused by name.

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
_USED = {"--request", "--header", "--user-agent", "--referer", "--url", *DATA}
_IGNORED = re.compile(
    r"--(?:silent|show-error|no-buffer|include|location|verbose|compressed|insecure|fail|fail-with-body|globoff"
    r"|http[\d.]+|http2-prior-knowledge|ipv[46]|progress-bar|no-progress-meter|tlsv[\d.]+|disable|path-as-is)"
)
_IGNORED_SHORT = set("sSNiLvkfgq#460123")
_IGNORED_WITH_VALUE = {
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
    """The error for a secret in the command; `name` is repeated only if it cannot be the secret itself."""
    where = (
        name.lower() if re.fullmatch(r"-{0,2}[A-Za-z]+(?:-[A-Za-z0-9]+){0,3}", name) and len(name) < 30 else "header"
    )
    return CellError(
        f"the curl command holds a secret ({where}), so nothing of it was used. Take it out, revoke it if others "
        "saw it, and set $ANTHROPIC_API_KEY."
    )


def options(words: list[Word]) -> Iterator[tuple[str, Word]]:
    """The long names and values of the options that decide what is sent; a bare word is `--url`.

    Raises:
        CellError: An option is unknown, lacks its value, reads a file or holds a credential.
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
    """The options in one word of short ones, such as `-sSX POST` or `-XPOST`."""
    for index, letter in enumerate(word.text[1:], start=2):
        if letter in _IGNORED_SHORT:
            continue
        rest = word.text[index:]
        glued = Word(text=rest, variables=word.variables) if rest else None
        yield from _option_values(_SHORT.get(letter, f"-{letter}"), glued, left)
        return


def _option_values(name: str, glued: Word | None, left: Iterator[Word]) -> Iterator[tuple[str, Word]]:
    if _IGNORED.fullmatch(name):
        return
    if name in _CREDENTIALS:
        raise key_error(name)
    if name in _FILES:
        raise CellError(f"the curl command uses {name}, which is not understood here. Put the JSON body behind -d.")
    if name not in _USED | _IGNORED_WITH_VALUE:
        label = re.match(r"-{1,2}[a-zA-Z0-9-]{0,30}", name)
        raise CellError(
            f"the curl command has an option that is not understood here: {label[0] if label else '-'}. Take it out."
        )
    value = glued or next(left, None)
    if value is None:
        raise CellError(f"the curl command ends where {name} needs a value. Copy the whole command.")
    if name == "--proxy" and "@" in value.text:
        raise key_error(name)
    if name in _USED:
        yield name, value
