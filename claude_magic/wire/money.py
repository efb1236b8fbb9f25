"""Amounts of money, as a reader sees them."""

from __future__ import annotations


def dollars(amount: float) -> str:
    """US dollars: four decimals below one dollar, two above; a tiny amount is not shown as none."""
    if 0 < amount < 0.00005:
        return "under $0.0001"
    return f"${amount:,.4f}" if amount < 1 else f"${amount:,.2f}"
