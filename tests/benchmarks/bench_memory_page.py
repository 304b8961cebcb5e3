"""How long the Memory page takes from an edit in the recipe to its pixels, all bars and small multiples included."""

from __future__ import annotations

import statistics
import time
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from remote_agent.contract.job_spec import with_value
from studio.ui import theme
from studio.ui.memory.memory_page import COUNTS, STAGES, MemoryPage
from tests.support.reports import gpu_report
from tests.ui.page_session import PageSession, filled_session
from tests.ui.test_memory_page import known

GOAL_MS = 16.0
RESOURCES = Path(__file__).parents[2] / "resources"
SIZE = (1048, 760)


def _session() -> PageSession:
    session = filled_session()
    session.draft.set_known(model=known().model, node=gpu_report())
    session.draft.edit({"strategy.zero_stage": 3, "strategy.ranks": 8})
    return session


@pytest.mark.benchmark
@pytest.mark.qt_log_ignore("This plugin does not support")
def test_that_the_page_follows_an_edit_within_a_frame(qtbot: QtBot, qapp: QApplication) -> None:
    theme.start(qapp, RESOURCES, Qt.ColorScheme.Light)
    session = _session()
    page = MemoryPage(session)  # type: ignore[arg-type]
    qtbot.addWidget(page)
    page.resize(*SIZE)
    page.show()
    qtbot.waitExposed(page)
    draft, outlook = session.draft, session.memory.outlook
    column = page._area.widget()
    assert column is not None
    for name, top in (("the bars", 0), ("the small multiples", page.stages.mapTo(column, QPoint(0, 0)).y())):
        page._area.verticalScrollBar().setValue(top)
        qapp.processEvents()
        times, own, before = [], [], []
        for change in range(80):
            began, busy = time.perf_counter(), time.thread_time()
            draft.set_value("data.max_length", 1024 + 8 * change)
            before.append((time.thread_time() - busy) * 1e3)
            qapp.processEvents()  # what was changed is painted here
            times.append((time.perf_counter() - began) * 1e3)
            own.append((time.thread_time() - busy) * 1e3)
        times = sorted(times[10:])
        print(
            f"\nMemory page scrolled to {name}, goal {GOAL_MS:g} ms: {statistics.median(times):5.1f} ms an edit "
            f"(98th percentile {times[-2]:5.1f} ms), {statistics.median(own):5.1f} ms of them on the processor, "
            f"{statistics.median(before):5.1f} ms before painting"
        )
    spec, alone = draft.spec, []
    for _ in range(20):
        began = time.perf_counter()
        for path, values in (("strategy.zero_stage", STAGES), ("strategy.ranks", COUNTS)):
            for value in values:
                outlook.of(with_value(spec, path, value))
        alone.append((time.perf_counter() - began) * 1e3)
    count = len(STAGES) + len(COUNTS)
    print(f"  the {count} estimates of the small multiples alone: {statistics.median(alone):5.1f} ms")
