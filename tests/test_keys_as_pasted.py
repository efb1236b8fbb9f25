"""A key is cleaned of what came with it, or refused in words; which hosts are this machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from claude_magic import SettingsError
from claude_magic.api import credentials
from claude_magic.hosts import is_loopback
from claude_magic.settings import check_url

KEY = "sk-ant-" + "api03-q7Zr2LmX9vKd0TbWc4Hs"
PASTED = [
    *(f'"{KEY}"', f"'{KEY}'", f"`{KEY}`", f"“{KEY}”", f"‘{KEY}’", f"Bearer {KEY}", f"bearer  {KEY}", f'"Bearer {KEY}"'),
    *(f" {KEY}\n", f"\ufeff{KEY}", f"{KEY}\u200b", f"sk-ant-\u200b{KEY[7:]}", f"\u2060{KEY}\u00a0", f"{KEY}\r\n"),
    *(f"ANTHROPIC_API_KEY={KEY}", f"export ANTHROPIC_API_KEY='{KEY}'", f'$env:ANTHROPIC_API_KEY = "{KEY}"'),
    *(f"x-api-key: {KEY}", f"Authorization: Bearer {KEY}", f"set ANTHROPIC_API_KEY={KEY}", f"{KEY};", f"{KEY},"),
]


def key() -> bytes:
    found = credentials.find()
    assert found is not None
    return found.secret.file_content().strip()


@pytest.mark.parametrize("pasted", PASTED)
def test_a_key_is_cleaned_of_what_came_with_it(pasted: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", pasted)
    assert key() == KEY.encode()
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    monkeypatch.setattr(credentials, "_login_credential", None)
    credentials.remember(pasted, save=True)
    assert key() == KEY.encode()
    monkeypatch.setattr(credentials, "_login_credential", None)
    credentials._file().write_text(pasted, encoding="utf-8")
    assert key() == KEY.encode()


def test_a_dotenv_with_a_byte_order_mark_and_curly_quotes_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("dotenv", reason="NO python-dotenv: .env is not read in this run")
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    Path(".env").write_text(f"\ufeffANTHROPIC_API_KEY=“{KEY}”\n", encoding="utf-8")
    assert key() == KEY.encode()


@pytest.mark.parametrize(
    ("pasted", "said"),
    [
        ("sk-ant-api03-q7Zr2LmX\n9vKd0TbWc4Hs", "contains a control or non-ASCII character"),
        ("sk-ant-api03-q7Zr2LmX 9vKd0TbWc4Hs", "contains a space"),
        ("sk-ant-api03-q7Zr2LmXé9vKd0TbWc4Hs", "contains a control or non-ASCII character"),
        ("sk-ant-api03-q7Zr2LmX\u20139vKd0TbWc4Hs", "contains a control or non-ASCII character"),
        ("''", "is empty"),
    ],
)
def test_what_cannot_be_cleaned_is_refused_without_showing_it(pasted: str, said: str) -> None:
    with pytest.raises(SettingsError) as error:
        credentials.remember(pasted, save=False)
    assert said in str(error.value)
    assert "q7Zr" not in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "host",
    [
        *("localhost", "LOCALHOST", "localhost.", "api.localhost", "127.0.0.1", "127.1", "127.9.9.9", "0.0.0.0", "0"),
        *("::1", "[::1]", "::", "[::]", "::ffff:127.0.0.1", "2130706433", "0x7f.1", "127.0.0.1.", "::1%lo"),
    ],
)
def test_this_machine_is_known_under_all_its_names(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host",
    [
        *("example.com", "localhost.example.com", "127.0.0.1.example.com", "notlocalhost", "10.0.0.1", "128.1", "1"),
        *("fe80::1", "192.168.0.1", "", "::ffff:10.0.0.1", "127.0.0.256", "127.1.1.1.1", "localhost..", "127.0.0.1 x"),
        *("localhost%2eevil.com", "localhost%lo", "127.0.0.1%lo", "fe80::1%lo"),
    ],
)
def test_another_machine_is_not_this_one(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize("url", ["http://0.0.0.0:8080", "http://[::]:8080", "http://localhost.:1", "http://127.1"])
def test_http_to_this_machine_is_allowed(url: str) -> None:
    assert check_url(url, allow_http=False) == url
