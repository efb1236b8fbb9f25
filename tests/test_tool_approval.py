"""Calls that need approval: nothing runs before the reader says so, and whatever the reader says is told to Claude."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.notebook_kernel import ROOT, Kernel
from tests.server import Server, reply
from tests.test_tools import asks, assert_every_call_is_answered, defined, html, results, sent

PAY = '''
ran = []

@claude.tool
def pay(amount: int, to: str = "nobody") -> str:
    """Pay."""
    ran.append((amount, to))
    return f"paid {amount} to {to}"
'''


@pytest.fixture
def paying(kernel: Kernel) -> Kernel:
    """A kernel with a function that is asked about before it runs."""
    defined(kernel, PAY)
    return kernel


def test_a_call_waits_and_nothing_runs_before_it_is_approved(paying: Kernel, endpoint: Server) -> None:
    endpoint.answers(asks(("pay", {"amount": 5}), text="I pay."), reply("Done."))
    ran = paying.run("%%claude --tools pay -o said\nPay 5.", asks=True)
    assert ran.error is None
    assert paying.value("ran") == []
    assert len(endpoint.received) == 1
    assert "pay" in html(ran)
    assert "%claude --approve" in html(ran)
    after = paying.run("%claude --approve", asks=True)
    assert after.error is None
    assert paying.value("ran") == [[5, "nobody"]]
    assert results(endpoint) == [("toolu_0", "paid 5 to nobody", False)]
    assert "Done." in html(after)
    assert paying.value("said") == "Done."


def test_a_refusal_is_told_with_its_reason(paying: Kernel, endpoint: Server) -> None:
    endpoint.answers(asks(("pay", {"amount": 5})), reply("I see."))
    paying.run("%%claude --tools pay\nPay 5.", asks=True)
    ran = paying.run('%claude --refuse "too expensive"', asks=True)
    assert ran.error is None
    assert paying.value("ran") == []
    assert results(endpoint) == [("toolu_0", "The user refused this call: too expensive.", True)]
    assert "I see." in html(ran)


def test_a_call_is_approved_with_other_arguments(paying: Kernel, endpoint: Server) -> None:
    endpoint.answers(asks(("pay", {"amount": 500})), reply("Done."))
    paying.run("%%claude --tools pay\nPay 500.", asks=True)
    for wrong in ("{amount: 5}", "[5]"):
        ran = paying.run(f"%claude --approve {wrong}", asks=True)
        assert ran.error is not None
        assert "still wait" in ran.error[1]
    assert paying.run('%claude --approve {"amount": 5}', asks=True).error is None
    assert paying.value("ran") == [[5, "nobody"]]
    ((_, text, wrong),) = results(endpoint)
    assert not wrong
    assert 'The user changed the arguments to {"amount": 5}' in text


def test_a_call_is_approved_once(paying: Kernel, endpoint: Server) -> None:
    endpoint.answers(asks(("pay", {"amount": 5})), reply("Done."))
    paying.run("%%claude --tools pay\nPay 5.", asks=True)
    paying.run("%claude --approve", asks=True)
    ran = paying.run("%claude --approve", asks=True)
    assert ran.error is not None
    assert "nothing waits" in ran.error[1]
    assert paying.value("len(ran)") == 1


def test_every_further_call_is_asked_about_too(paying: Kernel, endpoint: Server) -> None:
    endpoint.answers(asks(("pay", {"amount": 5})), asks(("pay", {"amount": 6})), reply("Done."))
    paying.run("%%claude -c --tools pay\nPay.", asks=True)
    paying.run("%claude --approve", asks=True)
    assert paying.value("ran") == [[5, "nobody"]]
    paying.run("%claude --refuse enough", asks=True)
    assert paying.value("ran") == [[5, "nobody"]]
    endpoint.answers(reply("fine"))
    paying.run("%%claude -c --tools pay\ngo on", asks=True)
    assert_every_call_is_answered(sent(endpoint))


def test_approving_with_yes_approves_the_rest(paying: Kernel, endpoint: Server) -> None:
    endpoint.answers(asks(("pay", {"amount": 5})), asks(("pay", {"amount": 6})), reply("Done."))
    paying.run("%%claude --tools pay\nPay.", asks=True)
    paying.run("%claude --approve --yes", asks=True)
    assert paying.value("ran") == [[5, "nobody"], [6, "nobody"]]


def test_yes_runs_without_asking(paying: Kernel, endpoint: Server) -> None:
    endpoint.answers(asks(("pay", {"amount": 5})), reply("Done."))
    assert paying.run("%%claude --tools pay --yes\nPay.").error is None
    assert paying.value("ran") == [[5, "nobody"]]


def test_where_nobody_can_be_asked_a_call_is_an_error(paying: Kernel, endpoint: Server) -> None:
    endpoint.answers(asks(("pay", {"amount": 5})), reply("never"))
    ran = paying.run("%%claude --tools pay\nPay.")
    assert ran.error is not None
    assert "pay needs your approval" in ran.error[1]
    assert "--yes" in ran.error[1]
    assert "\n" not in ran.error[1]
    assert paying.value("ran") == []
    assert len(endpoint.received) == 1


def test_step_stops_after_each_message(paying: Kernel, endpoint: Server) -> None:
    endpoint.answers(asks(("pay", {"amount": 5})), reply("Done."))
    first = paying.run("%%claude --tools pay --step --yes\nPay 5.", asks=True)
    assert paying.value("ran") == []
    assert len(endpoint.received) == 1
    assert "Pay 5." in html(first)
    second = paying.run("%claude --approve", asks=True)
    assert paying.value("ran") == [[5, "nobody"]]
    assert len(endpoint.received) == 1
    assert "paid 5 to nobody" in html(second)
    assert "Pay 5." not in html(second)
    third = paying.run("%claude --approve", asks=True)
    assert len(endpoint.received) == 2
    assert "Done." in html(third)
    assert "3 · user" in html(second)
    assert not any(row in html(third) for row in ("1 · user", "3 · user", "4 · assistant"))


def terminal(server: Server, *lines: str, tmp_path: Path) -> str:
    """What IPython in a terminal shows when these lines are typed."""
    (tmp_path / "paying.py").write_text(f"from claude_magic import claude\n{PAY}")
    typed = "\n".join(("%load_ext claude_magic", "from paying import pay, ran", *lines, ""))
    command = [sys.executable, "-m", "IPython", "--simple-prompt", "--no-banner", "--colors=nocolor"]
    done = subprocess.run(
        command, input=typed, capture_output=True, text=True, timeout=100, cwd=tmp_path, env=_environ(tmp_path)
    )
    return done.stdout + done.stderr


def _environ(tmp_path: Path) -> dict[str, str]:
    import os

    return {**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT), str(tmp_path)))}


@pytest.mark.process
def test_a_terminal_asks_in_the_next_line(endpoint: Server, tmp_path: Path) -> None:
    endpoint.answers(asks(("pay", {"amount": 5})), reply("Done."))
    shown = terminal(endpoint, "%claude --tools pay Pay 5.", "y", "print('ran', ran)", tmp_path=tmp_path)
    assert '"amount": 5' in shown.split("Run it?")[0]
    assert "ran [(5, 'nobody')]" in shown
    assert "Done." in shown


@pytest.mark.process
def test_a_terminal_takes_a_refusal_with_its_reason(endpoint: Server, tmp_path: Path) -> None:
    endpoint.answers(asks(("pay", {"amount": 5})), reply("I see."))
    shown = terminal(endpoint, "%claude --tools pay Pay 5.", "n too much", "print('ran', ran)", tmp_path=tmp_path)
    assert "ran []" in shown
    assert results(endpoint) == [("toolu_0", "The user refused this call: too much.", True)]


@pytest.mark.process
def test_a_terminal_without_anybody_is_an_error(endpoint: Server, tmp_path: Path) -> None:
    endpoint.answers(asks(("pay", {"amount": 5})), reply("never"))
    shown = terminal(endpoint, "%claude --tools pay Pay 5.", tmp_path=tmp_path)
    assert "nobody answers here" in shown
    assert len(endpoint.received) == 1
