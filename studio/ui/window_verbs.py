"""The window's actions with their shortcuts, and the files they ask for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPoint, Signal
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu, QWidget

from studio.session.addresses import HostKeyUnknown
from studio.session.session import Session

if TYPE_CHECKING:
    from studio.session.asking import PendingQuestion
    from studio.ui.command_palette import Command


class WindowVerbs(QObject):
    """Everything that can be done from menu, shortcut and palette; ``actions`` in the order of the menu."""

    node_form_wanted = Signal(str)
    comparison_wanted = Signal(object)

    def __init__(self, session: Session, window: QWidget) -> None:
        super().__init__(window)
        self._session, self._window = session, window
        self.actions: list[QAction] = []

    def add(self, text: str, do: Callable[[], object], *shortcuts: str | QKeySequence.StandardKey) -> QAction:
        """Add an action to the window under shortcuts, the first of them shown."""
        action = QAction(text, self._window)
        action.setShortcuts([QKeySequence(shortcut) for shortcut in shortcuts])
        action.triggered.connect(lambda: do())
        self._window.addAction(action)
        self.actions.append(action)
        return action

    def commands(self) -> list[Command]:
        """Return what the palette lists: the enabled actions."""
        from studio.ui.command_palette import Command

        return [
            Command(
                action.text().replace("…", "").replace("&", ""),
                action.shortcut().toString(QKeySequence.SequenceFormat.NativeText),
                action.trigger,
            )
            for action in self.actions
            if action.isEnabled()
        ]

    def open_menu(self, at: QPoint) -> None:
        """Open the window's menu at a place of the screen."""
        menu = _menu(self._window)
        menu.addActions(self.actions)
        menu.popup(at)

    def open_node_form(self, anchor: QWidget, name: str = "") -> None:
        """Open the form of a new node, or of one that is known, below a widget."""
        from studio.ui.pickers.node_picker import NodePicker

        picker = NodePicker(self._session, self._window)
        picker.popup_at(anchor)
        picker.show_form(name)

    def open_picker(self, kind: str, anchor: QWidget) -> None:
        """Open the picker of the model, the data or the node below a widget. Raises KeyError for another kind."""
        match kind:
            case "model":
                from studio.ui.pickers.model_picker import ModelPicker

                ModelPicker(self._session, self._window).popup_at(anchor)
            case "data":
                from studio.ui.pickers.data_picker import DataPicker

                DataPicker(self._session, self._window).popup_at(anchor)
            case "node":
                from studio.ui.pickers.node_picker import NodePicker

                NodePicker(self._session, self._window).popup_at(anchor)
            case _:
                raise KeyError(kind)

    def ask_host_key(self, question: HostKeyUnknown, node: str) -> None:
        """Ask a person whether an unknown host key is the right one; once, however many calls met it."""
        from studio.ui.pickers.host_key_dialog import HostKeyDialog
        from studio.ui.pickers.popup import open_above

        dialogs = self._window.findChildren(HostKeyDialog)
        if any(dialog.isVisible() and dialog.asks(question, node) for dialog in dialogs):
            return
        open_above(HostKeyDialog(self._session, question, node, self._window))

    def ask_secret(self, pending: PendingQuestion) -> None:
        """Ask a person for a passphrase, a password or a code that a node wants."""
        from studio.ui.pickers.popup import open_above
        from studio.ui.pickers.secret_dialog import SecretDialog

        open_above(SecretDialog(self._session.node_setup.asking, pending, self._window))

    def ask_job_file(self) -> None:
        """Let a person choose a job file to open."""
        from PySide6.QtWidgets import QFileDialog  # its enumerations cost milliseconds at the start

        name, _ = QFileDialog.getOpenFileName(
            self._window, self.tr("Open a job file"), "", self.tr("Job files (*.yaml *.yml *.json)")
        )
        if name:
            self._session.open_job_file(Path(name))

    def ask_save_job(self) -> None:
        """Let a person choose where the job is written as YAML."""
        suggestion = f"{self._session.draft.spec.name or 'job'}.yaml"
        from PySide6.QtWidgets import QFileDialog

        name, _ = QFileDialog.getSaveFileName(
            self._window, self.tr("Save the job as a file"), suggestion, self.tr("Job files (*.yaml)")
        )
        if name:
            self._session.save_job_file(Path(name))

    def ask_export(self, run_id: str = "") -> None:
        """Let a person choose the folder of a bundle, of a run or else of the job."""
        from PySide6.QtWidgets import QFileDialog

        name = QFileDialog.getExistingDirectory(self._window, self.tr("Export into an empty folder"), str(Path.home()))
        if name and run_id:
            self._session.export_run(run_id, Path(name))
        elif name:
            self._session.export_job(Path(name))

    def ask_import(self) -> None:
        """Let a person choose another tool's configuration, and show what would become of it."""
        from PySide6.QtWidgets import QFileDialog

        from studio.ui.exchange.import_dialog import ImportDialog

        kinds = self.tr("Configurations (*.yaml *.yml *.json)")
        name, _ = QFileDialog.getOpenFileName(self._window, self.tr("Import a configuration"), "", kinds)
        account = self._session.read_config(Path(name)) if name else None
        if account is not None:
            ImportDialog(self._session, account, Path(name).name, self._window).open()

    def ask_export_for(self, target: str) -> None:
        """Let a person choose the folder for the job as another tool reads it."""
        from PySide6.QtWidgets import QFileDialog

        name = QFileDialog.getExistingDirectory(self._window, self.tr("Export into a folder"), str(Path.home()))
        if name:
            self._session.export_for(target, Path(name))

    def compare_jobs(self, job_id: str = "") -> None:
        """Open the window that compares two jobs: the open one, at first with this or else the last opened."""
        from studio.ui.compare_jobs.compare_dialog import CompareDialog

        CompareDialog(self._session, self._window, job_id).show()

    def show_changes(self, job_id: str) -> None:
        """Open the window that says what of a job was changed since it was last launched."""
        from studio.ui.compare_jobs.changes_dialog import ChangesDialog

        ChangesDialog(self._session, self._window, job_id).show()

    def open_channels(self) -> None:
        """Open the window that says where alerts are sent."""
        from studio.ui.monitor.channels_dialog import ChannelsDialog

        ChannelsDialog(self._session, self._window).open()

    def open_tracker_keys(self) -> None:
        """Open the window that keeps the keys of trackers."""
        from studio.ui.recipe.tracker_keys_dialog import TrackerKeysDialog

        TrackerKeysDialog(self._session, self._window).open()

    def ask_track(self, run_id: str) -> None:
        """Open the window that feeds a tracker with a run."""
        from studio.ui.library.track_dialog import TrackDialog

        TrackDialog(self._session, run_id, self._window).open()

    def open_job_menu(self, job_id: str, at: QPoint) -> None:
        """Open the menu of a job of the library."""
        menu = _menu(self._window)
        menu.addAction(self.tr("Open"), lambda: self._session.open_job(job_id))
        menu.addAction(self.tr("Duplicate"), lambda: self._session.duplicate_job(job_id))
        menu.addAction(self.tr("Compare with the open job…"), lambda: self.compare_jobs(job_id))
        menu.addAction(self.tr("What changed since its last launch"), lambda: self.show_changes(job_id))
        menu.addAction(self.tr("Delete…"), lambda: self._ask_delete_job(job_id))
        menu.popup(at)

    def open_run_menu(self, run_id: str, at: QPoint, shown: tuple[str, ...] = ()) -> None:
        """Open the menu of a run of the library; ``shown`` are the runs that the window shows."""
        menu = _menu(self._window)
        if shown and run_id not in shown:
            menu.addAction(self.tr("Compare with the open run"), lambda: self.comparison_wanted.emit((*shown, run_id)))
        menu.addAction(self.tr("Export…"), lambda: self.ask_export(run_id))
        menu.addAction(self.tr("Send to a tracker…"), lambda: self.ask_track(run_id))
        menu.addAction(self.tr("Forget here…"), lambda: self._ask_delete_run(run_id))
        menu.popup(at)

    def open_node_menu(self, name: str, at: QPoint) -> None:
        """Open the menu of a node."""
        menu = _menu(self._window)
        menu.addAction(self.tr("Use for this job"), lambda: self._session.choose_node(name))
        menu.addAction(self.tr("Look again"), lambda: self._session.probe_node(name))
        node = self._session.hosts.get(name)
        menu.addAction(self.tr("Edit…"), lambda: self.node_form_wanted.emit(name))
        if node is not None and not node.is_local:
            menu.addAction(self.tr("Remove…"), lambda: self._ask_remove_node(name))
        menu.popup(at)

    def _ask_delete_job(self, job_id: str) -> None:
        job = self._session.library.job(job_id)
        if job is not None:
            sentence = self.tr("The job {} is deleted from the library; its runs stay.").format(job.name)
            self._ask(self.tr("Delete the job?"), sentence, lambda: self._session.delete_job(job_id))

    def _ask_delete_run(self, run_id: str) -> None:
        sentence = self.tr("{} and its figures are deleted here; its folder on the node stays.").format(run_id)
        self._ask(self.tr("Forget the run?"), sentence, lambda: self._session.delete_run(run_id))

    def _ask_remove_node(self, name: str) -> None:
        sentence = self.tr("{} is taken from the list; what lies there stays.").format(name)
        self._ask(self.tr("Remove the node?"), sentence, lambda: self._session.remove_node(name))

    def _ask(self, question: str, sentence: str, do: Callable[[], object]) -> None:
        from PySide6.QtWidgets import QMessageBox

        box = QMessageBox(QMessageBox.Icon.NoIcon, question, sentence, parent=self._window)
        box.setObjectName("confirmation")
        box.setStandardButtons(QMessageBox.StandardButton.Yes | QMessageBox.StandardButton.Cancel)
        box.setDefaultButton(QMessageBox.StandardButton.Cancel)
        box.accepted.connect(do)
        box.open()


def _menu(parent: QWidget) -> QMenu:
    menu = QMenu(parent)
    menu.aboutToHide.connect(menu.deleteLater)
    return menu
