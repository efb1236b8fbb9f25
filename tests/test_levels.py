"""A growing reply divided over three displays: a page is seen once at any moment, and sent a few times."""

from __future__ import annotations

import re

from claude_magic.display.live.display_slots import DisplaySlots

PAGES = tuple(f"[{number:02}]" + "x" * 3000 for number in range(40))


def grown(displays: int = 3) -> list[DisplaySlots]:
    """The divisions while page after page is finished, each drawn before the next one."""
    levels = [DisplaySlots(name="n", most=displays)]
    for count in range(len(PAGES) + 1):
        drawn = PAGES[: max(0, count - 1)]
        levels.append(levels[-1].promote(drawn))
    return levels


def seen(displays: list[str]) -> list[str]:
    """The pages and tails a browser shows: a style hides its classes wherever they stand."""
    styles = re.findall(r"<style>(.*?)\{display:none\}</style>", "".join(displays))
    hidden = {name.lstrip(".") for style in styles for name in style.split(",")}
    shown = re.sub(
        r'<div class="([^"]*)">(.*?)</div>',
        lambda found: "" if found[1] in hidden else found[2],
        "".join(displays),
    )
    return re.findall(r"\[\w\w\]", shown)


def test_one_display_holds_everything() -> None:
    for count, levels in enumerate(grown(displays=1)[1:]):
        (shown,) = levels.contents(PAGES[:count], "[ta]")
        assert seen([shown]) == [page[:4] for page in PAGES[:count]] + ["[ta]"]


def test_every_page_is_seen_once_after_each_message() -> None:
    shown: list[str] = []
    for count, levels in enumerate(grown()[1:]):
        contents = levels.contents(PAGES[:count], "[ta]")
        places = [*range(len(shown), len(contents)), *range(len(shown))]
        shown += [""] * (len(contents) - len(shown))
        for place in places:
            shown[place] = contents[place]
            told = seen(shown)
            drawn = [page[:4] for page in PAGES[: max(0, count - 1)]]
            assert told[: len(drawn)] == drawn
            assert len(told) == len(set(told))


def test_a_page_is_sent_a_few_times_however_many_follow() -> None:
    before: list[str] = []
    sent = 0
    for count, levels in enumerate(grown()[1:]):
        contents = levels.contents(PAGES[:count], "")
        sent += sum(len(content) for place, content in enumerate(contents) if before[place : place + 1] != [content])
        before = contents
    assert sent < 8 * sum(map(len, PAGES))
