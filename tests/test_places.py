"""Where the studio keeps its files."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio import places


def test_that_one_variable_moves_everything(luthier_home: Path) -> None:
    assert [places.data_dir(), places.config_dir(), places.cache_dir()] == [
        luthier_home / name for name in ("data", "config", "cache")
    ]
    assert places.data_dir().stat().st_mode & 0o077 == 0
    assert places.agent_home() == str(luthier_home / "agent-home")
    assert places.library_path().parent == places.data_dir()
    assert places.known_hosts_path().parent == places.config_dir()


def test_that_without_it_the_agent_lives_where_a_node_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LUTHIER_HOME")
    assert places.agent_home() == str(Path.home() / ".luthier")


def test_that_the_style_sheet_is_among_the_resources() -> None:
    assert (places.resources_dir() / "style.qss").is_file()
