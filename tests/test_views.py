"""Forms of a reply other than rendered Markdown."""

from __future__ import annotations

import concurrent.futures
import http.server
import importlib.util
import json
import threading
import time
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_magic.display.reply.views import html_view, json_view
from tests.chromium import found

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


class Elements(HTMLParser):
    """The names of the elements of a page, its attributes and its text."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.attributes: dict[str, str | None] = {}
        self.text = ""
        self.open: list[str] = []
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.open.append(tag)
        self.attributes = dict(attrs)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@given(JSON)
def test_a_tree_is_made_of_few_harmless_elements_whatever_it_holds(value: Any) -> None:
    page = Elements(json_view(value)["text/html"])
    assert set(page.names) <= {"div", "details", "summary", "strong", "i", "span", "style"}
    assert page.open == []


def test_a_tree_shows_values_as_text() -> None:
    view = json_view({"<b>": ["<script>", 1, None, {"deep": {}}]})
    assert "<script>" not in view["text/html"]
    assert "<b>" not in view["text/html"]
    assert '"<b>": 4 items"<script>"1null1 key"deep": {}' in Elements(view["text/html"]).text
    assert json.loads(view["text/plain"]) == {"<b>": ["<script>", 1, None, {"deep": {}}]}


@pytest.mark.parametrize(
    "value",
    [
        list(range(1_000_000)),
        {"many": {str(n): ["x" * 5_000] for n in range(3_000)}},
        ["<&>" * 1_000] * 1_999,
        "x" * 5_000_000,
        {"k" * 1_000_000: 1},
    ],
    ids=["items", "keys", "escapes", "text", "name"],
)
def test_a_tree_is_bounded_and_says_what_it_leaves_out(value: Any) -> None:
    began = time.process_time()
    view = json_view(value)
    assert time.process_time() - began < 30
    assert len(view["text/html"]) < 150_000
    assert len(view["text/plain"]) < 150_000
    assert "shown" in view["text/html"].partition("</style>")[2]
    assert "not shown" in view["text/plain"]


def test_a_deep_tree_does_not_end_the_stack() -> None:
    value: object = 1
    for _ in range(100_000):
        value = [value]
    assert "deeper levels are not shown" in json_view(value)["text/html"]
    assert "deeper levels not shown" in json_view(value)["text/plain"]


def test_only_the_upper_levels_of_a_tree_are_unfolded() -> None:
    assert json_view({"a": {"b": {"c": 1}}})["text/html"].count("<details open>") == 2
    assert "<details open>" not in json_view(list(range(51)))["text/html"]


def test_controls_and_lone_surrogates_are_taken_out_of_both_forms() -> None:
    view = json_view({"\u202eevil": "\ud800\x1b[2J"})
    for form in view.values():
        form.encode()
        assert not {"\u202e", "\x1b", "\ud800"} & set(form)


def test_a_page_stands_in_a_frame_that_may_do_nothing() -> None:
    view = html_view('"><script>alert(1)</script>')
    outer = Elements(view["text/html"])
    assert outer.names == ["div", "iframe"]
    assert outer.attributes["sandbox"] == ""
    inner = Elements(outer.attributes["srcdoc"] or "")
    assert inner.names[-1] == "iframe"
    assert inner.attributes["sandbox"] == ""
    shown = inner.attributes["srcdoc"] or ""
    assert shown.endswith('"><script>alert(1)</script>')
    for document in (outer.attributes["srcdoc"] or "", shown):
        assert document.startswith('<!doctype html><meta charset="utf-8"><meta http-equiv="Content-Security-Policy"')
        assert "default-src 'none'" in document[:200]
    assert view["text/plain"] == '"><script>alert(1)</script>'


def test_what_a_page_asks_to_be_looked_up_ahead_is_made_unknown() -> None:
    page = html_view('<LINK rel=preconnect href=//x.evil><link/rel=x><iframe srcdoc="&lt;link>"></iframe><linking>')
    inner = Elements(Elements(page["text/html"]).attributes["srcdoc"] or "").attributes["srcdoc"] or ""
    assert inner.endswith(
        '<LINK-off rel=preconnect href=//x.evil><link-off/rel=x><iframe srcdoc-off="&lt;link>"></iframe><linking>'
    )


COVER = 'style="position:fixed;inset:0;width:100%;height:100%"'
FETCHING = [
    '<img src="{u}/img" srcset="{u}/srcset 2x" onerror="top.hacked=1">',
    '<link rel=stylesheet href="{u}/css"><link rel=prefetch href="{u}/prefetch"><link rel=preload as=image href="{u}/p">',
    '<link rel=icon href="{u}/icon"><link rel=modulepreload href="{u}/module"><link rel=preconnect href="{u}">',
    '<style>@import "{u}/import"; @font-face {{font-family:F; src:url({u}/font)}} b {{font-family:F}}</style><b>x</b>',
    '<div style="background:url({u}/bg); mask-image:url({u}/mask); shape-outside:url({u}/shape); float:left">x</div>',
    '<meta http-equiv=refresh content="0;url={u}/refresh">',
    '</head></body></html><meta http-equiv=refresh content="0;url={u}/refresh"><img src="{u}/after">',
    '<base href="{u}/base/"><img src=x>',
    '<meta http-equiv=Content-Security-Policy content="default-src *"><img src="{u}/relaxed">',
    '<iframe src="{u}/frame"></iframe><iframe srcdoc="<img src={u}/nested>"></iframe><embed src="{u}/embed">',
    '<object data="{u}/object"></object><frameset><frame src="{u}/frameset"></frameset>',
    '<video src="{u}/video" poster="{u}/poster" autoplay></video><audio src="{u}/audio" autoplay></audio>',
    '<svg><image href="{u}/svg" width=9 height=9 /><use href="{u}/use#a" /><style>@import "{u}/in-svg";</style></svg>',
    '<svg><filter id=f><feImage href="{u}/fe" /></filter><rect width=9 height=9 filter="url(#f)" /></svg>',
    '<script src="{u}/script"></script><script>fetch("{u}/fetch"); top.hacked = 1</script>',
    '<form action="{u}/auto"><input autofocus onfocus="this.form.submit()"><input type=image src="{u}/input"></form>',
    '<body background="{u}/body"><table background="{u}/table"><tr><td>x</table>',
    '<template shadowrootmode=open><img src="{u}/shadow"></template>',
]
CLICKED = [
    '<a href="{u}/a" ping="{u}/ping" {cover}>x</a>',
    '<a href="{u}/blank" target=_blank {cover}>x</a>',
    '<a href="{u}/parent" target=_parent {cover}>x</a>',
    '<a href="{u}/top" target=_top {cover}>x</a>',
    '<a href="{u}/download" download {cover}>x</a>',
    '<form action="{u}/form" target=_blank><button formaction="{u}/action" {cover}>x</button></form>',
    '<svg {cover}><a href="{u}/svg-a"><rect width=999 height=999 /></a></svg>',
]


class Listening(http.server.BaseHTTPRequestHandler):
    """A server that only counts."""

    asked: list[str]

    def do_GET(self) -> None:
        if "favicon" not in self.path:
            self.asked.append(self.path)
        self.send_error(404)

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def listening() -> Iterator[tuple[str, list[str]]]:
    """The URL of a foreign server, and what it was asked."""
    asked: list[str] = []
    made = type("Counting", (Listening,), {"asked": asked})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), made) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()


T = TypeVar("T")


def in_chromium(use: Callable[[Any], T]) -> T:
    """What `use` makes of a page of a real Chromium; in a thread of its own, for another Playwright may run in this."""
    if importlib.util.find_spec("playwright") is None or found() is None:
        pytest.skip("no Chromium")
    from playwright.sync_api import sync_playwright

    arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]

    def used() -> T:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=found(), args=[*arguments, "--disable-sync"])
            try:
                return use(browser.new_page())
            finally:
                browser.close()

    with concurrent.futures.ThreadPoolExecutor(1) as thread:
        return thread.submit(used).result()


def show(page: Any, source: str) -> None:
    page.set_content(f"<!doctype html>{source}", wait_until="domcontentloaded")


def framed(source: str, url: str) -> str:
    return html_view(source.format(u=url, cover=COVER))["text/html"]


@pytest.mark.browser
def test_a_page_in_a_frame_fetches_nothing(listening: tuple[str, list[str]]) -> None:
    url, asked = listening

    def use(page: Any) -> tuple[list[str], Any, list[str]]:
        show(page, "".join(framed(each, url) for each in FETCHING))
        while len(page.frames) < 1 + 2 * len(FETCHING):
            page.wait_for_timeout(50)
        page.wait_for_timeout(1_500)
        in_frames = list(asked)
        hacked = page.evaluate("() => window.hacked")
        show(page, FETCHING[0].format(u=url))
        page.wait_for_timeout(300)
        return in_frames, hacked, asked

    in_frames, hacked, without_frames = in_chromium(use)
    assert (in_frames, hacked) == ([], None)
    assert without_frames != []


@pytest.mark.browser
def test_what_is_clicked_in_a_frame_fetches_nothing(listening: tuple[str, list[str]]) -> None:
    url, asked = listening

    def click(page: Any, source: str) -> list[str]:
        asked.clear()
        show(page, source)
        page.wait_for_timeout(300)
        page.mouse.click(200, 100)
        page.wait_for_timeout(300)
        return list(asked)

    def use(page: Any) -> tuple[dict[str, list[str]], list[str]]:
        return {each: click(page, framed(each, url)) for each in CLICKED}, click(
            page, CLICKED[0].format(u=url, cover=COVER)
        )

    in_frames, without_frames = in_chromium(use)
    assert in_frames == {each: [] for each in CLICKED}
    assert "/a" in without_frames


@pytest.mark.browser
def test_a_frame_shows_its_page_and_can_be_made_higher() -> None:
    def use(page: Any) -> tuple[str, float]:
        page.set_content(html_view("<h1>Shown</h1><p style='height:200em'>long")["text/html"])
        shown = page.frame_locator("iframe").frame_locator("iframe").locator("h1").inner_text()
        box = page.locator("div").bounding_box()
        right, bottom = box["x"] + box["width"], box["y"] + box["height"]
        page.mouse.move(right - 4, bottom - 4)
        page.mouse.down()
        page.mouse.move(right - 4, bottom + 96, steps=5)
        page.mouse.up()
        return shown, page.locator("div").bounding_box()["height"] - box["height"]

    shown, higher = in_chromium(use)
    assert shown == "Shown"
    assert higher == pytest.approx(100, abs=5)
