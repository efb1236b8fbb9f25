"""A setting under its old name is the same setting."""

from __future__ import annotations

from pathlib import Path

import pytest
from traitlets.config import Config

from claude_magic.errors import SettingsError
from claude_magic.settings import Claude
from tests.notebook_shell import Shell


def test_the_old_name_reads_and_sets_the_new_one() -> None:
    settings = Claude()
    settings.confirm_run_all = True
    assert settings.reuse_on_run_all
    settings.reuse_on_run_all = False
    assert not settings.confirm_run_all
    assert settings.is_assigned("reuse_on_run_all")


def test_the_old_name_is_taken_from_a_configuration_file() -> None:
    assert Claude(config=Config({"Claude": {"confirm_run_all": True}})).reuse_on_run_all


def test_a_wrong_value_is_refused_under_the_new_name() -> None:
    with pytest.raises(
        SettingsError, match=r"Claude\.reuse_on_run_all = 'yes' is refused\. It must be True or False\."
    ):
        Claude().confirm_run_all = "yes"


def test_the_last_of_both_names_counts_in_a_cell() -> None:
    settings = Claude()
    settings.confirm_run_all = True
    settings.reuse_on_run_all = False
    assert not settings.effective()[0].reuse_on_run_all


def test_config_sets_it_by_the_old_name(shell: Shell) -> None:
    ran = shell.run("%config Claude.confirm_run_all = True")
    assert ran.error is None
    assert "not recognized" not in ran.stdout
    shell.run("from claude_magic import claude")
    assert shell.value("claude.settings.reuse_on_run_all") is True


def test_a_project_may_still_write_the_old_name(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.claude-magic]\nconfirm_run_all = true\n", encoding="utf-8")
    settings, sources = Claude().effective()
    assert settings.reuse_on_run_all
    assert sources["confirm_run_all"] == str(tmp_path / "pyproject.toml")
