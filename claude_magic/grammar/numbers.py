"""The numbers of list items that are not one more than the number before."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from markdown_it.token import Token


def numbers_to_show(tokens: Sequence[Token]) -> dict[int, int]:
    """The number of an item by the index of its token, if it is not one more than the number before.

    A list whose numbers are all equal is numbered automatically.
    """
    numbers: dict[int, int] = {}
    lists: list[list[tuple[int, int]]] = []
    for index, token in enumerate(tokens):
        if token.type == "ordered_list_open":
            lists.append([])
        elif token.type == "list_item_open" and token.info:
            lists[-1].append((index, int(token.info)))
        elif token.type == "ordered_list_close":
            items = lists.pop()
            if len({number for _, number in items}) > 1:
                for (_, before), (at, number) in pairwise(items):
                    if number != before + 1:
                        numbers[at] = number
    return numbers
