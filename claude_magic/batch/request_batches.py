"""`claude.batch(requests)`: message batches of requests as the API takes them, or of texts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..display.live.batch_status import show
from ..errors import CellError
from ..journal.rows import prompt_text
from ..prompt.options.options import Options
from ..session.model_list import model_id
from ..session.prompt import Prompt
from ..session.session import Session
from ..settings import Claude
from ..wire.message_rules import form_problems
from .estimate import PriceApprover
from .grading import Rubric, grader
from .map import MapOptions, Table, graded_replies
from .map_batches import batch_options, follow_with_grades, resume_of, start_or_replay
from .message_batches.batch import Batch
from .plan_approval import PlanApproval
from .rows import COLUMN, Row

_LABEL = 200  # characters of a prompt that are kept to show it


@dataclass
class _Rows:
    """What is kept of requests that are taken one after another.

    Attributes:
        texts: The prompt of each, or why it is none; whole only if a model grades.
        rows: For a grader; empty if there is none.
    """

    texts: list[str | CellError] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)


def batch_of_requests(
    session: Session, requests: Iterable[Any], how: MapOptions, approver: PriceApprover | None = None
) -> Batch[Any]:
    """The batch that answers `requests`, which may be a generator: they are not held.

    Args:
        approver: Asks the user about a high price; `None` if nobody can be asked.

    Raises:
        CellError: It is no list of requests, or too expensive for the user; nothing was sent.
    """
    if isinstance(requests, str | bytes | Mapping) or not isinstance(requests, Iterable):
        raise CellError(f"claude.batch takes a list of requests or texts, not {type(requests).__name__}.")
    options, kept = batch_options(how), _Rows()
    settings = session.settings_for(options)
    whole = isinstance(how.grade, Rubric)
    grade = None if how.grade is None or whole else grader(how.grade, how.expected, [how.expected], settings=settings)
    prompts = _prompts(requests, options, settings, kept, whole=whole, rows=grade is not None)

    def results(answered: Batch[Any]) -> Any:
        table = Table(rows=kept.rows, shown=kept.rows, texts=kept.texts, grader=grade)
        verdicts = None if answered.grading is None else list(answered.grading)
        session.mapped = replies = graded_replies(table, how, list(answered), verdicts, answered.seconds)
        return replies

    approve = PlanApproval(caller="claude.batch", approver=approver, yes=how.yes)
    batch = start_or_replay(session, options, prompts, resume_of(how, options), results, approve)
    if isinstance(how.grade, Rubric):
        follow_with_grades(session, batch, how, how.grade, kept.texts)
    show(batch)
    return batch


def _prompts(
    requests: Iterable[Any], options: Options, settings: Claude, kept: _Rows, *, whole: bool, rows: bool
) -> Iterator[Prompt | CellError]:
    for number, given in enumerate(requests):
        try:
            prompt, row = _prompt(number, given, options, settings)
        except CellError as error:
            kept.texts.append(error)
            kept.rows += [{}] * rows
            yield error
            continue
        text = prompt_text(prompt.body) if prompt.body is not None else prompt.text
        kept.texts.append(text if whole else text[:_LABEL])
        kept.rows += [{COLUMN: text, **row}] * rows
        yield prompt


def _prompt(number: int, given: Any, options: Options, settings: Claude) -> tuple[Prompt, Row]:
    """The prompt of a request, and what else was given with it.

    Raises:
        CellError: It is no request.
    """
    if isinstance(given, str):
        return Prompt(options=options, text=given), {}
    if not isinstance(given, Mapping):
        raise CellError(f"request {number} is neither a text nor a request, but {type(given).__name__}.")
    body, row = given, {}
    if "params" in given:
        body, row = given["params"], {str(name): value for name, value in given.items() if name != "params"}
    if not isinstance(body, Mapping) or not isinstance(body.get("messages"), Sequence):
        raise CellError(
            f"request {number} has no messages: it looks like {{'messages': [...]}}, or has it in 'params'."
        )
    if wrong := form_problems(body["messages"]):
        raise CellError(f"request {number} cannot be sent: {wrong[0].text}.")
    if isinstance(most := body.get("max_tokens", 1), int) and most < 1:
        raise CellError(f"request {number} has max_tokens {most}, and in a batch that is 1 or more.")
    if body.get("stream"):
        raise CellError(f"request {number} is to be streamed, which a batch cannot. Leave stream out.")
    return Prompt(options=options, body=_body(body, options, settings)), row


def _body(body: Mapping[str, Any], options: Options, settings: Claude) -> dict[str, Any]:
    """A request's body, with model, length and system prompt of the settings where it has none."""
    system = options.system if options.system is not None else settings.system
    defaults = {
        "model": model_id(settings, options.model or settings.model),
        "max_tokens": options.max_tokens or settings.max_tokens,
        **({"system": system} if system else {}),
        **options.body(),
    }
    return {name: value for name, value in {**defaults, **body}.items() if name != "stream"}
