"""The bar above the charts: axis, scale of the loss, smoothing, outliers, and which charts are shown."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QMenu, QSlider, QWidget

from studio.ui import icons
from studio.ui.charts.run_axis import EPOCHS, STEPS, TIME, TOKENS
from studio.ui.controls import ChoiceBox
from studio.ui.monitor.view_choices import CHARTS, WEIGHTS, ViewChoices
from studio.ui.pieces import button, labelled_switch, plain_label

_SLIDER_PX, _WEIGHT_PX = 96, 36


class ControlBar(QWidget):
    """Shows and changes `ViewChoices`; ``changed`` follows every change by hand and carries nothing.

    Args:
        titles: what each chart is called, by its key.
        choices: what is chosen at first.
    """

    changed = Signal()

    def __init__(self, titles: Mapping[str, str], choices: ViewChoices, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("chartControls")
        self.setAccessibleName(self.tr("How the charts are drawn"))
        self.choices = choices
        self._axis = self._axis_box()
        self._log, log_row = labelled_switch(self.tr("Log loss"), "chartLogLoss")
        self._log.setToolTip(self.tr("Loss and perplexity on a logarithmic axis"))
        self._clips, clips_row = labelled_switch(self.tr("Clip outliers"), "chartClipOutliers")
        self._clips.setToolTip(self.tr("The y axes span the middle 98 % of the values; what lies outside is cut off"))
        self._weight = self._weight_slider()
        self._weight_words = plain_label("", "caption", "chartSmoothingWeight")
        self._weight_words.setMinimumWidth(_WEIGHT_PX)
        self._actions: dict[str, QAction] = {}
        charts = button(self.tr("Charts"), "chartChoiceButton", self.tr("Choose which charts are shown"))
        icons.set_icon(charts, "chart-line", "text")
        charts.setMenu(self._menu(titles))
        self._show()
        self._log.toggled.connect(lambda on: self._choose(log_loss=on))
        self._clips.toggled.connect(lambda on: self._choose(clips=on))
        self._axis.currentIndexChanged.connect(lambda _: self._choose(axis=str(self._axis.value())))
        self._weight.valueChanged.connect(lambda place: self._choose(weight=WEIGHTS[place]))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        for label, control in ((self.tr("X axis"), self._axis), (self.tr("Smoothing"), self._weight)):
            said = plain_label(label, "muted")
            said.setBuddy(control)
            row.addWidget(said)
            row.addWidget(control)
            if control is self._axis:
                row.addSpacing(12)
        row.addWidget(self._weight_words)
        row.addSpacing(4)
        row.addWidget(log_row)
        row.addSpacing(12)
        row.addWidget(clips_row)
        row.addStretch(1)
        row.addWidget(charts)

    def _axis_box(self) -> ChoiceBox:
        box = ChoiceBox(
            (
                (STEPS, self.tr("Steps")),
                (TOKENS, self.tr("Tokens")),
                (EPOCHS, self.tr("Epochs")),
                (TIME, self.tr("Wall time")),
            )
        )
        box.setObjectName("chartAxis")
        box.setAccessibleName(self.tr("X axis"))
        return box

    def _weight_slider(self) -> QSlider:
        slider = QSlider(Qt.Orientation.Horizontal)
        slider.setObjectName("chartSmoothing")
        slider.setAccessibleName(self.tr("Smoothing"))
        slider.setToolTip(
            self.tr(
                "Exponential moving average, corrected for its start (debiased); the line of every step stays behind"
            )
        )
        slider.setRange(0, len(WEIGHTS) - 1)
        slider.setPageStep(1)
        slider.setFixedWidth(_SLIDER_PX)
        return slider

    def _menu(self, titles: Mapping[str, str]) -> QMenu:
        menu = QMenu(self)
        for key in CHARTS:
            action = menu.addAction(titles[key])
            action.setObjectName(f"showChart_{key}")
            action.setCheckable(True)
            action.toggled.connect(lambda on, key=key: self._choose_chart(key, on))
            self._actions[key] = action
        return menu

    def _choose_chart(self, key: str, on: bool) -> None:
        wanted = {*self.choices.shown, key} if on else set(self.choices.shown) - {key}
        if not wanted:  # an empty page would say nothing and offer no way back
            self._show()
            return
        self._choose(shown=tuple(each for each in CHARTS if each in wanted))

    def _choose(self, **change: object) -> None:
        chosen = dataclasses.replace(self.choices, **change)  # type: ignore[arg-type]
        if chosen != self.choices:
            self.choices = chosen
            self._show()
            self.changed.emit()

    def _show(self) -> None:
        """Let every control stand where the choices say."""
        chosen = self.choices
        self._axis.set_value(chosen.axis)
        for control, on in ((self._log, chosen.log_loss), (self._clips, chosen.clips)):
            control.blockSignals(True)
            control.setChecked(on)
            control.blockSignals(False)
        self._weight.blockSignals(True)
        self._weight.setValue(WEIGHTS.index(chosen.weight))
        self._weight.blockSignals(False)
        said = f"{chosen.weight:g}" if chosen.weight else self.tr("none")
        self._weight_words.setText(said)
        self._weight.setAccessibleDescription(said)
        for key, action in self._actions.items():
            action.blockSignals(True)
            action.setChecked(key in chosen.shown)
            action.blockSignals(False)
