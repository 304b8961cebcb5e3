"""A part of a chart is looked at by hand: marked, zoomed, panned, shown by all charts of the run, and left again."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import numpy as np
import pyarrow.parquet
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QImage, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QRubberBand, QWidget
from pytestqt.qtbot import QtBot

from studio.state.run import RunState
from studio.ui.charts.line_chart import LineChart
from studio.ui.charts.zooming import View
from studio.ui.monitor.monitor_page import MonitorPage
from tests.ui.page_session import PageSession, fold_start, fold_steps, new_run

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")

TOTAL = 200
CONTROL, SHIFT, PLAIN = (
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.NoModifier,
)
LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def run() -> RunState:
    made = new_run()
    fold_start(made, TOTAL)
    fold_steps(made, 1, 120, TOTAL)
    return made


@pytest.fixture
def page(qtbot: QtBot, run: RunState) -> MonitorPage:
    made = MonitorPage(cast(Any, PageSession()), monotonic=lambda: 112.0)
    qtbot.addWidget(made)
    made.resize(1048, 640)
    made.show()
    made.show_run(run)
    qtbot.waitUntil(lambda: all(chart.is_drawn for chart in seen(made)))
    return made


def seen(page: MonitorPage) -> list[LineChart]:
    return [page.charts.chart(key) for key in page.charts.choices.shown]


def view_of(page: MonitorPage) -> View | None:
    """Return the part that all charts look at."""
    return page.charts.view


def plot_of(chart: LineChart) -> QWidget:
    plot = chart.plot_widget
    assert plot is not None
    return plot


def drawn_view(chart: LineChart, of_y: bool = False) -> tuple[float, float]:
    """Return the reach of an axis as it is drawn."""
    plot: Any = chart._plot
    low, high = plot._box.viewRange()[of_y]
    return low, high


def drag(widget: QWidget, begin: float, end: float, modifier: Qt.KeyboardModifier = PLAIN) -> None:
    """Drag between two shares of a widget's width."""
    start, stop = (QPoint(round(share * widget.width()), widget.height() // 2) for share in (begin, end))
    QTest.mousePress(widget, LEFT, modifier, start)
    QTest.mouseMove(widget, QPoint((start.x() + stop.x()) // 2, start.y()))
    QTest.mouseMove(widget, stop)
    QTest.mouseRelease(widget, LEFT, modifier, stop)


def wheel(widget: QWidget, turned: int, modifier: Qt.KeyboardModifier) -> bool:
    """Turn the wheel over the middle; return whether the plot took it."""
    place = QPointF(widget.width() / 2, widget.height() / 2)
    event = QWheelEvent(
        place, widget.mapToGlobal(place), QPoint(), QPoint(0, turned), Qt.MouseButton.NoButton, modifier,
        Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    event.ignore()
    QApplication.sendEvent(widget, event)
    return event.isAccepted()


def test_that_a_dragged_part_is_what_every_chart_shows_with_y_spanning_it(page: MonitorPage, run: RunState) -> None:
    drag(plot_of(page.charts.loss), 0.5, 0.8)
    view = page.charts.loss.view
    assert view is not None and 1 < view[0] < view[1] < 120
    assert all(chart.view == view for chart in seen(page))
    steps, losses = run.series("loss")
    within = losses[(steps >= view[0]) & (steps <= view[1])]
    left, right = drawn_view(page.charts.loss)
    bottom, top = drawn_view(page.charts.loss, of_y=True)
    assert (left, right) == pytest.approx(view)
    assert bottom <= within.min() and within.max() <= top and top - bottom < losses.max() - losses.min()
    band = plot_of(page.charts.loss).findChild(QRubberBand)
    assert band is not None and band.isHidden()


def test_that_a_view_stays_while_the_run_goes_on_and_two_clicks_show_all(
    page: MonitorPage, run: RunState, qtbot: QtBot
) -> None:
    drag(plot_of(page.charts.loss), 0.3, 0.6)
    view = view_of(page)
    fold_steps(run, 121, 160, TOTAL)
    page.refresh()
    qtbot.wait(20)
    assert view is not None and all(chart.view == view for chart in seen(page))
    QTest.mouseDClick(plot_of(page.charts.learning_rate), LEFT, pos=QPoint(200, 60))
    QTest.mouseRelease(plot_of(page.charts.learning_rate), LEFT, pos=QPoint(200, 60))
    assert view_of(page) is None and all(chart.view is None for chart in seen(page))


def test_that_the_wheel_zooms_only_with_its_key_and_about_the_place_under_the_mouse(page: MonitorPage) -> None:
    plot = plot_of(page.charts.loss)
    assert not wheel(plot, 120, PLAIN) and view_of(page) is None
    assert wheel(plot, 240, CONTROL)
    first = view_of(page)
    assert first is not None and wheel(plot, 120, CONTROL)
    second = view_of(page)
    assert second is not None and first[0] < second[0] < second[1] < first[1]
    assert (second[1] - second[0]) == pytest.approx((first[1] - first[0]) / 1.25)
    for _ in range(6):
        wheel(plot, -240, CONTROL)
    assert view_of(page) is None


def test_that_shift_and_a_drag_pan_no_further_than_the_run(page: MonitorPage, qtbot: QtBot) -> None:
    plot = plot_of(page.charts.loss)
    drag(plot, 0.4, 0.6)
    before = view_of(page)
    drag(plot, 0.6, 0.4, SHIFT)
    after = view_of(page)
    assert before is not None and after is not None and after[0] > before[0]
    assert after[1] - after[0] == pytest.approx(before[1] - before[0])
    for _ in range(5):
        qtbot.waitUntil(lambda: drawn_view(page.charts.loss) == pytest.approx(view_of(page)))
        drag(plot, 0.9, 0.1, SHIFT)
    end = view_of(page)
    assert end is not None and end[1] == pytest.approx(120.0)


def test_that_keys_zoom_pan_and_show_all(page: MonitorPage) -> None:
    chart = page.charts.loss
    QTest.keyClick(chart, Qt.Key.Key_Plus)
    first = view_of(page)
    QTest.keyClick(chart, Qt.Key.Key_Right)
    second = view_of(page)
    assert first is not None and second is not None and second[0] > first[0]
    QTest.keyClick(chart, Qt.Key.Key_Minus)
    QTest.keyClick(chart, Qt.Key.Key_Minus)
    assert view_of(page) is None
    QTest.keyClick(chart, Qt.Key.Key_Plus)
    QTest.keyClick(chart, Qt.Key.Key_Home)
    assert view_of(page) is None


def test_that_another_axis_and_another_run_begin_with_all(page: MonitorPage, run: RunState) -> None:
    drag(plot_of(page.charts.loss), 0.3, 0.6)
    page.controls.choices = page.controls.choices.__class__(axis="tokens")
    page.controls.changed.emit()
    assert view_of(page) is None
    drag(plot_of(page.charts.loss), 0.3, 0.6)
    assert view_of(page) is not None
    other = RunState("r-other", "other", "node", run.spec)
    fold_start(other, TOTAL)
    fold_steps(other, 1, 30, TOTAL)
    page.show_run(other)
    assert view_of(page) is None and page.charts.loss.view is None


def test_that_a_zoomed_part_of_a_long_line_shows_each_of_its_points(qtbot: QtBot) -> None:
    chart = LineChart("Loss")
    chart.let_zoom()
    chart.view_wanted.connect(chart.set_view)
    qtbot.addWidget(chart)
    chart.resize(500, 300)
    chart.show()
    qtbot.waitUntil(lambda: chart.is_drawn)
    x = np.arange(100_000.0)
    chart.set_line("train", x, np.sin(x), settled=x.size)
    chart.set_view((500.0, 600.0))
    drawn: Any = chart._plot._curves["train"]  # type: ignore[union-attr]
    assert drawn.getData()[0].tolist() == list(range(499, 602))
    action = next(action for action in chart.menu_actions if action.isEnabled())
    action.trigger()
    assert chart.view is None and not action.isEnabled()


def test_that_a_chart_is_saved_as_picture_drawing_and_values_that_read_back(qtbot: QtBot, tmp_path: Path) -> None:
    chart = LineChart("Loss")
    qtbot.addWidget(chart)
    chart.resize(500, 300)
    chart.show()
    qtbot.waitUntil(lambda: chart.is_drawn)
    chart.set_line("train, every step", [1, 2, 3], [3.0, float("nan"), 2.0])
    chart.set_line("held-out", [2, 3], [2.5, 2.25], role="held_out")
    for ending in ("png", "svg", "csv", "parquet"):
        chart.save_as(tmp_path / f"loss.{ending}")
    assert QImage(str(tmp_path / "loss.png")).size() == chart.grab().toImage().size()
    assert (tmp_path / "loss.svg").read_bytes() == chart.as_svg()
    assert (tmp_path / "loss.csv").read_text() == chart.as_csv()
    table = pyarrow.parquet.read_table(tmp_path / "loss.parquet")
    assert table.column("line").to_pylist() == ["train, every step"] * 3 + ["held-out"] * 2
    assert table.column("x").to_pylist() == [1.0, 2.0, 3.0, 2.0, 3.0]
    assert table.column("y").to_pylist()[2:] == [2.0, 2.5, 2.25]
    with pytest.raises(ValueError, match="cannot be saved as"):
        chart.save_as(tmp_path / "loss.jpg")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["loss.csv", "loss.parquet", "loss.png", "loss.svg"]
