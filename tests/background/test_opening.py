from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QObject, QTimer
from pytestqt.qtbot import QtBot

from remote_agent.contract.job_spec import JobSpec
from studio.background.opening import open_run
from studio.background.tasks import Tasks
from studio.state.run import RunState
from studio.store.library import Library
from studio.store.live import Position, RunBatch
from studio.store.rows import Block, StoreError
from tests.support.journals import header_line, step_line

RUN = "r-261124-044500-abcdef"


def fail(answer: object) -> None:
    raise AssertionError(f"nothing was to come, {answer!r} came")


@pytest.fixture
def tasks(qtbot: QtBot) -> Iterator[Tasks]:
    made = Tasks()
    yield made
    made.close()


def test_that_a_kept_run_opens_piece_by_piece_while_the_window_lives(
    tasks: Tasks, qtbot: QtBot, tmp_path: Path
) -> None:
    library = Library(tmp_path / "library.db")
    lines = 4_000
    for segment in range(15):
        body = header_line() + b"".join(step_line(step, segment * lines + step) for step in range(1, lines + 1))
        library.store_blocks(RUN, [Block("rank0", segment, "i", 0, body)])
    run, opened, order = RunState(RUN, "try", "here", JobSpec()), list[Position](), list[str]()

    def fold(batch: RunBatch) -> None:
        order.append("piece")
        run.fold_batch(batch)
        QTimer.singleShot(0, lambda: order.append("window"))  # what else the window has to do gets its turn

    open_run(tasks, run, library, RUN, fold, opened.append, fail)
    qtbot.waitUntil(lambda: bool(opened))
    steps, _ = run.series("loss")
    assert len(steps) == 15 * lines and run.caught_up
    assert opened[0].cursors == library.cursors(RUN)
    last_piece = len(order) - 1 - order[::-1].index("piece")
    assert order.count("piece") > 1 and "window" in order[:last_piece]
    library.close()


def test_that_an_error_of_the_library_reaches_the_screen(tasks: Tasks, qtbot: QtBot, tmp_path: Path) -> None:
    library, owner, errors = Library(tmp_path / "library.db"), QObject(), list[Exception]()
    library.close()
    (tmp_path / "library.db").write_bytes(b"no database any more" * 1000)
    for left in tmp_path.glob("library.db-*"):
        left.unlink()
    open_run(tasks, owner, library, RUN, fail, fail, errors.append)
    qtbot.waitUntil(lambda: bool(errors))
    assert isinstance(errors[0], StoreError) and "damaged" in errors[0].sentence
