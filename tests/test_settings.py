"""`%config Claude`: defaults, bounds, and refusals in one line."""

from __future__ import annotations

import math
from typing import Any

import pytest
from traitlets import TraitError
from traitlets.config import Config

from claude_magic.errors import SettingsError
from claude_magic.magics.claude import ClaudeHandle
from claude_magic.settings import Claude, InvalidSetting, check_url, is_loopback

DEFAULTS = {
    "model": "claude-opus-5-5",
    "max_tokens": 4096,
    "system": "",
    "base_url": "https://api.anthropic.com",
    "api_version": "2023-06-01",
    "timeout": 600.0,
    "connect_timeout": 10.0,
    "max_retries": 2,
    "stream": True,
    "panel": True,
    "provider": "auto",
    "local_model": "",
    "allow_http": False,
}


def refusal(name: str, value: object, settings: Claude | None = None) -> str:
    """The one line that a notebook shows."""
    with pytest.raises(InvalidSetting) as caught:
        setattr(settings or Claude(), name, value)
    (line,) = caught.value._render_traceback_()
    assert "\n" not in line
    assert line.startswith("InvalidSetting: ")
    return line


@pytest.mark.parametrize(("name", "value"), DEFAULTS.items())
def test_a_setting_has_this_default(name: str, value: object) -> None:
    assert getattr(Claude(), name) == value


@pytest.mark.parametrize("name", sorted(Claude.class_trait_names(config=True)))
def test_a_setting_has_help(name: str) -> None:
    assert Claude.class_traits()[name].help.strip().endswith(".")
    assert f"Claude.{name}" in Claude.class_get_help()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(
            ("model", "m"),
            ("model", " claude-x "),
            ("max_tokens", 1),
            ("max_tokens", 10**9),
            ("system", "two\nlines ☃"),
        ),
        *(("base_url", ""), ("base_url", "https://h/x"), ("base_url", "http://h"), ("api_version", "2026-10-21")),
        *(("timeout", 0.01), ("timeout", 5), ("connect_timeout", 0.01), ("max_retries", 0), ("max_retries", 20)),
        *(("stream", False), ("panel", False), ("provider", "local"), ("provider", "anthropic"), ("allow_http", True)),
        ("local_model", "/x.gguf"),
    ],
)
def test_a_right_value_is_taken(name: str, value: Any) -> None:
    settings = Claude()
    setattr(settings, name, value)
    expected = value.strip() if name == "model" else value or DEFAULTS[name]
    assert getattr(settings, name) == (value if isinstance(value, bool | int) else expected)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("model", ""), ("model", " "), ("model", "a\nb"), ("model", "é"), ("model", 5), ("model", None)),
        *(("max_tokens", 0), ("max_tokens", -1), ("max_tokens", 1.5), ("max_tokens", "many"), ("system", 5)),
        *(("base_url", "nonsense"), ("base_url", 5), ("base_url", "https://u:p@h"), ("base_url", "https://h?q")),
        *(("api_version", ""), ("api_version", "a\rb"), ("timeout", 0), ("timeout", -1), ("timeout", math.nan)),
        *(("timeout", math.inf), ("timeout", "long"), ("connect_timeout", 0), ("connect_timeout", math.inf)),
        *(("max_retries", -1), ("max_retries", 21), ("stream", 5), ("stream", "yes")),
        *(("panel", None), ("provider", "openai"), ("provider", None), ("local_model", 5), ("allow_http", "no")),
    ],
)
def test_a_wrong_value_is_refused_in_one_line_that_names_the_setting(name: str, value: object) -> None:
    assert name in refusal(name, value)


@pytest.mark.parametrize(
    ("name", "value"), [("max_tokens", 0), ("timeout", math.nan), ("base_url", "x"), ("model", "")]
)
def test_a_refused_value_leaves_the_one_before(name: str, value: object) -> None:
    settings = Claude()
    refusal(name, value, settings)
    assert getattr(settings, name) == DEFAULTS[name]


def test_a_refusal_says_what_is_wanted() -> None:
    assert refusal("max_retries", 21) == (
        "InvalidSetting: Claude.max_retries = 21 is refused. It must be a whole number, at least 0 and at most 20."
    )
    assert "'auto', 'anthropic', 'local'" in refusal("provider", "x")


def test_a_refusal_is_an_error_of_traitlets_and_of_ours() -> None:
    assert issubclass(InvalidSetting, TraitError)
    assert issubclass(InvalidSetting, SettingsError)


def test_a_long_wrong_value_is_still_one_short_line() -> None:
    assert len(refusal("base_url", "x" * 10_000)) < 400


def test_the_endpoint_follows_the_environment_until_it_is_assigned(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Claude()
    seen = [settings.base_url]
    for url in ("https://one.example", " https://two.example/ ", ""):
        monkeypatch.setenv("ANTHROPIC_BASE_URL", url)
        seen.append(settings.base_url.rstrip("/"))
    settings.base_url = "https://mine.example/x/"
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "https://three.example")
    seen.append(settings.base_url)
    settings.base_url = ""
    seen.append(settings.base_url)
    default = "https://api.anthropic.com"
    assert seen == [
        *(default, "https://one.example", "https://two.example", default, "https://mine.example/x"),
        "https://three.example",
    ]


def test_whether_an_endpoint_is_configured_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Claude()
    seen = [settings.base_url_is_configured]
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "https://one.example")
    seen.append(settings.base_url_is_configured)
    monkeypatch.delenv("ANTHROPIC_BASE_URL")
    settings.base_url = "https://mine.example"
    seen.append(settings.base_url_is_configured)
    assert seen == [False, True, True]


def test_settings_come_from_a_configuration_and_wrong_ones_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    class Shell:
        config = Config({"Claude": {"max_tokens": 9, "timeout": -1, "model": "m"}})
        configurables: list[object] = []  # noqa: RUF012 - of this one shell

    notebook = ClaudeHandle()
    notebook.open(Shell())
    settings = notebook.settings
    assert (settings.max_tokens, settings.timeout, settings.model) == (9, 600.0, "m")
    assert capsys.readouterr().out.count("\n") == 1
    assert settings in Shell.configurables


@pytest.mark.parametrize(
    ("host", "is_one"), [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("localhost.", True)]
)
def test_an_address_of_this_machine_is_loopback(host: str, is_one: bool) -> None:
    assert is_loopback(host) is is_one


@pytest.mark.parametrize(
    "host", ["", "localhost.evil.com", "127.0.0.1.evil.com", "0.0.0.0.evil.com", "evil", "::2", "1.1.1.1"]
)
def test_what_only_looks_like_this_machine_is_not_loopback(host: str) -> None:
    assert not is_loopback(host)


def test_a_url_loses_the_slash_at_its_end() -> None:
    assert check_url("https://host/x//", allow_http=False) == "https://host/x"
