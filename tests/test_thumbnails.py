"""What was attached, shown above the reply: our own bytes and text, nothing else."""

from __future__ import annotations

import base64
import re
from html.parser import HTMLParser

import pytest

from claude_magic.display.reply.thumbnails import lines, thumbnails_html
from claude_magic.prompt.attachments.figures import png

DOT = png(1, 1, 1, b"\0")


class Tags(HTMLParser):
    """The tags of a page, with their attributes, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def images(self) -> list[str]:
        return [attributes["src"] or "" for tag, attributes in self.found if tag == "img"]


def test_an_image_is_in_the_page_itself() -> None:
    tags = Tags(thumbnails_html([("a.png", "PNG image", "", DOT)]))
    assert tags.images() == ["data:image/png;base64," + base64.b64encode(DOT).decode()]


@pytest.mark.parametrize(("begins", "kind"), [(b"\xff\xd8\xff", "jpeg"), (b"GIF89a", "gif"), (b"RIFF____WEBP", "webp")])
def test_an_image_says_what_it_is_by_its_bytes(begins: bytes, kind: str) -> None:
    assert Tags(thumbnails_html([("a", "", "", begins)])).images()[0].startswith(f"data:image/{kind};base64,")


@pytest.mark.parametrize("thumbnail", [b"<svg onload=alert(1)>", b"", b"text"])
def test_what_is_no_image_is_not_shown_as_one(thumbnail: bytes) -> None:
    page = thumbnails_html([("a", "text", "", thumbnail)])
    assert Tags(page).images() == []
    assert "onload" not in page


def test_a_large_image_is_left_to_its_line() -> None:
    tags = Tags(thumbnails_html([("a.png", "PNG image", "", DOT + b"\0" * 10_000)]))
    assert (tags.images(), tags.text) == ([], "a.png · PNG image")


@pytest.mark.parametrize("place", [0, 1, 2])
def test_words_are_text_whatever_they_say(place: int) -> None:
    words = ["", "", ""]
    words[place] = "<img src=x onerror=alert(1)>\"'&"
    tags = Tags(thumbnails_html([(words[0], words[1], words[2], b"")]))
    assert tags.images() == []
    assert {name for _, attributes in tags.found for name in attributes} <= {"class", "style"}
    assert "<img src=x onerror=alert(1)>\"'&" in tags.text


def test_an_address_is_text_and_is_not_loaded() -> None:
    page = thumbnails_html([("b.png", "image at https://example.invalid/b.png", "", b"")])
    assert not re.search(r"(?:src|href|url\()", page)
    assert "https://example.invalid/b.png" in Tags(page).text


def test_control_and_bidi_characters_are_taken_out() -> None:
    for made in (thumbnails_html, lines):
        text = made([("a\x1b]52;c;x\x07b\u202egnp.exe\nc", "text", "", b"")])
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", text)
        assert "gnp.exe c" in text


def test_colours_follow_the_theme_and_have_a_fallback() -> None:
    page = thumbnails_html([("a", "text", "", DOT)])
    assert re.findall(r"var\([^,)]*\)", page) == []
    assert "var(--jp-ui-font-color1,#333)" in page


def test_many_attachments_do_not_swell_the_notebook() -> None:
    many = [(f"{n}.png", "PNG image", "", DOT + b"\0" * 9_000) for n in range(600)]
    page = thumbnails_html(many)
    assert len(Tags(page).images()) == 12
    assert len(page) < 250_000
    assert "… and 550 more" in page
    assert lines(many).endswith("… and 550 more")


def test_a_long_title_is_cut() -> None:
    assert len(Tags(thumbnails_html([("x" * 5_000, "", "", b"")])).text) == 300


def test_a_terminal_is_given_one_line_for_each() -> None:
    found = [("a.png", "PNG image", "scaled", DOT), ("b.txt", "text", "", b"")]
    assert lines(found) == "attached: a.png · PNG image · scaled\nattached: b.txt · text"


def test_nothing_attached_shows_nothing() -> None:
    assert (thumbnails_html([]), lines([])) == ("", "")
