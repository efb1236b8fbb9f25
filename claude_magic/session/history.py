"""From a cell to a question: its text, the turns it spells out, and what its conversation replays."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ..errors import CellError
from ..prompt.options.options import Options
from ..prompt.turns import parse_turns
from ..wire import Block, Exchange
from ..wire.history import History, history, without_thinking
from ..wire.message_places import blocks
from ..wire.message_rules import form_problems
from .conversation import Conversation, Plan, Turn
from .conversations import Conversations
from .prompt import content
from .send import RequestParts, thinking_key

if TYPE_CHECKING:
    from ..prompt.attachments.attach import Attachment

GO_ON = "Go on exactly where you stopped; repeat nothing."
_NOT_REMEMBERED = {
    "refusal": "a refusal is not remembered",
    "tool_use": "a reply that waits for a tool is not remembered",
    "pause_turn": "a paused reply is not remembered",
    "compaction": "a compaction is not remembered",
}


@dataclass(frozen=True, kw_only=True)
class PendingTurn:
    """A question, and where its answer is remembered.

    Attributes:
        conversation: `None` if nothing is remembered.
        before: Blocks of a cut reply that the answer goes on with.
        note: What the reader must know of where the answer is remembered; `""` if nothing.
    """

    cell: str
    question: RequestParts
    conversation: Conversation | None = None
    plan: Plan | None = None
    before: tuple[Block, ...] = ()
    note: str = ""

    def remember(self, exchange: Exchange, said: Sequence[Mapping[str, Any]] = ()) -> Exchange:
        """Add the turn if its reply is whole; the exchange, with what the reader must know of it.

        Args:
            said: Messages between the question and the reply: calls, and their results. If the reply is not whole,
                the turn ends with the last results: what the functions did, they did.
        """
        exchange = replace(exchange, before=self.before)
        if self.conversation is None or self.plan is None:
            return _with_notes(exchange, self.note)
        why = _NOT_REMEMBERED.get(exchange.message.stop_reason or "", "")
        kept, until = None, ""
        if exchange.error is None and not why and not exchange.calls:
            kept = _kept(self.question.new, [*said, {"role": "assistant", "content": exchange.message.content}])
            why = "nothing of this reply can be sent again" if exchange.message.content else ""
        if kept is None:
            kept, until = _kept(self.question.new, _up_to_results(said)), ", up to the last results"
        if kept is None:
            return _with_notes(
                exchange, f"{why}: the conversation is as it was" if why else "the conversation is as it was"
            )
        body = exchange.request.body or {}
        turn = Turn(
            cell=self.cell,
            messages=kept.messages,
            model=str(body.get("model", "")),
            frame=thinking_key(body),
            usage=_sum_usage(each.message.usage for each in (*exchange.earlier, exchange)),
        )
        try:
            self.conversation.add(self.plan, turn)
        except CellError as error:
            return _with_notes(exchange, str(error))
        told = f"conversation {self.conversation.name}, turn {len(self.conversation)}{until}"
        left_out = f"left out or changed, for the API would refuse it: {'; '.join(kept.notes)}" if kept.notes else ""
        return _with_notes(exchange, told, left_out, self.plan.note)


def _sum_usage(several: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """The tokens of several requests together."""
    found: Counter[str] = Counter()
    for usage in several:
        found.update({name: count for name, count in usage.items() if type(count) is int})
    return dict(found)


def _kept(new: Sequence[Mapping[str, Any]], said: Sequence[Mapping[str, Any]]) -> History | None:
    """What is remembered of a question and of what was said after it; `None` if nothing of the latter can be."""
    kept = history([*new, *said], closed=True)
    return kept if len(kept.messages) > len(history(new, closed=True).messages) else None


def _up_to_results(said: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The messages up to the last one of ours, after which every call is answered."""
    ours = [number for number, message in enumerate(said, 1) if message["role"] == "user"]
    return list(said[: ours[-1]]) if ours else []


def plan_turn(
    options: Options,
    text: str,
    cell: str,
    attached: tuple[Attachment, ...] = (),
    *,
    conversations: Conversations,
    default: str,
    cut: Callable[[str], Exchange | None],
) -> PendingTurn:
    """What `text` and `options` ask.

    Args:
        cell: Which cell asks.
        attached: What goes with the text.
        default: Name of the conversation that a cell continues by itself; `""` for none.
        cut: From the asking cell to the exchange that `--finish` goes on with.

    Raises:
        CellError: There is nothing to send.
    """
    name = default if options.conversation is None else options.conversation
    conversation = conversations.open(name) if name else None
    if options.finish:
        return _finish_reply(text, cell, conversation, cut(cell))
    system, new = parse_turns(text) if options.turns else (None, [{"role": "user", "content": text}])
    _attach(new, attached)
    question = RequestParts(new=new, system=system)
    if conversation is None:
        return PendingTurn(cell=cell, question=question)
    plan = Plan(kept=(), replaces=len(conversation) > 0) if options.fresh else conversation.plan(cell)
    question = replace(question, replayed=plan.messages)
    return PendingTurn(cell=cell, question=question, conversation=conversation, plan=plan)


def _finish_reply(text: str, cell: str, conversation: Conversation | None, cut: Exchange | None) -> PendingTurn:
    partial = _text_to_go_on_with(cut)
    assert cut is not None  # noqa: S101  it has text
    before = (*cut.before, *partial)
    user = {"role": "user", "content": text if text.strip() else GO_ON}
    plan = conversation.plan(cell) if conversation is not None else None
    if plan is not None and plan.kept and partial == _last_text(plan.kept[-1].messages):
        question = RequestParts(new=[user], replayed=plan.messages)
        return PendingTurn(cell=cell, question=question, conversation=conversation, plan=plan, before=before)
    question = RequestParts(new=[user], replayed=_replay_of(cut, partial))
    note = f"not remembered: conversation {conversation.name} ends otherwise" if conversation is not None else ""
    return PendingTurn(cell=cell, question=question, before=before, note=note)


def _replay_of(cut: Exchange, partial: Sequence[Block]) -> Callable[[str], list[Any]]:
    """What a request replays to go on with a reply: what it was asked with, and its text."""
    body = cut.request.body or {}
    said = [*(body.get("messages") or ()), {"role": "assistant", "content": list(partial)}]
    for problem in form_problems(said):
        raise CellError(f"--finish: the messages of the last request cannot be sent again: {problem.text}.")
    bound_to = thinking_key(body)
    return lambda found: said if found == bound_to else list(without_thinking(said))


def _text_to_go_on_with(cut: Exchange | None) -> list[Block]:
    """The text of the reply that is to be gone on with.

    Raises:
        CellError: There is none.
    """
    if cut is None:
        raise CellError("--finish: there is no reply to go on with. Ask something first.")
    if cut.message.stop_reason == "refusal":
        raise CellError("--finish: the last reply was refused, and asking for its rest is refused too. Ask otherwise.")
    found = _text_blocks(cut.message.content)
    if not found and cut.message.stop_reason in ("max_tokens", "model_context_window_exceeded"):
        raise CellError("--finish: the last reply was cut before its first word. Raise -t, and run its cell again.")
    if not found:
        raise CellError("--finish: there is no reply to go on with: the last one holds no text. Ask again.")
    return found


def _last_text(messages: Sequence[Mapping[str, Any]]) -> list[Block]:
    replies = [message["content"] for message in messages if message["role"] == "assistant"]
    return _text_blocks(blocks(replies[-1])) if replies else []


def _text_blocks(content: Sequence[Mapping[str, Any]]) -> list[Block]:
    """Its text, as a later request may replay it."""
    return [dict(b) for b in content if b.get("type") == "text" and str(b.get("text") or "").strip()]


def _attach(messages: list[dict[str, Any]], attached: tuple[Attachment, ...]) -> None:
    """Put what is attached before the text of the last user message."""
    last = next(message for message in reversed(messages) if message["role"] == "user")
    last["content"] = content(last["content"], attached)
    if not last["content"] or not (attached or last["content"].strip()):
        raise CellError("the cell is empty: there is nothing to send. Write the message in the lines below %%claude.")


def _with_notes(exchange: Exchange, *notes: str) -> Exchange:
    return replace(exchange, notes=(*exchange.notes, *filter(None, notes)))
