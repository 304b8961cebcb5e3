"""How the rows of one source are read, and how much of it is taken: shape, columns, weight and caps."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from PySide6.QtWidgets import QVBoxLayout, QWidget

from remote_agent.contract.data_report import SourceReport
from remote_agent.contract.data_spec import SourceSpec, all_sources
from studio.ui import words
from studio.ui.data.described_form import DescribedForm
from studio.ui.pieces import plain_label
from studio.ui.translation import told

if TYPE_CHECKING:
    from studio.session.session import Session

_OF_SHAPE: dict[str, tuple[str, ...]] = {
    "alpaca": ("prompt", "input", "response", "system"),
    "prompt_completion": ("prompt", "response", "system"),
    "messages": ("messages", "tools", "system"),
    "sharegpt": ("messages", "tools", "system"),
    "text": ("text",),
    "classification": ("text", "label"),
}
_COLUMNS = tuple(dict.fromkeys(name for names in _OF_SHAPE.values() for name in names))
_AMOUNTS = ("weight", "max_rows", "max_epochs", "replay")
_MOST_COLUMNS = 500
_HUB = ("revision", "subset", "split")
_PATHS = ("shape", *(f"columns.{name}" for name in _COLUMNS), *_AMOUNTS, *_HUB)


class SourceForm(QWidget):
    """Edits one source of the draft: number 0 is the one that ``data`` itself names, the others stand in ``more``."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._number = 0
        columns = {f"columns.{name}": [("", self.tr("Usual"))] for name in _COLUMNS}
        self.form = DescribedForm("data", SourceSpec, _PATHS, columns)
        self._reason = plain_label("", "caption", "dataShapeReason", wraps=True)
        self._reason.setContentsMargins(16, 0, 0, 0)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(self._reason)
        layout.addWidget(self.form)
        self.form.edited.connect(self._on_edited)

    @property
    def number(self) -> int:
        """Return the number of the source that is shown."""
        return self._number

    def show_source(self, number: int) -> None:
        """Show a source by its number; one that is gone gives way to the first."""
        sources = all_sources(self._session.draft.spec.data)
        self._number = number if number < len(sources) else 0
        source = sources[self._number]
        report = self._report()
        shape = source.shape if source.shape != "auto" or report is None else report.shape
        self._offer_columns(report, source)
        self.form.show_values({path: _value(source, path) for path in _PATHS})
        for name in _COLUMNS:
            self.form.set_shown(f"columns.{name}", name in _OF_SHAPE.get(shape, ()))
        for path in _HUB:
            self.form.set_shown(path, source.source == "hub")
        self.form.set_shown("weight", len(sources) > 1)
        self.form.set_shown("max_epochs", len(sources) > 1 and not source.replay)
        self.form.set_shown("replay", self._number > 0)
        self._reason.setText(self._said(report, source))
        self._reason.setVisible(bool(self._reason.text()))

    def _report(self) -> SourceReport | None:
        report = self._session.draft.known.data
        return report.sources[self._number] if report is not None and self._number < len(report.sources) else None

    def _offer_columns(self, report: SourceReport | None, source: SourceSpec) -> None:
        for name in _COLUMNS:
            named = getattr(source.columns, name)
            there = list(report.columns[:_MOST_COLUMNS]) if report is not None else []
            offered = [
                (one, " ".join(one.split())[:60]) for one in dict.fromkeys([*there, *([named] if named else [])])
            ]
            self.form.set_choices(f"columns.{name}", [("", self.tr("Usual")), *offered])

    def _said(self, report: SourceReport | None, source: SourceSpec) -> str:
        if report is None:
            return ""
        said = told(report.shape_reason)
        if source.shape == "auto":
            said = self.tr("Read as {shape}. {reason}").format(shape=words.choice(report.shape), reason=said)
        if report.unused_columns:
            names = ", ".join(report.unused_columns[:8]) + ("…" if len(report.unused_columns) > 8 else "")
            said += " " + self.tr("Not used: {}.").format(names)
        return said

    def _on_edited(self, path: str, value: Any) -> None:
        if self._number == 0:
            self._session.draft.set_value(f"data.{path}", value)
            return
        source = all_sources(self._session.draft.spec.data)[self._number]
        if path.startswith("columns."):
            columns = dataclasses.replace(source.columns, **{path.removeprefix("columns."): value})
            changed = dataclasses.replace(source, columns=columns)
        else:
            changed = dataclasses.replace(source, **{path: value})
        self._session.set_source(self._number - 1, changed)


def _value(source: SourceSpec, path: str) -> Any:
    value: Any = source
    for name in path.split("."):
        value = getattr(value, name)
    return value
