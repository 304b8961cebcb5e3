"""Charts draw what they were given, reduce without losing a peak, and let their handles be dragged."""

from __future__ import annotations

import time

import numpy
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from pytestqt.qtbot import QtBot

from studio.ui.charts import loading
from studio.ui.charts.columns import as_bars, reduced, smoothed
from studio.ui.charts.extremes import Extremes
from studio.ui.charts.growing_mean import GrowingMean
from studio.ui.charts.handles import Handle
from studio.ui.charts.line_chart import LineChart

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")


@pytest.fixture
def chart(qtbot: QtBot) -> LineChart:
    chart = LineChart("Loss", "nats a token")
    qtbot.addWidget(chart)
    chart.resize(500, 300)
    chart.show()
    qtbot.waitUntil(lambda: chart.is_drawn)
    return chart


def test_that_the_plot_waits_until_the_card_is_shown(qtbot: QtBot) -> None:
    chart = LineChart("Loss")
    qtbot.addWidget(chart)
    chart.set_line("train", [1, 2], [3.0, 2.0])
    assert not chart.is_drawn
    chart.show()
    qtbot.waitUntil(lambda: chart.is_drawn)
    assert chart.line("train")[1].tolist() == [3.0, 2.0]


def test_that_reduction_keeps_every_peak_and_few_points() -> None:
    x = numpy.arange(1_000_000, dtype=float)
    y = numpy.sin(x / 1000)
    y[777_777], y[123_456] = 50.0, -50.0
    few_x, few_y = reduced(x, y, -1.0, 1e6, 800)
    assert few_x.size <= 2 * 802 + 1250
    assert (few_y.max(), few_y.min()) == (50.0, -50.0)
    assert numpy.all(numpy.diff(few_x) >= 0)


def test_that_a_short_line_and_a_zoomed_part_are_kept_whole() -> None:
    x = numpy.arange(100_000, dtype=float)
    few_x, few_y = reduced(x, x * 2, 500.0, 600.0, 800)
    assert few_x.tolist() == list(range(499, 602))
    assert few_y.tolist() == [2 * value for value in range(499, 602)]


def test_that_a_line_that_grows_is_reduced_as_a_whole_one_is_and_keeps_every_peak() -> None:
    generator = numpy.random.default_rng(3)
    y = generator.normal(size=300_000)
    y[5], y[77_777], y[150_000], y[299_999] = numpy.nan, 50.0, numpy.inf, -50.0
    x = numpy.arange(y.size, dtype=float)
    extremes = Extremes()
    for settled in (0, 1, 31, 33, 5_000, 5_000, 90_001, 299_000):
        extremes.follow(y[: settled + 500], settled)
        shown = y[: settled + 500]
        finite = shown[numpy.isfinite(shown)]
        assert extremes.whole(shown) == (finite.min(), finite.max())
    few_x, few_y = reduced(x, y, -1.0, 3e5, 800, extremes)
    assert few_x.size < 6 * 802
    assert numpy.all(numpy.diff(few_x) >= 0)
    assert (numpy.nanmin(few_y), numpy.nanmax(few_y[numpy.isfinite(few_y)])) == (-50.0, 50.0)
    near_x, near_y = reduced(x, y, 77_000.0, 78_000.0, 800, extremes)
    assert near_x.tolist() == list(range(76_999, 78_002)) and near_y.max() == 50.0


def test_that_extremes_start_over_where_settled_rows_were_replaced() -> None:
    extremes = Extremes()
    extremes.follow(numpy.full(1000, 9.0), 1000)
    extremes.follow(numpy.full(400, 1.0), 400)
    assert extremes.whole(numpy.full(400, 1.0)) == (1.0, 1.0)
    extremes.follow(numpy.full(2000, 3.0), 2000)
    assert extremes.whole(numpy.full(2000, 3.0)) == (3.0, 3.0)
    assert all(value != value for value in Extremes().whole(numpy.array([numpy.nan])))


def test_that_what_is_drawn_of_a_long_line_does_not_change_with_its_arrays() -> None:
    x, y = numpy.arange(100.0), numpy.ones(100)
    few_x, few_y = reduced(x, y, 0.0, 99.0, 800)
    y[:] = 7.0
    x[:] = -1.0
    assert few_y.max() == 1.0 and few_x.min() == 0.0


def test_that_a_mean_follows_in_steps_and_smooths_a_preview_anew_each_time() -> None:
    values = numpy.random.default_rng(4).normal(size=2500)
    mean = GrowingMean(most_rows=1000)
    assert (mean.follow(values, 1500, "run").size, mean.is_behind, mean.rows) == (1000, True, 1000)
    assert numpy.allclose(mean.follow(values, 1500, "run"), smoothed(values), atol=1e-12)
    assert (mean.is_behind, mean.rows) == (False, 1500)
    values[1600:] += 5.0  # the preview was replaced
    assert numpy.allclose(mean.follow(values[:2000], 1500, "run"), smoothed(values[:2000]), atol=1e-12)
    assert numpy.allclose(mean.follow(values + 1.0, 900, "later attempt"), smoothed(values + 1.0), atol=1e-12)


def test_that_a_factor_changes_axis_and_legend_but_not_the_values(chart: LineChart) -> None:
    chart.set_line("measured", [1, 2], [20_000.0, 43_100.0])
    chart.set_factor(1e-3)
    chart.set_cursor(2)
    assert chart.legend.accessibleName() == "measured  43.1, step 2"
    assert chart.line("measured")[1].tolist() == [20_000.0, 43_100.0]
    assert chart.greatest("measured") == 43_100.0


def test_that_a_million_points_are_reduced_within_a_frame() -> None:
    x = numpy.arange(1_000_000, dtype=float)
    y = numpy.random.default_rng(1).normal(size=x.size)
    began = time.perf_counter()
    for _ in range(3):
        reduced(x, y, 0.0, 1e6, 1000)
    assert (time.perf_counter() - began) / 3 < 0.1


def test_that_smoothing_equals_the_plain_recurrence_and_skips_gaps() -> None:
    values = numpy.random.default_rng(2).normal(size=1000)
    values[100] = numpy.nan
    total = share = 0.0
    expected = []
    for value in values:
        finite = numpy.isfinite(value)
        total = 0.9 * total + (value if finite else 0.0)
        share = 0.9 * share + finite
        expected.append(total / share)
    assert numpy.allclose(smoothed(values, 0.9), expected)
    assert smoothed([]).size == 0


def test_that_the_legend_tells_the_values_under_the_crosshair(chart: LineChart) -> None:
    chart.set_line("train", [1, 2, 3], [3.0, 2.0, 1.25])
    chart.set_line("every step", [1, 2, 3], [3.0, 2.0, 1.0], role="raw")
    chart.set_line("plan", [1, 2], [0.5, float("nan")], role="plan")
    chart.set_cursor(3.1)
    assert chart.legend.accessibleName() == "train  1.25, plan, step 3"
    chart.set_cursor(None)
    assert chart.legend.accessibleName() == "train, plan, step"


def test_that_small_values_are_told_in_a_power_of_ten(chart: LineChart) -> None:
    chart.set_line("rate", [1, 2], [1e-5, 2e-5])
    assert chart.unit_label.text() == "× 1e-5 nats a token"
    chart.set_line("rate", [1, 2], [1.0, 2.0])
    assert chart.unit_label.text() == "nats a token"


def test_that_lines_marks_and_gaps_come_and_go(chart: LineChart) -> None:
    chart.set_line("train", [1, 2, 3], [1.0, float("nan"), float("inf")])
    chart.set_mark("epoch 1", 2)
    chart.set_level("clip", 5.0)
    chart.set_mark("epoch 1", None)
    chart.remove_line("train")
    assert chart.line_names == ()
    chart.clear()
    assert chart.body.currentWidget() is chart.empty_label


def test_that_charts_that_take_turns_are_not_drawn_in_one_stall(qtbot: QtBot, chart: LineChart) -> None:
    other = LineChart("Learning rate")
    qtbot.addWidget(other)
    other.show()
    qtbot.waitUntil(lambda: other.is_drawn and loading.is_turn())
    for each in (chart, other):
        with each.drawing_once(in_turn=True):
            each.set_line("measured", [1, 2], [3.0, 4.0])
    assert chart.body.currentWidget() is not chart.empty_label
    assert other.body.currentWidget() is other.empty_label
    qtbot.waitUntil(lambda: other.body.currentWidget() is not other.empty_label)


def test_that_values_and_picture_can_be_copied(chart: LineChart) -> None:
    chart.set_line('loss, "raw"', [1, 2], [0.1, 2e-5])
    chart.copy_values()
    assert QGuiApplication.clipboard().text() == 'line,x,y\n"loss, ""raw""",1,0.1\n"loss, ""raw""",2,2e-05\n'
    chart.copy_image()
    assert not QGuiApplication.clipboard().pixmap().isNull()


def test_that_a_dragged_handle_tells_where_it_is_and_holds_a_steady_axis(chart: LineChart, qtbot: QtBot) -> None:
    chart.set_line("rate", [0, 100], [0.0, 1.0])
    chart.set_handles([Handle("peak", 50, 0.5)])
    moved: list[tuple[str, float, float]] = []
    chart.handle_moved.connect(lambda *place: moved.append(place))
    target = chart.plot_widget
    assert target is not None

    def handle() -> QPoint:
        place = chart.handle_position("peak")
        assert place is not None
        return target.mapFrom(chart, place)

    def reached() -> bool:
        qtbot.mouseMove(target, handle())
        return chart.handle_under_mouse == "peak"

    qtbot.waitUntil(reached)
    press = handle()
    qtbot.mousePress(target, Qt.MouseButton.LeftButton, pos=press)
    for step in range(1, 9):
        qtbot.mouseMove(target, press + QPoint(0, 8 * step))
        qtbot.wait(15)
    with qtbot.waitSignal(chart.handle_released):
        qtbot.mouseRelease(target, Qt.MouseButton.LeftButton, pos=press + QPoint(0, 64))
    assert moved and moved[-1][0] == "peak"
    assert moved[-1][1] == 50
    assert moved[-1][2] < 0.45


def test_that_bars_cover_all_points_touch_each_other_and_leave_gaps_out() -> None:
    x = numpy.arange(9.0)
    y = numpy.array([0.0, 1.0, 5.0, 6.0, numpy.nan, numpy.nan, 2.0, numpy.inf, 3.0])
    places, ends = as_bars(x, y)
    assert places.tolist() == [0, 0, 2, 2, 6, 6, 8, 8]
    assert ends.tolist() == [0, 1, 1, 6, 2, 2, 2, 3]
