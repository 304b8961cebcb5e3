"""What can be done with the runs that are chosen in the library's table: one list of actions for buttons and menu."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject, QPoint, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QWidget

from studio.session.session import Session
from studio.ui import words
from studio.ui.compare.figures import MOST_RUNS
from studio.ui.library.run_table import GROUP, NOTE, TAGS
from studio.ui.library.run_view import RunView

_MANY = 1_000_000


class RunActions(QObject):
    """The actions by name, each enabled where it can be done with as many runs as are chosen."""

    run_wanted = Signal(str)
    comparison_wanted = Signal(object)

    def __init__(self, session: Session, view: RunView, parent: QWidget) -> None:
        super().__init__(parent)
        self._session, self._view, self._parent = session, view, parent
        self._shows_archived = False
        self._limits: dict[QAction, tuple[int, int]] = {}
        add = self._add
        self.open = add(self.tr("Open"), self._open, 1, 1)
        self.compare = add(self.tr("Compare"), self._compare, 2, MOST_RUNS)
        self.compare.setToolTip(self.tr("Choose 2 to {} runs to see them beside each other").format(MOST_RUNS))
        self.duplicate = add(self.tr("Duplicate job"), self._duplicate, 1, 1)
        self.duplicate.setToolTip(self.tr("Make a job of the settings that this run was launched with"))
        self.changes = add(self.tr("What changed since its last launch"), self._show_changes, 1, 1)
        self.tag = add(self.tr("Tag…"), functools.partial(view.write_label, TAGS))
        self.group = add(self.tr("Group…"), functools.partial(view.write_label, GROUP))
        self.note = add(self.tr("Note…"), functools.partial(view.write_label, NOTE))
        self.archive = add(self.tr("Archive"), self._archive)
        self.terminal = add(self.tr("Open terminal here"), self._open_terminal, 1, 1)
        self.copy = add(self.tr("Copy"), view.copy_rows)
        self.delete = add(self.tr("Delete…"), self._ask_delete)
        view.selectionModel().selectionChanged.connect(self.refresh)
        view.model().modelReset.connect(self.refresh)
        view.opened.connect(self.run_wanted)
        view.delete_wanted.connect(self._ask_delete)
        view.customContextMenuRequested.connect(self._on_menu)
        self.refresh()

    def _add(self, text: str, do: Callable[[], object], least: int = 1, most: int = _MANY) -> QAction:
        action = QAction(text, self)
        action.triggered.connect(lambda: do())
        self._limits[action] = (least, most)
        return action

    def show_archived(self, archived: bool) -> None:
        """Offer to bring runs back instead of archiving them."""
        self._shows_archived = archived
        self.archive.setText(self.tr("Bring back") if archived else self.tr("Archive"))

    def refresh(self, *_: object) -> None:
        """Enable what can be done with the chosen runs."""
        chosen = len(self._view.selectionModel().selectedRows())
        for action, (least, most) in self._limits.items():
            action.setEnabled(least <= chosen <= most)

    def menu(self) -> QMenu:
        """Return a menu of all actions, which goes when it is closed."""
        menu = QMenu(self._parent)
        menu.setObjectName("runMenu")
        menu.aboutToHide.connect(menu.deleteLater)
        for part in (
            (self.open, self.compare, self.duplicate, self.changes),
            (self.tag, self.group, self.note),
            (self.terminal, self.copy),
            (self.archive, self.delete),
        ):
            menu.addActions(part)
            menu.addSeparator()
        return menu

    def write_label(self, field: str, run_id: str, text: str) -> None:
        """Note on every chosen run what was written at one; tags that runs have beside those shown there stay."""
        chosen = self._chosen()
        run_ids = chosen if run_id in chosen else [run_id]
        if field == TAGS:
            self._write_tags(run_id, run_ids, text)
        else:
            self._session.label_runs(run_ids, **{"heading" if field == GROUP else "remark": text.strip()})

    def _write_tags(self, run_id: str, run_ids: Sequence[str], text: str) -> None:
        library = self._session.library
        at = library.run(run_id)
        before = at.tags if at is not None else ()
        written = tuple(dict.fromkeys(tag.strip() for tag in text.split(",") if tag.strip()))
        taken = set(before) - set(written)
        by_tags: dict[tuple[str, ...], list[str]] = {}
        for each in run_ids:
            run = library.run(each)
            if run is not None:
                kept = written if each == run_id else tuple(tag for tag in run.tags if tag not in taken)
                by_tags.setdefault(tuple(dict.fromkeys((*kept, *written))), []).append(each)
        for tags, ids in by_tags.items():
            self._session.label_runs(ids, tags=tags)

    def _chosen(self) -> list[str]:
        """Return the chosen runs that the library still has."""
        return [run_id for run_id in self._view.chosen_ids() if self._session.library.run(run_id) is not None]

    def _on_menu(self, place: QPoint) -> None:
        if self._view.indexAt(place).isValid():
            self.menu().popup(self._view.viewport().mapToGlobal(place))

    def _open(self) -> None:
        for run_id in self._chosen()[:1]:
            self.run_wanted.emit(run_id)

    def _compare(self) -> None:
        chosen = self._chosen()
        if len(chosen) > 1:
            self.comparison_wanted.emit(tuple(chosen))

    def _duplicate(self) -> None:
        for run_id in self._chosen()[:1]:
            self._session.duplicate_run(run_id)

    def _show_changes(self) -> None:
        from studio.ui.compare_jobs.changes_dialog import ChangesDialog

        for run_id in self._chosen()[:1]:
            ChangesDialog(self._session, self._parent, self._job_of(run_id)).show()

    def _job_of(self, run_id: str) -> str:
        """Return the job that a run was launched from; one of before that was noted is known by its name."""
        library = self._session.library
        run = library.run(run_id)
        if run is None or run.job_id:
            return run.job_id if run is not None else ""
        return next((job.job_id for job in library.jobs if job.name == run.name), "")

    def _archive(self) -> None:
        chosen = self._chosen()
        self._session.label_runs(chosen, archived=not self._shows_archived)
        if self._shows_archived:
            one, many = self.tr("{} run is back in the list."), self.tr("{} runs are back in the list.")
        else:
            one = self.tr("{} run is archived; the switch above the list shows it.")
            many = self.tr("{} runs are archived; the switch above the list shows them.")
        self._session.notice.emit("info", words.counted(len(chosen), one, many))

    def _open_terminal(self) -> None:
        for run_id in self._chosen()[:1]:
            self._session.open_terminal(run_id)

    def _ask_delete(self) -> None:
        from studio.ui.library.delete_dialog import DeleteDialog

        chosen = self._chosen()
        if chosen:
            DeleteDialog(self._session, chosen, self._parent).open()
