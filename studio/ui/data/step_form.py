"""The form of one step, new or in the list already, with what it would do while it is filled in."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from remote_agent.contract.data_report import DataReport
from remote_agent.contract.data_steps import STEP_CLASSES, AugmentStep, DropStep, Step, step_kind
from studio.ui.data.described_form import Choices, DescribedForm
from studio.ui.data.step_preview import StepPreview
from studio.ui.data.step_words import step_name
from studio.ui.pieces import button, plain_label
from studio.ui.translation import told

if TYPE_CHECKING:
    from studio.session.session import Session

_OF_METHOD = {
    "model": ("paraphrase", "back_translation"), "back_model": ("back_translation",),
    "source_language": ("back_translation",), "other_language": ("back_translation",),
    "prefix": ("paraphrase", "back_translation"), "url": ("endpoint",), "price_per_row": ("endpoint",),
    "consent": ("endpoint",),
}  # fmt: skip
"""Fields of an augmentation that only some of its methods read."""


class StepForm(QWidget):
    """Shows one step; ``applied`` carries it once a person takes it, ``left`` follows either way out."""

    applied = Signal(object)
    left = Signal()

    def __init__(self, session: Session, step: Step, report: DataReport | None, is_new: bool) -> None:
        super().__init__()
        self._class: type[Any] = STEP_CLASSES[step_kind(step)]
        self.form = DescribedForm("step", self._class, choices=_choices(step, report))
        self.form.show_values(dataclasses.asdict(step))
        self.preview = StepPreview(session)
        self.apply = button(
            self.tr("Add step") if is_new else self.tr("Change step"), "stepApplyButton", role="primary"
        )
        back = button(self.tr("Cancel"), "stepCancelButton", self.tr("Leave the form"))
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addWidget(self.apply)
        buttons.addWidget(back)
        buttons.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(12)
        layout.addWidget(plain_label(step_name(step_kind(step)), "strong"))
        layout.addWidget(self.form)
        layout.addWidget(self.preview)
        layout.addLayout(buttons)
        layout.addStretch(1)
        self.form.edited.connect(lambda *_: self._on_edited())
        self.apply.clicked.connect(self._on_apply)
        back.clicked.connect(self.left)
        self._on_edited()

    def step(self) -> Step:
        """Return the step as the form has it."""
        made: Step = self._class(**self.form.values)
        return made

    def _on_edited(self) -> None:
        if self._class is AugmentStep:
            method = self.form.values["method"]
            for path, methods in _OF_METHOD.items():
                self.form.set_shown(path, method in methods)
        if self._class is AugmentStep:
            self.preview.show_sentence(
                self.tr("Rows are added when the data is made ready on the node; how many pass the filters shows then.")
            )
        else:
            self.preview.ask(self.step())

    def _on_apply(self) -> None:
        if not self.form.problem:
            self.applied.emit(self.step())
            self.left.emit()


def _choices(step: Step, report: DataReport | None) -> Choices:
    """Return what a drop step may name: the findings that there are."""
    if not isinstance(step, DropStep):
        return {}
    findings = report.findings if report is not None else ()
    kinds = [(one.kind, told(one.title) or one.kind) for one in findings]
    return {"finding": [("", "–"), *kinds]}
