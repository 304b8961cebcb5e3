"""What a run comes to on its hardware: FLOP/s and MFU, and its peak of memory as estimated and as measured."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QVBoxLayout, QWidget

from studio.ui.pieces import ElidedLabel, plain_label

if TYPE_CHECKING:
    from remote_agent.contract.throughput import Throughput
    from studio.session.memory_runs import MemoryRuns
    from studio.state.measured_run import MeasuredRun
    from studio.state.run import RunState

LAST_STEPS = 20
"""Over so many steps the rate of a run that goes on is averaged."""


class RunFigures(QWidget):
    """A line, and under it a sentence where the FLOP/s cannot be; hidden until the run was measured."""

    def __init__(self, memory: MemoryRuns) -> None:
        super().__init__()
        self.setObjectName("runFigures")
        self._memory = memory
        self.line = ElidedLabel("", "caption")
        self.defect = plain_label("", "warning", "runDefect", wraps=True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.line)
        layout.addWidget(self.defect)
        self.hide()

    def show_run(self, run: RunState) -> None:
        """Show what is known of a run now: the rate of its last steps, or its median once it has ended."""
        measured = self._memory.peaks.run(run.run_id)
        per_s = run.median("tokens_per_s") if run.is_ended else run.recent_mean("tokens_per_s", LAST_STEPS)
        found = self._memory.rate(run.run_id, per_s) if measured is not None else None
        told = self._told(measured, found) if measured is not None else ""
        if told != self.line.whole_text():
            self.line.set_text(told)
        self._show_defect(found.defect if found is not None else "")
        self.setVisible(bool(told))

    def _told(self, measured: MeasuredRun, found: Throughput | None) -> str:
        from studio.ui import words
        from studio.ui.rate_words import flops_words

        parts = [flops_words(found, measured.on_gpu)] if found is not None else []
        estimated, held = measured.predicted.get("peak", 0), measured.measured.get("peak", 0)
        if held:
            times = f" (× {measured.ratio:.2f})" if math.isfinite(measured.ratio) else ""
            said = self.tr("peak memory {estimated} estimated, {measured} measured{times}")
            parts.append(said.format(estimated=words.size(estimated), measured=words.size(held), times=times))
        return "  ·  ".join(parts)

    def _show_defect(self, sentence: str) -> None:
        from studio.ui.translation import told

        text = f"⚠ {told(sentence)}" if sentence else ""
        if text != self.defect.text():
            self.defect.setText(text)
        self.defect.setVisible(bool(text))
