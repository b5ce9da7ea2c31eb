"""Profiles: private files, environment first, clear errors."""

import os
import stat
from pathlib import Path

import pytest

from cli.problems import CommandFailed, Exit
from cli.profile import Profile, load, read, save


@pytest.fixture(autouse=True)
def _own_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TILLBOOK_PROFILES", str(tmp_path / "folder" / "profiles.toml"))
    monkeypatch.delenv("TILLBOOK_URL", raising=False)
    monkeypatch.delenv("TILLBOOK_API_KEY", raising=False)


def stored(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "profiles.toml"


def test_a_saved_profile_is_read_back_from_a_file_only_its_owner_can_read(tmp_path: Path) -> None:
    profile = Profile('https://x.example/"quoted"', "tb_1_\\2")
    save(stored(tmp_path), "default", Profile("http://a", "k"))
    save(stored(tmp_path), "other one", profile)
    assert load("other one") == profile
    assert load("default") == Profile("http://a", "k")
    assert stat.S_IMODE(stored(tmp_path).stat().st_mode) == 0o600


def test_the_environment_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(stored(tmp_path), "default", Profile("http://file", "file-key"))
    monkeypatch.setenv("TILLBOOK_URL", "http://env")
    assert load("default") == Profile("http://env", "file-key")
    monkeypatch.setenv("TILLBOOK_API_KEY", "env-key")
    assert load("nowhere") == Profile("http://env", "env-key")


def test_without_a_profile_the_cure_names_command_and_variables() -> None:
    with pytest.raises(CommandFailed) as caught:
        load("default")
    assert caught.value.status is Exit.NOT_CONFIGURED
    assert "tillbook login" in caught.value.cure
    assert "TILLBOOK_API_KEY" in caught.value.cure


@pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX's")
def test_a_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    save(stored(tmp_path), "default", Profile("http://a", "k"))
    stored(tmp_path).chmod(0o640)
    with pytest.raises(CommandFailed) as caught:
        load("default")
    assert caught.value.cure == f"chmod 600 {stored(tmp_path)}"


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    stored(tmp_path).parent.mkdir()
    stored(tmp_path).write_text("[default]\nurl = 1\n")
    stored(tmp_path).chmod(0o600)
    with pytest.raises(CommandFailed, match="not a file of profiles"):
        read(stored(tmp_path))


def test_a_key_with_a_line_break_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed):
        save(stored(tmp_path), "default", Profile("http://a", "k\n[x]"))
    assert not stored(tmp_path).exists()
