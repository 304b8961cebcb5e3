"""Estimated beside measured: what runs held, a memory probe of the draft, and torch's own count of it."""

from __future__ import annotations

from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QVBoxLayout

from studio.session.memory_runs import MemoryRuns
from studio.state.measured_run import TERMS, MeasuredRun, model_key
from studio.ui import words
from studio.ui.memory.measured_words import peak_words, term_names, trace_words
from studio.ui.pieces import button, plain_label

MOST = 6
"""So many of the node's runs are listed."""


class MeasuredCard(QFrame):
    """A probe and a trace, each by a button, the newest measured run by term, and the runs before it."""

    def __init__(self, memory: MemoryRuns) -> None:
        super().__init__()
        self._memory, self._outlook = memory, memory.outlook
        self.setProperty("role", "card")
        self.setObjectName("measuredCard")
        heading = plain_label(self.tr("Estimated and measured"), "heading")
        self.setAccessibleName(heading.text())
        self.probe = button(self.tr("Run a memory probe"), "memoryProbe")
        self.probe.setToolTip(
            self.tr("Trains the longest batch five times on the node, as a run of its own that keeps nothing.")
        )
        self.trace = button(self.tr("Trace on the node"), "memoryTrace")
        self.trace.setToolTip(self.tr("Lets torch count a step of this model on one GPU, without its weights."))
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(heading)
        head.addStretch(1)
        head.addWidget(self.trace)
        head.addWidget(self.probe)
        self.note = plain_label("", "caption", wraps=True)
        self.traced = plain_label("", wraps=True)
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(24)
        self._grid.setVerticalSpacing(6)
        self._grid.setColumnStretch(4, 1)
        self.cells: list[tuple[QLabel, QLabel, QLabel, QLabel]] = []
        for number in range(2 + len(TERMS)):
            row = (plain_label(), plain_label(), plain_label(), plain_label("", "caption"))
            for column, label in enumerate(row):
                self._grid.addWidget(label, number, column)
            self.cells.append(row)
        self.others = plain_label("", "caption", wraps=True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 12, 16, 12)
        layout.setSpacing(8)
        layout.addLayout(head)
        layout.addWidget(self.note)
        layout.addWidget(self.traced)
        layout.addLayout(self._grid)
        layout.addWidget(self.others)
        self.probe.clicked.connect(self._on_probe)
        self.trace.clicked.connect(self._on_trace)
        self._refused = ""
        self._outlook.changed.connect(self.refresh)
        memory.changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show what is known now."""
        memory, draft = self._memory, self._outlook.draft
        runs = memory.peaks.of(self._outlook.node_name, model_key(draft.spec.model)) if self._outlook.node_name else ()
        self.probe.setEnabled(draft.known.node is not None and not memory.is_launching)
        self.trace.setEnabled(draft.known.node is not None and draft.known.model is not None)
        self.trace.setText(self.tr("Cancel the trace") if memory.is_tracing else self.tr("Trace on the node"))
        self.note.setText(self._note(bool(runs)))
        found = memory.trace
        text = trace_words(found) if found is not None else memory.trace_problem
        self.traced.setText(self.tr("torch is counting…") if memory.is_tracing else text)
        self.traced.setVisible(bool(self.traced.text()))
        self._show_newest(runs[0] if runs else None)
        self.others.setText("\n".join(peak_words(run) for run in runs[1:MOST]))
        self.others.setVisible(len(runs) > 1)

    def _note(self, any_runs: bool) -> str:
        if self._refused:
            return self._refused
        if self._memory.is_launching:
            return self.tr("A run is being launched.")
        probe = self._memory.probe_run()
        if probe is not None and not probe.is_ended:
            return self.tr("The probe is at step {} of {}.").format(probe.step, probe.total_steps or "…")
        if any_runs:
            return self.tr("The newest run of this model on this node:")
        return self.tr("No run of this model was measured on this node. A probe takes five updates.")

    def _show_newest(self, run: MeasuredRun | None) -> None:
        rows: list[tuple[str, str, str, str]] = []
        if run is not None:
            rows.append((run.name, self.tr("estimated"), self.tr("measured"), ""))
            names = term_names(run.on_gpu)
            for key in (*TERMS, "peak"):
                estimated, measured = run.predicted.get(key, 0), run.measured.get(key)
                if measured is not None and (estimated or measured):
                    rows.append((names[key], words.size(estimated), words.size(measured), _off(estimated, measured)))
        for labels, texts in zip(self.cells, [*rows, *[("", "", "", "")] * len(self.cells)], strict=False):
            for label, text in zip(labels, texts, strict=True):
                label.setText(text)
                label.setVisible(bool(text))

    def _on_probe(self) -> None:
        self._refused = ""
        try:
            self._memory.start_probe()
        except ValueError as error:
            self._refused = str(error)
        self.refresh()

    def _on_trace(self) -> None:
        if self._memory.is_tracing:
            self._memory.cancel_trace()
            return
        self._refused = ""
        try:
            self._memory.take_trace()
        except ValueError as error:
            self._refused = str(error)
        self.refresh()


def _off(estimated: int, measured: int) -> str:
    """Return measured over estimated, empty where nothing was estimated."""
    return f"× {measured / estimated:.2f}" if estimated else ""
