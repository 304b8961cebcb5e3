"""The library's page with 10,000 runs: until it lists them, and each search and order, on the real library."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from studio import places
from studio.session.opening import open_session
from studio.ui.library.library_page import LibraryPage
from tests.support.many_runs import fill_library

pytestmark = pytest.mark.benchmark

RUNS = 10_000
GOAL_MS = 100.0
SEARCHES = ("sweep 77", "lion", "loss<1.2", "learning_rate>=3e-5 state=finished", "tags=baseline", "no such words", "")


def test_that_ten_thousand_runs_are_listed_searched_and_sorted(
    qtbot: QtBot, luthier_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fill_library(places.library_path(), RUNS)
    session = open_session()
    try:
        page = LibraryPage(session)
        qtbot.addWidget(page)
        page.resize(1040, 700)
        figures = [("list", *_listed_ms(qtbot, page))]
        qtbot.waitUntil(lambda: bool(page.table.index_of_runs.paths), timeout=60_000)
        for query in SEARCHES:
            found = _painted_ms(page, functools.partial(page.search.setText, query))
            figures.append((f"search {query!r}", *found))
        for number, column in enumerate(page.table.columns):
            for order in (Qt.SortOrder.AscendingOrder, Qt.SortOrder.DescendingOrder):
                ordered = _painted_ms(page, functools.partial(page.view.sortByColumn, number, order))
                figures.append((f"sort {column.field} {order.name}", *ordered))
        entry = session.library.runs[5000].run_id
        session.label_runs([entry], remark="changed")
        figures.append(("one run changed", *_painted_ms(page, page.refresh)))
    finally:
        session.close()
    with capsys.disabled():
        print(f"\n{RUNS} runs, goal {GOAL_MS:.0f} ms each, until painted, and of it the window's own processor time")
        for name, whole, own in figures:
            print(f"  {name:45s} {whole:7.1f} ms {own:7.1f} ms")


def _listed_ms(qtbot: QtBot, page: LibraryPage) -> tuple[float, float]:
    began, own = time.perf_counter(), time.thread_time()
    page.show()
    qtbot.waitUntil(lambda: page.table.rowCount() > 0, timeout=30_000)
    page.view.viewport().repaint()
    return 1e3 * (time.perf_counter() - began), 1e3 * (time.thread_time() - own)


def _painted_ms(page: LibraryPage, do: Callable[[], object]) -> tuple[float, float]:
    QApplication.processEvents()
    began, own = time.perf_counter(), time.thread_time()
    do()
    page.view.viewport().repaint()
    return 1e3 * (time.perf_counter() - began), 1e3 * (time.thread_time() - own)
