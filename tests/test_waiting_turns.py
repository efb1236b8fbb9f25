"""Turns that wait for approval: each cell keeps its own, in any order, and over a restart of the kernel."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.notebook_kernel import Kernel, Ran
from tests.server import Server, reply
from tests.test_tool_approval import PAY
from tests.test_tools import defined, html, results, sent
from tests.tool_streams import asks
from tests.workbench_front import Front


@pytest.fixture
def paying(kernel: Kernel) -> Kernel:
    """A kernel with a function that is asked about before it runs."""
    defined(kernel, PAY)
    return kernel


def pay(kernel: Kernel, amount: int, cell: str = "", options: str = "--tools pay -o said") -> str:
    """Run a cell whose call waits; the name under which it does."""
    ran = kernel.run(f"%%claude {options}\nPay {amount}.", asks=True, cell_id=cell or f"cell-{amount}")
    assert ran.error is None, ran.error
    return name_in(ran)


def name_in(ran: Ran) -> str:
    found = re.findall(r"%claude --approve (\w+) (?:runs|sends)", html(ran))
    assert found, html(ran)
    return str(found[-1])


def restart(kernel: Kernel, before: str = PAY) -> None:
    """Restart the kernel, and run `before`."""
    kernel.restart()
    ran = kernel.run(f"%load_ext claude_magic\nfrom claude_magic import claude\n{before}")
    assert ran.error is None, ran.error


def told(ran: Ran) -> str:
    """The one line of an error."""
    assert ran.error is not None
    assert "\n" not in ran.error[1]
    return str(ran.error[1])


def asked_amounts(endpoint: Server, number: int = -1) -> list[Any]:
    """The arguments of the calls in the messages of a request."""
    blocks = [b for m in sent(endpoint, number) if m["role"] == "assistant" for b in m["content"]]
    return [block["input"]["amount"] for block in blocks if block["type"] == "tool_use"]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_two_cells_wait_beside_each_other_and_are_answered_in_any_order(
    order: tuple[int, int], paying: Kernel, endpoint: Server
) -> None:
    endpoint.answers(asks(("pay", {"amount": 5})), asks(("pay", {"amount": 6})), reply("First."), reply("Second."))
    names = [pay(paying, 5), pay(paying, 6)]
    assert paying.value("len(claude.waiting)") == 2
    for position, chosen in enumerate(order):
        ran = paying.run(f"%claude --approve {names[chosen]}", asks=True)
        assert ran.error is None, ran.error
        assert asked_amounts(endpoint) == [5 + chosen]
        assert ("First.", "Second.")[position] in html(ran)
    assert paying.value("ran") == [[5 + each, "nobody"] for each in order]
    assert paying.value("claude.waiting is None")


def test_without_a_name_those_that_wait_are_listed_and_none_is_decided(paying: Kernel, endpoint: Server) -> None:
    endpoint.answers(asks(("pay", {"amount": 5})), asks(("pay", {"amount": 6})), reply("Done."))
    names = [pay(paying, 5), pay(paying, 6)]
    for line in ("%claude --approve", "%claude --refuse", '%claude --approve {"amount": 1}'):
        ran = paying.run(line, asks=True)
        assert "2 turns wait" in told(ran)
        assert all(f"{name} (" in told(ran) for name in names)
        assert "pay(amount=6)" in told(ran)
        assert all(text in html(ran) for text in ("Pay 5.", "pay(amount=5)", *names))
    assert paying.value("ran") == []
    assert len(endpoint.received) == 2
    assert paying.run(f"%claude --refuse {names[0]} too much", asks=True).error is None
    assert results(endpoint) == [("toolu_0", "The user refused this call: too much.", True)]
    endpoint.answers(reply("Done."))
    assert paying.run("%claude --approve", asks=True).error is None  # the only one left
    assert paying.value("ran") == [[6, "nobody"]]


def test_a_name_may_be_followed_by_other_arguments(paying: Kernel, endpoint: Server) -> None:
    endpoint.answers(asks(("pay", {"amount": 500})), asks(("pay", {"amount": 6})), reply("Done."))
    first, _ = pay(paying, 500), pay(paying, 6)
    assert paying.run(f'%claude --approve {first} {{"amount": 5}}', asks=True).error is None
    assert paying.value("ran") == [[5, "nobody"]]


def test_an_unknown_name_decides_nothing_and_says_what_waits(paying: Kernel, endpoint: Server) -> None:
    endpoint.answers(asks(("pay", {"amount": 5})), reply("Done."))
    name = pay(paying, 5)
    for line in ("%claude --approve 99999", "%claude --refuse 99999", "%claude --approve w7"):
        assert f"these still wait: {name} (" in told(paying.run(line, asks=True))
    assert paying.run("%claude --refuse 3 euros are too much", asks=True).error is None
    assert results(endpoint) == [("toolu_0", "The user refused this call: 3 euros are too much.", True)]


def test_the_same_cell_replaces_only_its_own(paying: Kernel, endpoint: Server) -> None:
    endpoint.answers(*(asks(("pay", {"amount": each})) for each in (5, 6, 7)), reply("Done."), reply("Done."))
    old, other = pay(paying, 5, "a"), pay(paying, 6, "b")
    new = pay(paying, 7, "a")
    assert paying.value("[each.name for each in claude.waiting]") == [other, new]
    assert "these still wait" in told(paying.run(f"%claude --approve {old}", asks=True))
    assert paying.run(f"%claude --approve {new}", asks=True).error is None
    assert paying.run(f"%claude --approve {other}", asks=True).error is None
    assert paying.value("ran") == [[7, "nobody"], [6, "nobody"]]


def test_several_turns_of_one_cell_all_wait(paying: Kernel, endpoint: Server) -> None:
    endpoint.answers(asks(("pay", {"amount": 5})), asks(("pay", {"amount": 6})), reply("Done."))
    paying.run("%claude --tools pay Pay 5.\n%claude --tools pay Pay 6.", asks=True, cell_id="a")
    assert paying.value("[c.arguments['amount'] for each in claude.waiting for c in each.calls]") == [5, 6]


def test_a_turn_that_waits_again_stays_beside_the_others(paying: Kernel, endpoint: Server) -> None:
    endpoint.answers(asks(("pay", {"amount": 5})), asks(("pay", {"amount": 6})), asks(("pay", {"amount": 50})))
    first, second = pay(paying, 5), pay(paying, 6)
    again = name_in(paying.run(f"%claude --approve {first}", asks=True))
    assert paying.value("sorted(each.name for each in claude.waiting)") == sorted([second, again])


def test_buttons_of_two_cells_are_pressed_in_any_order(paying: Kernel, endpoint: Server) -> None:
    endpoint.answers(asks(("pay", {"amount": 5})), asks(("pay", {"amount": 6})), reply("Six."), reply("Five."))
    pay(paying, 5), pay(paying, 6)
    press = (
        "import ipywidgets\n"
        "[w for w in ipywidgets.widgets.widget._instances.values()"
        " if isinstance(w, ipywidgets.Button) and w.description == 'Run'][-1].click()"
    )
    for expected in ([[6, "nobody"]], [[6, "nobody"], [5, "nobody"]]):
        assert paying.run(press).error is None
        assert paying.value("ran") == expected
    assert paying.value("claude.waiting is None")


def test_run_stands_out_and_refuse_all_refuses_each_with_its_reason(paying: Kernel, endpoint: Server) -> None:
    endpoint.answers(asks(("pay", {"amount": 5}), ("pay", {"amount": 6})), reply("I see."))
    front = Front(paying)
    for _, message in paying.run("%%claude --tools pay\nPay.", asks=True).messages:
        front._take(message)
    buttons = [state for state in front.states.values() if state["_model_name"] == "ButtonModel"]
    assert {b["description"] for b in buttons if b["button_style"] == "primary"} == {"Run", "Run all"}
    others = {"Refuse", "Refuse all", "Edit arguments", "Open in workbench"}
    assert {b["description"] for b in buttons if not b["button_style"]} == others
    reason = next(name for name, state in front.states.items() if state["_model_name"] == "TextModel")
    front._say(reason, {"method": "update", "state": {"value": "never"}, "buffer_paths": []})
    refuse_all = next(name for name, state in front.states.items() if state.get("description") == "Refuse all")
    front._say(refuse_all, {"method": "custom", "content": {"event": "click"}})
    assert paying.value("ran") == []
    assert sorted(text for _, text, _ in results(endpoint)) == [
        "The user refused this call.",
        "The user refused this call: never.",
    ]


def test_after_a_restart_the_turn_goes_on(paying: Kernel, endpoint: Server) -> None:
    endpoint.answers(asks(("pay", {"amount": 5}), text="I pay."), reply("Done."))
    name = pay(paying, 5, options="--tools pay -o said -t 77 --system Brief.")
    restart(paying)
    assert paying.value("[each.name for each in claude.waiting]") == [name]
    ran = paying.run(f"%claude --approve {name}", asks=True)
    assert ran.error is None, ran.error
    assert all(text in html(ran) for text in ("I pay.", "Done."))
    assert paying.value("ran") == [[5, "nobody"]]
    assert paying.value("said") == "Done."
    first, second = (each.json for each in endpoint.received)
    assert {**second, "messages": second["messages"][:1]} == first
    assert results(endpoint) == [("toolu_0", "paid 5 to nobody", False)]
    assert "nothing waits" in told(paying.run("%claude --approve", asks=True))
    assert len(endpoint.received) == 2


def test_after_a_restart_the_only_one_needs_no_name_and_may_be_refused_or_edited(
    paying: Kernel, endpoint: Server
) -> None:
    endpoint.answers(asks(("pay", {"amount": 5})), reply("I see."), asks(("pay", {"amount": 500})), reply("Done."))
    pay(paying, 5)
    restart(paying, "")  # to refuse, the function is not needed
    assert paying.run("%claude --refuse too much", asks=True).error is None
    assert results(endpoint) == [("toolu_0", "The user refused this call: too much.", True)]
    restart(paying)
    pay(paying, 500)
    restart(paying)
    assert paying.run('%claude --approve {"amount": 7}', asks=True).error is None
    assert paying.value("ran") == [[7, "nobody"]]


def test_a_function_that_is_not_defined_any_more_is_named_and_the_turn_still_waits(
    paying: Kernel, endpoint: Server
) -> None:
    endpoint.answers(asks(("pay", {"amount": 5})), reply("Done."))
    name = pay(paying, 5)
    restart(paying, "")
    line = told(paying.run("%claude --approve", asks=True))
    assert "pay is not defined" in line
    assert f"%claude --approve {name}" in line
    assert len(endpoint.received) == 1
    defined(paying, PAY)
    assert paying.run("%claude --approve", asks=True).error is None
    assert paying.value("ran") == [[5, "nobody"]]


def test_where_no_journal_is_kept_the_page_and_the_line_after_the_restart_say_so(
    paying: Kernel, endpoint: Server
) -> None:
    endpoint.answers(asks(("pay", {"amount": 5})))
    paying.run("%config Claude.journal = ''")
    ran = paying.run("%%claude --tools pay\nPay 5.", asks=True)
    assert "%claude --approve w1 runs it" in html(ran)
    assert "After a restart of the kernel this cannot go on" in html(ran)
    restart(paying, PAY + "\nclaude.settings.journal = ''")
    line = told(paying.run("%claude --approve", asks=True))
    assert "No journal is kept" in line
    assert "run its cell again" in line


def test_several_turns_of_before_the_restart_are_listed(paying: Kernel, endpoint: Server) -> None:
    endpoint.answers(asks(("pay", {"amount": 5})), asks(("pay", {"amount": 6})), reply("Done."))
    names = [pay(paying, 5), pay(paying, 6)]
    restart(paying)
    ran = paying.run("%claude --approve", asks=True)
    assert all(f"{name} (" in told(ran) for name in names)
    assert paying.run(f"%claude --approve {names[1]}", asks=True).error is None
    assert paying.value("ran") == [[6, "nobody"]]


def test_a_cell_that_ran_again_after_the_restart_replaces_what_it_asked_before(
    paying: Kernel, endpoint: Server
) -> None:
    endpoint.answers(asks(("pay", {"amount": 5})), reply("No need."))
    name = pay(paying, 5, "a")
    restart(paying)
    assert paying.run("%%claude --tools pay\nPay 5.", asks=True, cell_id="a").error is None
    assert paying.value("claude.waiting is None")
    assert "nothing waits" in told(paying.run(f"%claude --approve {name}", asks=True))


def test_steps_go_on_after_a_restart_and_no_function_runs_twice(paying: Kernel, endpoint: Server) -> None:
    endpoint.answers(asks(("pay", {"amount": 5})), reply("Done."))
    pay(paying, 5, options="--tools pay --step")
    paying.run("%claude --approve", asks=True)
    assert paying.value("ran") == [[5, "nobody"]]
    restart(paying)
    ran = paying.run("%claude --approve", asks=True)
    assert ran.error is None, ran.error
    assert paying.value("ran") == []
    assert results(endpoint) == [("toolu_0", "paid 5 to nobody", False)]
    assert all(text in html(ran) for text in ("Pay 5.", "paid 5 to nobody", "Done."))


def test_a_second_question_of_the_turn_goes_on_after_a_restart(paying: Kernel, endpoint: Server) -> None:
    endpoint.answers(asks(("pay", {"amount": 5})), asks(("pay", {"amount": 6})), reply("Done."))
    pay(paying, 5, options="--tools pay --tool-choice pay -o said")
    paying.run("%claude --approve", asks=True)
    restart(paying)
    ran = paying.run("%claude --approve", asks=True)
    assert ran.error is None, ran.error
    assert asked_amounts(endpoint) == [5, 6]
    assert "tool_choice" not in endpoint.last.json
    assert "3 requests" in html(ran)
    assert paying.value("said") == "Done."


def test_a_conversation_goes_on_with_the_turn_after_a_restart(paying: Kernel, endpoint: Server) -> None:
    endpoint.answers(reply("Hello."), asks(("pay", {"amount": 5})), reply("Done."), reply("You paid 5."))
    paying.run("%%claude -c\nI am Ada.", asks=True, cell_id="hello")
    pay(paying, 5, options="-c --tools pay")
    restart(paying)
    assert paying.run("%claude --approve", asks=True).error is None
    assert paying.run("%%claude -c --tools pay\nWho paid?", asks=True).error is None
    assert [message["role"] for message in sent(endpoint)] == ["user", "assistant"] * 3 + ["user"]


def test_a_turn_whose_row_is_written_late_goes_on_after_a_restart_too(paying: Kernel, endpoint: Server) -> None:
    endpoint.answers(asks(("pay", {"amount": 5})), asks(("pay", {"amount": 6})), reply("Done."))
    paying.run(
        "import claude_magic.journal.writer as writer\nbefore = writer.CALLER_TIMEOUT\nwriter.CALLER_TIMEOUT = 0"
    )
    pay(paying, 5)
    paying.run("%claude --approve", asks=True)
    paying.run("writer.CALLER_TIMEOUT = before")
    restart(paying)
    ran = paying.run("%claude --approve", asks=True)
    assert ran.error is None, ran.error
    assert paying.value("ran") == [[6, "nobody"]]
    assert "3 requests" in html(ran)


def test_the_results_of_a_turn_that_went_on_are_replayed(paying: Kernel, endpoint: Server) -> None:
    endpoint.answers(asks(("pay", {"amount": 5})), reply("Done."))
    pay(paying, 5, "a")
    restart(paying)
    assert paying.run("%claude --approve", asks=True, cell_id="b").error is None
    restart(paying, PAY + "\nclaude.settings.replay = 'only'")
    ran = paying.run("%%claude --tools pay -o said\nPay 5.", asks=True, cell_id="a")
    assert ran.error is None, ran.error
    assert paying.value("said") == "Done."
    assert paying.value("ran") == []
    assert len(endpoint.received) == 2


@pytest.mark.kernel
def test_a_killed_kernel_leaves_a_question_that_the_next_one_answers(kernel: Kernel, endpoint: Server) -> None:
    endpoint.answers(asks(("pay", {"amount": 5}), text="I pay."), reply("Done."))
    defined(kernel, PAY)
    ran = kernel.run("%%claude --tools pay -o said\nPay 5.", asks=True, cell_id="a")
    name = name_in(ran)
    restart(kernel)
    assert kernel.run(f"%claude --approve {name}", asks=True, cell_id="b").error is None
    assert kernel.value("ran") == [[5, "nobody"]]
    assert kernel.value("said") == "Done."
    assert results(endpoint) == [("toolu_0", "paid 5 to nobody", False)]
