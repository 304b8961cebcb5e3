"""Commands found in control/, and what rank 0 tells of them in journal and log."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from remote_agent.contract.events import CommandDone, Complained, Progressed, StepCompleted
from remote_agent.trainer.control import EVALUATE, SAVE, STOP, pending
from remote_agent.trainer.report import Report
from tests.trainer.run_folder import events_of


def _put(run_dir: Path, name: str, data: object) -> None:
    (run_dir / "control").mkdir(exist_ok=True)
    (run_dir / "control" / name).write_text(json.dumps(data), encoding="utf-8")


def test_that_commands_are_read_and_anything_else_is_left_alone(tmp_path: Path) -> None:
    assert pending(tmp_path) == []
    _put(tmp_path, "a.json", {"command_id": "a", "verb": "stop", "arguments": {"save": True}})
    _put(tmp_path, "b.json", {"command_id": "b", "verb": "stop", "arguments": {}})
    _put(tmp_path, "c.json", {"command_id": "c", "verb": "save", "arguments": {}})
    _put(tmp_path, "d.json", {"command_id": "d", "verb": "evaluate"})
    _put(tmp_path, "e.json", {"command_id": "e", "verb": "dance"})
    _put(tmp_path, "f.json", ["no", "command"])
    _put(tmp_path, "g.json", {"command_id": 7, "verb": "save"})
    (tmp_path / "control" / "h.json").write_bytes(b"\xff{")
    (tmp_path / "control" / ".i.json.tmp").write_text("{}", encoding="utf-8")
    assert [(c.command_id, c.wishes) for c in pending(tmp_path)] == [
        ("a", STOP | SAVE),
        ("b", STOP),
        ("c", SAVE),
        ("d", EVALUATE),
    ]


def test_that_a_done_command_is_journalled_and_its_file_removed(tmp_path: Path) -> None:
    _put(tmp_path, "a.json", {"command_id": "a", "verb": "save", "arguments": {}})
    report = Report(tmp_path, 0)
    found = pending(tmp_path)
    report.done(found, 12)
    report.done(found, 12)
    report.close()
    assert events_of(tmp_path)[0] == CommandDone("a", "save", 12)
    assert pending(tmp_path) == []


def test_that_the_other_ranks_write_no_journal(tmp_path: Path) -> None:
    report = Report(tmp_path, 1)
    report.tell(Complained("error", "nobody hears this", 1))
    report.close()
    assert not (tmp_path / "journal").exists()


def test_that_a_step_is_also_a_line_in_the_log(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = Report(tmp_path, 0)
    report.tell(StepCompleted(1, 3, 2.5, 1e-4, 0.75, 100, 60, 50.0, 2.0, 1, 0.1))
    report.close()
    assert "step 3: loss 2.5000, learning rate 1.000e-04" in capsys.readouterr().out


def test_that_progress_is_told_at_most_twice_a_second_but_for_its_ends(tmp_path: Path) -> None:
    report = Report(tmp_path, 0)
    for done in range(1001):
        report.progress("evaluating", done, 1000)
    report.close()
    told = [event.done for event in events_of(tmp_path) if isinstance(event, Progressed)]
    assert told[0] == 0
    assert told[-1] == 1000
    assert len(told) < 20
