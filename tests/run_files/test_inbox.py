"""A command sent twice is one command, and what is no command is told apart."""

from __future__ import annotations

from pathlib import Path

import pytest

from remote_agent.run_files.inbox import Command, list_commands, put_command, remove_command


def test_that_a_command_is_there_once_until_it_is_removed(tmp_path: Path) -> None:
    command = Command("c1", "stop", {"save": True})
    assert put_command(str(tmp_path), command)
    assert not put_command(str(tmp_path), command._replace(verb="save"))
    assert list_commands(str(tmp_path)) == ([command], [])
    remove_command(str(tmp_path), "c1")
    remove_command(str(tmp_path), "c1")
    assert list_commands(str(tmp_path)) == ([], [])
    assert list_commands(str(tmp_path / "none")) == ([], [])


@pytest.mark.parametrize("command_id", ["", "..", "a/b", "x" * 60, "a\n"])
def test_that_an_id_that_is_no_file_name_is_refused(tmp_path: Path, command_id: str) -> None:
    with pytest.raises(ValueError, match="may not be the id"):
        put_command(str(tmp_path), Command(command_id, "stop", {}))


def test_that_a_broken_file_is_named_and_does_not_hide_the_others(tmp_path: Path) -> None:
    put_command(str(tmp_path), Command("good", "save", {}))
    (tmp_path / "bad.json").write_text("{")
    (tmp_path / "other.json").write_text('{"command_id": "x", "verb": "stop"}')
    (tmp_path / "link.json").symlink_to(tmp_path / "good.json")
    (tmp_path / ".half.json").write_text("{")
    commands, broken = list_commands(str(tmp_path))
    assert [command.command_id for command in commands] == ["good"]
    assert broken == ["bad.json", "link.json", "other.json"]
