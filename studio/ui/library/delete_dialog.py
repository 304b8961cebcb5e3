"""The question before runs are deleted: what it frees here and on each node, and which of both is wanted."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QHBoxLayout, QVBoxLayout, QWidget

from remote_agent.contract.events import ENDED
from studio.session.library_verbs import Space
from studio.session.session import Session
from studio.ui import words
from studio.ui.pieces import button, plain_label
from studio.ui.translation import told

_WIDTH_PX = 460
_NAMED = 3


class DeleteDialog(QDialog):
    """Asks, looks up the sizes meanwhile, and deletes here or here and on the nodes."""

    def __init__(self, session: Session, run_ids: Sequence[str], parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("deleteRuns")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Delete runs"))
        self.setMinimumWidth(_WIDTH_PX)
        self._session, self._run_ids, self._is_open = session, tuple(run_ids), True
        self.finished.connect(self._on_finished)
        self.frees = plain_label(self.tr("Asking the nodes what it frees…"), "muted", "deleteFrees", wraps=True)
        self.here = button(self.tr("Delete here"), "deleteHere")
        self.everywhere = button(self.tr("Delete here and on the nodes"), "deleteEverywhere")
        self.cancel = button(self.tr("Cancel"), "deleteCancel")
        self.cancel.setDefault(True)
        self.here.clicked.connect(lambda: self._delete(on_nodes=False))
        self.everywhere.clicked.connect(lambda: self._delete(on_nodes=True))
        self.cancel.clicked.connect(self.reject)
        self._lay_out()
        session.space_of(self._run_ids, self._show_space)

    def _lay_out(self) -> None:
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        for each in (self.here, self.everywhere, self.cancel):
            buttons.addWidget(each)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(20, 16, 20, 16)
        layout.setSpacing(12)
        layout.addWidget(plain_label(self._question(), "strong", "deleteQuestion", wraps=True))
        layout.addWidget(self.frees)
        kept = self.tr(
            "Deleted here only, the folders with the checkpoints stay on the nodes, and can be found there again."
        )
        layout.addWidget(plain_label(kept, "muted", wraps=True))
        going = self._going()
        if going:
            one, many = (
                self.tr("{} of them still goes on; it is not stopped."),
                self.tr("{} of them still go on; they are not stopped."),
            )
            layout.addWidget(plain_label(words.counted(going, one, many), "warning", "deleteGoing", wraps=True))
        layout.addLayout(buttons)

    def _question(self) -> str:
        runs = [self._session.library.run(run_id) for run_id in self._run_ids]
        names = [run.name or run.run_id for run in runs[:_NAMED] if run is not None]
        more = "…" if len(runs) > _NAMED else ""
        asked = words.counted(len(runs), self.tr("Delete {} run?"), self.tr("Delete {} runs?"))
        return f"{asked} {', '.join(names)}{more}"

    def _going(self) -> int:
        runs = [self._session.library.run(run_id) for run_id in self._run_ids]
        return sum(run is not None and run.state not in ENDED for run in runs)

    def _show_space(self, space: Space) -> None:
        if not self._is_open:
            return
        lines = [self.tr("This frees {} in the library here.").format(words.size(space.here_bytes))]
        for node, size in space.nodes.items():
            lines.append(self.tr("On {node}: {size}.").format(node=told(node), size=words.size(size)))
        for node in space.silent:
            lines.append(
                self.tr(
                    "{} did not answer; nothing can be deleted there now, and its runs would stay here too."
                ).format(told(node))
            )
        self.frees.setText("\n".join(lines))
        self.everywhere.setEnabled(bool(space.nodes))
        self.adjustSize()

    def _delete(self, on_nodes: bool) -> None:
        self.accept()
        self._session.delete_runs(self._run_ids, on_nodes)

    def _on_finished(self) -> None:
        self._is_open = False
