"""Cells in the site's JupyterLite that ask an API: a scripted one on another port, which lets pages ask (CORS).

No route of Playwright stands between: it would hide the browser's preflight requests.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

playwright_api = pytest.importorskip("playwright.sync_api", reason="BROWSER TESTS SKIPPED: no playwright here")

from playwright.sync_api import Browser, Page, expect  # noqa: E402  (after the skips above)

from tests.browser.built_site import built_site  # noqa: E402
from tests.browser.lab_page import REPOSITORY, cell, run_cell, screenshot, start_cell, wait_until_idle  # noqa: E402
from tests.server import STREAM, Answer, Received, Server, event, reply, text_events  # noqa: E402
from tests.tool_streams import asks  # noqa: E402

sys.path.append(str(REPOSITORY / "docs" / "site"))
from serve import SiteHandler, server_of  # noqa: E402

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

KEY = "sk-ant-api03-scripted-key-of-the-page"
_LONG = 240  # seconds: a loaded machine is slow, not wrong
_CORS = (
    ("access-control-allow-origin", "*"),
    ("access-control-expose-headers", "request-id, anthropic-organization-id"),
)
_ALLOWED = (
    ("access-control-allow-headers", "*, x-api-key, content-type, accept"),
    ("access-control-allow-methods", "GET, POST"),
)
_BEGIN = """%load_ext claude_magic
from claude_magic import claude
%config Claude.base_url = "{url}"
%config Claude.max_retries = 0
claude.login()"""
_TOOLS = """import asyncio

def weather(city: str) -> str:
    "The weather."
    return f"rain in {city}"

@claude.tool(approve=False)
async def later(city: str) -> str:
    "The weather later."
    await asyncio.sleep(0.01)
    return f"sun in {city}\""""


class API(Server):
    """A scripted API that lets pages ask, as the real one does: only with the header that says so."""

    def respond(self, request: Received) -> Answer | None:
        if request.method == "OPTIONS":
            return Answer(status=204, headers=(*_CORS, *_ALLOWED, ("content-length", "0")), framing="length")
        if request.headers.get("anthropic-dangerous-direct-browser-access") != "true":
            return Answer(status=401, headers=_CORS, pieces=[b"{}"], framing="length")
        return None

    def answers(self, *answers: Answer) -> None:
        super().answers(*(replace(each, headers=(*each.headers, *_CORS)) for each in answers))

    @property
    def bodies(self) -> list[Received]:
        """The requests without the browser's preflights."""
        return [each for each in self.received if each.method != "OPTIONS"]


class WithoutJSPI(SiteHandler):
    """The site for a browser that cannot switch stacks: the runtime's first line takes that away."""

    def do_GET(self) -> None:  # noqa: N802  # the name of http.server
        if not self.path.partition("?")[0].endswith("/pyodide.mjs"):
            super().do_GET()
            return
        script = b"delete WebAssembly.Suspending;\n" + Path(self.translate_path(self.path)).read_bytes()
        self.send_response(200)
        self.send_header("content-type", "text/javascript")
        self.send_header("content-length", str(len(script)))
        self.end_headers()
        self.wfile.write(script)


@pytest.fixture
def api() -> Iterator[API]:
    made = API()
    yield made
    made.close()


Opener = Callable[..., Page]


@pytest.fixture
def opener(browser: Browser) -> Iterator[Opener]:
    """Opens a notebook of these cells in the site, its kernel idle."""
    with server_of(built_site()) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        context = browser.new_context(viewport={"width": 1100, "height": 1400}, reduced_motion="reduce")

        def open_cells(*cells: str, handler: type[SiteHandler] = SiteHandler) -> Page:
            make = server.RequestHandlerClass
            server.RequestHandlerClass = lambda *args: handler(*args, **make.keywords)  # type: ignore[attr-defined]
            page = context.new_page()
            page.set_default_timeout(_LONG * 1000)
            (lab,) = built_site().glob("lite/*/lab")
            page.goto(f"http://127.0.0.1:{server.server_port}/claude-magic/lite/{lab.parent.name}/lab/index.html")
            page.wait_for_function("() => Boolean(window.jupyterapp?.restored)")
            page.evaluate("() => window.jupyterapp.restored.then(() => null)")
            page.evaluate(_OPEN, [*cells])
            wait_until_idle(page, _LONG)
            page.evaluate("() => window.jupyterapp.shell.collapseLeft()")
            return page

        yield open_cells
        context.close()
        server.shutdown()


_OPEN = """async (cells) => {
    const metadata = {kernelspec: {name: 'python', display_name: 'Python (Pyodide)', language: 'python'}};
    const made = cells.map((source, number) => (
        {cell_type: 'code', id: `cell-${number}`, metadata: {}, execution_count: null, outputs: [], source}
    ));
    const content = {cells: made, metadata, nbformat: 4, nbformat_minor: 5};
    await window.jupyterapp.serviceManager.contents.save('cells.ipynb', {type: 'notebook', format: 'json', content});
    await window.jupyterapp.commands.execute('docmanager:open', {path: 'cells.ipynb'});
}"""


def begin(page: Page) -> None:
    """Runs the first cell, and types the key that it asks for."""
    start_cell(page, 0)
    field = page.locator(".jp-Stdin-input")
    assert field.get_attribute("type") == "password"
    field.fill(KEY)
    field.press("Enter")
    expect(cell(page, 0)).to_contain_text("can be read by every script of that page", timeout=_LONG * 1000)
    wait_until_idle(page, _LONG)


def run(page: Page, index: int) -> str:
    """Runs a cell to its end, and returns what it shows."""
    run_cell(page, index)
    wait_until_idle(page, _LONG)
    return cell(page, index).inner_text()


def test_cells_in_the_site_ask_the_api_as_in_any_notebook(opener: Opener, api: API) -> None:
    page = opener(
        _BEGIN.format(url=api.url),
        "%%claude\nHi",
        "for name, value in claude.last.request.headers.items(): print(f'{name}={value}')",
        "%%claude --compare model=claude-haiku-4-5,claude-sonnet-4-5\nHi",
        _TOOLS,
        "%%claude --tools weather,later\nHow is it?",
        "claude.journal",
        "claude.workbench('Hi')",
    )
    begin(page)

    grown = threading.Event()
    pieces = [event(each) for each in text_events(["Begin ", "and end."])]
    api.answers(Answer(headers=STREAM, pieces=[*pieces[:4], lambda: grown.wait(_LONG), *pieces[4:]]))
    start_cell(page, 1)
    expect(cell(page, 1)).to_contain_text("Begin", timeout=_LONG * 1000)
    assert "and end" not in cell(page, 1).inner_text()
    grown.set()
    expect(cell(page, 1)).to_contain_text("Begin and end.", timeout=_LONG * 1000)
    expect(cell(page, 1)).to_contain_text("Response headers, usage, request", timeout=_LONG * 1000)
    wait_until_idle(page, _LONG)

    shown = dict(line.split("=", 1) for line in run(page, 2).splitlines() if "=" in line and "print(" not in line)
    sent = api.bodies[-1].headers
    assert api.received[0].method == "OPTIONS"
    assert {name: sent[name] for name in shown} == {**shown, "x-api-key": KEY}
    assert "user-agent" not in shown

    both = threading.Barrier(2)
    side = [Answer(headers=STREAM, pieces=[lambda: both.wait(_LONG), *reply(word).pieces]) for word in ("one", "two")]
    api.answers(*side)
    compared = run(page, 3)
    assert [word in compared for word in ("one", "two", "claude-haiku-4-5", "claude-sonnet-4-5")] == [True] * 4

    run(page, 4)
    api.answers(asks(("weather", {"city": "Oslo"}), ("later", {"city": "Rome"})), reply("Rain and sun."))
    run(page, 5)
    screenshot(page, "site-approval")
    cell(page, 5).get_by_role("button", name="Run all").click()
    expect(cell(page, 5)).to_contain_text("Rain and sun.", timeout=_LONG * 1000)
    results = [block["content"][0]["text"] for block in api.bodies[-1].json["messages"][-1]["content"]]
    assert results == ["rain in Oslo", "sun in Rome"]

    assert "in the memory of this page" in run(page, 6)
    api.answers(reply("From the workbench."))
    run(page, 7)
    cell(page, 7).get_by_role("button", name="Run", exact=True).click()
    expect(cell(page, 7)).to_contain_text("From the workbench.", timeout=_LONG * 1000)
    screenshot(page, "site-cells")


def test_without_jspi_replies_come_at_once_and_one_after_another(opener: Opener, api: API) -> None:
    page = opener(
        _BEGIN.format(url=api.url),
        "%%claude\nHi",
        "claude.map(['a', 'b'])",
        "claude.record('mine.recording.txt'); claude.record(None); claude.replay('mine.recording.txt')",
        "%%claude\nHi",
        handler=WithoutJSPI,
    )
    begin(page)
    api.answers(reply("Hello ", "there"))
    assert "Hello there" in run(page, 1)
    assert "2 of 2 answered" in run(page, 2)
    sent = len(api.bodies)
    run(page, 3)
    assert "replayed" in run(page, 4)
    assert len(api.bodies) == sent
    screenshot(page, "site-without-jspi")
    assert page.evaluate("() => 'Suspending' in WebAssembly")  # it was taken away in the kernel only
