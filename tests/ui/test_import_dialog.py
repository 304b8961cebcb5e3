"""Another tool's configuration in the window: what became of each key, and the job that it becomes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QRect, Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from studio.session.opening import open_session
from studio.session.session import Session
from studio.ui.exchange.import_dialog import ImportDialog

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")

ARGUMENTS = {
    "output_dir": "out", "per_device_train_batch_size": 4, "gradient_accumulation_steps": 16, "learning_rate": 2e-5,
    "num_train_epochs": 3, "warmup_steps": 1000, "save_steps": 1000, "save_strategy": "steps", "bf16": True,
    "lr_scheduler_type": "cosine", "num_gpus": 32, "dataset_rows": 46584, "device_map": "auto",
}  # fmt: skip


@pytest.fixture
def session(qapp: QApplication, luthier_home: Path) -> Iterator[Session]:
    session = open_session()
    yield session
    session.close()
    session.deleteLater()
    QCoreApplication.sendPostedEvents(session, QEvent.Type.DeferredDelete)


def test_that_findings_and_every_key_are_shown_and_the_job_opens(
    qtbot: QtBot, session: Session, tmp_path: Path
) -> None:
    path = tmp_path / "arguments.json"
    path.write_text(json.dumps(ARGUMENTS))
    account = session.read_config(path)
    assert account is not None
    dialog = ImportDialog(session, account, path.name)
    qtbot.addWidget(dialog)
    dialog.show()
    findings = " ".join(cell for row in dialog.tables["findings"].as_rows()[1:] for cell in row)
    assert "exceeds the 69 steps of the run" in findings
    mapped = {row[0]: row[2:4] for row in dialog.tables["mapped"].as_rows()[1:]}
    assert mapped["learning_rate"] == ["Peak learning rate", "2e-5"]
    assert [row[0] for row in dialog.tables["dropped"].as_rows()[1:]].count("device_map") == 1
    dialog.open_button.click()
    assert session.draft.spec.name == "arguments"
    assert session.draft.spec.batch.accumulation == 16


def test_that_no_sentence_is_cut_off_where_the_window_is_narrow(qtbot: QtBot, session: Session, tmp_path: Path) -> None:
    path = tmp_path / "arguments.json"
    path.write_text(json.dumps(ARGUMENTS))
    dialog = ImportDialog(session, session.read_config(path), path.name)
    qtbot.addWidget(dialog)
    dialog.show()
    dialog.resize(480, 420)
    table = dialog.tables["findings"]
    line, last = table.fontMetrics().height(), table.columnCount() - 1

    def needed(row: int) -> int:
        room = QRect(0, 0, table.columnWidth(last) - 14, 1 << 16)
        text = table.as_rows()[row + 1][last]
        return table.fontMetrics().boundingRect(room, Qt.TextFlag.TextWordWrap, text).height()

    qtbot.waitUntil(lambda: max(map(needed, range(table.rowCount()))) > line)
    qtbot.waitUntil(lambda: all(table.rowHeight(row) >= needed(row) for row in range(table.rowCount())))
    assert dialog.tables["dropped"].as_rows()[0] == ["There", "Value", "What was done"]
    assert dialog.tables["mapped"].as_rows()[0] == ["There", "Value", "Here", "Value"]


def test_that_a_file_that_is_none_is_a_notice(qtbot: QtBot, session: Session, tmp_path: Path) -> None:
    told: list[tuple[str, str]] = []
    session.notice.connect(lambda severity, sentence: told.append((severity, sentence)))
    for name, content in (("a.yaml", b"a: [1"), ("b.yaml", b"\xff\xfe\x00"), ("c.yaml", b"hello: world\n")):
        (tmp_path / name).write_bytes(content)
        assert session.read_config(tmp_path / name) is None
    assert session.read_config(tmp_path / "none.yaml") is None
    assert [severity for severity, _ in told] == ["error"] * 4


def test_that_the_job_is_written_for_another_tool_and_nothing_is_replaced(
    qtbot: QtBot, session: Session, tmp_path: Path
) -> None:
    told: list[tuple[str, str]] = []
    session.notice.connect(lambda severity, sentence: told.append((severity, sentence)))
    session.new_job()
    session.export_for("llamafactory", tmp_path)
    assert told[-1][0] == "error" and "no model is chosen" in told[-1][1]
    session.draft.edit({"model.id": "/models/m", "data.path": "/data/d.json"})
    session.export_for("llamafactory", tmp_path)
    assert "Start it there with" in told[-1][1]
    written = sorted(path.name for path in tmp_path.iterdir())
    assert written
    session.export_for("llamafactory", tmp_path)
    assert told[-1][0] == "error" and "already" in told[-1][1]
    assert sorted(path.name for path in tmp_path.iterdir()) == written
