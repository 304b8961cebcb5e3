"""Changes the rest of a run: its end, its learning rate by a factor, its evaluation interval."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QDoubleSpinBox, QFormLayout, QHBoxLayout, QSpinBox, QVBoxLayout, QWidget

from studio.ui.pieces import button, plain_label

if TYPE_CHECKING:
    from studio.state.run import RunState

_MOST_STEPS = 1_000_000_000
_PAD_PX = 6


class ChangeDialog(QDialog):
    """Holds what a person wants to be different; `steps`, `factor` and `every` are None where it is to stay."""

    def __init__(self, run: RunState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("changeDialog")
        self.setWindowTitle(self.tr("Change the rest of the run"))
        self.setAccessibleName(self.windowTitle())
        self.setWindowModality(Qt.WindowModality.WindowModal)
        self._was_steps, self._was_every = run.total_steps, run.amended_job().evaluates_every(run.step)
        self._steps = self._whole("changeSteps", self.tr("Ends after"), self.tr("steps"), run.step + 2, run.total_steps)
        self._factor = QDoubleSpinBox()
        self._factor.setObjectName("changeFactor")
        self._factor.setAccessibleName(self.tr("Learning rate"))
        self._factor.setDecimals(3)
        self._factor.setRange(0.001, 100.0)
        self._factor.setSingleStep(0.1)
        self._factor.setValue(1.0)
        self._factor.setPrefix("× ")
        self._every = self._whole("changeEvery", self.tr("Evaluates every"), self.tr("steps"), 0, self._was_every)
        form = QFormLayout()
        for box in (self._steps, self._factor, self._every):
            box.lineEdit().setTextMargins(_PAD_PX, 0, _PAD_PX, 0)
            form.addRow(box.accessibleName(), box)
        said = self.tr(
            "In force from the update after the node has taken it; the journal and the exported run hold it. A later "
            "end stretches the schedule from there on. An evaluation interval of 0 evaluates only at the end."
        )
        cancel = button(self.tr("Cancel"), "changeCancelButton")
        change = button(self.tr("Change"), "changeButton", role="primary")
        cancel.clicked.connect(self.reject)
        change.clicked.connect(self.accept)
        change.setDefault(True)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(cancel)
        row.addWidget(change)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(20, 16, 20, 16)
        layout.setSpacing(12)
        note = plain_label(said, "muted", wraps=True)
        note.setMinimumWidth(420)
        layout.addWidget(note)
        layout.addLayout(form)
        layout.addLayout(row)

    @property
    def steps(self) -> int | None:
        """Return the new end in updates."""
        return self._steps.value() if self._steps.value() != self._was_steps else None

    @property
    def factor(self) -> float | None:
        """Return what the learning rate is multiplied by."""
        return self._factor.value() if self._factor.value() != 1.0 else None

    @property
    def every(self) -> int | None:
        """Return the new evaluation interval in updates."""
        return self._every.value() if self._every.value() != self._was_every else None

    def _whole(self, name: str, label: str, unit: str, low: int, value: int) -> QSpinBox:
        box = QSpinBox()
        box.setObjectName(name)
        box.setAccessibleName(label)
        box.setRange(min(low, value), _MOST_STEPS)
        box.setGroupSeparatorShown(True)
        box.setSuffix(f" {unit}")
        box.setValue(value)
        return box
