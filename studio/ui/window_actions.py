"""The window's list of actions: what the menu, the shortcuts and the palette offer."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtGui import QKeySequence

from studio.ui.window_keys import WindowKeys

if TYPE_CHECKING:
    from studio.ui.main_window import MainWindow

_OTHER_TOOLS = (("LLaMA-Factory", "llamafactory"), ("Axolotl", "axolotl"), ("transformers", "transformers"))


class WindowActions(QObject):
    """Adds every action to a window's verbs; ``undo`` and ``redo`` follow the draft by `refresh`."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._draft = window.session.draft
        keys = WindowKeys(window)
        self._add_job_actions(window)
        add, verbs = window.verbs.add, window.verbs
        self.undo = add(self.tr("Undo"), self._draft.undo, QKeySequence.StandardKey.Undo)
        self.redo = add(self.tr("Redo"), self._draft.redo, "Ctrl+Y", "Ctrl+Shift+Z")
        add(self.tr("Launch"), window.launch, "Ctrl+Return", "Ctrl+Enter")
        add(self.tr("Read model and data again"), window.session.inspect, QKeySequence.StandardKey.Refresh)
        add(self.tr("Choose a model"), functools.partial(window.open_picker, "model"))
        add(self.tr("Choose the data"), functools.partial(window.open_picker, "data"))
        add(self.tr("Where alerts are sent…"), verbs.open_channels)
        add(self.tr("Keys of trackers…"), verbs.open_tracker_keys)
        add(self.tr("Choose a node"), functools.partial(window.open_picker, "node"))
        add(self.tr("Search here"), keys.search, QKeySequence.StandardKey.Find)
        add(self.tr("Help on the field"), keys.help, QKeySequence.StandardKey.HelpContents)
        add(self.tr("All commands"), window.open_palette, "Ctrl+K")
        add(self.tr("Quit"), window.close, QKeySequence.StandardKey.Quit)

    def _add_job_actions(self, window: MainWindow) -> None:
        add, verbs = window.verbs.add, window.verbs
        add(self.tr("New job"), window.session.new_job, QKeySequence.StandardKey.New)
        add(self.tr("Open a job file…"), verbs.ask_job_file, QKeySequence.StandardKey.Open)
        add(self.tr("Save the job as a file…"), verbs.ask_save_job, QKeySequence.StandardKey.Save)
        add(self.tr("Import a configuration…"), verbs.ask_import)
        add(self.tr("Export…"), window.export, "Ctrl+E")
        for tool, target in _OTHER_TOOLS:
            add(self.tr("Export for {}…").format(tool), functools.partial(verbs.ask_export_for, target))
        add(self.tr("Compare with another job…"), verbs.compare_jobs)
        add(self.tr("All runs…"), window.show_library, "Ctrl+L")

    def refresh(self) -> None:
        """Enable what the draft's history has."""
        self.undo.setEnabled(self._draft.can_undo)
        self.redo.setEnabled(self._draft.can_redo)
