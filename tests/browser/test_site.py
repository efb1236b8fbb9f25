"""The site that `make site` builds, in a real Chromium: the manual's pages, and the lessons in JupyterLite.

The site is served under a sub-path. Whatever a page asks of another host is refused, and a test fails for it.
"""

from __future__ import annotations

import functools
import re
import sys
import threading
import time
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

playwright_api = pytest.importorskip("playwright.sync_api", reason="BROWSER TESTS SKIPPED: no playwright here")

from playwright.sync_api import Browser, BrowserContext, Page, Route, ViewportSize, expect  # noqa: E402  (after the skips above)

from tests.browser.built_site import built_site  # noqa: E402
from tests.browser.lab_page import REPOSITORY, screenshot, start_cell  # noqa: E402
from tests.lesson_replies import LESSONS, missing_replies  # noqa: E402

sys.path.append(str(REPOSITORY / "docs" / "site"))
from serve import server_of  # noqa: E402

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]  # of a loaded machine: the site is built first

_NOTEBOOK = "window.jupyterapp?.shell?.currentWidget"
_LONG = 240_000  # milliseconds: a loaded machine is slow, not wrong
_VIEWPORT: ViewportSize = {"width": 1100, "height": 900}
_BEHIND_THE_BUTTON = next(path for path in LESSONS if path.stem == "05-replay-and-cost")
KEY = "test-key-8d1f6a0e2b"
_LOCAL = ("http://127.0.0.1:", "data:", "blob:")


@pytest.fixture(scope="module")
def site() -> Path:
    """The site, built once for all tests that look at it."""
    return built_site()


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    """The address of the site, which has a second one on the same host, as two projects on GitHub Pages."""
    with server_of(site, prefixes=("/claude-magic/", "/other/")) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/claude-magic/"
        server.shutdown()


@pytest.fixture(scope="module")
def visitor(browser: Browser) -> Iterator[Visitor]:
    """A browser profile that goes nowhere but to the site."""
    context = browser.new_context(viewport=_VIEWPORT, reduced_motion="reduce")
    made = Visitor(context)
    yield made
    context.close()


class Visitor:
    """Pages that share a browser profile, and what they asked for in vain.

    Attributes:
        foreign: Addresses on other hosts; each was refused.
        broken: Addresses of the site that do not exist.
    """

    def __init__(self, context: BrowserContext) -> None:
        self.foreign: list[str] = []
        self.broken: list[str] = []
        self._context = context
        context.route("**/*", self._refuse_foreign)

    def page(self) -> Page:
        page = self._context.new_page()
        page.set_default_timeout(_LONG)
        page.on("response", lambda got: self.broken.append(got.url) if got.status >= 400 else None)
        return page

    def _refuse_foreign(self, route: Route) -> None:
        if route.request.url.startswith(_LOCAL):
            route.fallback()
        else:
            self.foreign.append(route.request.url)
            route.abort()


def first_cell(page: Page) -> str:
    """The text of the first cell, once the notebook is shown."""
    page.wait_for_function(f"() => {_NOTEBOOK}?.context?.isReady")
    source: str = page.evaluate(f"() => {_NOTEBOOK}.content.model.cells.get(0).sharedModel.getSource()")
    return source


def wait_for_kernel(page: Page) -> None:
    """Waits until the notebook is shown and its kernel has nothing to do."""
    page.wait_for_function(f"() => {_NOTEBOOK}?.context?.isReady")
    page.wait_for_function(
        f"""() => {{
            const kernel = {_NOTEBOOK}.sessionContext?.session?.kernel;
            return kernel?.connectionStatus === 'connected' && kernel?.status === 'idle';
        }}"""
    )


def write_cell(page: Page, index: int, source: str) -> None:
    page.evaluate(
        f"([index, source]) => {{ {_NOTEBOOK}.content.model.cells.get(index).sharedModel.setSource(source); }}",
        [index, source],
    )


def run_all(page: Page) -> list[dict[str, Any]]:
    """Runs every cell; returns the cells with their outputs."""
    page.evaluate(
        """() => {
            window.ranAll = false;
            window.jupyterapp.commands.execute('notebook:run-all-cells').then(() => { window.ranAll = true; });
        }"""
    )
    page.wait_for_function("() => window.ranAll")
    cells: list[dict[str, Any]] = page.evaluate(f"() => {_NOTEBOOK}.content.model.toJSON().cells")
    return cells


def run_lesson(page: Page, lesson: Path) -> None:
    """Runs every cell of a lesson: there is no error, every recorded reply is shown, and the first one is seen."""
    cells = run_all(page)
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    assert [output for output in outputs if output["output_type"] == "error"] == []
    assert missing_replies(lesson, " ".join(map(plain, outputs))) == []
    first_reply = next(index for index, cell in enumerate(cells) if "cm-summary" in str(cell.get("outputs")))
    page.evaluate(f"(index) => {_NOTEBOOK}.content.scrollToItem(index, 'start')", first_reply)
    for text in ("replayed, recorded 20", "Response headers, usage, request"):
        expect(page.get_by_text(text).locator("visible=true").first).to_be_in_viewport()
    screenshot(page, f"site-{lesson.stem}")


def plain(output: dict[str, Any]) -> str:
    """An output as text."""
    return "".join(output["data"].get("text/plain", "") if "data" in output else output["text"])


class References(HTMLParser):
    """What an HTML page loads, and where its links lead."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.links: list[str] = []
        self.ids: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.ids.add(found.get("id", ""))
        if tag == "a":
            self.links.append(found.get("href", ""))
        else:
            self.loaded += [found[name] for name in ("src", "href") if name in found]


@functools.cache
def references(page: Path) -> References:
    found = References()
    found.feed(page.read_text(encoding="utf-8"))
    return found


def manual_pages(site: Path) -> list[Path]:
    return sorted([*site.glob("*.html"), *(site / "docs").glob("*.html"), *(site / "notebooks").glob("*.html")])


def test_every_link_of_the_manual_leads_to_a_page_and_a_heading_of_the_site(site: Path) -> None:
    broken = []
    for page in manual_pages(site):
        for link in references(page).links:
            path, _, anchor = link.partition("#")
            if "://" in path or link.startswith("mailto:"):
                continue
            target = (page.parent / path.partition("?")[0]).resolve() if path else page
            if not target.exists() or (anchor and anchor not in references(target).ids):
                broken.append(f"{page.name}: {link}")
    assert broken == []


def test_no_page_of_the_manual_loads_anything_from_another_host(site: Path) -> None:
    pages = [*manual_pages(site), *(site / "run").glob("*.html")]
    assert [ref for page in pages for ref in references(page).loaded if re.match(r"(\w+:)?//", ref)] == []


def test_every_page_of_the_manual_and_every_lesson_has_a_button_that_runs_a_lesson(site: Path) -> None:
    pages = [*(site / "docs").glob("*.html"), *(site / "notebooks").glob("*.html")]
    assert len(pages) > 30
    lessons = re.compile(r"\.\./(run/\d\d-[\w-]+\.html|lite/\w+/tree/index\.html)")
    assert [page.name for page in pages if not any(map(lessons.fullmatch, references(page).links))] == []


def test_the_site_is_under_25_mb_as_servers_send_it(site: Path) -> None:
    import gzip

    sent = sum(len(gzip.compress(path.read_bytes(), 6)) for path in site.rglob("*") if path.is_file())
    assert sent < 25_000_000


def test_the_manual_asks_no_other_host(address: str, site: Path, visitor: Visitor) -> None:
    page = visitor.page()
    for path in manual_pages(site):
        page.goto(address + path.relative_to(site).as_posix())
    page.goto(f"{address}docs/tools.html")
    screenshot(page, "site-manual")
    page.close()
    assert (visitor.foreign, visitor.broken) == ([], [])


def test_a_button_of_the_manual_opens_its_lesson_which_runs_with_a_kernel_that_takes_a_key(
    address: str, browser: Browser
) -> None:
    context = browser.new_context(viewport=_VIEWPORT, reduced_motion="reduce")
    visitor = Visitor(context)
    page = visitor.page()
    page.goto(f"{address}docs/replay-and-budget.html")
    began = time.monotonic()
    page.get_by_role("link", name="Run the lesson in the browser").click()
    wait_for_kernel(page)
    print(f"a first visit: {time.monotonic() - began:.1f} s until the kernel was idle")
    assert page.locator(".jp-Notebook h1").first.inner_text().startswith("Replay and cost")
    run_lesson(page, _BEHIND_THE_BUTTON)
    page.evaluate(f"() => {_NOTEBOOK}.content.scrollToItem(1, 'start')")
    write_cell(page, 1, "%load_ext claude_magic\nfrom claude_magic import claude\nclaude.login()\n%claude")
    start_cell(page, 1)
    page.locator("input.jp-Stdin-input[type=password]").fill(KEY)
    page.locator("input.jp-Stdin-input").press("Enter")
    output = page.locator(".jp-Cell").nth(1).locator(".jp-Cell-outputArea")
    expect(output).to_contain_text("from claude.login()")
    assert KEY not in output.inner_text()
    context.close()
    assert (visitor.foreign, visitor.broken) == ([], [])


@pytest.mark.parametrize("lesson", [each for each in LESSONS if each != _BEHIND_THE_BUTTON], ids=lambda path: path.stem)
def test_a_lesson_runs_in_the_browser_and_shows_every_recorded_reply(
    lesson: Path, address: str, visitor: Visitor
) -> None:
    page = visitor.page()
    page.goto(f"{address}run/{lesson.stem}.html")
    wait_for_kernel(page)
    run_lesson(page, lesson)
    page.close()
    assert (visitor.foreign, visitor.broken) == ([], [])


def test_what_was_changed_on_one_site_is_not_shown_by_another_on_the_same_host(address: str, visitor: Visitor) -> None:
    lesson, page = "run/01-first-message.html", visitor.page()
    page.goto(address + lesson)
    assert first_cell(page).startswith("# The first message")
    page.evaluate(f"() => {{ {_NOTEBOOK}.content.model.cells.get(0).sharedModel.setSource('# changed'); }}")
    page.evaluate(f"() => {_NOTEBOOK}.context.save().then(() => null)")
    page.goto(address + lesson)
    assert first_cell(page) == "# changed"
    page.goto(address.replace("/claude-magic/", "/other/") + lesson)
    assert first_cell(page).startswith("# The first message")
    page.close()
