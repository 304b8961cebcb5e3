"""Trackers fed from the window: what is kept of a run, what comes while it goes on, and its end."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pytestqt.qtbot import QtBot
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

from remote_agent.contract.events import QUEUED
from remote_agent.contract.job_spec import JobSpec
from remote_agent.contract.spec_json import spec_to_json
from studio import places
from studio.session.reach import LOCAL_NODE
from studio.session.session import Session
from studio.store.library import Library
from studio.store.rows import RunRow
from tests.support.journals import RUN_ID
from tests.support.run_folder import RunFolder

_LONG_MS = 60_000


@pytest.fixture
def folder(luthier_home: Path) -> RunFolder:
    made = RunFolder(Path(places.agent_home()))
    library = Library(places.library_path())
    library.save_run(RunRow(RUN_ID, "tiny", LOCAL_NODE, spec_to_json(JobSpec()), QUEUED, created_s=time.time()))
    library.close()
    return made


def steps(boards: Path) -> list[int]:
    """Return the updates that the event files of the run hold."""
    return [
        event.step
        for path in sorted((boards / RUN_ID).glob("events.*"))
        for event in EventFileLoader(str(path)).Load()
        for value in event.summary.value
        if value.tag == "train/loss"
    ]


def opened(session: Session, qtbot: QtBot) -> list[str]:
    """Follow the run and return where its notices go."""
    said: list[str] = []
    session.notice.connect(lambda _, sentence: said.append(sentence))
    session.take_up()
    qtbot.waitUntil(lambda: session.run(RUN_ID).step == 5, timeout=_LONG_MS)
    return said


def tracked(session: Session, boards: Path) -> Any:
    return session.track_run(RUN_ID, "tensorboard", False, "", boards)


def feeds() -> list[Path]:
    """Return the processes of this test that feed a tracker."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
            parent = (process / "stat").read_text().rpartition(")")[2].split()[1]
        except (OSError, IndexError):
            continue
        if (
            words[0] == sys.executable.encode()
            and b"tensorboard" in words
            and parent == Path("/proc/self").resolve().name
        ):
            found.append(process)
    return found


def test_that_a_run_that_goes_on_is_followed_to_its_end(
    folder: RunFolder, session: Session, qtbot: QtBot, tmp_path: Path
) -> None:
    said = opened(session, qtbot)
    assert tracked(session, tmp_path) == ""
    assert said[-1].endswith("and of what comes until the run is over or Luthier is closed.")
    assert tracked(session, tmp_path) == f"TensorBoard is being told of {RUN_ID} already."
    qtbot.waitUntil(lambda: steps(tmp_path) == list(range(1, 6)), timeout=_LONG_MS)
    folder.steps(6, 12)
    qtbot.waitUntil(lambda: steps(tmp_path) == list(range(1, 13)), timeout=_LONG_MS)
    assert len(feeds()) == 1
    folder.steps(13, 20)
    folder.end()
    qtbot.waitUntil(lambda: any(f"lies in {tmp_path / RUN_ID}" in each for each in said), timeout=_LONG_MS)
    assert steps(tmp_path) == list(range(1, 21))
    assert feeds() == []
    # over by now: told as a whole, and over at once
    assert tracked(session, tmp_path / "again") == ""
    qtbot.waitUntil(lambda: any(f"lies in {tmp_path / 'again'}" in each for each in said), timeout=_LONG_MS)
    assert steps(tmp_path / "again") == list(range(1, 21))


def test_that_closing_leaves_no_process_and_what_was_told(
    folder: RunFolder, make_session: Callable[[], Session], qtbot: QtBot, tmp_path: Path
) -> None:
    session = make_session()
    opened(session, qtbot)
    tracked(session, tmp_path)
    qtbot.waitUntil(lambda: steps(tmp_path) == list(range(1, 6)), timeout=_LONG_MS)
    session.close()
    assert feeds() == []
    assert steps(tmp_path) == list(range(1, 6))


def test_that_a_tracker_that_takes_nothing_is_told_once_and_can_be_tried_again(
    folder: RunFolder, session: Session, qtbot: QtBot, tmp_path: Path
) -> None:
    said = opened(session, qtbot)
    taken = tmp_path / "boards"
    taken.write_text("a file where the folder would be")
    assert tracked(session, taken) == ""
    qtbot.waitUntil(lambda: any("was not fed" in each for each in said), timeout=_LONG_MS)
    assert feeds() == []
    taken.unlink()
    assert tracked(session, taken) == ""
    qtbot.waitUntil(lambda: steps(taken) == list(range(1, 6)), timeout=_LONG_MS)
    folder.end()
    qtbot.waitUntil(lambda: any(f"lies in {taken}" in each for each in said), timeout=_LONG_MS)
