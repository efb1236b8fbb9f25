"""From a prompt to a request: settings, options, history and provider become the API's JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..api import credentials
from ..api.accumulator import Accumulator
from ..api.endpoints.messages import messages
from ..api.interrupt import Interrupt
from ..api.mcp_tokens import refuse_tokens
from ..api.provider import Provider
from ..errors import CellError, SettingsError
from ..prompt.attachments.limits import check_size
from ..settings import Claude
from ..wire import Request
from ..wire.history import history
from ..wire.message_rules import problems, takes_prefill
from ..wire.request import json_text
from .completion import completion
from .model_list import family_models, model_id
from .prompt import Message, Prompt
from .prompt_cache import unmarked, with_marks
from .provider import find_provider, is_local, local_unstarted, offline_providers, shown_cloud


def build_request(settings: Claude, provider: Provider, prompt: Prompt) -> Request:
    """The request that sends `prompt`.

    Raises:
        CellError: It cannot be sent, such as for a key in it.
    """
    if prompt.has_pending_files:
        raise CellError(
            "a file is not uploaded yet, so the request cannot be written. Run it as a cell, without --show."
        )
    options = prompt.options
    model = model_id(settings, model_name(settings, provider, prompt))
    system = next((s for s in (prompt.system, options.system, settings.system) if s is not None), "")
    fields = {**({"system": system} if system else {}), **options.body()}
    all_messages = _messages(prompt, {**fields, "model": model})
    max_tokens = settings.max_tokens
    if provider.local:
        from . import local_model

        fields, all_messages = local_model.adapt(fields, all_messages)
        max_tokens = local_model.max_tokens(settings, local=True)
    version = options.api_version or settings.api_version
    headers = {**prompt.headers, **options.header}
    new = {"messages": prompt.new} if prompt.body is None or prompt.continues_body else {}
    _refuse_keys(
        {**fields, "model": model, **(prompt.body or {}), **new},
        [version, *headers.values()],
        provider,
    )
    request = (
        completion(settings, options, prompt.text, provider, model=model)
        if options.legacy
        else messages(
            base_url=provider.base_url,
            api_version=version,
            model=model,
            max_tokens=max_tokens if options.max_tokens is None else options.max_tokens,
            messages=list(all_messages),
            stream=settings.stream if options.stream is None else options.stream,
            fields=fields,
            headers=headers,
        )
    )
    body = request.body if prompt.body is None else prompt.body
    if prompt.continues_body:
        body = {**(body or {}), "messages": list(all_messages)}
    request = replace(request, files=prompt.files, body=body)
    if options.cache and not provider.local:
        marked = with_marks(request.body or {}, prompt.previous, options.cache)
        if provider.platform is not None and "cache_diagnostics" in provider.platform.data.lacks:
            del marked["diagnostics"]
        request = replace(request, body=marked)
    if options.openai:
        from ..export.openai.request import openai_request

        request = openai_request(request)
    check_size(request.content)
    return provider.address(request)


def offline_requests(settings: Claude, prompt: Prompt, *, sends: bool) -> Iterator[Request]:
    """The requests that the prompt may have become when it was recorded; nothing is sent for them.

    Args:
        sends: Whether it is sent if it is not recorded.
    """
    for provider in offline_providers(settings, sends=sends):
        if provider.local and prompt.options.legacy:  # it has no such endpoint
            continue
        yield build_request(settings, provider, prompt)
        if not sends:  # a family may have had another newest model then
            for model in family_models(settings, model_name(settings, provider, prompt))[1:]:
                yield build_request(settings, provider, replace(prompt, options=replace(prompt.options, model=model)))


def model_name(settings: Claude, provider: Provider, prompt: Prompt) -> str:
    """The model that a prompt asks for, or the name of its family."""
    return prompt.options.model or provider.model or settings.model


def preview_request(settings: Claude, prompt: Prompt) -> Request:
    """The request as it would be sent, as far as that is known without a key."""
    if (cloud := shown_cloud(settings)) is not None:
        return build_request(settings, cloud, prompt)
    try:
        target = local_unstarted(settings) if is_local(settings) else find_provider(settings, waiting(), Interrupt())
    except SettingsError:
        return next(offline_requests(settings, prompt, sends=True))
    return build_request(settings, target, prompt)


def waiting(model: str = "") -> Accumulator:
    """An accumulator before its request is known."""
    return Accumulator(Request(method="POST", url="", body={"model": model} if model else None))


def thinking_key(body: Mapping[str, Any]) -> str:
    """What thinking blocks are bound to: a digest of model, system prompt and tools."""
    from .conversation_files import digest

    return digest(body.get("model"), unmarked(body.get("system")), unmarked(body.get("tools")))


def refuse_turns(body: Mapping[str, Any], option: str = "--turns") -> None:
    """Refuses turns written by hand that the API would refuse.

    Args:
        option: The option that has them read, for the message.

    Raises:
        CellError: There is one; nothing was sent.
    """
    all_messages, model = body["messages"], str(body["model"])
    if all_messages[-1]["role"] == "assistant" and not takes_prefill(model):
        raise CellError(
            f"{option}: {model} refuses a prefilled reply, and the last turn is assistant:. Nothing was sent: "
            "end with a user turn, or ask a model up to 4.5, such as claude-haiku-4-5."
        )
    for problem in problems(all_messages, model=model, thinking=body.get("thinking")):
        raise CellError(f"{option}: the API would refuse these turns: {problem.text.rstrip('.')}. Nothing was sent.")


def _messages(prompt: Prompt, fields: Mapping[str, Any]) -> Sequence[Message]:
    """The messages of a request: those of the conversation, of the prompt, and of its turn so far."""
    before: list[Message] = []
    if prompt.earlier:
        from .conversation import messages_of

        before = messages_of(prompt.earlier, thinking_key(fields))
    all_messages = history([*before, *prompt.own, *prompt.later]).messages
    if not all_messages and prompt.body is None:
        raise CellError("the message is empty: there is nothing to send.")
    return all_messages


def _refuse_keys(fields: Mapping[str, Any], headers: Sequence[str], provider: Provider) -> None:
    """Refuses a key in what this cell adds; what is replayed was checked when it was first sent."""
    try:
        text = json_text(fields)
    except ValueError as error:
        raise CellError(f"the request is not JSON: {error}. Look at --param.") from None
    credentials.refuse_keys("\n".join((text, *headers)), provider.credential, *credentials.in_use())
    refuse_tokens(fields)
