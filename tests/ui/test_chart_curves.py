"""Curves of more points than pixels: what is painted covers what lines between the points would cover."""

from __future__ import annotations

import numpy
import pytest
from PySide6.QtCore import QLineF
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from studio.ui.charts.bars import covered
from studio.ui.charts.line_chart import LineChart

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")
_WIDTH, _HEIGHT = 120, 80


def painted(places: numpy.ndarray, tops: numpy.ndarray, bottoms: numpy.ndarray) -> numpy.ndarray:
    """Return what Qt covers with an upright line for each bar."""
    picture = QImage(_WIDTH, _HEIGHT, QImage.Format.Format_Grayscale8)
    picture.fill(0)
    painter = QPainter(picture)
    painter.setPen(QColor("white"))
    painter.drawLines([QLineF(*each) for each in zip(places, tops, places, bottoms, strict=True)])
    painter.end()
    rows = numpy.frombuffer(picture.constBits(), numpy.uint8).reshape(_HEIGHT, picture.bytesPerLine())
    return rows[:, :_WIDTH] > 0


def as_rows(places: numpy.ndarray, tops: numpy.ndarray, bottoms: numpy.ndarray) -> numpy.ndarray:
    """Return what `covered` covers, as a whole picture."""
    found = covered(places, tops, bottoms, _WIDTH, _HEIGHT)
    rows = numpy.zeros((_HEIGHT, _WIDTH), bool)
    if found is not None:
        rows[found.top : found.top + len(found.pixels)] = found.pixels
    return rows


@pytest.mark.usefixtures("qapp")
def test_that_bars_cover_the_pixels_that_qt_covers_with_lines() -> None:
    chance = numpy.random.default_rng(3)
    for count in (60, 120, 400):
        places = numpy.sort(chance.integers(-10, _WIDTH + 10, count)).astype(float)
        tops = chance.integers(-20, _HEIGHT, count).astype(float)
        bottoms = tops + chance.integers(0, 40, count)
        by_qt, ours = painted(places, tops, bottoms), as_rows(places, tops, bottoms)
        has_bar = by_qt.any(axis=0)
        assert (by_qt[:, has_bar] <= ours[:, has_bar]).all(), "nothing that a line covers is left out"
        for column in numpy.flatnonzero(has_bar):
            here = places == column
            span = numpy.arange(max(0, int(tops[here].min())), min(_HEIGHT - 1, int(bottoms[here].max())) + 1)
            assert numpy.flatnonzero(ours[:, column]).tolist() == span.tolist(), column


def test_that_a_single_bare_column_is_closed_and_a_gap_of_two_stays() -> None:
    places = numpy.array([10.2, 12.7, 15.1])
    rows = as_rows(places, numpy.array([5.0, 20.0, 3.0]), numpy.array([9.0, 22.0, 4.0]))
    assert numpy.flatnonzero(rows.any(axis=0)).tolist() == [10, 11, 12, 15]
    assert numpy.flatnonzero(rows[:, 11]).tolist() == list(range(5, 23))


def test_that_bars_beyond_the_plot_cover_nothing() -> None:
    one = numpy.array([1.0])
    assert covered(one * -5, one, one, _WIDTH, _HEIGHT) is None
    assert covered(one * 5, one * -9, one * -3, _WIDTH, _HEIGHT) is None
    assert covered(one * 5, one * 500, one * 900, _WIDTH, _HEIGHT) is None
    found = covered(one * 5, one * -1e12, one * 1e12, _WIDTH, _HEIGHT)
    assert found is not None and found.pixels.sum() == _HEIGHT


def test_that_a_crowded_line_is_seen_at_its_peak_and_a_drawing_of_it_has_no_picture(qtbot: QtBot) -> None:
    chart = LineChart("Loss")
    qtbot.addWidget(chart)
    chart.resize(500, 300)
    chart.show()
    qtbot.waitUntil(lambda: chart.is_drawn)
    y = numpy.zeros(200_000)
    y[100_000] = 1.0
    chart.set_line("train", numpy.arange(200_000.0), y, settled=200_000)
    QApplication.processEvents()
    assert chart.plot_widget is not None
    plot = chart.plot_widget.grab().toImage()
    colours = [{plot.pixel(x, row) for x in range(plot.width())} for row in range(plot.height())]
    ground = plot.pixel(plot.width() - 2, 2)
    line = plot.pixel(plot.width() // 3, next(r for r in range(plot.height() - 40, 0, -1) if len(colours[r]) > 1))
    rows = [row for row, found in enumerate(colours) if found - {ground} and line in found]
    assert rows and max(rows) - min(rows) > 0.7 * plot.height(), "the peak of one point stands up from the line"
    drawing = chart.as_svg().decode()
    assert "<image" not in drawing and drawing.count("<rect") > 300
