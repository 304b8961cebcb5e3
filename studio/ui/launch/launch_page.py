"""The Launch page: where to, what is checked, what is sent, and one large button."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from studio.ui import icons, words
from studio.ui.launch.ahead_row import AheadRow
from studio.ui.launch.blocking_problems import ProblemCard
from studio.ui.launch.checklist import FAILED, Checklist
from studio.ui.launch.checks import can_start, checks, problems_before_launch
from studio.ui.launch.environment_card import EnvironmentCard
from studio.ui.launch.node_card import NodeCard
from studio.ui.pieces import Card, ElidedLabel, button, plain_label

if TYPE_CHECKING:
    from studio.session.session import Session

_SIDE_WIDTH, _NARROW_SIDE_WIDTH = 420, 300
_NARROW_PAGE = 900


class LaunchPage(QWidget):
    """Follows draft, nodes and launch of the session."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("launchPage")
        self.setAccessibleName(self.tr("Launch"))
        self._session = session
        self.node_card = NodeCard(session)
        self.environment_card = EnvironmentCard(session)
        self.ahead_row = AheadRow(session)
        self.problems = ProblemCard(session.draft)
        self.checklist = Checklist()
        self.launch_button = button(self.tr("Launch"), "launchPageButton", self.tr("Launch the run"), role="primary")
        self.launch_button.setStyleSheet("min-height: 32px; font-size: 15px;")
        self.cancel_button = button(self.tr("Cancel"), "cancelLaunchButton", self.tr("Cancel the launch"))
        self._summary = plain_label("", "muted", "launchSummary", wraps=True)
        self._list_heading = plain_label("", "heading")
        self._edited = False
        self._sent: dict[str, tuple[ElidedLabel, ElidedLabel]] = {}
        self._build()
        self.launch_button.clicked.connect(session.launch)
        self.cancel_button.clicked.connect(session.cancel_launch)
        session.draft.changed.connect(self._on_edited)
        session.inputs_changed.connect(self.refresh)
        session.launch_changed.connect(self._on_launch_changed)
        session.hosts.changed.connect(self.refresh)
        self.refresh()

    def _on_edited(self) -> None:
        """Go back to what holds before a launch: the steps of the last one are no longer those of this job."""
        self._edited = not self._session.is_launching
        self.refresh()

    def _on_launch_changed(self) -> None:
        self._edited = False
        self.refresh()

    def refresh(self) -> None:
        """Show everything as it is now."""
        session = self._session
        self.node_card.refresh()
        self.environment_card.refresh()
        self.ahead_row.refresh()
        self.problems.show_problems(problems_before_launch(session))
        failed = any(step.state == FAILED for step in session.launch_progress)
        launching = session.is_launching or (failed and not self._edited)
        self.checklist.show_steps(session.launch_progress if launching else checks(session))
        self._list_heading.setText(self.tr("Launch") if launching else self.tr("Before the launch"))
        self._show_sent()
        ready = can_start(session) and not session.is_launching
        held = self.launch_button.hasFocus() or self.cancel_button.hasFocus()
        self.launch_button.setEnabled(ready)
        icons.set_icon(self.launch_button, "play-fill", "on_accent" if ready else "muted")
        self.cancel_button.setVisible(session.is_launching)
        if held:  # the one that can be pressed takes the keyboard over, which would go astray otherwise
            (self.cancel_button if session.is_launching else self.launch_button).setFocus()
        self._summary.setText(self._summary_words())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Give the checklist less room where the window is narrow."""
        super().resizeEvent(event)
        self._side.setFixedWidth(_NARROW_SIDE_WIDTH if self.width() < _NARROW_PAGE else _SIDE_WIDTH)

    def _show_sent(self) -> None:
        spec, known = self._session.draft.spec, self._session.draft.known
        local = self._session.node is not None and self._session.node.is_local
        model_bytes = sum(file.size_bytes for file in known.model.files) if known.model is not None else 0
        data_bytes = _file_size(spec.data.path) if spec.data.source == "desktop" else 0
        self._show_input("model", spec.model.id, spec.model.source == "desktop", local, model_bytes)
        self._show_input("data", spec.data.path, spec.data.source == "desktop", local, data_bytes)
        held_out = spec.data.held_out_path
        self._show_input("held_out", held_out, spec.data.source == "desktop", local, _file_size(held_out))
        self._agent_said.setVisible(not local)
        for widget in (*self._sent["held_out"], self._held_out_label):
            widget.setVisible(bool(held_out))

    def _show_input(self, key: str, path: str, is_here: bool, local: bool, size: int) -> None:
        where, how = self._sent[key]
        where.set_text(path or self.tr("not chosen yet"))
        if not path:
            how.set_text("")
        elif is_here and not local:
            said = self.tr("sent once, {size}")
            how.set_text(said.format(size=words.size(size)) if size else self.tr("sent once, verified by hash"))
        else:
            stays = self.tr("stays where it is, {size}").format(size=words.size(size))
            how.set_text(stays if size else self.tr("stays where it is"))

    def _summary_words(self) -> str:
        draft = self._session.draft
        plan, batch = draft.plan, draft.spec.batch
        said = self.tr("Batch {total} = {micro} × {accumulation} × {ranks}").format(
            total=words.whole(plan.global_batch),
            micro=batch.micro_batch,
            accumulation=batch.accumulation,
            ranks=draft.spec.strategy.ranks,
        )
        if plan.total_steps:
            return words.counted(plan.total_steps, self.tr("{} step"), self.tr("{} steps")) + "  ·  " + said
        return said

    def _build(self) -> None:
        left = QWidget()
        left.setObjectName("scrolled")
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        column.addWidget(self.node_card)
        column.addWidget(self.environment_card)
        column.addWidget(self._sent_card())
        column.addWidget(self.problems)
        column.addStretch(1)
        scroll = QScrollArea()
        scroll.setObjectName("launchScroll")
        scroll.setAccessibleName(self.tr("Node, what is sent, problems"))
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(left)
        self._side = side = Card(name="launchSide")
        side.setFixedWidth(_SIDE_WIDTH)
        side.body.setSpacing(12)
        side.body.addWidget(self._list_heading)
        side.body.addWidget(self.checklist)
        side.body.addStretch(1)
        side.body.addWidget(self._summary)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.launch_button, 1)
        row.addWidget(self.cancel_button)
        side.body.addLayout(row)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(12)
        layout.addWidget(scroll, 1)
        layout.addWidget(side)

    def _sent_card(self) -> Card:
        card = Card(self.tr("What will be sent"), "launchSent")
        grid = QGridLayout()
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(8)
        rows = (
            ("model", self.tr("Model")),
            ("data", self.tr("Data")),
            ("held_out", self.tr("Held-out")),
        )
        for number, (key, text) in enumerate(rows):
            label = plain_label(text, "muted")
            if key == "held_out":
                self._held_out_label = label
            where = ElidedLabel("", "", Qt.TextElideMode.ElideMiddle)
            where.setObjectName(f"sentPath_{key}")
            how = ElidedLabel("", "caption")
            how.setObjectName(f"sentHow_{key}")
            self._sent[key] = (where, how)
            grid.addWidget(label, number, 0)
            grid.addWidget(where, number, 1)
            grid.addWidget(how, number, 2)
        grid.setColumnStretch(1, 5)
        grid.setColumnStretch(2, 3)
        card.body.addLayout(grid)
        said = self.tr("The agent is sent too, under 2 MiB, once a version. Nothing on the node is overwritten.")
        self._agent_said = plain_label(said, "caption", wraps=True)
        card.body.addWidget(self._agent_said)
        card.body.addWidget(self.ahead_row)
        return card


def _file_size(path: str) -> int:
    """Return a file's size in bytes; 0 for a folder, whose files are not counted on the GUI thread."""
    try:
        found = Path(path).expanduser() if path else None
        return found.stat().st_size if found is not None and found.is_file() else 0
    except (OSError, RuntimeError):
        return 0
