"""A workbench's form as a cell: read back as IPython and `%%claude` read it, it asks the same."""

from __future__ import annotations

import ast
import contextlib
from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st
from IPython.core.inputtransformer2 import TransformerManager

from claude_magic.display.workbench.form import Form
from claude_magic.errors import CellError
from claude_magic.magics.claude import ClaudeHandle
from claude_magic.magics.workbench.workbench import _SessionActions
from claude_magic.prompt.last_error import LastError
from claude_magic.prompt.options.formatter import format_line
from claude_magic.prompt.options.parser import parse_line
from claude_magic.prompt.turns import format_turns, parse_turns
from claude_magic.session.prompt import Prompt, build_prompt
from claude_magic.session.request import preview_request

NAMESPACE: dict[str, Any] = {"city": "Lisbon", "d": {"a": [1, 2]}, "braces": "{{city}} \\ user:\nassistant: x", "n": 3}
PIECES = [
    "{{city}}",
    "{{ n }}",
    '{{d["a"]}}',
    "{{braces}}",
    "\\{{city}}",
    "{{{x}}}",
    "\n",
    "\\",
    "user:",
    "\nuser: ",
    "'",
]
PIECES += [
    '"',
    " ",
    "-m",
    "--stop",
    "%%claude",
    "?",
    "!ls",
    "\u2028",
    "\x0c",
    "\t",
    "ä",
    "😀",
    "{",
    "}}",
    "$x",
    "\\alpha_{{n}}",
]
text = st.lists(
    st.one_of(st.sampled_from(PIECES), st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=6)),
    max_size=6,
).map("".join)
said = text.map(lambda t: t if t.strip() else f"Hi{t}")
turns = st.lists(st.tuples(st.sampled_from(["user", "assistant"]), said), max_size=3)
forms = st.builds(
    Form,
    model=st.sampled_from(["claude-haiku-5-5", "my model", "it's", "-m"]),
    max_tokens=st.integers(1, 9999).map(str),
    system=st.one_of(st.just(""), text),
    temperature=st.sampled_from(["", "0", "0.5"]),
    top_p=st.sampled_from(["", "0.9"]),
    top_k=st.sampled_from(["", "40"]),
    stop=st.lists(text.filter(bool), max_size=3).map(tuple),
    thinking=st.booleans(),
    effort=st.sampled_from(["", "low"]),
    turns=st.tuples(said, turns).map(lambda each: (("user", each[0]), *each[1])),
    fields=st.dictionaries(st.sampled_from(["city", "n"]), text, max_size=2),
)


def body_of(desk: ClaudeHandle, options: Any, text: str) -> Any:
    settings = desk.session.settings_for(options)
    prompt, _ = desk.session.recall(Prompt(options=options, text=text), settings, "cell")
    return preview_request(settings, prompt).body


def body_of_cell(desk: ClaudeHandle, source: str) -> Any:
    """As a kernel does it: IPython makes a call of the cell, and the magic reads its line and its text."""
    call = ast.parse(TransformerManager().transform_cell(source).strip()).body[0]
    assert isinstance(call, ast.Expr)
    assert isinstance(call.value, ast.Call)
    name, first, below = (ast.literal_eval(argument) for argument in call.value.args)
    assert name == "claude"
    below = below if source.endswith(below) else below.removesuffix("\n")
    options, _ = parse_line(first, text_follows=False)
    cell = build_prompt(
        options,
        first,
        below,
        namespace=NAMESPACE,
        snippets=desk.snippets,
        last_error=LastError(),
        settings=desk.settings,
    )
    return body_of(desk, cell.options, cell.text)


@settings(max_examples=3 * settings.default.max_examples)
@given(form=forms, system=st.sampled_from(["", "By itself."]), conversation=st.sampled_from(["", "main"]))
def test_the_cell_of_any_form_asks_what_the_form_asks(form: Form, system: str, conversation: str) -> None:
    desk = ClaudeHandle()
    desk.settings.provider, desk.settings.system = "anthropic", system
    desk.settings.conversation = conversation
    rooms = _SessionActions(session=desk.session, namespace=NAMESPACE, name="bench")
    wanted = source = None
    with contextlib.suppress(CellError):  # what is not sent, such as a missing variable or an empty turn
        prompt = rooms._prompt(form)
        wanted = body_of(desk, prompt.options, prompt.text)
    if wanted is not None:
        with contextlib.suppress(CellError):
            source = rooms._cell(form)
    if source is not None:
        assert body_of_cell(desk, source) == wanted
    event("asked the same" if source else "cannot be written" if wanted else "is not sent")


def test_only_backslashes_before_braces_cannot_be_written() -> None:
    rooms = _SessionActions(session=ClaudeHandle().session, namespace=NAMESPACE, name="bench")
    with pytest.raises(CellError, match="cannot be written as a cell"):
        rooms._cell(Form(turns=(("user", "{{city}}"),), fields={"city": "\\{{n}}"}))
    assert rooms._cell(Form(turns=(("user", "{{city}}"),), fields={"city": "{{n}} {{d.a}}"})).endswith(
        "\\{{n}} \\{{d.a}}"
    )


@given(st.lists(st.tuples(st.sampled_from(["user", "assistant"]), said), min_size=1, max_size=5))
def test_turns_that_are_spelled_out_are_read_as_they_were(turns: list[tuple[str, str]]) -> None:
    turns = [("user", "Begin."), *turns]
    messages = [{"role": role, "content": words.strip()} for role, words in turns]
    assert parse_turns(format_turns(turns)) == (None, messages)


def test_a_backslash_makes_text_of_a_marker() -> None:
    assert parse_turns("user: one\n\\assistant: two\n\\\\user: three")[1] == [
        {"role": "user", "content": "one\nassistant: two\n\\user: three"}
    ]


def test_a_line_end_cannot_stand_on_the_first_line() -> None:
    with pytest.raises(CellError, match="a line end cannot stand on the first line"):
        format_line([("-m", "a\u2028b")])


def test_a_question_with_a_default_conversation_stands_alone() -> None:
    desk = ClaudeHandle()
    desk.settings.conversation = "main"
    rooms = _SessionActions(session=desk.session, namespace={}, name="bench")
    options = rooms._prompt(Form(turns=(("user", "Hello"),))).options
    assert options.conversation == ""
    assert rooms._cell(Form(turns=(("user", "Hello"),))) == "%%claude -c ''\nHello"
