"""Resolves `-a X`: X is an address, a variable, a file or a pattern of files.

In this order:

- `https://...` is sent as an address and not fetched here; its ending decides the kind, or a prefix does, as in
  `image:https://...` or `document:https://...`;
- `file_...` is a file of the Files API, whose kind is looked up; `image:file_...`, `document:file_...` and
  `container_upload:file_...` say it;
- a name with a dot or a slash, `report.pdf` or `img/*.png`, is a file if there is one, else a variable;
- any other name, `df`, `Out[3]`, `_`, is a variable if there is one, else a file.

With `upload` files and values are to be uploaded and sent by their ids: see `pending`.

Paths are relative to the notebook's folder. Variables are read as in `{{}}`: data only, nothing is called.
"""

from __future__ import annotations

import difflib
import os
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unicodedata import normalize
from urllib.parse import unquote, urlsplit

from ...errors import CellError, did_you_mean
from ...wire import Block, fix_surrogates
from ...wire.attachment_kinds import KINDS, AttachmentKind
from .. import templates
from ..python_braces import is_call
from ..values import FormattedValue
from . import figures, files, images
from .limits import MOST_BYTES, check_size
from .media import LONGEST_TITLE, Media, of_bytes, of_text
from .pending import PendingFile, pending_path, pending_source, split_kind

__all__ = ["MOST_BYTES", "Attachment", "attach", "check_size"]

_ACCESS = re.compile(r"([^\W\d]\w*)(?:\.[^\W\d]\w*|\[[^\[\]{}\n]*\])*")
_REMOTE = re.compile(r"(?:([a-z_]+):)?(?:(https?://.*)|(file_[A-Za-z0-9]{16,}))", re.IGNORECASE | re.DOTALL)
_FILE_ID = re.compile(r"file_\d\w*", re.ASCII)  # shorter than those of the API
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]+)://", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Attachment:
    """A content block sent with the text of a message.

    Attributes:
        block: The API's JSON.
        note: What was changed, such as `scaled from 9000 x 200 to 2000 x 44`; `""` if nothing.
        source: The path, address or variable it comes from.
        kind: Kind and size in words.
        thumbnail: A small image; `b""` if there is none.
        pending: What is to be uploaded or looked up before it is sent; `None` for nothing.
        not_uploaded: Whether words stand in the place of its id, for a request that is shown and not sent.
    """

    title: str
    block: Block
    note: str = ""
    source: str = ""
    kind: str = ""
    thumbnail: bytes = b""
    pending: PendingFile | None = None
    not_uploaded: bool = False

    @property
    def text(self) -> str:
        """The text of a text document, to be searched for secrets; `""` for an image, a PDF or an uploaded file."""
        source = self.block.get("source", {})
        return str(source["data"]) if source.get("type") == "text" else ""

    def with_block(self, block: Block) -> Attachment:
        """The same, with the block that is sent."""
        return replace(self, block=block, pending=None)


def attach(
    name: str,
    namespace: Mapping[str, Any],
    *,
    write: Callable[[Any], str],
    folder: Path | None = None,
    many: bool = False,
    upload: bool = False,
) -> list[Attachment]:
    """The attachments that `name` stands for, at least one.

    Args:
        write: Converts a variable's value to text, shortened if it is long.
        folder: The folder that paths are relative to; `None` for the current one, which is the notebook's.
        many: Whether the request has more than `images.MANY` images, those of earlier turns included.
        upload: Whether files and values are to be uploaded.

    Raises:
        CellError: It does not exist, or cannot be read or sent.
    """
    folder, kind = folder or Path(), ""
    if upload and not files.find_files(name, folder):
        kind, name = split_kind(name)
    if name not in namespace and normalize("NFKC", name) in namespace:
        name = normalize("NFKC", name)  # as Python reads names
    where = f"--attach {_on_a_line(name)}"
    if name in namespace or (not _is_like_a_path(name) and _is_access(name, namespace)):
        return _to_upload(_of_value(_value(name, namespace), name, where, write, many, upload), where, upload, kind)
    if (match := _REMOTE.fullmatch(f"{kind}:{name}" if kind else name)) and _is_known_kind(match):
        return [_by_id(match[3], match[1]) if match[3] else _address(match[2], match[1], where)]
    paths = files.find_files(name, folder)
    if paths:
        return _of_files(paths, folder, many or len(paths) > images.MANY, upload, kind)
    if _is_access(name, namespace):
        return _to_upload(_of_value(_value(name, namespace), name, where, write, many, upload), where, upload, kind)
    kind, bare = split_kind(f"{kind}:{name}" if kind else name)
    if _FILE_ID.fullmatch(bare):
        return [_by_id(bare, kind)]
    raise CellError(_missing_text(name, namespace, folder, where))


def _is_known_kind(match: re.Match[str]) -> bool:
    """Whether the prefix of an address or an id is none, or a kind that it may be."""
    kinds = [*_kinds_of_addresses(), *(["container_upload"] if match[3] else [])]
    return (match[1] or "").lower() in ("", *kinds)


def _to_upload(several: list[Attachment], where: str, upload: bool, kind: str) -> list[Attachment]:
    """The same; with `upload` what they hold is to be uploaded."""
    if not upload:
        return several
    found = []
    for each in several:
        pending = each.pending or pending_source(each.block.get("source", {"type": ""}), each.title, where, kind)
        if pending is not None:
            each = replace(each, block=pending.unsent_block, pending=pending)
        found.append(each)
    return found


def _is_like_a_path(name: str) -> bool:
    return any(sign in name for sign in (".", "/", os.sep))


def _is_access(name: str, namespace: Mapping[str, Any]) -> bool:
    match = _ACCESS.fullmatch(name)
    return match is not None and match[1] in namespace and templates.names(f"{{{{{name}}}}}") == [match[1]]


def _value(name: str, namespace: Mapping[str, Any]) -> Any:
    """The value that a template of that name inserts."""
    if name in namespace:
        return namespace[name]
    values: list[Any] = []

    def keep(value: Any) -> str:
        values.append(value)
        return ""

    try:
        templates.fill_template(f"{{{{{name}}}}}", namespace, keep, allow_secret=True)
    except CellError as error:
        why = str(error).replace("{{", "").replace("}}", "")
        raise CellError(f"--attach: {'no such file, and ' * _is_like_a_path(name)}{why}") from None
    return values[0]


def _by_id(file_id: str, kind: str | None) -> Attachment:
    """A file that was uploaded; without a kind, that is to be looked up."""
    kind = (kind or "").lower()
    pending = PendingFile(file_id=file_id, kind=kind)
    return Attachment(
        title=file_id,
        block=pending.unsent_block,
        source=file_id,
        kind=f"{kind or 'file'} of the Files API",
        pending=None if kind else pending,
    )


def _address(url: str, kind: str | None, where: str) -> Attachment:
    path = _path_of(url, where)
    ending = os.path.splitext(path)[1].lower()
    kinds = _kinds_of_addresses()
    kind = (kind or "").lower() or next((name for name, each in kinds.items() if ending in each.endings), "")
    if not kind:
        ways = [f"{name}:https://...{f' ({k.file_label})' * (k.file_label != name)}" for name, k in kinds.items()]
        raise CellError(
            f"{where}: its ending does not say what it is, and it is not fetched here. Write {' or '.join(ways)}; "
            "for anything else, download it and attach the file."
        )
    title = _on_a_line(os.path.basename(path) or url)[:LONGEST_TITLE]
    block: Block = {"type": kind, "source": {"type": "url", "url": url}}
    if KINDS[kind].has_title:
        block["title"] = title
    return Attachment(title=title, block=block, source=url, kind=f"{KINDS[kind].file_label} at {_on_a_line(url)}")


def _kinds_of_addresses() -> dict[str, AttachmentKind]:
    """The kinds that an address or an uploaded file may be, by block type."""
    return {name: kind for name, kind in KINDS.items() if kind.endings}


def _path_of(url: str, where: str) -> str:
    if not url.isascii() or not url.isprintable() or " " in url:
        raise CellError(f"{where}: not an address as it is sent. Copy it from the browser's address line.")
    try:
        cut = urlsplit(url)
        host = cut.hostname
    except ValueError:
        host = None
    if not host:
        raise CellError(f"{where}: the address names no host. Look at it again.")
    if cut.username is not None or cut.password is not None:
        raise CellError(f"--attach {cut.scheme}://...@{host}: the address holds a password. Attach the file itself.")
    return unquote(cut.path)


def _of_files(paths: list[Path], folder: Path, many: bool, upload: bool = False, kind: str = "") -> list[Attachment]:
    """One attachment for each file, titled by its name, or by its path if several have that name."""
    names = Counter(path.name for path in paths)
    attachments = []
    for path in paths:
        short = os.path.relpath(path, folder) if path.is_relative_to(folder) else str(path)
        title = _on_a_line(path.name or short if names[path.name] == 1 else short)[:LONGEST_TITLE]
        where = f"--attach {_on_a_line(short)}"
        if upload:
            pending, words, note = pending_path(path, title, where, kind)
            block = pending.unsent_block
            attachments.append(
                Attachment(
                    title=title, block=block, note=note, source=fix_surrogates(short), kind=words, pending=pending
                )
            )
            continue
        attachments.append(
            _attachment(of_bytes(files.content(path, where), title, where, many=many), title, fix_surrogates(short))
        )
    return attachments


def _of_value(
    value: Any, name: str, where: str, write: Callable[[Any], str], many: bool, upload: bool
) -> list[Attachment]:
    title = _on_a_line(name)[:LONGEST_TITLE]
    if isinstance(value, os.PathLike):
        return _of_files([Path(os.fsdecode(value))], Path(), many, upload)
    if isinstance(value, bytes | bytearray | memoryview):
        return [_attachment(of_bytes(bytes(value), title, where, many=many), title, name)]
    if figures.is_a(value, "IPython", "Image") and value.data is None and (match := _REMOTE.match(value.url or "")):
        return [_address(match[0], "image", where)]
    pictures = figures.figures(value, where)
    many = many or len(pictures) > images.MANY
    titles = [title] if len(pictures) == 1 else [f"{title}[{number}]" for number in range(len(pictures))]
    if pictures:
        return [
            _attachment(of_bytes(data, t, where, many=many), t, name) for data, t in zip(pictures, titles, strict=True)
        ]
    if figures.is_a(value, "IPython", "DisplayObject") and isinstance(value.data, str):
        value = value.data
    text = value if type(value) is str else write(value)
    note = text.cut if isinstance(text, FormattedValue) else ""
    return [_attachment(of_text(text, title, where, note=note), title, name)]


def _attachment(media: Media, title: str, source: str) -> Attachment:
    return Attachment(
        title=title, block=media.block, note=media.note, source=source, kind=media.kind, thumbnail=media.thumbnail
    )


def _missing_text(name: str, namespace: Mapping[str, Any], folder: Path, where: str) -> str:
    if match := _SCHEME.match(name):
        return f"{where}: addresses with {match[1]}:// cannot be sent. Download it, and attach the file."
    if is_call(name):
        return f"{where}: nothing is called here. Assign it to a variable first, and attach that."
    public = [known for known in namespace if not known.startswith("_")]
    near = [*files.near(name, folder), *difflib.get_close_matches(name, public, n=3)]
    advice = did_you_mean(map(_on_a_line, near[:3])) or " Look at its name."
    return f"{where}: no file in {_on_a_line(str(folder.absolute()))}, and no variable.{advice}"


def _on_a_line(name: str) -> str:
    """`name` without control characters and at most 500 characters long: a file name may hold anything but a slash."""
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in fix_surrogates(name))[:500]
