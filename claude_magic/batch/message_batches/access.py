"""What batches need from a session: the endpoint, the journal, the budget, and requests for prompts."""

from __future__ import annotations

from dataclasses import dataclass

from ...api.client import Client
from ...api.connect import connect
from ...api.endpoints.batches import Batches
from ...api.interrupt import Interrupt
from ...api.provider import Provider
from ...api.transports.network import Pool
from ...errors import CellError, NotRecorded, SettingsError
from ...journal.batches import BatchJournal
from ...prompt.options.options import Options
from ...session.ledger import Caller, Ledger
from ...session.model_list import list_for_alias
from ...session.notebook import Changes
from ...session.prompt import Prompt
from ...session.provider import find_provider, is_local, unsigned_provider
from ...session.request import build_request, waiting
from ...session.session import Session
from ...settings import Claude
from ...wire import Request


@dataclass(frozen=True, kw_only=True)
class Access:
    """An endpoint with batches, and what is kept of them.

    Attributes:
        client: Tries again what can be tried again.
        once: Sends a request at most once.
        changes: Asks before something is deleted; `None` if nobody can be asked.
    """

    settings: Claude
    ledger: Ledger
    provider: Provider
    caller: Caller
    client: Client
    once: Client
    requests: Batches
    journal: BatchJournal
    changes: Changes | None

    def request(self, prompt: Prompt) -> Request:
        """The request for a message that `prompt` becomes.

        Raises:
            CellError: It cannot be sent.
        """
        return build_request(self.settings, self.provider, prompt)


def access(session: Session, options: Options) -> Access:
    """What is needed to create and watch batches.

    Raises:
        CellError: The local model answers, which has no batches.
        NotRecorded: Only recorded answers are given.
        SettingsError: There is no key, no endpoint or no journal.
    """
    settings, ledger = session.settings_for(options), session.ledger
    if ledger.replays.never_sends(settings):
        raise NotRecorded("nothing is sent while only recorded answers are given: batches need the endpoint.")
    if is_local(settings):
        raise CellError("the local model has no batches. Leave batch out, or set a key: nothing was sent.")
    platform = unsigned_provider(settings).platform
    if platform is not None:
        platform.require("batches")
    journal = ledger.journal(settings)
    if journal is None:
        raise SettingsError(
            "a batch needs the journal, in which its id is kept so that nothing is paid twice, and Claude.journal is "
            "''. Set it to None, or to a path. Nothing was sent."
        )
    interrupt, pool = Interrupt(), session.sender.connections()
    target = find_provider(settings, waiting(), interrupt)
    client = _client(settings, target, pool, interrupt)
    list_for_alias(client, target, settings, options.model or settings.model)
    once = Claude(connect_timeout=settings.connect_timeout, timeout=settings.timeout, max_retries=0)
    return Access(
        settings=settings,
        ledger=ledger,
        provider=target,
        caller=session.caller(options),
        client=client,
        once=_client(once, target, pool, interrupt),
        requests=Batches(
            base_url=target.base_url,
            api_version=options.api_version or settings.api_version,
            headers={name.lower(): value for name, value in options.header.items()},
        ),
        journal=BatchJournal(journal),
        changes=session.changes,
    )


def _client(settings: Claude, target: Provider, pool: Pool, interrupt: Interrupt) -> Client:
    return connect(settings, target, pool=pool, interrupt=interrupt)
