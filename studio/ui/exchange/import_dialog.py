"""The account of an imported configuration: findings first, then every key with what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtWidgets import QDialog, QHBoxLayout, QTabWidget, QVBoxLayout, QWidget

from remote_agent.contract.job_spec import JobSpec
from studio.session.session import Session
from studio.ui import words
from studio.ui.field_table import FieldRow, FieldTable
from studio.ui.knob_control import FIELDS, field_label, value_text
from studio.ui.pieces import button, plain_label
from studio.ui.translation import told

_SIZE = (860, 560)
_MOST_CHARACTERS = 60


class ImportDialog(QDialog):
    """Shows what `Session.read_config` gave; ``Open as a job`` adds it to the library."""

    def __init__(self, session: Session, account: Any, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("importDialog")
        self.setWindowTitle(self.tr("Import {}").format(name))
        self.setAccessibleName(self.windowTitle())
        self.resize(*_SIZE)
        self._session = session
        self._spec: JobSpec = account.spec
        self.tabs = QTabWidget()
        self.tabs.setObjectName("importTabs")
        self.tabs.setAccessibleName(self.tr("What became of the configuration"))
        self.tables: dict[str, FieldTable] = {}
        findings = [FieldRow((field_words(one.field), told(one.sentence)), one.field) for one in account.findings]
        self._add("findings", self.tr("Worth knowing"), (self.tr("Field"), self.tr("What")), findings, (1,))
        there, value, here = self.tr("There"), self.tr("Value"), self.tr("Here")
        done = self.tr("What was done")
        for key, title, entries, headings, columns, stretch in (
            ("mapped", self.tr("The same here"), account.mapped, (there, value, here, value), (0, 1, 2, 3), (1, 3)),
            ("converted", self.tr("Converted"), account.converted, (there, value, here, value, done), range(5), (4,)),
            ("dropped", self.tr("No counterpart"), account.dropped, (there, value, done), (0, 1, 4), (2,)),
        ):
            rows = [_entry_row(entry, columns) for entry in entries if not entry.by_default]
            self._add(key, title, headings, rows, stretch)
        said = self.tr("A configuration of {tool}: {reason}").format(tool=account.origin, reason=told(account.reason))
        cancel = button(self.tr("Cancel"), "importCancelButton")
        cancel.clicked.connect(self.reject)
        self.open_button = button(self.tr("Open as a job"), "importOpenButton", role="primary")
        self.open_button.clicked.connect(self._on_open)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(cancel)
        row.addWidget(self.open_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(20, 16, 20, 16)
        layout.setSpacing(12)
        layout.addWidget(plain_label(said, "muted", "importSummary", wraps=True))
        layout.addWidget(self.tabs, 1)
        layout.addLayout(row)

    def _add(self, key: str, title: str, headings: Sequence[str], rows: list[FieldRow], stretch: Sequence[int]) -> None:
        table = FieldTable(list(headings), f"import_{key}", title, stretch)
        table.show_rows(rows)
        self.tables[key] = table
        self.tabs.addTab(table, f"{title} · {words.whole(len(rows))}")

    def _on_open(self) -> None:
        self._session.open_spec(self._spec)
        self.accept()


def field_words(path: str) -> str:
    """Return what a field of the job is called; the path itself where it is none."""
    return field_label(path) if path in FIELDS else path


def _entry_row(entry: Any, columns: Sequence[int]) -> FieldRow:
    """Return a key's row: of what was there, what is here, and what was done, the columns that say something."""
    ours = value_text(entry.path, entry.value) if entry.path in FIELDS else ""
    cells = (entry.their_key, _short(entry.their_value), field_words(entry.path), ours, told(entry.sentence))
    return FieldRow(tuple(cells[column] for column in columns), entry.path)


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= _MOST_CHARACTERS else text[: _MOST_CHARACTERS - 1] + "…"
