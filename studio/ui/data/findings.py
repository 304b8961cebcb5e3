"""What is notable about the data: severity as icon and word, how many rows, a sentence, and the way to the first."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from remote_agent.contract.data_report import Finding
from studio.ui import icons, words
from studio.ui.pieces import Card, button, clear_layout, plain_label
from studio.ui.translation import told

SEVERITIES = {
    "error": ("x-circle-fill", "bad"),
    "warning": ("warning-fill", "warning"),
    "info": ("info-fill", "info"),
}
_ORDER = {"error": 0, "warning": 1, "info": 2}


class Findings(Card):
    """The list of findings; ``row_wanted`` carries the number of a row to show."""

    row_wanted = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("", "findings", parent)
        self.setAccessibleName(self.tr("Findings"))
        self._count = plain_label("", "caption")
        head = QHBoxLayout()
        head.addWidget(plain_label(self.tr("Findings"), "heading"))
        head.addStretch(1)
        head.addWidget(self._count)
        held = QWidget()
        held.setObjectName("findingsHeld")
        held.setStyleSheet("QWidget#findingsHeld { background: transparent; }")
        self._rows = QVBoxLayout(held)
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._rows.setSpacing(12)
        scroll = QScrollArea()
        scroll.setObjectName("findingsScroll")
        scroll.setAccessibleName(self.tr("Findings"))
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setStyleSheet("QScrollArea#findingsScroll { background: transparent; }")
        scroll.setWidget(held)
        self.body.addLayout(head)
        self.body.addWidget(scroll, 1)
        self._shown: tuple[Finding, ...] | None = None

    def show_findings(self, findings: Sequence[Finding] | None) -> None:
        """Show findings, errors first; None where nothing was looked at yet."""
        ordered = None if findings is None else tuple(sorted(findings, key=lambda one: _ORDER.get(one.severity, 3)))
        if ordered == self._shown and self._rows.count():
            return
        self._shown = ordered
        clear_layout(self._rows)
        self._count.setText(words.whole(len(ordered)) if ordered else "")
        if ordered is None:
            said = self.tr("Duplicates, empty answers, cut rows and the like appear here once the data was read.")
            self._rows.addWidget(plain_label(said, "muted", wraps=True))
        elif not ordered:
            row = QHBoxLayout()
            row.addWidget(icons.pixmap_label("check-circle-fill", "good"))
            row.addWidget(plain_label(self.tr("Nothing stands out in this data."), "muted", wraps=True), 1)
            holder = QWidget()
            holder.setLayout(row)
            row.setContentsMargins(0, 0, 0, 0)
            self._rows.addWidget(holder)
        for number, finding in enumerate(ordered or ()):
            self._rows.addWidget(self._finding(number, finding))
        self._rows.addStretch(1)

    def _finding(self, number: int, finding: Finding) -> QWidget:
        icon, token = SEVERITIES.get(finding.severity, SEVERITIES["info"])
        word = {"error": self.tr("Error"), "warning": self.tr("Warning"), "info": self.tr("Note")}.get(
            finding.severity, finding.severity
        )
        one = QWidget()
        one.setObjectName(f"finding{number}")
        one.setAccessibleName(f"{word}, {finding.count}: {told(finding.sentence)}")
        head = QHBoxLayout()
        head.setSpacing(6)
        head.addWidget(icons.pixmap_label(icon, token, 16))
        head.addWidget(plain_label(word, token))
        head.addWidget(plain_label(self._rows_words(finding.count), "caption"))
        head.addStretch(1)
        if finding.rows:
            first = finding.rows[0]
            to_row = button(
                self.tr("Row {number}").format(number=words.whole(first)), f"findingRow{number}", role="link"
            )
            to_row.clicked.connect(lambda: self.row_wanted.emit(first))
            head.addWidget(to_row)
        layout = QVBoxLayout(one)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addLayout(head)
        layout.addWidget(plain_label(told(finding.sentence), "muted", wraps=True))
        return one

    def _rows_words(self, count: int) -> str:
        return words.counted(count, self.tr("{} row"), self.tr("{} rows"))
