"""The panel as HTML and as mime bundles: what is listed, what never is, and how large it may become."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime, timezone
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import comm
import pytest

from claude_magic.display.panel import live_panels
from claude_magic.display.panel.panel import panel_bundles, static_panel
from claude_magic.display.panel.tabs import TABS, live_tabs, tabs
from claude_magic.display.text.excerpt import cut, pretty
from claude_magic.errors import APIError, Interrupted
from claude_magic.wire import Exchange, Headers, Message, Request, TimedEvent
from claude_magic.wire.rate_limits import moment, rate_limits
from claude_magic.wire.short_text import duration
from tests.panel_exchange import DATE, exchange, headers, limit_headers, request

ROOT = Path(__file__).parents[1]
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
ALLOWED_TAGS = {"style", "details", "summary", "div", "table", "thead", "tbody", "tr", "th", "td", "p", "pre", "meter"}
DRAWN = {"svg", "g", "text", "rect", "title", "path"}
ALLOWED_ATTRIBUTES = {
    "data-copy",
    "data-text",
    "class",
    "scope",
    "colspan",
    "role",
    "aria-label",
    "style",
    "data-lm-suppress-shortcuts",
}
ALLOWED_ATTRIBUTES |= {"viewbox", "fill", "font-family", "x", "y", "width", "height", "rx", "d", "fill-opacity"}
ALLOWED_ATTRIBUTES |= {"open", "value", "low", "high", "optimum"}
ALLOWED_ATTRIBUTES |= {"opacity", "text-anchor", "stroke", "stroke-opacity", "stroke-dasharray", "font-size"}
HOSTILE = (
    "<script>alert(1)</script><img src=x onerror=alert(2)>\"' onload='x\x1b]52;c;x\x07\u202e\x85\x00\r\n</td></style>"
)


class Read(HTMLParser):
    """Tags, attributes and the text of a piece of HTML; style is not text."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.words: list[str] = []
        self._in_style = False
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs
        self._in_style = tag == "style"

    def handle_endtag(self, tag: str) -> None:
        self._in_style = False

    def handle_data(self, data: str) -> None:
        if not self._in_style:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As if a page listened to widgets, which a test run has not."""

    def create_comm(*args: Any, **kwargs: Any) -> comm.DummyComm:
        return comm.DummyComm(*args, **kwargs)

    monkeypatch.setattr(comm, "create_comm", create_comm)
    yield
    live_panels.close_all()


@pytest.fixture
def no_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comm, "create_comm", comm._create_comm)


def text(source: str) -> str:
    return Read(source).text


def live(exchange: Exchange) -> dict[str, str]:
    """The tabs of a live panel."""
    return live_tabs(exchange, tabs(exchange))


def assert_inert(source: str) -> None:
    read = Read(source)
    assert read.tags <= ALLOWED_TAGS | DRAWN
    assert {name for name, _ in read.attributes} <= ALLOWED_ATTRIBUTES
    styles = {value or "" for name, value in read.attributes if name == "style"}
    assert all(re.fullmatch(r"[a-z0-9:;%. -]{1,80}", value) for value in styles)
    assert not any("url" in value or "expression" in value for value in styles)
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", source)


# What is published


def test_two_bundles_are_given_the_widget_alone_and_its_twin(page: None) -> None:
    widget, twin = panel_bundles(exchange())

    assert set(widget) == {WIDGET_VIEW, "text/plain"}
    assert widget["text/plain"] == ""
    assert set(twin) == {"text/html", "text/plain"}
    assert twin["text/plain"] == "Response headers, usage, request"


def test_without_a_page_the_twin_is_given_alone(no_page: None) -> None:
    assert [set(bundle) for bundle in panel_bundles(exchange())] == [{"text/html", "text/plain"}]


def test_without_ipywidgets_the_twin_is_given_alone(page: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ipywidgets", None)

    assert [set(bundle) for bundle in panel_bundles(exchange())] == [{"text/html", "text/plain"}]


def test_the_widget_is_a_closed_accordion_of_six_tabs(page: None) -> None:
    panel_bundles(exchange())
    outer, accordion, tab, *_ = live_panels.latest().widgets

    assert type(accordion).__name__ == "Accordion"
    assert accordion.selected_index is None
    assert accordion in outer.children
    assert accordion.children == (tab,)
    assert tab.titles == ("Headers", "Usage", "Request", "Response", "Events", "Code")


def test_the_twin_has_the_tabs_of_the_widget_in_brief(page: None) -> None:
    twin = panel_bundles(exchange())[1]["text/html"]
    _, accordion, tab, *_ = live_panels.latest().widgets
    saved = tabs(exchange())

    assert text(twin) == " ".join([accordion.titles[0], *(f"{title} {text(saved[title])}" for title in tab.titles)])
    for title, page_of_tab in zip(tab.titles, tab.children, strict=True):
        shown = page_of_tab.value if title != "Code" else page_of_tab.children[1].value
        assert text(re.sub("<style>.*</style>|</?span[^>]*>", "", shown)) == text(live(exchange())[title])


def test_the_widget_hides_its_own_twin_and_no_other(page: None) -> None:
    twins = [panel_bundles(exchange())[1]["text/html"] for _ in range(2)]
    names = [re.search(r"cm-static-\w+", twin)[0] for twin in twins]  # type: ignore[index]
    style = live_panels.latest().widgets[0].children[0].value

    assert names[0] != names[1]
    assert f".{names[1]}{{display:none !important}}" in style
    assert names[0] not in style


def test_the_oldest_panels_are_closed_so_that_a_long_session_stays_small(
    page: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_panels, "_MOST", 5)
    panel_bundles(exchange(2))
    oldest = live_panels._live[0].widgets
    for _ in range(live_panels._MOST):
        panel_bundles(exchange(2))

    assert len(live_panels._live) == live_panels._MOST
    assert [widget.comm for widget in oldest] == [None] * len(oldest)
    assert all(widget.comm for panel in live_panels._live for widget in panel.widgets)


@pytest.mark.process
def test_importing_the_panel_imports_no_ipywidgets() -> None:
    code = "import sys, claude_magic.display.panel; print('ipywidgets' in sys.modules, 'markdown' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)

    assert ran.stdout.split() == ["False", "False"]


# Headers


def test_both_ids_come_first_even_where_they_were_not_sent() -> None:
    shown = text(tabs(exchange(headers=Headers([("date", DATE)])))["Headers"])

    assert shown.startswith("request-id not sent anthropic-organization-id not sent HTTP status 200 ")


def test_both_ids_come_first_whatever_case_they_were_sent_in() -> None:
    sent = Headers([("Date", DATE), ("Anthropic-Organization-Id", "org"), ("Request-Id", "req")])

    assert text(tabs(exchange(headers=sent))["Headers"]) == (
        f"request-id req anthropic-organization-id org HTTP status 200 date {DATE}"
    )


def test_without_an_answer_the_ids_are_still_listed() -> None:
    shown = tabs(Exchange(request=request()))

    assert text(shown["Headers"]) == "request-id not sent anthropic-organization-id not sent HTTP status no response"
    assert text(shown["Events"]) == "No response."


def test_rate_limits_are_bars_with_their_words_and_the_time_to_reset() -> None:
    shown = tabs(exchange())["Headers"]

    assert "requests 19,999 of 20,000 left · resets now" in text(shown)
    assert "input-tokens 1,900,000 of 10,000,000 left · resets in 49 s" in text(shown)
    assert "output-tokens 130,000 of 2,000,000 left · resets in 2 h 20 min" in text(shown)
    assert "<meter value=0.95 low=.1 high=.25 optimum=1></meter> 11,400,000 of" in shown


def test_priority_limits_are_bars_too() -> None:
    sent = headers(
        ("anthropic-priority-input-tokens-limit", "100"), ("anthropic-priority-input-tokens-remaining", "40")
    )

    assert "priority-input-tokens 40 of 100 left" in text(tabs(exchange(headers=sent))["Headers"])


@pytest.mark.parametrize(
    ("reset", "words"),
    [
        ("2026-08-02T17:44:05Z", "resets in 10 s"),
        ("2026-08-02T19:44:05+02:00", "resets in 10 s"),
        ("1785692645", "resets in 10 s"),
        ("2026-08-02T17:00:00Z", "resets now"),
        ("tomorrow", "resets at tomorrow"),
        ("9" * 400, "resets at 999"),
        ("0001-01-01T00:00:00+14:00", "resets"),
    ],
)
def test_the_reset_is_told_from_the_moment_of_the_reply(reset: str, words: str) -> None:
    assert words in text(tabs(exchange(headers=_limit("10", "5", reset)))["Headers"])


def test_without_a_date_the_reset_is_a_time_of_day() -> None:
    sent = Headers(pair for pair in limit_headers() if "-tokens-" not in pair[0])

    assert "resets at 2026-08-02 17:43:55 UTC" in text(tabs(exchange(headers=sent))["Headers"])


@pytest.mark.parametrize("date", ["never", "Sun, 02 Aug 99999 17:43:55 GMT", "\x00", "Sun, 32 Aug 2026 25:61:61 GMT"])
def test_a_date_that_is_none_is_none(date: str) -> None:
    assert moment(Headers([("date", date)])) is None


def test_a_date_is_read() -> None:
    assert moment(Headers([("date", DATE)])) == datetime(2026, 8, 2, 17, 43, 55, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("limit", "remaining"), [("nan", "1"), ("-1", "1"), ("1e9", "1"), ("9" * 5000, "1"), ("٣", "1"), ("", "")]
)
def test_a_limit_that_is_no_number_is_listed_as_it_came(limit: str, remaining: str) -> None:
    sent = _limit(limit, remaining, "x")

    assert rate_limits(sent) == []
    assert "anthropic-ratelimit-tokens-limit" in text(tabs(exchange(headers=sent))["Headers"])


@pytest.mark.parametrize(("limit", "remaining", "value"), [("0", "0", "0"), ("10", "99", "1"), ("3", "1", "0.33")])
def test_a_bar_stays_within_its_frame(limit: str, remaining: str, value: str) -> None:
    assert f"<meter value={value}" in tabs(exchange(headers=_limit(limit, remaining, "x")))["Headers"]


@pytest.mark.parametrize(
    ("seconds", "words"), [(1, "1 s"), (99, "99 s"), (600, "10 min"), (8400, "2 h 20 min"), (10**6, "11 days")]
)
def test_a_duration_is_told_in_the_units_that_matter(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_other_headers_are_shown_by_an_allow_list_and_the_rest_is_counted() -> None:
    shown = text(live(exchange())["Headers"])

    assert "cf-ray 98f3a1c2bd7e0a11-ZRH" in shown
    assert "server-timing proxy;dur=812" in shown
    assert "x-internal-thing" not in shown
    assert shown.endswith("2 more not shown")


def test_headers_about_caching_and_security_are_not_saved_but_counted() -> None:
    shown = text(tabs(exchange())["Headers"])

    assert "cf-ray 98f3a1c2bd7e0a11-ZRH" in shown
    assert "strict-transport-security" not in shown
    assert shown.endswith("11 more not shown")


@pytest.mark.parametrize(
    "name",
    [
        *("set-cookie", "Set-Cookie2", "cookie", "authorization", "Proxy-Authorization", "x-api-key"),
        *("x-amz-security-token", "anthropic-api-key", "anthropic-client-secret", "anthropic-auth-token"),
    ],
)
def test_no_secret_of_the_response_reaches_the_panel(page: None, name: str) -> None:
    hidden = exchange(headers=headers((name, "sesame-8d1f")))
    twin = panel_bundles(hidden)[1]["text/html"]
    state = "".join(str(widget.get_state()) for widget in live_panels.latest().widgets)

    assert "sesame" not in twin + state
    assert "a-cookie-that-nobody-sees" not in twin + state


def test_no_credential_of_the_request_reaches_the_panel_but_its_place_does() -> None:
    sent = Headers([("Authorization", "Bearer sesame"), ("x-api-key", "$ANTHROPIC_API_KEY"), ("cookie", "$sesame")])
    asked = Request(method="POST", url="https://me:sesame@api.example/v1/messages", headers=sent, body={})
    shown = text(static_panel(exchange(request=asked)))

    assert "sesame" not in shown
    assert "Authorization not shown x-api-key $ANTHROPIC_API_KEY cookie not shown" in shown
    assert "POST https://api.example/v1/messages" in shown


def test_whatever_is_shaped_like_a_key_is_taken_out() -> None:
    key = "sk-ant-api03-" + "Zq9" * 30
    error = APIError(f"bad key {key}", status=401, body={"error": {"message": key + "x" * 30_000}})
    shown = static_panel(exchange(request=request(system=key), error=error, headers=headers(("via", "x" * 480 + key))))

    assert "Zq9" not in shown
    assert "sk-ant-(not shown)" in shown


def test_a_long_value_is_cut_and_says_so() -> None:
    shown = text(tabs(exchange(headers=headers(("via", "v" * 3000))))["Headers"])

    assert "2,500 characters not shown" in shown
    assert "v" * 501 not in shown


def test_hundreds_of_headers_are_bounded_and_counted() -> None:
    many = [(f"anthropic-x-{number}", "1") for number in range(700)]
    many += [(f"anthropic-{n}-{field}", "5") for n in range(300) for field in ("limit", "remaining")]
    shown = tabs(exchange(headers=Headers(many)))["Headers"]

    assert shown.count("<tr>") < 140
    assert "more not shown" in shown


# Hostile values


def test_hostile_text_anywhere_is_only_text(page: None) -> None:
    sent = Headers(
        [
            (f"anthropic-{HOSTILE}", HOSTILE),
            ("request-id", HOSTILE),
            ("anthropic-organization-id", HOSTILE),
            (f"anthropic-{HOSTILE}-limit", "9"),
            (f"anthropic-{HOSTILE}-remaining", "3"),
            (f"anthropic-{HOSTILE}-reset", HOSTILE),
        ]
    )
    body = {"model": HOSTILE, "stop_reason": HOSTILE, "stop_details": {HOSTILE: HOSTILE}, HOSTILE: [HOSTILE]}
    hostile = exchange(
        headers=sent,
        message=Message(body={**body, "usage": {HOSTILE: {HOSTILE: HOSTILE}, "service_tier": HOSTILE}}),
        request=Request(method=HOSTILE, url="https://[" + HOSTILE, headers=Headers([(HOSTILE, HOSTILE)]), body=body),
        events=(TimedEvent(seconds=1, event=HOSTILE, data=HOSTILE),),
        model_note=HOSTILE,
        error=APIError(HOSTILE, status=400, type=HOSTILE, body=HOSTILE),
    )
    bundles = panel_bundles(hostile)

    assert_inert(bundles[1]["text/html"])
    for widget in live_panels.latest().widgets:
        assert_inert(str(getattr(widget, "value", "")))
    assert "alert(1)" in text(bundles[1]["text/html"])
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u202e]", bundles[1]["text/plain"])


def test_lone_surrogates_are_replaced() -> None:
    hostile = exchange(
        message=Message(body={"content": [{"type": "text", "text": "a\ud800b"}]}),
        events=(TimedEvent(seconds=0, event="\udfff", data="\ud83d"),),
        headers=Headers([("request-id", "\ud800")]),
    )

    assert static_panel(hostile).encode().count("\ufffd".encode()) >= 4


@pytest.mark.parametrize(
    "body",
    [
        {"usage": {"input_tokens": "many", "output_tokens": None, "iterations": [1, {"a": 10**400}]}},
        {"usage": {"input_tokens": True, "output_tokens": 1.5, "output_tokens_details": [1]}, "stop_details": []},
        {"model": 7, "stop_reason": ["x"], "content": "no list", 3: {(1, 2): float("nan")}, "set": {1}},
    ],
)
def test_a_message_of_any_shape_is_shown(body: Any) -> None:
    assert_inert(static_panel(exchange(message=Message(body=body))))


# Usage


def test_usage_counts_all_input_and_tells_thinking_apart() -> None:
    shown = text(live(exchange())["Usage"])

    assert "input 1,246 · 0 written to the cache, 1,200 read from it" in shown
    assert "output 500 thinking, in the output 120 service tier standard" in shown
    assert "cache_creation.ephemeral_5m_input_tokens 0" in shown
    assert "output_tokens_details.thinking_tokens 120" in shown


def test_usage_tells_the_time_and_the_speed() -> None:
    shown = text(tabs(exchange(retries=2))["Usage"])

    assert "seconds 4.21 seconds to the first token 0.93" in shown
    assert "tokens per second 152.4 since the first token retries 2" in shown


def test_usage_tells_why_the_reply_ended() -> None:
    refused = Message(body={"stop_reason": "refusal", "stop_details": {"category": "bio", "explanation": None}})

    assert "stop reason refusal stop details: category bio" in text(tabs(exchange(message=refused))["Usage"])
    assert "stop reason none: the stream ended early" in text(tabs(exchange(message=Message()))["Usage"])
    assert "stop reason none: there is no reply" in text(tabs(exchange(message=Message(), status=529))["Usage"])


def test_usage_says_that_the_model_is_not_claude() -> None:
    shown = text(tabs(exchange(model_note="a small local model, not Claude"))["Usage"])

    assert "model claude-opus-5-5 · a small local model, not Claude" in shown


def test_usage_of_any_size_is_bounded() -> None:
    endless = {str(a): {str(b): {str(c): 1 for c in range(20)} for b in range(20)} for a in range(20)}
    huge = Message(body={"usage": endless, "stop_details": endless})

    assert live(exchange(message=huge))["Usage"].count("<tr>") < 420


# Request, response, events


def test_the_request_is_readable_json_beside_method_and_address() -> None:
    shown = text(tabs(exchange())["Request"])

    assert shown.startswith("POST https://api.anthropic.com/v1/messages x-api-key $ANTHROPIC_API_KEY")
    assert '"content": "Explain the difference between a list and a tuple. Žluťoučký kůň costs $5 and $10."' in shown


def test_base64_is_cut() -> None:
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0K" * 100_000}}
    shown = tabs(exchange(request=request(messages=[{"role": "user", "content": [image]}])))["Request"]

    assert "(image/png, 600 KB)" in shown
    assert len(shown) < 2_000


@pytest.mark.slow
def test_a_huge_body_is_cut_in_the_middle_and_says_so() -> None:
    turns = [{"role": "user", "content": f"turn {number}: " + "word " * 400} for number in range(3000)]
    shown = text(tabs(exchange(request=request(messages=turns)))["Request"])

    assert len(shown) < 21_000
    assert "characters not shown" in shown
    assert "turn 0:" in shown


def test_json_of_any_depth_and_width_is_bounded() -> None:
    deep: list[Any] = []
    for _ in range(5000):
        deep = [deep]
    endless: dict[str, Any] = {}
    endless["self"] = endless

    assert "deeper levels not shown" in pretty(deep)
    assert "deeper levels not shown" in pretty(endless)
    assert "99,600 more not shown" in pretty(list(range(100_000)))
    assert "99,600 more not shown" in pretty({str(number): 1 for number in range(100_000)}, 100_000)


def test_a_cut_keeps_both_ends() -> None:
    assert cut("a" * 90 + "z" * 60, 100) == "a" * 75 + " … 50 characters not shown … " + "z" * 25
    assert cut("a" * 132, 100) == "a" * 132  # shorter than it would be with the sentence
    assert cut("whole", 5) == "whole"


def test_an_error_of_the_api_is_shown_with_its_body() -> None:
    error = APIError("not found", status=404, type="not_found_error", body={"error": {"message": "model: opus"}})
    shown = text(tabs(exchange(message=Message(), error=error, status=404, events=()))["Response"])

    assert shown.startswith("error APIError: not found HTTP status 404 type not_found_error {")
    assert '"message": "model: opus"' in shown


def test_an_error_page_of_a_proxy_is_shown_as_text() -> None:
    error = APIError("bad gateway", status=502, body="<html><h1>502</h1>" + "x" * 60_000)
    shown = tabs(exchange(message=Message(), error=error))["Response"]

    assert "&lt;html&gt;&lt;h1&gt;502" in shown
    assert len(shown) < 22_000


def test_an_interrupted_reply_shows_what_had_come() -> None:
    shown = text(tabs(exchange(error=Interrupted("stopped")))["Response"])

    assert shown.startswith("error Interrupted: stopped {")
    assert '"model": "claude-opus-5-5"' in shown


def test_events_have_their_times() -> None:
    assert '850 content_block_start {"type": "content_block_start"' in text(tabs(exchange())["Events"])


def test_an_answer_that_was_not_streamed_says_so() -> None:
    assert text(tabs(exchange(events=()))["Events"]) == "The response was not streamed."


@pytest.mark.parametrize(("count", "rows", "more"), [(199, 199, None), (200, 200, None), (25_000, 201, "24,800 more")])
def test_many_events_are_bounded(count: int, rows: int, more: str | None) -> None:
    events = tuple(TimedEvent(seconds=n / 1000, event="ping", data=f'{{"n": {n}}}') for n in range(count))
    shown = live(exchange(events=events))["Events"]

    assert shown.count("<tr>") - 1 == rows
    assert ("more" in shown) == (more is not None)
    assert (more or "") in shown
    assert f'{{"n": {count - 1}}}' in shown


def test_adjacent_events_of_a_name_are_saved_as_one_row() -> None:
    shown = text(tabs(exchange())["Events"])

    assert "ping {" in shown
    assert 'content_block_delta × 54 {"type": "content_block_delta", "index":…a tuple may not;"}}' in shown
    assert shown.endswith('message_stop {"type": "message_stop"}')


def test_the_runs_of_saved_events_are_bounded_and_counted() -> None:
    events = tuple(TimedEvent(seconds=1, event="ab"[n % 2], data="{}") for n in range(5_000))
    shown = tabs(exchange(events=events))["Events"]

    assert shown.count("<tr>") - 1 == 21
    assert "… 4,980 more" in shown


# Size and speed


def test_an_ordinary_panel_is_small_and_quick(page: None) -> None:
    ordinary = exchange()
    panel_bundles(ordinary)
    seconds = []
    for _ in range(5):  # the quickest of five: what else the machine does costs CPU, too
        begun = time.process_time()
        twin = panel_bundles(ordinary)[1]["text/html"]
        seconds.append(time.process_time() - begun)
    state = "".join(str(widget.get_state(drop_defaults=True)) for widget in live_panels.latest().widgets)

    assert len(ordinary.events) == 60
    assert len(twin.encode()) < 8_000
    assert len(state.encode()) < 34_000
    assert min(seconds) < 0.3


def _limit(limit: str, remaining: str, reset: str) -> Headers:
    values = {"limit": limit, "remaining": remaining, "reset": reset}
    return Headers([("date", DATE), *((f"anthropic-ratelimit-tokens-{name}", value) for name, value in values.items())])


def test_a_tab_that_is_named_in_the_registry_is_in_the_widget_and_in_its_twin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TABS, "Extra", lambda exchange: f"<p>status {exchange.status}</p>")
    monkeypatch.setitem(TABS, "Empty", lambda exchange: "")
    assert list(tabs(exchange()))[-1] == "Extra"
    assert "<summary>Extra</summary>" in static_panel(exchange())
    assert "Empty" not in static_panel(exchange())
