"""The last line of the window: node, fit, global batch and steps of a job, or the link and length of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget

from remote_agent.contract.events import STOPPING
from studio.session.session import Session
from studio.state.node import NEEDS_PERSON, PROBING, READY, UNREACHABLE
from studio.ui import theme, words
from studio.ui.translation import told

if TYPE_CHECKING:
    from studio.state.run import RunState


class StatusStrip(QWidget):
    """Facts in one line, with a dot between."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.setObjectName("statusStrip")
        self._node, self._facts = QLabel(), QLabel()
        for label in (self._node, self._facts):
            label.setTextFormat(Qt.TextFormat.PlainText)
        self._facts.setProperty("role", "muted")
        self._facts.setObjectName("statusFacts")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(20, 4, 20, 8)
        layout.setSpacing(0)
        layout.addWidget(self._node)
        layout.addWidget(self._facts, 1)

    @property
    def text(self) -> str:
        """The whole line."""
        return self._node.text() + self._facts.text()

    def show_job(self) -> None:
        """Show the facts of the draft on its node."""
        session = self._session
        node = session.hosts.get(session.node_name) if session.node_name else None
        text, role = self.tr("No node chosen"), "muted"
        if node is not None:
            said = {
                READY: (self.tr("{} answers"), "good"),
                PROBING: (self.tr("looking at {}"), "muted"),
                UNREACHABLE: (self.tr("{} does not answer"), "bad"),
                NEEDS_PERSON: (self.tr("{} needs an answer from you"), "warning"),
            }.get(node.link, (self.tr("{} is not looked at yet"), "muted"))
            text, role = said[0].format(told(node.name)), said[1]
        self._put(text, role, [*self._fit(), *self._arithmetic()])

    def show_run(self, run: RunState) -> None:
        """Show the facts of a run and of the link to its node."""
        link = run.link
        if run.gone:
            text, role = self.tr("{} has no folder of this run any more").format(told(run.node)), "warning"
        elif run.is_ended:
            text, role = self.tr("{} on {}").format(words.run_state(run.state), told(run.node)), "muted"
        elif link is None:
            text, role = self.tr("{} is not connected").format(told(run.node)), "muted"
        elif link.kind == "connected":
            text, role = self.tr("{} connected").format(told(run.node)), "good"
        else:
            text, role = told(link.sentence) or self.tr("{} is out of reach").format(told(run.node)), "warning"
        facts = []
        if run.total_steps:
            facts.append(self.tr("step {} of {}").format(words.whole(run.step), words.whole(run.total_steps)))
        left = run.eta_s() if run.state != STOPPING else None
        if left is not None:
            facts.append(self.tr("about {} left").format(words.duration(left)))
        if run.checkpoints:
            facts.append(self.tr("last checkpoint at step {}").format(words.whole(run.checkpoints[-1].step)))
        if run.damaged:
            damaged = words.counted(
                run.damaged, self.tr("{} journal line is damaged"), self.tr("{} journal lines are damaged")
            )
            facts.append(damaged)
        self._put(text, role, facts)

    def _put(self, text: str, role: str, facts: list[str]) -> None:
        self._node.setText(text)
        theme.set_role(self._node, role)
        self._facts.setText("".join(f"   ·   {fact}" for fact in facts))

    def _fit(self) -> list[str]:
        figures = self._session.memory.outlook.figures
        if figures is None or not figures.capacity_bytes:
            return []
        fits = self.tr("fits") if figures.fits else self.tr("does not fit")
        capacity = words.size(figures.capacity_bytes)
        return [self.tr("{fits}, {used} of {capacity}").format(
            fits=fits, used=words.size(figures.used_bytes), capacity=capacity)]  # fmt: skip

    def _arithmetic(self) -> list[str]:
        spec, plan = self._session.draft.spec, self._session.draft.plan
        facts = [
            self.tr("batch {} = {} × {} × {}").format(
                words.whole(plan.global_batch), spec.batch.micro_batch, spec.batch.accumulation, spec.strategy.ranks
            )
        ]
        if plan.total_steps:
            facts.append(words.counted(plan.total_steps, self.tr("{} step"), self.tr("{} steps")))
        return facts
