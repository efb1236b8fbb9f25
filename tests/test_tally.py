"""Running totals: what counts where, what is shown, and that threads lose nothing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from claude_magic.cost.usage import Usage, UsageTotals
from claude_magic.magics.views import NotebookViews
from claude_magic.wire.short_text import dollars

ONE = {
    "input_tokens": 10,
    "output_tokens": 20,
    "cache_read_input_tokens": 300,
    "cache_creation_input_tokens": 4_000,
    "service_tier": "standard",
}
COUNTED = {"input_tokens": 10, "output_tokens": 20, "cache_read_tokens": 300, "cache_write_tokens": 4_000}


def test_an_exchange_adds_its_tokens_and_its_dollars() -> None:
    assert UsageTotals().plus(ONE, 0.25) == UsageTotals(exchanges=1, usd=0.25, **COUNTED)


def test_the_totals_before_stay_as_they_were() -> None:
    before = UsageTotals(exchanges=1, usd=0.25)
    before.plus(ONE, 0.5)
    assert before == UsageTotals(exchanges=1, usd=0.25)


def test_several_exchanges_add_up() -> None:
    usage = {"input_tokens": 1, "output_tokens": 2}
    assert UsageTotals().plus(usage, 0.25).plus(usage, 0.5) == UsageTotals(
        exchanges=2, input_tokens=2, output_tokens=4, usd=0.75
    )


def test_a_price_that_is_unknown_is_counted_and_not_guessed() -> None:
    assert UsageTotals(usd=0.25).plus(ONE, None) == UsageTotals(exchanges=1, usd=0.25, unpriced=1, **COUNTED)


def test_what_is_free_has_a_price() -> None:
    assert UsageTotals().plus({}, 0.0) == UsageTotals(exchanges=1)


def test_what_failed_was_sent_too() -> None:
    assert UsageTotals().plus(ONE, 0.25, failed=True) == UsageTotals(exchanges=1, failed=1, usd=0.25, **COUNTED)


@pytest.mark.parametrize("failed", [False, True])
@pytest.mark.parametrize("usd", [None, 0.25])
def test_what_was_replayed_used_nothing(usd: float | None, failed: bool) -> None:
    assert UsageTotals(exchanges=3).plus(ONE, usd, failed=failed, replayed=True) == UsageTotals(exchanges=3, replayed=1)


def test_replayed_ones_are_kept_when_another_is_sent() -> None:
    assert UsageTotals().plus(ONE, 1.0, replayed=True).plus({}, 0.5) == UsageTotals(exchanges=1, replayed=1, usd=0.5)


@pytest.mark.parametrize("value", [None, "7", 7.5, -7, True, [7]])
def test_what_is_no_count_counts_as_none(value: object) -> None:
    assert UsageTotals().plus({"input_tokens": value}, 0.0) == UsageTotals(exchanges=1)


def test_a_notebook_has_totals_in_all_and_by_conversation() -> None:
    used = Usage()
    used.add({"input_tokens": 1}, 0.25)
    used.add({"input_tokens": 2}, 0.5, conversation="draft")
    used.add({"input_tokens": 4}, 1.0, conversation="facts")
    used.add({"input_tokens": 8}, None, conversation="draft", failed=True)
    used.add({"input_tokens": 16}, None, conversation="draft", replayed=True)
    assert used.total == UsageTotals(exchanges=4, replayed=1, failed=1, input_tokens=15, usd=1.75, unpriced=1)
    assert used.by_conversation == {
        "draft": UsageTotals(exchanges=2, replayed=1, failed=1, input_tokens=10, usd=0.5, unpriced=1),
        "facts": UsageTotals(exchanges=1, input_tokens=4, usd=1.0),
    }


def test_a_notebook_that_has_not_asked_has_used_nothing() -> None:
    assert Usage().total == UsageTotals()
    assert Usage().by_conversation == {}
    assert (
        repr(Usage()) == "     exchanges  tokens in  tokens out  cost\nall          0          0           0  $0.0000"
    )


def test_what_is_handed_out_is_a_copy() -> None:
    used = Usage()
    used.by_conversation["draft"] = UsageTotals(exchanges=1)
    assert used.by_conversation == {}


def test_several_threads_lose_nothing() -> None:
    used = Usage()

    def ask(number: int) -> None:
        for _ in range(200):
            used.add({"input_tokens": 1}, 0.5, conversation=f"conversation {number % 2}")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(ask, range(8)))
    assert used.total == UsageTotals(exchanges=1_600, input_tokens=1_600, usd=800.0)
    assert {tally.exchanges for tally in used.by_conversation.values()} == {800}


def filled() -> Usage:
    used = Usage(NotebookViews())
    used.add({"input_tokens": 1_234, "output_tokens": 56}, 0.0021, conversation="draft")
    used.add({"input_tokens": 7}, None, conversation="draft")
    used.add({}, 0.00001, conversation="facts & <b>figures</b>")
    return used


def test_a_table_shows_it_as_text() -> None:
    assert repr(filled()).splitlines() == [
        "                        exchanges  tokens in  tokens out  cost",
        "all                             3      1,241          56  $0.0021 + 1 of unknown price",
        "draft                           2      1,241          56  $0.0021 + 1 of unknown price",
        "facts & <b>figures</b>          1          0           0  under $0.0001",
    ]


def test_columns_of_what_happened_seldom_are_shown_when_it_did() -> None:
    used = Usage()
    used.add(ONE, 1.5, failed=True)
    used.add(ONE, 1.5, replayed=True)
    assert repr(used).splitlines() == [
        "     exchanges  replayed  failed  tokens in  cache read  cache written  tokens out  cost",
        "all          1         1       1         10         300          4,000          20  $1.50",
    ]


def test_a_page_shows_it_as_a_table_beside_the_text() -> None:
    bundle = filled()._repr_mimebundle_(include=None, exclude=None)
    assert sorted(bundle) == ["text/html", "text/plain"]
    assert bundle["text/plain"] == repr(filled())
    assert bundle["text/html"].count("<tr") == 4
    assert '<th scope="col" class="cm-number">exchanges</th>' in bundle["text/html"]
    assert '<td class="cm-number">$0.0021 + 1 of unknown price</td>' in bundle["text/html"]


def test_a_name_is_text_and_no_markup() -> None:
    shown = filled()._repr_mimebundle_()["text/html"]
    assert "facts &amp; &lt;b&gt;figures&lt;/b&gt;</td>" in shown
    assert "<b>" not in shown


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a\x1b[2Jb", "a�[2Jb"),
        ("two\nlines", "two�lines"),
        ("\u202eabc", "�abc"),
        ("x" * 40, "x" * 40),
        ("x" * 41, "x" * 39 + "…"),
    ],
)
def test_a_name_stays_on_its_line_and_within_it(name: str, shown: str) -> None:
    used = Usage()
    used.add({}, 0.5, conversation=name)
    assert repr(used).splitlines()[2].split("  ")[0] == shown


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        (0.0, "$0.0000"),
        (0.000001, "under $0.0001"),
        (0.0001, "$0.0001"),
        (0.0021, "$0.0021"),
        (0.12345, "$0.1235"),
        (1.0, "$1.00"),
        (12.345, "$12.35"),
        (1_234.5, "$1,234.50"),
    ],
)
def test_dollars_are_shown_as_finely_as_they_matter(amount: float, shown: str) -> None:
    assert dollars(amount) == shown


@pytest.mark.parametrize(
    ("tally", "shown"),
    [
        (UsageTotals(usd=0.0021), "$0.0021"),
        (UsageTotals(usd=0.0021, unpriced=2), "$0.0021 + 2 of unknown price"),
        (UsageTotals(unpriced=1), "$0.0000 + 1 of unknown price"),
    ],
)
def test_a_cost_tells_how_much_of_it_is_unknown(tally: UsageTotals, shown: str) -> None:
    assert tally.cost == shown
