"""Citations: a mark after each cited stretch, whatever Markdown it stands in, and a numbered list of sources."""

from __future__ import annotations

import re
from typing import Any

import pytest

from claude_magic.display.markdown import Sources, render
from claude_magic.display.reply.reply import reply_bundle
from claude_magic.display.terminal.rich_terminal import RichTerminal
from claude_magic.display.terminal.terminal import Terminal
from tests.browser.hostile import SNIPPETS
from tests.replaying import exchange
from tests.test_steps import assert_harmless, without_style

MARK = '<sup class="cm-mark"><a href="#cm-test-source-{0}"'
SOURCES = Sources(prefix="cm-test-source-", titles=["one", "two"])


def web(url: str, title: str = "A page", cited: str = "words") -> dict[str, Any]:
    return {"type": "web_search_result_location", "url": url, "title": title, "cited_text": cited}


def page(number: int, **fields: Any) -> dict[str, Any]:
    known = {"type": "page_location", "document_index": 0, "document_title": "Report", "cited_text": "quoted"}
    return {**known, "start_page_number": number, "end_page_number": number + 1, **fields}


def said(text: str, *citations: Any) -> dict[str, Any]:
    return {"type": "text", "text": text, **({"citations": list(citations)} if citations else {})}


def shown(*blocks: dict[str, Any], **fields: Any) -> dict[str, str]:
    bundle = reply_bundle(exchange(list(blocks), stop_reason="end_turn"), name="test", **fields)
    return {**bundle, "text/html": without_style(bundle["text/html"])}


def marked(text: str) -> str:
    """`text`, rendered with a mark at each `@`, each mark as `@` again."""
    places: list[tuple[int, int]] = []
    while "@" in text:
        places.append((text.index("@"), 1))
        text = text.replace("@", "", 1)
    html = render(text, "test", places=places, sources=SOURCES)
    return re.sub('<sup class="cm-mark">.*?</sup>', "@", html)


def test_a_cited_stretch_has_a_mark_and_the_source_an_entry() -> None:
    bundle = shown(said("The sky "), said("is blue.", web("https://sky.example/")), said(" Yes."))
    assert f"<p>The sky is blue.{MARK.format(1)}" in bundle["text/html"]
    assert '<li id="cm-test-source-1"><a href="https://sky.example/"' in bundle["text/html"]
    assert "<blockquote>words</blockquote>" in bundle["text/html"]
    assert bundle["text/plain"] == ("The sky is blue.[1] Yes.\n\nSources:\n  [1] A page · https://sky.example/")


def test_a_source_has_one_number_and_each_of_several_marks() -> None:
    bundle = shown(
        said("A", web("https://a.example/", cited="first"), web("https://b.example/")),
        said(" B", web("https://a.example/", cited="second"), web("https://a.example/")),
    )
    assert bundle["text/plain"].startswith("A[1][2] B[1]\n\nSources:")
    assert bundle["text/html"].count("<li id=") == 2
    assert "<blockquote>first</blockquote><blockquote>second</blockquote>" in bundle["text/html"]


@pytest.mark.parametrize(
    ("citation", "line"),
    [
        (page(3), "Report · page 3"),
        (page(3, end_page_number=6, document_title=None), "document 1 · pages 3 to 5"),
        (
            {
                "type": "char_location",
                "document_index": 1,
                "document_title": "a.txt",
                "cited_text": "x",
                "start_char_index": 0,
                "end_char_index": 73,
            },
            "a.txt · characters 1 to 73",
        ),
        (
            {
                "type": "content_block_location",
                "document_index": 1,
                "cited_text": "x",
                "start_block_index": 2,
                "end_block_index": 3,
            },
            "document 2 · block 3",
        ),
        (
            {
                "type": "search_result_location",
                "source": "https://docs.example/",
                "title": "Docs",
                "cited_text": "x",
                "search_result_index": 0,
                "start_block_index": 0,
                "end_block_index": 1,
            },
            "Docs · https://docs.example/",
        ),
    ],
)
def test_each_kind_of_citation_says_where(citation: dict[str, Any], line: str) -> None:
    assert shown(said("A", citation))["text/plain"] == f"A[1]\n\nSources:\n  [1] {line}"


def test_two_places_of_a_document_are_two_sources_and_the_same_place_is_one() -> None:
    text = shown(said("A", page(1)), said(" B", page(2)), said(" C", page(1)))["text/plain"]
    assert text.startswith("A[1] B[2] C[1]\n")


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("**bold.@** and **more.**@ end", "<p><strong>bold.@</strong> and <strong>more.</strong>@ end</p>"),
        ("`co@de` [li@nk](https://e.org)", None),
        ("- one@\n- two@\n  - three@", "<ul><li>one@</li><li>two@<ul><li>three@</li></ul></li></ul>"),
        ("# Head@ #\n\nTitle@\n===", "<h1>Head@</h1><h1>Title@</h1>"),
        ("> quote@\n\n- [x]@ done", None),
        ("1.@ one\n2. two", "<ol><li>one</li><li>two</li></ol><p>@</p>"),
        ("```python\nx = 1@\n```@\n\nafter", None),
        ("    code@\n\nafter", "<pre><code>code\n</code></pre><p>@</p><p>after</p>"),
        ("---@\n\nafter", "<hr><p>@</p><p>after</p>"),
        ("<div>raw@</div>", '<p class="cm-html">&lt;div&gt;raw&lt;/div&gt;</p><p>@</p>'),
        ("[x]: https://e.org@\n\n[x]", None),
        ("end@  \nof line", "<p>end@<br>\nof line</p>"),
        ("a &amp@; b \\@* c", None),
        ("note[^1]@\n\n[^1]: foot@", None),
    ],
)
def test_a_mark_breaks_no_markup_and_none_is_lost(text: str, html: str | None) -> None:
    found = marked(text)
    assert found.count("@") == text.count("@")
    assert html is None or found == html
    bare = render(text.replace("@", ""), "test")
    assert re.sub("<p>@+</p>", "", found).replace("@", "") == bare


@pytest.mark.parametrize("place", range(47))
def test_a_table_stays_a_table_wherever_a_mark_stands(place: int) -> None:
    table = "| a | b |\n|---|---|\n| one | two |\n| three | |"
    found = marked(f"{table[:place]}@{table[place:]}")
    assert found.count("@") == 1
    assert re.sub("<p>@</p>|@| ", "", found) == render(table, "test").replace(" ", "")


def test_marks_anywhere_in_hostile_text_are_harmless() -> None:
    for snippet in SNIPPETS:
        places = [(at, 1 + at % 2) for at in range(0, len(snippet), 3)]
        html = render(snippet, "test", places=places, sources=SOURCES)
        assert_harmless(html)
        assert "\x02" not in html, snippet
        unread = [at for at, _ in places if at > snippet.find('[^"') >= 0]  # in a footnote that nothing refers to
        assert len(re.findall(r"\[[12]\]", html)) >= len(places) - len(unread), snippet


def test_hostile_sources_can_do_nothing() -> None:
    for snippet in SNIPPETS:
        bundle = shown(
            said(snippet, web(snippet, snippet, snippet), web(f"https://e.org/{snippet}", snippet, snippet)),
            said("A", page(1, document_title=snippet, cited_text=snippet)),
            said("B", {"type": "search_result_location", "source": snippet, "title": snippet, "cited_text": snippet}),
        )
        assert_harmless(bundle["text/html"])


def test_no_text_can_forge_a_mark() -> None:
    html = shown(said("a\x021\x03 b\x02 [1] \ue000", web("https://e.org/")), said("\x021\x03"))["text/html"]
    assert html.count('<sup class="cm-mark">') == 1


def test_ids_differ_from_output_to_output() -> None:
    reply = exchange([said("A", web("https://e.org/"))], stop_reason="end_turn")
    first, second = (re.findall('id="([^"]*)"', reply_bundle(reply)["text/html"]) for _ in range(2))
    assert first
    assert not set(first) & set(second)


def test_raw_shows_marks_as_text() -> None:
    html = shown(said("*A*", web("https://e.org/")), raw=True)["text/html"]
    assert "<pre>*A*[1]</pre>" in html


@pytest.mark.slow
def test_many_citations_are_bounded() -> None:
    blocks = [said(f"Fact {n}. ", web(f"https://e.org/{n}", "t" * 5_000, "c" * 100_000)) for n in range(5_000)]
    bundle = shown(*blocks)
    assert len(bundle["text/html"]) < 1_500_000
    assert "… 300 more" in bundle["text/plain"]


def test_a_mark_whose_stretch_grows_waits_in_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    terminal = Terminal()
    cite = web("https://e.org/")
    for blocks in (
        [said("So ")],
        [said("So "), said("", cite)],
        [said("So "), said("it is", cite)],
        [said("So "), said("it is blue.", cite)],
        [said("So "), said("it is blue.", cite), said(" And")],
        [said("So "), said("it is blue.", cite), said(" And green.", cite)],
    ):
        terminal.show(exchange(blocks))
    terminal.finish(
        exchange([said("So "), said("it is blue.", cite), said(" And green.", cite)], stop_reason="end_turn")
    )
    printed = capsys.readouterr().out
    assert printed.startswith("So it is blue.[1] And green.[1]\n\nSources:\n  [1] A page · https://e.org/\n\n")


def test_rich_marks_what_is_cited(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("rich")
    terminal = RichTerminal()
    blocks = [said("So **it is** blue.\n\n" * 200), said("Really.", web("https://e.org/"))]
    terminal.show(exchange(blocks))
    terminal.finish(exchange(blocks, stop_reason="end_turn"))
    printed = capsys.readouterr().out
    assert "Really.[1]" in printed
    assert "Sources:\n  [1] A page" in printed
