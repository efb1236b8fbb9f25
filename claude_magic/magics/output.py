"""The result of a cell: the value that `-o` binds, how it is shown, and the next input."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ..errors import CellError, ClaudeError
from ..prompt.options.options import Options

if TYPE_CHECKING:
    from ..wire import Exchange


@dataclass(frozen=True, kw_only=True)
class Result:
    """The result of a reply.

    Attributes:
        value: The value for `-o`: the text, or what was parsed from it.
        html: Safe HTML shown instead of the rendered text; `None` to render it.
        next_input: Source for the next cell; `None` for none.
        note: A note for the user; `""` for none.
    """

    value: Any
    html: str | None = None
    next_input: str | None = None
    note: str = ""


def result(options: Options, exchange: Exchange, kind: Any = None, *, shown: bool = False) -> Result:
    """The result of a reply, as the options want it.

    Args:
        kind: The class or schema of the reply; `None` for free text.
        shown: Whether the reply is shown, and with it why it is not whole.

    Raises:
        ClaudeError: The reply has another form, or is incomplete; it stays on the page and in `claude.last`.
    """
    try:
        found = _result(options, exchange, kind)
        if (kind is not None or options.as_ == "json") and _may_be_cut(exchange):
            raise CellError("the reply may have been cut within its JSON.")
        return found
    except ClaudeError as error:
        from ..display.reply.summary import warnings

        reasons = warnings(replace(exchange, calls=()))
        if not reasons:
            raise
        why = f" ({exchange.message.stop_reason})" if shown else f": {reasons[0].rstrip('.')}"
        raise type(error)(f"the reply is not whole{why}. It is in claude.last.text.") from error


def _may_be_cut(exchange: Exchange) -> bool:
    """Whether JSON that can be read is not what the model meant: a refusal, or a number that may have more digits."""
    reason = exchange.message.stop_reason
    number = exchange.text.strip()[-1:].isdigit()
    return reason == "refusal" or (reason in ("max_tokens", "model_context_window_exceeded") and number)


def _result(options: Options, exchange: Exchange, kind: Any) -> Result:
    text = exchange.text
    if kind is not None:
        from ..display.reply.views import json_view
        from ..tools.schema.reply import parse_reply

        value = parse_reply(text, kind)
        return Result(value=value, html=json_view(_json(text))["text/html"], note=_rest_note(text, _is_json(text)))
    if options.tag:
        from ..wire.fences import tag_content

        text = tag_content(text, options.tag)
    form = "code" if options.fix else options.as_
    if form == "code":
        from ..wire.fences import code_block

        block, note = code_block(text, options.lang or ("python" if options.fix else ""))
        return Result(value=block.source, next_input=block.source, note=note)
    if form == "json":
        from ..display.reply.views import json_view

        value = _json(text)
        return Result(value=value, html=json_view(value)["text/html"], note=_rest_note(text, _is_json(text)))
    if form == "html":
        from ..display.reply.views import html_view

        page = _page(text)
        return Result(value=page, html=html_view(page)["text/html"], note=_rest_note(text, page == text))
    return Result(value=text)


def _json(text: str) -> Any:
    from ..tools.schema.reply import json_of

    try:
        return json_of(text)
    except (ValueError, RecursionError):
        excerpt = " ".join(text.split())[:80]
        raise CellError(f"the reply is not JSON: {excerpt!r}. It is in claude.last.text.") from None


def _is_json(text: str) -> bool:
    """Whether the whole text is JSON, and not only a block in it."""
    from ..wire.partial_json import loads_strict

    try:
        loads_strict(text.strip().removeprefix("\ufeff"))
    except (ValueError, RecursionError):
        return False
    return True


def _rest_note(text: str, is_whole: bool) -> str:
    """A note if only a block of the text is taken and shown; `""` if that is all of it."""
    from ..wire.fences import is_one_block

    if is_whole or is_one_block(text):
        return ""
    return "the reply says more than the block that is taken and shown: it is in claude.last.text."


def _page(text: str) -> str:
    """The HTML of a reply: its fenced block, or all of it."""
    from ..wire.fences import code

    try:
        return code(text, "html")
    except CellError:
        return text
