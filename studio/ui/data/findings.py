"""What is notable about the data, by severity: a click on a finding narrows the table to its rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from remote_agent.contract.data_report import DataReport, Finding
from studio.ui import icons, words
from studio.ui.data.finding_item import FindingItem
from studio.ui.data.scrolled import scrolled
from studio.ui.pieces import clear_layout, plain_label

if TYPE_CHECKING:
    from studio.session.session import Session

_ORDER = {"error": 0, "warning": 1, "info": 2}


class Findings(QWidget):
    """The list of findings; ``chosen`` carries the finding whose rows are to be shown, None for all rows."""

    chosen = Signal(object)

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("findings")
        self.setAccessibleName(self.tr("Findings"))
        self._session = session
        self._shown: tuple[object, ...] | None = None
        self._items: list[FindingItem] = []
        held = QWidget()
        self._rows = QVBoxLayout(held)
        self._rows.setContentsMargins(0, 0, 4, 0)
        self._rows.setSpacing(4)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self._area = scrolled(held, "findingsScroll", self.tr("Findings"))
        layout.addWidget(self._area)
        self.show_report(None)

    def show_report(self, report: DataReport | None) -> None:
        """Show the findings of a report, errors first; None where nothing was looked at yet."""
        ordered: tuple[Finding, ...] = ()
        if report is not None:
            ordered = tuple(sorted(report.findings, key=lambda one: _ORDER.get(one.severity, 3)))
        shown = (report is not None, report is not None and report.complete, ordered)
        if shown == self._shown:
            return
        is_alike = self._shown is not None and self._shown[:2] == shown[:2] and len(ordered) == len(self._items)
        self._shown = shown
        if is_alike and all(_is_same(item.finding, one) for item, one in zip(self._items, ordered, strict=True)):
            for item, one in zip(self._items, ordered, strict=True):
                item.renew(one)
            return
        kept = self.chosen_finding
        clear_layout(self._rows)
        self._items = []
        self._say(report, ordered)
        heading = ""
        for number, finding in enumerate(ordered):
            if finding.severity != heading:
                heading = finding.severity
                same = sum(one.severity == heading for one in ordered)
                title = plain_label(self._heading(heading, same), "section")
                title.setContentsMargins(4, 8 if number else 0, 0, 0)
                self._rows.addWidget(title)
            self._add(number, finding)
        self._rows.addStretch(1)
        if kept is not None:
            self.choose(kept.kind)

    @property
    def chosen_finding(self) -> Finding | None:
        """Return the finding whose rows the table shows, None where it shows all."""
        return next((item.finding for item in self._items if item.line.isChecked()), None)

    def choose(self, kind: str) -> None:
        """Choose the finding of a kind; an empty kind chooses none."""
        for item in self._items:
            item.line.setChecked(item.finding.kind == kind)

    def _add(self, number: int, finding: Finding) -> None:
        item = FindingItem(self._session, number, finding, self._word(finding.severity))
        item.grown.connect(lambda: self._bring(item))
        item.chosen.connect(lambda on: self._on_chosen(item, on))
        self._items.append(item)
        self._rows.addWidget(item)

    def _on_chosen(self, item: FindingItem, on: bool) -> None:
        if on:
            for other in self._items:
                if other is not item and other.line.isChecked():
                    other.line.setChecked(False)
            self.chosen.emit(item.finding)
            self._bring(item)
        elif self.chosen_finding is None:
            self.chosen.emit(None)

    def _bring(self, item: FindingItem) -> None:
        """Scroll a finding into view once it has its new height."""
        QTimer.singleShot(0, item, lambda: self._area.ensureWidgetVisible(item, 0, 8))

    def _say(self, report: DataReport | None, findings: Sequence[Finding]) -> None:
        if report is None:
            said = self.tr("Duplicates, empty answers, cut rows and the like appear here once the data was read.")
            self._rows.addWidget(plain_label(said, "muted", "findingsWords", wraps=True))
        elif not report.complete:
            said = self.tr("The rows are still being read; counts grow until then.")
            self._rows.addWidget(plain_label(said, "caption", "findingsWords", wraps=True))
        elif not findings:
            row = QHBoxLayout()
            row.setContentsMargins(0, 0, 0, 0)
            row.addWidget(icons.pixmap_label("check-circle-fill", "good"))
            row.addWidget(plain_label(self.tr("Nothing stands out in this data."), "muted", wraps=True), 1)
            holder = QWidget()
            holder.setLayout(row)
            self._rows.addWidget(holder)

    def _word(self, severity: str) -> str:
        known = {"error": self.tr("Error"), "warning": self.tr("Warning"), "info": self.tr("Note")}
        return known.get(severity, severity)

    def _heading(self, severity: str, count: int) -> str:
        match severity:
            case "error":
                return words.counted(count, self.tr("{} error"), self.tr("{} errors"))
            case "warning":
                return words.counted(count, self.tr("{} warning"), self.tr("{} warnings"))
            case "info":
                return words.counted(count, self.tr("{} note"), self.tr("{} notes"))
        return severity


def _is_same(first: Finding, second: Finding) -> bool:
    """Say whether two findings differ in their figures at most."""
    return (first.kind, first.severity, first.fixes, first.pairs) == (
        second.kind, second.severity, second.fixes, second.pairs
    )  # fmt: skip
