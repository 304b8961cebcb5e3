"""How long the draft trains and what it costs, as intervals, with what the figures rest on."""

from __future__ import annotations

import math
from collections.abc import Callable

from PySide6.QtGui import QDoubleValidator
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QLineEdit, QVBoxLayout

from remote_agent.contract.memory.gpu_kinds import GpuKind
from remote_agent.contract.step_time import Span
from studio.session.memory_runs import MemoryRuns
from studio.state.run_cost import NO_PEAK, UNKNOWN_GPU, UNKNOWN_MODEL, UNMEASURED_NODE, Outlay, node_kind, outlay_of
from studio.ui import words
from studio.ui.pieces import plain_label

MOST_PRICE = 1000.0


class CostCard(QFrame):
    """Time of an update, hours, money and energy of the run."""

    def __init__(self, memory: MemoryRuns) -> None:
        super().__init__()
        self._memory, self._outlook = memory, memory.outlook
        self.setProperty("role", "card")
        self.setObjectName("costCard")
        heading = plain_label(self.tr("Time and cost"), "heading")
        self.setAccessibleName(heading.text())
        self._node_kind: tuple[object, GpuKind | None] | None = None
        self.price = QLineEdit()
        self.price.setValidator(QDoubleValidator(0.0, MOST_PRICE, 2, self.price))
        self.price.setObjectName("gpuPrice")
        self.price.setAccessibleName(self.tr("Price of a GPU and hour in dollars"))
        self.price.setPlaceholderText(self.tr("no price"))
        self.price.setFixedWidth(80)
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(heading)
        head.addStretch(1)
        head.addWidget(plain_label(self.tr("$ a GPU and hour"), "caption"))
        head.addWidget(self.price)
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(24)
        self._grid.setVerticalSpacing(6)
        self.rows: list[tuple[QLabel, QLabel, QLabel]] = []
        for number, name in enumerate(
            (self.tr("An update"), self.tr("Tokens"), self.tr("The run"), self.tr("Price"), self.tr("Energy"))
        ):
            label, figure, span = plain_label(name), plain_label("", "strong"), plain_label("", "caption")
            for column, widget in enumerate((label, figure, span)):
                self._grid.addWidget(widget, number, column)
            self.rows.append((label, figure, span))
        self._grid.setColumnStretch(2, 1)
        self.note = plain_label("", "caption", wraps=True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 12, 16, 12)
        layout.setSpacing(8)
        layout.addLayout(head)
        layout.addLayout(self._grid)
        layout.addWidget(self.note)
        self.price.editingFinished.connect(self._on_price)
        self._outlook.changed.connect(self.refresh)
        self.refresh()

    @property
    def outlay(self) -> Outlay:
        """Return the figures as they are now."""
        draft, kind = self._outlook.draft, self._kind()
        measured = self._outlook.peaks.of(self._outlook.node_name) if self._outlook.node_name else ()
        return outlay_of(draft.spec, draft.known, kind, draft.plan.total_steps, measured, self._price())

    def refresh(self) -> None:
        """Show the draft's figures."""
        self.setHidden(self._outlook.figures is None)
        if self._outlook.figures is None:
            return
        if not self.price.hasFocus():
            self.price.setText(f"{self._price():.2f}" if self._price() else "")
        outlay = self.outlay
        self._show(outlay)
        self.note.setText(self._words_of(outlay))

    def _kind(self) -> GpuKind | None:
        node = self._outlook.draft.known.node
        if self._node_kind is None or self._node_kind[0] is not node:
            self._node_kind = node, node_kind(self._memory.gpu_kinds, node)
        return self._outlook.kind or self._node_kind[1]

    def _price(self) -> float:
        if math.isfinite(self._outlook.price_per_hour):
            return self._outlook.price_per_hour
        kind = self._kind()
        return kind.usd_per_hour if kind is not None else 0.0

    def _on_price(self) -> None:
        """Take what was typed; nothing typed is the table's price."""
        typed = self.price.text().replace(",", ".").strip()
        try:
            price = float(typed) if typed else math.nan
        except ValueError:
            price = math.nan
        self._outlook.set_price(price if 0.0 <= price <= MOST_PRICE else math.nan)

    def _show(self, outlay: Outlay) -> None:
        step, cost = outlay.step, outlay.cost
        texts = [("", ""), ("", ""), ("", ""), ("", ""), ("", "")]
        if step is not None:
            texts[0] = _spanned(step.seconds, words.duration)
            gpus = self._outlook.draft.spec.strategy.ranks
            texts[1] = _spanned(step.tokens_per_s_per_gpu.times(gpus), words.rate)
        if cost is not None:
            texts[2] = _spanned(cost.hours.times(3600.0), words.duration)
            if cost.price.likely > 0.0:
                texts[3] = _spanned(cost.price, _dollars)
            if cost.energy_kwh.likely > 0.0:
                texts[4] = _spanned(cost.energy_kwh, _energy)
        for (label, figure, span), (likely, between) in zip(self.rows, texts, strict=True):
            for widget in (label, figure, span):
                widget.setVisible(bool(likely))
            figure.setText(likely)
            span.setText(between)

    def _words_of(self, outlay: Outlay) -> str:
        missing = {
            UNKNOWN_MODEL: self.tr("The model's type has no formula, so that no time follows from its sizes."),
            UNKNOWN_GPU: self.tr("Choose a kind of GPU above: the node's is not known or not in the table."),
            UNMEASURED_NODE: self.tr(
                "A CPU's speed stands in no table; after the first run on this node, a memory probe for instance, "
                "time stands here."
            ),
            NO_PEAK: self.tr("The table has no speed of this GPU in the job's precision."),
        }.get(outlay.missing)
        if missing is not None:
            return missing
        assert outlay.step is not None
        share = outlay.utilisation.share
        if outlay.measured is not None:
            said = [self.tr("From the speed of {} on this node.").format(outlay.measured.name)]
        else:
            said = [
                self.tr("A roofline; assumed is that {} to {} of the peak are reached, {} likely.").format(
                    words.percent(share.low), words.percent(share.high), words.percent(share.likely)
                )
            ]
        if outlay.cost is None:
            said.append(self.tr("The run's length is known once the data was looked at."))
        else:
            said.append(self.tr("Training alone, without preparing, evaluating and saving."))
        if outlay.kind is not None and outlay.kind.usd_per_hour and not math.isfinite(self._outlook.price_per_hour):
            said.append(self.tr("Price: {}.").format(outlay.kind.price_source))
        return " ".join(said)


def _spanned(span: Span, said: Callable[[float], str]) -> tuple[str, str]:
    return said(span.likely), f"{said(span.low)} – {said(span.high)}"


def _dollars(value: float) -> str:
    return f"$ {value:,.2f}" if value < 100 else f"$ {words.whole(round(value))}"


def _energy(value: float) -> str:
    return f"{value:.2g} kWh" if value < 10 else f"{words.whole(round(value))} kWh"
