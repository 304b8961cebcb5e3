"""The page of all runs: a line to search by words and conditions, the table, and what can be done with the chosen."""

from __future__ import annotations

import base64
from pathlib import Path

from PySide6.QtCore import QByteArray, QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QHideEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from studio.session.session import Session
from studio.state.run_index import Found, RunIndex
from studio.ui import icons, words
from studio.ui.last_layout import LastLayout
from studio.ui.library.run_actions import RunActions
from studio.ui.library.run_table import RunTable
from studio.ui.library.run_view import RunView
from studio.ui.pickers.popup import ask_for_path
from studio.ui.pieces import button, labelled_switch, plain_label

_REFRESH_MS, _READ_AFTER_MS = 300, 50
_COLUMNS = "libraryColumns2"


class LibraryPage(QWidget):
    """Lists the runs of the session's library and follows it while it can be seen."""

    run_wanted = Signal(str)
    comparison_wanted = Signal(object)

    def __init__(self, session: Session, layout: LastLayout | None = None) -> None:
        super().__init__()
        self.setObjectName("libraryPage")
        self.setAccessibleName(self.tr("All runs"))
        self._session, self._kept = session, layout
        self._has_settings = self._is_reading = False
        self.table = RunTable(self)
        self.view = RunView(self.table)
        self.actions_of_runs = RunActions(session, self.view, self)
        self.search = QLineEdit()
        self.search.setObjectName("runSearch")
        self.search.setProperty("search", True)
        self.search.setAccessibleName(self.tr("Search the runs"))
        self.search.setPlaceholderText(
            self.tr("Words and conditions: lion  loss<1.2  learning_rate>=1e-5  tags=baseline")
        )
        self.search.setToolTip(
            self.tr(
                "Every word has to be in a run's name, node, state, labels or settings, and every condition has to"
                " hold. A condition is a result or a setting, one of < <= > >= = != and a value, without spaces."
            )
        )
        self.search.setClearButtonEnabled(True)
        self.archived, self._archived_row = labelled_switch(self.tr("Archived"), "archivedSwitch")
        self.said = plain_label("", "muted", "librarySaid", wraps=True)
        self._soon = QTimer(self, singleShot=True, interval=_REFRESH_MS)
        self._soon.timeout.connect(self.refresh)
        self._lay_out()
        self._restore_columns()
        self.search.textChanged.connect(self._on_search)
        self.archived.toggled.connect(self._on_search)
        self.table.label_written.connect(self.actions_of_runs.write_label)
        self.view.edited.connect(self._soon.start)
        self.view.selectionModel().selectionChanged.connect(lambda *_: self._say())
        self.actions_of_runs.run_wanted.connect(self._open)
        self.actions_of_runs.comparison_wanted.connect(self.comparison_wanted)
        session.library.changed.connect(self._on_changed)

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.setSpacing(12)
        top.addWidget(self.search, 1)
        top.addWidget(self._archived_row)
        actions, row = self.actions_of_runs, QHBoxLayout()
        row.setSpacing(8)
        for name, action in (
            ("openRun", actions.open), ("compareRuns", actions.compare), ("duplicateRun", actions.duplicate),
            ("archiveRuns", actions.archive), ("deleteRuns", actions.delete),
        ):  # fmt: skip
            row.addWidget(_button_of(action, f"{name}Button"))
        self.more = button(self.tr("More"), "moreRunActionsButton", self.tr("More to do with the chosen runs"))
        icons.set_icon(self.more, "caret-down", "muted", 12)
        self.more.clicked.connect(self._open_menu)
        row.addWidget(self.more)
        row.addStretch(1)
        take = button(
            self.tr("Import a run…"), "importRunButton",
            self.tr("Take in a run that lies in a folder: Luthier's, TensorBoard's, or an offline one of W&B"),
        )  # fmt: skip
        take.setToolTip(take.accessibleName())
        take.clicked.connect(self._ask_folder)
        row.addWidget(take)
        layout = QVBoxLayout(self)
        layout.setSpacing(10)
        layout.addLayout(top)
        layout.addLayout(row)
        layout.addWidget(self.view, 1)
        layout.addWidget(self.said)

    def refresh(self) -> None:
        """Show the library as it is now; settings that were not read yet are read in the background."""
        if not self.isVisible() or self.view.is_editing:
            return
        runs = self._session.library.runs
        renewed = self.table.index_of_runs.with_runs(runs) if self._has_settings else None
        if renewed is not None:
            self._show(renewed)
            return
        if not self._has_settings:
            self._show(RunIndex(runs, {}))
        if not self._is_reading:
            self._is_reading = True
            # once the list is painted: ten thousand jobs keep the interpreter busy
            QTimer.singleShot(_READ_AFTER_MS, self, self._read)
        self._say()

    def _read(self) -> None:
        if self._is_reading:
            self._session.load_index(self._on_read)

    def _on_read(self, index: RunIndex) -> None:
        self._is_reading = False
        if not self.view.is_editing:
            self._has_settings = True
            self._show(index)
        if index.runs is not self._session.library.runs:
            self._soon.start()

    def _show(self, index: RunIndex) -> None:
        chosen, top = self.view.chosen_ids(), self.view.verticalScrollBar().value()
        self._found(self.table.show_index(index), chosen)
        self.view.verticalScrollBar().setValue(top)

    def _on_search(self, *_: object) -> None:
        self.actions_of_runs.show_archived(self.archived.isChecked())
        chosen = self.view.chosen_ids()
        self._found(self.table.search(self.search.text(), self.archived.isChecked()), chosen)

    def _found(self, found: Found, chosen: list[str]) -> None:
        if self.view.chosen_ids() != chosen:
            self.view.choose(chosen)
        self._problem = found.problem
        self._say()

    _problem = ""

    def _say(self) -> None:
        shown, chosen = self.table.rowCount(), len(self.view.selectionModel().selectedRows())
        if self._problem and not self._is_reading:
            said = self.tr("No run has anything called {}. Try loss, state, tags or a setting such as learning_rate.")
            self.said.setText(said.format(self._problem))
            return
        if not self.table.index_of_runs.runs:
            self.said.setText(
                self.tr("There is no run yet. Each one that is launched here, or found on a node, is listed.")
            )
            return
        parts = [words.counted(shown, self.tr("{} run"), self.tr("{} runs"))]
        if chosen:
            parts.append(words.counted(chosen, self.tr("{} chosen"), self.tr("{} chosen")))
        if self._is_reading and not self._has_settings:
            parts.append(self.tr("reading their settings…"))
        self.said.setText(" · ".join(parts))

    def _open(self, run_id: str) -> None:
        if self._session.library.run(run_id) is not None:
            self.run_wanted.emit(run_id)

    def _ask_folder(self) -> None:
        def on_chosen(folder: str) -> None:
            self._session.import_run(Path(folder))

        ask_for_path(self, self.tr("Folder of the run"), True, "", on_chosen)

    def _open_menu(self) -> None:
        self.actions_of_runs.menu().popup(self.more.mapToGlobal(QPoint(0, self.more.height() + 4)))

    def _on_changed(self) -> None:
        if self.isVisible() and not self._soon.isActive():
            self._soon.start()

    def _restore_columns(self) -> None:
        kept = self._kept.choice(_COLUMNS) if self._kept is not None else ""
        header = self.view.horizontalHeader()
        if kept and header.restoreState(QByteArray(base64.b64decode(kept))):
            self.table.sort(header.sortIndicatorSection(), header.sortIndicatorOrder())

    def showEvent(self, event: QShowEvent) -> None:
        """Catch up with what came while the page was hidden."""
        super().showEvent(event)
        self._is_reading = False
        self.search.setFocus(Qt.FocusReason.OtherFocusReason)
        QTimer.singleShot(0, self, self.refresh)

    def hideEvent(self, event: QHideEvent) -> None:
        """Remember the columns and the order."""
        super().hideEvent(event)
        if self._kept is not None:
            state = self.view.horizontalHeader().saveState()
            self._kept.keep_choice(_COLUMNS, base64.b64encode(bytes(state.data())).decode())


def _button_of(action: QAction, name: str) -> QPushButton:
    """Return a button that does what an action does, enabled and named as it is."""
    made = button(action.text(), name)

    def follow() -> None:
        made.setEnabled(action.isEnabled())
        made.setText(action.text())
        made.setAccessibleName(action.text().rstrip("…"))
        made.setToolTip(action.toolTip() if action.toolTip() != action.text().rstrip("…") else "")

    action.changed.connect(follow)
    made.clicked.connect(action.trigger)
    follow()
    return made
