"""What `-a` names, as content blocks: files, patterns, addresses, variables; their kind is in their bytes.

Source: https://docs.anthropic.com/en/api/messages
"""

from __future__ import annotations

import base64
import glob
import json
import re
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from ..errors import CellError
from ..wire import Block
from . import images

MOST_BYTES = 32_000_000  # of a whole request
_VARIABLE = re.compile(r"[^\W\d]\w*(?:\[-?\d+\])?")
_IMAGE_ENDINGS = (".png", ".jpg", ".jpeg", ".gif", ".webp")


@dataclass(frozen=True, kw_only=True)
class Attachment:
    """What goes with the text of a message.

    Attributes:
        block: The API's JSON.
        note: What was done to it, such as scaling; `""` if nothing.
        kind: In words: the media type.
        thumbnail: A small PNG; `b""` if there is none.
    """

    title: str
    block: Block
    note: str = ""
    kind: str = ""
    thumbnail: bytes = b""


def attached(name: str, namespace: Mapping[str, Any], *, write: Callable[[Any], str]) -> list[Attachment]:
    """The attachments that `name` stands for: an address, a variable, else files.

    A name without a dot or a slash is a variable first. Addresses are sent, not fetched.

    Args:
        write: From a variable's value to text.

    Raises:
        CellError: There is no such thing, or it cannot be read or sent; it is named.
    """
    if re.match(r"https?://", name):
        return [_address(name)]
    if match := _VARIABLE.fullmatch(name):
        root, _, index = match[0].partition("[")
        if root in namespace:
            return [_of_value(name, _item(name, namespace[root], index.rstrip("]")), write)]
    return [_of_file(path) for path in _paths(name)]


def _item(name: str, value: Any, index: str) -> Any:
    if not index:
        return value
    try:
        return value[int(index)]
    except (KeyError, IndexError, TypeError):
        raise CellError(f"--attach {name}: there is no such item. Look at the variable.") from None


def _address(url: str) -> Attachment:
    ending = Path(unquote(urlsplit(url).path)).suffix.lower()
    title = url[:200]
    if ending == ".pdf":
        return Attachment(title=title, kind="PDF", block={"type": "document", "source": {"type": "url", "url": url}})
    if ending in _IMAGE_ENDINGS:
        return Attachment(title=title, kind="image", block={"type": "image", "source": {"type": "url", "url": url}})
    raise CellError(f"--attach {title}: only images and PDF can be sent by address. Download it, and attach the file.")


def _paths(name: str) -> list[Path]:
    path = Path(name).expanduser()
    if path.exists() or not glob.has_magic(name):
        return [path]
    found = sorted(Path(match) for match in glob.glob(str(path), recursive=True) if Path(match).is_file())
    if not found:
        raise CellError(f"--attach {name}: no file matches. Paths begin at the notebook's folder.")
    return found


def _of_file(path: Path) -> Attachment:
    try:
        facts = path.stat()
        if not stat.S_ISREG(facts.st_mode):
            raise CellError(f"--attach {path}: not a file. Name a file, or a pattern such as {path}/*.txt.")
        if facts.st_size > MOST_BYTES:
            raise CellError(f"--attach {path}: {facts.st_size:,} bytes; a request holds {MOST_BYTES:,} at most.")
        data = path.read_bytes()
    except OSError as error:
        raise CellError(f"--attach {path}: {error.strerror}. Paths begin at the notebook's folder.") from None
    return _of_bytes(path.name, data, str(path))


def _of_bytes(title: str, data: bytes, where: str) -> Attachment:
    if not data:
        raise CellError(f"--attach {where}: it is empty.")
    if images.media_type(data):
        return _image(title, data)
    if data.startswith(b"%PDF-"):
        return _document(title, "application/pdf", base64.b64encode(data).decode(), encoded=True)
    text = _text(data, where)
    if title.lower().endswith(".ipynb"):
        text = _notebook(text, where)
    return _document(title, "text/plain", text)


def _of_value(name: str, value: Any, write: Callable[[Any], str]) -> Attachment:
    if isinstance(value, bytes | bytearray):
        return _of_bytes(name, bytes(value), name)
    if isinstance(value, Path):
        return _of_file(value)
    data = images.of_value(value)
    if data is not None:
        return _image(name, data)
    return _document(name, "text/plain", value if isinstance(value, str) else write(value))


def _image(title: str, data: bytes) -> Attachment:
    data, note = images.fitted(data, title)
    kind = images.media_type(data) or "image/png"
    source = {"type": "base64", "media_type": kind, "data": base64.b64encode(data).decode()}
    block = {"type": "image", "source": source}
    return Attachment(title=title, block=block, note=note, kind=kind, thumbnail=images.thumbnail(data))


def _document(title: str, kind: str, data: str, *, encoded: bool = False) -> Attachment:
    if not data.strip():
        raise CellError(f"--attach {title}: there is no text in it.")
    source = {"type": "base64" if encoded else "text", "media_type": kind, "data": data}
    block = {"type": "document", "source": source, "title": title}
    return Attachment(title=title, block=block, kind="PDF" if encoded else "text")


def _text(data: bytes, where: str) -> str:
    coding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = data.decode(coding)
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise CellError(f"--attach {where}: neither an image, a PDF nor text in UTF-8. Convert it first.")
    return text


def _notebook(text: str, where: str) -> str:
    """The cells of a notebook as text, without their outputs."""
    try:
        cells = json.loads(text)["cells"]
        sources = [(cell["cell_type"], "".join(cell["source"])) for cell in cells]
    except (ValueError, KeyError, TypeError):
        raise CellError(f"--attach {where}: not a notebook. Rename it if it is something else.") from None
    return "\n\n".join(f"```python\n{source}\n```" if kind == "code" else source for kind, source in sources)
