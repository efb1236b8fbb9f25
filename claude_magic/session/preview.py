"""A request that is not sent: how many tokens it has, what it would cost, and the program that sends it."""

from __future__ import annotations

from dataclasses import dataclass

from ..api.endpoints.count_tokens import count
from ..errors import ExchangeError
from ..export import program, unchanged_files
from ..settings import Claude
from ..wire import Request
from ..wire.headers import RANDOM_KEY
from ..wire.short_text import one_line
from .costs import highest_cost
from .local_model import ignored_note
from .model_list import list_for_alias
from .prompt import Prompt
from .provider import why_uncounted
from .request import build_request, model_name, preview_request
from .send import Sender

BATCH_NOTE = "--batch sends this within POST /v1/messages/batches, not streamed and at half the price."


@dataclass(frozen=True, kw_only=True)
class Preview:
    """A request that was not sent.

    Attributes:
        tokens: Its input tokens as the endpoint counts them, or why they are unknown.
        usd: The highest price; `None` if unknown.
        note: What the local model would ignore, or what is not counted; `""` for nothing.
    """

    request: Request
    tokens: int | str
    usd: float | None
    note: str = ""


def preview(sender: Sender, settings: Claude, prompt: Prompt) -> Preview:
    """What the prompt would send, its tokens, and its highest price.

    Raises:
        CellError: It cannot be sent.
        SettingsError: There is no provider to send it to.
    """
    request, tokens = _count(sender, settings, prompt)
    batch = prompt.options.batch and not prompt.options.openai
    note = " ".join(filter(None, (uncounted_note(prompt), BATCH_NOTE if batch else "")))
    if prompt.not_uploaded:
        return Preview(request=request, tokens=tokens, usd=None, note=note)
    if request.headers.get("x-api-key") == RANDOM_KEY:
        return Preview(request=request, tokens=tokens, usd=0.0, note=ignored_note(request, settings, prompt.new))
    usd = highest_cost(settings, request, tokens, batch=batch) if isinstance(tokens, int) else None
    return Preview(request=request, tokens=tokens, usd=usd, note=note)


def preview_program(settings: Claude, prompt: Prompt) -> str:
    """The request that the prompt would send, as a program in the language of `--show`."""
    request = preview_request(settings, prompt)
    return program(request, prompt.options.show, files=unchanged_files(request.files))


def uncounted_note(prompt: Prompt) -> str:
    """That files are not counted, as they are not uploaded; `""` if there is none."""
    names = one_line(", ".join(prompt.not_uploaded), 300)
    return f"not counted: {names}, not uploaded yet." if names else ""


def _count(sender: Sender, settings: Claude, prompt: Prompt) -> tuple[Request, int | str]:
    if sender.ledger.replays.never_sends(settings):
        return preview_request(settings, prompt), "nothing is sent while only recorded answers are given"
    if reason := why_uncounted(settings):
        return preview_request(settings, prompt), reason
    with sender.endpoint(settings) as (client, provider):
        list_for_alias(client, provider, settings, model_name(settings, provider, prompt))
        request = build_request(settings, provider, prompt)
        try:
            counted = build_request(settings, provider, prompt.uploaded_only) if prompt.not_uploaded else request
            return request, count(client, counted)
        except ExchangeError as error:
            return request, str(error)
