"""How long the rows are, what the sequence length costs while it is dragged, and what the batches come to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QButtonGroup,
    QHBoxLayout,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from remote_agent.contract.data_report import BatchingReport, DataReport, TokenCounts
from studio.ui import words
from studio.ui.data.batching_bars import BatchingBars
from studio.ui.data.class_bars import ClassBars
from studio.ui.data.length_histogram import LengthHistogram
from studio.ui.data.length_losses import LengthLoss, losses_at
from studio.ui.data.scrolled import scrolled
from studio.ui.pieces import Card, ElidedLabel, button

if TYPE_CHECKING:
    from studio.session.session import Session

PROMPT, RESPONSE, TOTAL, CLASSES = range(4)
BATCHING_MS = 15
"""How soon after the line has moved its batches are asked for. A length that was passed over meanwhile is not."""

_NARROW_PX = 560


class LengthsCard(Card):
    """Follows the draft; dropping the line sets ``data.max_length``."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(name="lengthCard", parent=parent)
        self.setAccessibleName(self.tr("Tokens a row"))
        self._session = session
        self._report: DataReport | None = None
        self._ways: dict[int, tuple[BatchingReport, ...]] = {}
        self.histogram = LengthHistogram()
        self.bars = BatchingBars()
        self.classes = ClassBars()
        self._spread = ElidedLabel("", "caption")
        self._spread.setObjectName("lengthSummary")
        self._cost = ElidedLabel("", "muted")
        self._cost.setObjectName("lengthCost")
        self._batch = ElidedLabel("", "caption")
        self._batch.setObjectName("batchSummary")
        self._epoch = ElidedLabel("", "caption")
        self._epoch.setObjectName("epochSummary")
        self._views = QButtonGroup(self)
        self._stack = QStackedWidget()
        self._batching_soon = QTimer(self, singleShot=True, interval=BATCHING_MS)
        self._lay_out()
        self.histogram.length_chosen.connect(lambda length: session.draft.set_value("data.max_length", length))
        self.histogram.length_tried.connect(self._on_tried)
        self._views.idClicked.connect(self.show_view)
        self._batching_soon.timeout.connect(lambda: session.load_batching(self.histogram.shown_length))
        session.batching_loaded.connect(self._on_batching)

    def refresh(self) -> None:
        """Show what is known of the draft's data, at the draft's sequence length."""
        report = self._session.draft.known.data
        if report is not self._report:
            self._report = report
            self._ways = {}
            if report is not None and report.batching:
                self._ways[report.batching[0].length] = report.batching
            self.classes.show_classes(report.classes if report is not None else ())
            has_classes = report is not None and bool(report.classes)
            self._views.button(CLASSES).setVisible(has_classes)
            if not has_classes and self._views.checkedId() == CLASSES:
                self.show_view(TOTAL)
        self._figures.setVisible(report is not None)
        self._show_counts()
        self._show_length(self.histogram.shown_length)
        self._show_plan()

    def show_view(self, which: int) -> None:
        """Show the tokens of prompts (0), of responses (1), of whole rows (2), or the rows of each class (3)."""
        self._views.button(which).setChecked(True)
        self._stack.setCurrentIndex(1 if which == CLASSES else 0)
        self._show_counts()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put the batches below the histogram where the card is narrow."""
        super().resizeEvent(event)
        narrow = self.width() < _NARROW_PX
        direction = QBoxLayout.Direction.TopToBottom if narrow else QBoxLayout.Direction.LeftToRight
        if self._beside.direction() != direction:
            self._beside.setDirection(direction)
            self._figures.setMaximumWidth(16_777_215 if narrow else 280)

    def _counts(self) -> TokenCounts | None:
        report, which = self._report, self._views.checkedId()
        if report is None:
            return None
        return {PROMPT: report.prompt, RESPONSE: report.response}.get(which, report.total)

    def _show_counts(self) -> None:
        draft, counts = self._session.draft, self._counts()
        limit = draft.known.model.config.get("max_position_embeddings", 0) if draft.known.model is not None else 0
        self.histogram.show_counts(counts, draft.spec.data.max_length, limit if isinstance(limit, int) else 0)
        if counts is None or not counts.count:
            self._spread.set_text("")
            return
        said = self.tr("median {median}  ·  mean {mean}  ·  longest {longest}")
        self._spread.set_text(
            said.format(
                median=words.whole(round(counts.median)), mean=words.whole(round(counts.mean)),
                longest=words.whole(counts.maximum),
            )
        )  # fmt: skip

    def _on_tried(self, length: int) -> None:
        self._show_length(length)

    def _show_length(self, length: int) -> None:
        """Say at once what a length costs, and ask for what it does to the batches."""
        found = losses_at(self._report.lengths, length) if self._report is not None else None
        self._cost.set_text(self._cost_words(found, length) if found is not None else "")
        data = self._session.draft.spec.data
        used = "packed" if data.packing else "padded"
        ways = self._ways.get(length, ())
        if self._report is not None and not ways:
            self._batching_soon.start()
        if ways or self._report is None:
            self.bars.show_ways(ways, used)
        elif self._ways:
            self.bars.show_ways(next(reversed(self._ways.values())), used)

    def _cost_words(self, found: LengthLoss, length: int) -> str:
        if not found.rows_over:
            return self.tr("No row is longer than {} tokens.").format(words.whole(length))
        over = words.counted(found.rows_over, self.tr("{} row is longer"), self.tr("{} rows are longer"))
        said = self.tr("{over} ({share})").format(over=over, share=words.percent(found.rows_over / max(1, found.rows)))
        match self._session.draft.spec.data.over_length:
            case "drop":
                what = self.tr("they are dropped")
            case "split":
                what = self.tr("split into {} pieces").format(words.whole(found.rows_over + found.extra_pieces))
            case _:
                cut = self.tr("{tokens} trained tokens are cut ({share})")
                what = cut.format(
                    tokens=words.count(found.supervised_over),
                    share=words.percent(found.supervised_over / max(1, found.supervised)),
                )
                if found.rows_untrained:
                    nothing = self.tr("{} row trains nothing"), self.tr("{} rows train nothing")
                    what += ", " + words.counted(found.rows_untrained, *nothing)
        return f"{said}: {what}."

    def _show_plan(self) -> None:
        draft, report = self._session.draft, self._report
        plan = draft.plan
        batch = words.counted(plan.global_batch, self.tr("{} sequence an update"), self.tr("{} sequences an update"))
        if plan.steps_per_epoch:
            epoch = words.counted(plan.steps_per_epoch, self.tr("{} step an epoch"), self.tr("{} steps an epoch"))
            batch = f"{batch}  ·  {epoch}"
        self._batch.set_text(batch)
        if report is None:
            self._epoch.set_text("")
            return
        said = self.tr("{tokens} tokens an epoch, {trained} trained")
        self._epoch.set_text(
            said.format(tokens=words.count(report.train_tokens), trained=words.count(report.train_supervised_tokens))
        )

    def _on_batching(self, ways: tuple[BatchingReport, ...]) -> None:
        if ways:
            self._ways[ways[0].length] = ways
            self._show_length(self.histogram.shown_length)

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.setSpacing(12)
        names = (
            (self.tr("Prompt"), "lengthsPrompt"), (self.tr("Response"), "lengthsResponse"),
            (self.tr("Whole row"), "lengthsTotal"), (self.tr("Classes"), "lengthsClasses"),
        )  # fmt: skip
        for number, (text, name) in enumerate(names):
            spoken = self.tr("Tokens: {}").format(text) if number != CLASSES else self.tr("Rows of each class")
            tab = button(text, name, spoken, role="tab")
            tab.setCheckable(True)
            tab.setChecked(number == TOTAL)
            self._views.addButton(tab, number)
            top.addWidget(tab)
        self._views.button(CLASSES).hide()
        top.addWidget(self._spread, 1)
        classes = scrolled(self.classes, "classScroll", self.tr("Rows of each class"))
        self._stack.addWidget(self.histogram)
        self._stack.addWidget(classes)
        self._figures = QWidget()
        figures = QVBoxLayout(self._figures)
        figures.setContentsMargins(0, 0, 0, 0)
        figures.setSpacing(4)
        figures.addWidget(self.bars)
        figures.addWidget(self._batch)
        figures.addWidget(self._epoch)
        figures.addStretch(1)
        self._figures.setMaximumWidth(280)
        self._beside = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._beside.setSpacing(16)
        self._beside.addWidget(self._stack, 3)
        self._beside.addWidget(self._figures, 2, Qt.AlignmentFlag.AlignTop)
        self.body.setSpacing(4)
        self.body.addLayout(top)
        self.body.addWidget(self._cost)
        self.body.addLayout(self._beside, 1)
