"""What `claude.request` and `%claude --get` do in a session: one call or all pages of it, or a message as it is."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..api.saved_files import SavedFile
from ..errors import CellError, OverBudget
from ..prompt.options.options import Options
from ..settings import Claude
from ..wire import Exchange
from ..wire.presenter import Presenter, SilentPresenter
from .ask import ask
from .endpoint_call import EndpointCall
from .endpoint_pages import all_pages as pages_of
from .endpoint_send import EndpointSender
from .ledger import Caller
from .prompt import Prompt

_FREE = ("/v1/organizations/", "/v1/files", "/v1/skills", "/v1/messages/batches/")  # cancelling a batch costs nothing

if TYPE_CHECKING:
    from .session import Session


def request(
    session: Session,
    call: EndpointCall,
    caller: Caller | None = None,
    presenter: Presenter | None = None,
    *,
    all_pages: bool = False,
    save: SavedFile | None = None,
    profile: str = "",
    notes: tuple[str, ...] = (),
) -> Exchange:
    """The exchange of a call, complete or not: look at its `error`.

    Args:
        caller: The cell that sends it; `None` for the one that runs.
        presenter: Shows it while it arrives; `None` for nothing.
        all_pages: Whether to request the following pages of a list, too.
        save: Where the answer's body is written to.
        notes: Notes shown under the answer, such as that a variable was cut.

    Raises:
        CellError: It cannot be sent.
        SettingsError: There is no key for it, or no endpoint.
    """
    options = Options(profile=profile, api_version=call.api_version)
    settings, caller = session.settings_for(options), caller or session.caller(options)
    screen = presenter or SilentPresenter()
    notes = (*notes, *_budget_notes(settings, call))
    if call.is_message:
        message = _message(session, call, caller, screen, options, is_plain=not all_pages and save is None)
        return _with(notes, message)
    sender = EndpointSender(sender=session.sender, settings=settings, caller=caller, presenter=screen)
    if not all_pages:
        return _with(notes, replace(sender, save=save).send(call))
    if save is not None:
        raise CellError("--all gathers a list, and -o path writes one answer as it is. Use -o NAME with --all.")
    if call.method != "GET":
        raise CellError(f"--all follows the pages of a list, which is a GET: {call.method} {call.path}. Leave it out.")

    def send(page: EndpointCall, number: int) -> Exchange:
        return (sender if number == 1 else replace(sender, caller=caller.part(f".{number}"))).send(page)

    return _with(notes, pages_of(call, send))


def _budget_notes(settings: Claude, call: EndpointCall) -> tuple[str, ...]:
    """What to say of a call that may cost money, while there is a budget, which counts messages only.

    Raises:
        OverBudget: It creates a message batch.
    """
    has_budget = settings.budget_usd is not None or settings.budget_usd_per_day is not None
    creates_batch = call.path.rstrip("/") == "/v1/messages/batches"
    is_free = not call.changes or call.is_message or (call.path.startswith(_FREE) and not creates_batch)
    if not has_budget or call.method != "POST" or is_free:
        return ()
    if creates_batch:
        raise OverBudget(
            "a message batch that is posted so is not counted in the budget, and there is one. Nothing was sent. "
            "Use claude.batch(...), which reserves its price, or set the budget to None."
        )
    return ("what this may cost is not counted in the budget",)


def _with(notes: tuple[str, ...], exchange: Exchange) -> Exchange:
    return replace(exchange, notes=(*notes, *exchange.notes)) if notes else exchange


def _message(
    session: Session, call: EndpointCall, caller: Caller, screen: Presenter, options: Options, *, is_plain: bool
) -> Exchange:
    """A message, with its price, budget and stream as every message has them."""
    if call.query or call.upload is not None or not is_plain:
        raise CellError("POST /v1/messages takes a JSON body and headers, no query, file, --all or -o path.")
    body: dict[str, Any] = dict(call.body or {})
    prompt = Prompt(options=options, body=body, headers=call.headers)
    return ask(session.sender, session.settings_for(options), prompt, caller, screen)
