"""One source of rows on one line: where it lies, how it is read, how much of it is taken."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from remote_agent.contract.data_report import SourceReport
from remote_agent.contract.data_spec import SourceSpec
from studio.ui import icons, words
from studio.ui.data.icon_button import icon_button
from studio.ui.pieces import ElidedLabel, as_plain_tip, button
from studio.ui.translation import told

_ICONS = {"desktop": "database", "node": "hard-drives", "hub": "cloud"}


class SourceRow(QWidget):
    """``correct`` asks how the source is read, ``remove`` to take it out; the first cannot be taken out."""

    correct = Signal()
    remove = Signal()

    def __init__(self, number: int, source: SourceSpec, report: SourceReport | None, is_mixed: bool) -> None:
        super().__init__()
        self.setObjectName(f"source{number}")
        path = ElidedLabel(source.path, "heading", Qt.TextElideMode.ElideMiddle)
        path.setObjectName("dataPath" if number == 0 else f"dataPath{number}")
        facts = ElidedLabel("  ·  ".join(self._facts(source, report, is_mixed)), "muted")
        facts.setObjectName("sourceFacts" if number == 0 else f"sourceFacts{number}")
        shape = words.choice(report.shape if report is not None else source.shape)
        self.shape = button(shape, f"sourceShape{number}", self.tr("Read as {}; correct it").format(shape), role="link")
        icons.set_icon(self.shape, "pencil-simple", "muted", 12)
        self.shape.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
        if report is not None and report.shape_reason:
            self.shape.setToolTip(as_plain_tip(told(report.shape_reason)))
        self.shape.setMinimumWidth(112)
        self.shape.clicked.connect(self.correct)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(icons.pixmap_label(_ICONS.get(source.source, "database"), "accent", 16))
        row.addWidget(path, 4)
        row.addWidget(facts, 6)
        row.addWidget(self.shape)
        if number:
            gone = icon_button("x", f"sourceRemove{number}", self.tr("Take {} out").format(source.path))
            gone.clicked.connect(self.remove)
            row.addWidget(gone)
        elif is_mixed:
            row.addSpacing(24 + row.spacing())  # so that the columns of all sources stand under each other

    def _facts(self, source: SourceSpec, report: SourceReport | None, is_mixed: bool) -> list[str]:
        where = {"desktop": self.tr("on this computer"), "node": self.tr("on the node"), "hub": self.tr("on the Hub")}
        parts = []
        if report is not None and report.rows:
            parts.append(words.counted(report.rows, self.tr("{} row"), self.tr("{} rows")))
        if source.max_rows:
            parts.append(self.tr("the first {}").format(words.whole(source.max_rows)))
        if is_mixed and source.weight:
            parts.append(self.tr("weight {}").format(words.short_number(source.weight)))
        if source.replay:
            parts.append(self.tr("replayed"))
        elif is_mixed and source.max_epochs != 1:
            parts.append(self.tr("at most {} times").format(words.short_number(source.max_epochs)))
        if is_mixed and report is not None and report.used_rows and report.used_rows != report.rows:
            parts.append(self.tr("{} used").format(words.whole(report.used_rows)))
        return [*parts, where.get(source.source, source.source)]
