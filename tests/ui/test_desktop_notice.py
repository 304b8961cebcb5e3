"""What the desktop is told of a run that the real local agent follows: by the program that desktops bring for it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from remote_agent.contract.events import RUNNING, AlertRaised
from remote_agent.contract.job_spec import JobSpec
from remote_agent.contract.run_dir import SUPERVISOR_WRITER
from remote_agent.contract.spec_json import spec_to_json
from studio import places
from studio.session.opening import open_session
from studio.session.reach import LOCAL_NODE
from studio.session.session import Session
from studio.store.library import Library
from studio.store.rows import RunRow
from studio.ui.desktop_notice import DesktopNotice
from tests.support.journals import RUN_ID
from tests.support.run_folder import RunFolder

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")
_LONG_MS = 60_000
RISE = AlertRaised("loss_rise", "warning", "The loss rises.", 1, 5, 0.0)
HOT = AlertRaised("gpu_hot", "error", "GPU 1 is at 91 °C.", 1, 6, 0.0, rank=1)
ENDED = AlertRaised("run_ended", "error", "The run failed at step 7.", 1, 7, 0.0)


@pytest.fixture
def folder(luthier_home: Path) -> RunFolder:
    folder = RunFolder(Path(places.agent_home()))
    library = Library(places.library_path())
    library.save_run(RunRow(RUN_ID, "<i>&", LOCAL_NODE, spec_to_json(JobSpec()), RUNNING, created_s=time.time()))
    library.close()
    return folder


@pytest.fixture
def session(folder: RunFolder, qtbot: QtBot) -> Iterator[Session]:
    session = open_session()
    yield session
    session.close()


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the file that gets what the desktop's program is called with, a line an argument."""
    told = tmp_path / "told"
    told.touch()
    program = tmp_path / "bin" / "notify-send"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >> {told}\n')
    program.chmod(0o700)
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")
    return told


def _lines(told: Path, count: int, qtbot: QtBot) -> list[str]:
    qtbot.waitUntil(lambda: len(told.read_text().splitlines()) >= count, timeout=_LONG_MS)
    return told.read_text().splitlines()


def test_that_the_desktop_hears_of_alerts_that_come_while_the_window_is_not_looked_at(
    folder: RunFolder, session: Session, qtbot: QtBot, told: Path
) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    DesktopNotice(session, window)
    folder.write(SUPERVISOR_WRITER, RISE)
    run = session.run(RUN_ID)
    raised: list[AlertRaised] = []
    session.alert_raised.connect(lambda _, alert: raised.append(alert))
    qtbot.waitUntil(lambda: run.all_alerts == (RISE,) and run.link is not None, timeout=_LONG_MS)
    window.show()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow, timeout=_LONG_MS)
    folder.write(SUPERVISOR_WRITER, HOT)
    qtbot.waitUntil(lambda: raised == [HOT], timeout=_LONG_MS)  # what was there before the window was, is no news
    window.hide()
    folder.write(SUPERVISOR_WRITER, ENDED)
    options = ["--app-name=Luthier", "--urgency=critical", "--expire-time=15000", "--"]
    assert _lines(told, 6, qtbot) == [*options, "<i>&", "The run failed at step 7."]
    assert raised == [HOT, ENDED]
