"""The DataFrame of spending on a page: it shows itself as it is, also after its reader has changed it."""

from __future__ import annotations

import pytest

from claude_magic.display.tables.spending import spending_table

pandas = pytest.importorskip("pandas")
SUMS = {"exchanges": 3, "failed": 0, "tokens_in": 1_234_567, "tokens_out": 9, "usd": 0.25, "unpriced": 0}


def shown(frame: object) -> str:
    return str(frame._repr_html_()).replace(' class="cm-number"', "")  # type: ignore[attr-defined]


def test_a_count_is_no_amount_of_money_though_pandas_made_it_a_float() -> None:
    frame = spending_table([{"model": "<b>m</b>", **SUMS}], "model")
    assert "<td>&lt;b&gt;m&lt;/b&gt;</td><td>3</td><td>0</td><td>1,234,567</td>" in shown(frame)

    frame.loc[1] = ["other", 1, 0, None, 5, None, 1]
    html = shown(frame)
    assert "<td>1,234,567</td><td>9</td><td>$0.2500</td>" in html
    assert "<td>unknown</td><td>5</td><td>unknown</td>" in html


def test_of_many_rows_the_first_are_shown_and_the_rest_is_counted() -> None:
    frame = spending_table([{"day": f"day {number}", **SUMS} for number in range(1_250)], "day")
    assert "<td>day 199</td>" in shown(frame)
    assert "<td>day 200</td>" not in shown(frame)
    assert "<td>… 1,050 more</td>" in shown(frame)
