"""What a field does, what it is by default, and where that comes from, in a popup beside its control."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QPoint, Qt
from PySide6.QtWidgets import QFrame, QLabel, QVBoxLayout, QWidget

from remote_agent.contract.job_spec import JobSpec
from remote_agent.contract.usual_ranges import usual_range
from studio.ui import words
from studio.ui.knob_control import FIELDS, field_label, value_text


class HelpPopup(QFrame):
    """What a field does, its default, the values that are usual under the job's choices, and their sources."""

    def __init__(self, paths: tuple[str, ...], parent: QWidget, spec: JobSpec | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Popup | Qt.WindowType.FramelessWindowHint)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setProperty("role", "popup")
        self.setObjectName("helpPopup")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 12, 16, 12)
        layout.setSpacing(6)
        for path in paths:
            knob = FIELDS[path].knob
            default = value_text(path, FIELDS[path].default) or self.tr("empty")
            usual = usual_range(path, spec or JobSpec())
            usually = (
                self.tr("Usual: {low} to {high} ({source})").format(
                    low=words.exact_float(usual.low), high=words.exact_float(usual.high), source=usual.source
                )
                if usual is not None
                else ""
            )
            unit = f" {QCoreApplication.translate('JobSpec', knob.unit)}" if knob.unit else ""
            for text, role in (
                (field_label(path), "heading"),
                (QCoreApplication.translate("JobSpec", knob.help), ""),
                (self.tr("Default: {}").format(default + unit), "caption"),
                (usually, "caption"),
                (self.tr("Source: {}").format(knob.source) if knob.source else "", "caption"),
            ):
                if text:
                    label = QLabel(text)
                    label.setTextFormat(Qt.TextFormat.PlainText)
                    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
                    label.setWordWrap(True)
                    label.setProperty("role", role)
                    layout.addWidget(label)
        self.setFixedWidth(340)

    def popup_at(self, widget: QWidget) -> None:
        """Open below a widget, inside its screen."""
        self.adjustSize()
        place = widget.mapToGlobal(QPoint(0, widget.height() + 4))
        area = widget.screen().availableGeometry()
        place.setX(max(area.left(), min(place.x(), area.right() - self.width())))
        if place.y() + self.height() > area.bottom():
            place = widget.mapToGlobal(QPoint(0, -self.height() - 4))
        self.move(place)
        self.show()
