"""The row of choices above the learning-rate plot: what x counts, a logarithmic y, and alternatives that stay."""

from __future__ import annotations

import functools

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QHBoxLayout, QMenu, QWidget

from studio.state.draft import Draft
from studio.ui import words
from studio.ui.controls import ChoiceBox
from studio.ui.pieces import button
from studio.ui.recipe.curve_axis import axes_for
from studio.ui.recipe.rate_curve import MOST_PINNED, RateCurve


class CurveBar(QWidget):
    """The choices of a `RateCurve`; Delete on the plot removes a point of a drawn schedule."""

    def __init__(self, draft: Draft, curve: RateCurve) -> None:
        super().__init__()
        self._curve = curve
        self.axis = ChoiceBox([])
        self.axis.setObjectName("curveAxis")
        self.axis.setSizeAdjustPolicy(ChoiceBox.SizeAdjustPolicy.AdjustToContents)
        self.axis.setAccessibleName(self.tr("What the axis counts"))
        self.axis.activated.connect(lambda _: curve.set_axis(str(self.axis.value())))
        self.log = button(self.tr("Log"), "curveLog", self.tr("Logarithmic learning rate"), role="toggle")
        self.log.setCheckable(True)
        self.log.setToolTip(self.tr("Draw the learning rate on a logarithmic axis"))
        self.log.toggled.connect(curve.set_log)
        self.pin = button(self.tr("Pin"), "curvePin", self.tr("Pin this curve"), role="link")
        self.pin.setToolTip(
            self.tr("Keep this curve on the plot and change the job beside it; up to {}").format(MOST_PINNED)
        )
        self.pin.clicked.connect(curve.pin)
        self.unpin = button(self.tr("Unpin"), "curveUnpin", self.tr("Take pinned curves away"), role="link")
        self.unpin.clicked.connect(self._ask_unpin)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        for widget in (self.pin, self.unpin, self.log, self.axis):
            row.addWidget(widget)
        remove = QAction(self.tr("Remove the point"), curve)
        remove.setShortcuts([QKeySequence(QKeySequence.StandardKey.Delete), QKeySequence(Qt.Key.Key_Backspace)])
        remove.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        remove.triggered.connect(curve.remove_point)
        curve.addAction(remove)
        curve.pinned_changed.connect(self._show_pins)
        draft.changed.connect(self._show_axes)
        self._show_axes()
        self._show_pins()

    def _show_axes(self) -> None:
        """Offer the axes that the run's figures allow."""
        units = [axis.unit for axis in axes_for(self._curve.horizon)]
        if units != [self.axis.itemData(place) for place in range(self.axis.count())]:
            self.axis.clear()
            for unit in units:
                self.axis.addItem(words.choice(unit), unit)
        self.axis.set_value(self._curve.axis.unit)

    def _show_pins(self) -> None:
        self.unpin.setVisible(bool(self._curve.pinned))

    def _ask_unpin(self) -> None:
        """Take the only pinned curve away, or ask which."""
        pinned = self._curve.pinned
        if len(pinned) < 2:
            self._curve.unpin()
            return
        menu = QMenu(self)
        menu.aboutToHide.connect(menu.deleteLater)
        for each in pinned:
            menu.addAction(each.name, functools.partial(self._curve.unpin, each.name))
        menu.addSeparator()
        menu.addAction(self.tr("All"), self._curve.unpin)
        menu.popup(self.unpin.mapToGlobal(self.unpin.rect().bottomLeft()))
