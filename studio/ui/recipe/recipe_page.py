"""The recipe: cards of fields at the left, the learning-rate curve and what it all means at the right."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from remote_agent.contract.job_spec import JobSpec
from remote_agent.contract.schedule import warmup_steps
from studio.session.session import Session
from studio.ui import words
from studio.ui.knob_field import KnobField
from studio.ui.memory.memory_card import MemoryCard
from studio.ui.recipe.cards import RecipeCard, card_plans
from studio.ui.recipe.meaning_card import MeaningCard
from studio.ui.recipe.rate_curve import RateCurve

_CARDS_WIDTH, _NARROW_CARDS_WIDTH = 458, 424
_NARROW_PAGE = 900
_LEAST_CURVE_HEIGHT = 200


class RecipePage(QWidget):
    """Every field of optimizer, schedule, regularization, batch, strategy and checkpoints, beside their meaning."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.setObjectName("page")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._draft = session.draft
        self.cards = [RecipeCard(self._draft, plan) for plan in card_plans()]
        self.curve = RateCurve(self._draft)
        self.curve.tried.connect(self._on_tried)
        self._scroll = self._card_column()
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._scroll)
        layout.addWidget(self._meaning_column(), 1)
        self._draft.changed.connect(self._on_draft_changed)
        self._on_draft_changed()

    def reveal(self, path: str) -> KnobField | None:
        """Bring a field into view with the keyboard on it; None where it is not on this page."""
        for card in self.cards:
            if path in card.fields:
                field = card.reveal(path)
                QTimer.singleShot(0, self, functools.partial(self._scroll.ensureWidgetVisible, field, 0, 60))
                field.focus()
                return field
        return None

    @property
    def paths(self) -> tuple[str, ...]:
        """The paths of all fields in reading order."""
        return tuple(path for card in self.cards for path in card.fields)

    def _card_column(self) -> QScrollArea:
        column = QWidget()
        column.setObjectName("scrolled")
        layout = QVBoxLayout(column)
        layout.setContentsMargins(20, 12, 8, 12)
        layout.setSpacing(12)
        for card in self.cards:
            layout.addWidget(card)
        layout.addStretch(1)
        area = QScrollArea()
        area.setWidget(column)
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setFixedWidth(_CARDS_WIDTH)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        return area

    def _meaning_column(self) -> QScrollArea:
        """Return what the fields come to; it scrolls only where the window is too low for it."""
        column = QWidget()
        column.setObjectName("scrolled")
        layout = QVBoxLayout(column)
        layout.setContentsMargins(4, 12, 20, 12)
        layout.setSpacing(12)
        self.curve.setMinimumHeight(_LEAST_CURVE_HEIGHT)
        layout.addWidget(self.curve, 1)
        layout.addWidget(MeaningCard(self._draft))
        layout.addWidget(MemoryCard(self._draft))
        area = QScrollArea()
        area.setWidget(column)
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        return area

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Give the fields less room where the window is narrow."""
        super().resizeEvent(event)
        self._scroll.setFixedWidth(_NARROW_CARDS_WIDTH if self.width() < _NARROW_PAGE else _CARDS_WIDTH)

    def _field(self, path: str) -> KnobField:
        return next(card.fields[path] for card in self.cards if path in card.fields)

    def _on_draft_changed(self) -> None:
        self._show_comings(self._draft.spec)

    def _show_comings(self, spec: JobSpec) -> None:
        """Say beside some fields what their values come to."""
        plan = self._draft.plan
        warmup = warmup_steps(spec.schedule, plan.total_steps) if plan.total_steps else 0
        in_percent = spec.schedule.warmup.unit == "percent" and plan.total_steps
        self._field("schedule.warmup.amount").set_tail(
            words.counted(warmup, self.tr("{} step"), self.tr("{} steps")) if in_percent else ""
        )
        least = spec.optimizer.learning_rate * spec.schedule.minimum_factor
        least_text = (
            "" if spec.schedule.shape == "constant" else self.tr("× peak, {}").format(words.short_number(least))
        )
        self._field("schedule.minimum_factor").set_tail(least_text)
        kind = self.tr("8 B / parameter") if spec.optimizer.kind == "adamw" else self.tr("4 B / parameter")
        if spec.optimizer.kind == "sgd" and not spec.optimizer.momentum:
            kind = self.tr("no state")
        self._field("optimizer.kind").set_tail(kind)
        self._field("optimizer.weight_decay").set_tail(self.tr("matrices only"))
        for path, value, nothing in (
            ("batch.max_steps", spec.batch.max_steps, self.tr("by epochs")),
            ("evaluation.every_steps", spec.evaluation.every_steps, self.tr("only at the end")),
            ("checkpointing.weights_every_steps", spec.checkpointing.weights_every_steps, self.tr("only at the end")),
            ("checkpointing.state_every_steps", spec.checkpointing.state_every_steps, self.tr("never")),
        ):
            self._field(path).set_tail(self.tr("steps") if value else nothing)

    def _on_tried(self, values: Mapping[str, Any]) -> None:
        for path, value in values.items():
            self._field(path).show_value(path, value)
        self._show_comings(self.curve.tried_spec)
