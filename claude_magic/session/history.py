"""What goes before a prompt, and where its reply is remembered: a conversation, or the cut reply that it continues."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..errors import CellError
from ..wire import Block, Exchange
from ..wire.history import History, history
from ..wire.message_places import blocks
from ..wire.message_rules import form_problems
from .conversation import Conversation, ConversationTurn, Plan
from .prompt import Message, Prompt
from .prompt_cache import unmarked
from .request import thinking_key

CONTINUE = "Go on exactly where you stopped; repeat nothing."
_NOT_REMEMBERED = {
    "refusal": "a refusal is not remembered",
    "tool_use": "a reply that waits for a tool is not remembered",
    "pause_turn": "a paused reply is not remembered",
    "compaction": "a compaction is not remembered",
}


@dataclass(frozen=True, kw_only=True)
class Memory:
    """Where the reply to a prompt is remembered.

    Attributes:
        cell: The cell that sends it; `""` if none does.
        conversation: `None` if it is not remembered.
        plan: How the conversation changes when the reply is added.
        before: Blocks of a cut reply that the reply continues.
        note: A note for the user on where it is remembered; `""` if none.
    """

    cell: str = ""
    conversation: Conversation | None = None
    plan: Plan | None = None
    before: tuple[Block, ...] = ()
    note: str = ""

    def remember(self, prompt: Prompt, exchange: Exchange, later: Sequence[Message] = ()) -> Exchange:
        """Adds the turn if its reply is complete.

        Args:
            later: Messages between the prompt and the reply: calls and their results. If the reply is incomplete,
                the turn ends with the last results, since the functions did run.

        Returns:
            The exchange, with notes on what was remembered.
        """
        exchange = replace(exchange, before=self.before)
        if self.conversation is None or self.plan is None:
            return exchange.with_notes(self.note)
        why = _NOT_REMEMBERED.get(exchange.message.stop_reason or "", "")
        valid, until = None, ""
        if exchange.error is None and not why and not exchange.calls:
            valid = _valid(prompt.own, [*later, {"role": "assistant", "content": exchange.message.content}])
            why = "nothing of this reply can be sent again" if exchange.message.content else ""
        if valid is None:
            valid, until = _valid(prompt.own, _until_results(later)), ", up to the last results"
        if valid is None:
            return exchange.with_notes(
                f"{why}: the conversation is as it was" if why else "the conversation is as it was"
            )
        return self._add(self.conversation, self.plan, exchange, valid, until)

    def _add(self, conversation: Conversation, plan: Plan, exchange: Exchange, valid: History, until: str) -> Exchange:
        body = exchange.request.body or {}
        turn = ConversationTurn(
            cell=self.cell or os.urandom(16).hex(),
            messages=valid.messages,
            model=str(body.get("model", "")),
            frame=thinking_key(body),
            usage=_sum_usage(each.message.usage for each in (*exchange.earlier, exchange)),
        )
        try:
            conversation.add(plan, turn)
        except CellError as error:
            return exchange.with_notes(str(error))
        place = f"conversation {conversation.name}, turn {len(conversation)}{until}"
        left_out = (
            f"left out or changed, because the API would refuse it: {'; '.join(valid.notes)}" if valid.notes else ""
        )
        return exchange.with_notes(place, left_out, plan.note)


def recall(
    prompt: Prompt, cell: str, conversation: Conversation | None, last: Exchange | None
) -> tuple[Prompt, Memory]:
    """The prompt with what goes before it, and where its reply is remembered.

    Args:
        cell: The cell that sends it; `""` if none does.
        conversation: The conversation that it continues; `None` for none.
        last: The exchange that `--finish` continues.

    Raises:
        CellError: There is nothing to send.
    """
    if prompt.options.finish:
        return _finish(prompt, cell, conversation, last)
    if conversation is None:
        return prompt, Memory(cell=cell)
    plan = conversation.plan_anew() if prompt.options.fresh else conversation.plan(cell)
    return replace(prompt, earlier=plan.turns), Memory(cell=cell, conversation=conversation, plan=plan)


def _finish(
    prompt: Prompt, cell: str, conversation: Conversation | None, last: Exchange | None
) -> tuple[Prompt, Memory]:
    """As `recall`, for a prompt that continues a cut reply."""
    if prompt.options.turns:
        raise CellError("--finish continues one reply: leave --turns out.")
    partial = _text_to_continue(last)
    assert last is not None  # noqa: S101  it has text
    before = (*last.before, *partial)
    prompt = prompt if prompt.text.strip() else replace(prompt, text=CONTINUE)
    plan = conversation.plan(cell) if conversation is not None else None
    if plan is not None and plan.turns and partial == _last_text(plan.turns[-1].messages):
        memory = Memory(cell=cell, conversation=conversation, plan=plan, before=before)
        return replace(prompt, earlier=plan.turns), memory
    note = f"not remembered: conversation {conversation.name} ends otherwise" if conversation is not None else ""
    return replace(prompt, earlier=(_as_turn(last, partial),)), Memory(cell=cell, before=before, note=note)


def _as_turn(cut: Exchange, partial: Sequence[Block]) -> ConversationTurn:
    """A cut exchange, with all messages that it was sent with and the text of its reply."""
    body = cut.request.body or {}
    if "prompt" in body:
        raise CellError("--finish: the last reply was a text completion. Put it after Assistant: and send that again.")
    messages = [*unmarked(body.get("messages") or []), {"role": "assistant", "content": list(partial)}]
    for problem in form_problems(messages):
        raise CellError(f"--finish: the messages of the last request cannot be sent again: {problem.text}.")
    return ConversationTurn(cell="", messages=tuple(messages), frame=thinking_key(body))


def _text_to_continue(cut: Exchange | None) -> list[Block]:
    """The text of the reply to continue.

    Raises:
        CellError: There is none.
    """
    if cut is None:
        raise CellError("--finish: there is no reply to go on with. Ask something first.")
    if cut.message.stop_reason == "refusal":
        raise CellError("--finish: the last reply was refused, and asking for its rest is refused too. Ask otherwise.")
    text = _text_blocks(cut.message.content)
    if not text and cut.message.stop_reason in ("max_tokens", "model_context_window_exceeded"):
        raise CellError("--finish: the last reply was cut before its first word. Raise -t, and run its cell again.")
    if not text:
        raise CellError("--finish: there is no reply to go on with: the last one holds no text. Ask again.")
    return text


def _last_text(messages: Sequence[Message]) -> list[Block]:
    replies = [message["content"] for message in messages if message["role"] == "assistant"]
    return _text_blocks(blocks(replies[-1])) if replies else []


def _text_blocks(content: Sequence[Mapping[str, Any]]) -> list[Block]:
    """The text blocks, as a later request may replay them."""
    return [dict(b) for b in content if b.get("type") == "text" and str(b.get("text") or "").strip()]


def _sum_usage(several: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """The tokens of several requests together."""
    total: Counter[str] = Counter()
    for usage in several:
        total.update({name: count for name, count in usage.items() if type(count) is int})
    return dict(total)


def _valid(own: Sequence[Message], later: Sequence[Message]) -> History | None:
    """What the API accepts of a prompt's messages and those after them; `None` if none of the latter."""
    valid = history([*own, *later], closed=True)
    return valid if len(valid.messages) > len(history(own, closed=True).messages) else None


def _until_results(later: Sequence[Message]) -> list[Message]:
    """The messages up to the last one of the user, after which every call has a result."""
    users = [number for number, message in enumerate(later, 1) if message["role"] == "user"]
    return list(later[: users[-1]]) if users else []
