"""What an augment step will do, what that costs, and the way to let it be done: rows are made on a person's wish."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from remote_agent.contract.data_report import DataReport
from remote_agent.contract.data_steps import AugmentStep, Step
from studio.ui import words
from studio.ui.data.progress_row import Amounts, ProgressRow
from studio.ui.pieces import button, plain_label

if TYPE_CHECKING:
    from studio.session.session import Session


class MakingRow(QWidget):
    """Stands under an augment step. The session makes the rows of all of them at once, so one row ``starts`` it."""

    def __init__(self, session: Session, number: int, step: AugmentStep, rows: int, starts: bool) -> None:
        """Show what a step will do to about so many rows (-1: unknown)."""
        super().__init__()
        self.setObjectName(f"making{number}")
        self._session = session
        self._button = button(self.tr("Make the rows"), "makeRowsButton")
        self._progress = ProgressRow("making", self.tr("Stop making rows"))
        may_start = step.method != "endpoint" or step.consent
        self._button.setEnabled(may_start)
        self._button.setToolTip(
            self.tr("Makes the rows of all steps that add some; what is made is kept and not made again.")
            if may_start
            else self.tr("Turn on “Rows may leave” in the step first.")
        )
        self._starts = starts
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 4, 0, 4)
        layout.setSpacing(4)
        layout.addWidget(plain_label(self._will_do(step, rows), "caption", f"stepWillDo{number}", wraps=True))
        row = QHBoxLayout()
        row.addWidget(self._button)
        row.addStretch(1)
        layout.addLayout(row)
        layout.addWidget(self._progress)
        self._button.clicked.connect(session.make_rows)
        self._progress.cancelled.connect(session.cancel_making)
        self.refresh()

    def refresh(self) -> None:
        """Show how far the making is, or the way to begin."""
        progress = self._session.making_progress
        self._button.setVisible(self._starts and progress is None)
        self._progress.setVisible(self._starts and progress is not None)
        if progress is not None:
            amounts = Amounts(progress.done, progress.total, progress.unit, progress.rate)
            self._progress.show_progress(self.tr("Making rows"), amounts)

    def _will_do(self, step: AugmentStep, rows: int) -> str:
        known = rows >= 0
        said = (
            words.counted(
                rows, self.tr("Says about {} row in other words."), self.tr("Says about {} rows in other words.")
            )
            if known
            else self.tr("Says rows in other words.")
        )
        if step.method != "endpoint":
            return said
        host = urlsplit(step.url).hostname or step.url or self.tr("the endpoint")
        leave = self.tr("Rows leave this machine for {host}: {rows}.").format(
            host=host, rows=self.tr("about {}").format(words.whole(rows)) if known else self.tr("how many is not known")
        )
        return f"{said} {leave} {self._price(step.price_per_row, rows)}"

    def _price(self, price: float, rows: int) -> str:
        if not price:
            return self.tr("The step names no price a row.")
        each = words.exact_float(price)
        if rows < 0:
            return self.tr("Price: {each} a row.").format(each=each)
        total = words.short_number(rows * price)
        return self.tr("Price: {each} a row, about {total} in all.").format(each=each, total=total)


def rows_to_say(step: AugmentStep, steps: Sequence[Step], report: DataReport | None) -> int:
    """Return about how many rows a step says in other words, -1 where no row is known yet.

    That is its share of the rows trained, without those that the augment steps among ``steps`` have made already.
    """
    if report is None:
        return -1
    reports = report.steps if len(report.steps) == len(steps) else ()
    made = sum(said.added for one, said in zip(steps, reports, strict=False) if isinstance(one, AugmentStep))
    rows = max(0, report.train_rows - made)
    return min(rows, max(1, round(step.share * rows)))
