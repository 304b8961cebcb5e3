"""The recipe: cards of fields at the left, the learning-rate curve and what it all means at the right."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from remote_agent.contract.job_spec import JobSpec
from studio.session.session import Session
from studio.ui.controls import ChoiceBox
from studio.ui.knob_field import FIELDS, KnobField
from studio.ui.memory.memory_card import MemoryCard
from studio.ui.pieces import button
from studio.ui.recipe.card_plans import card_plans
from studio.ui.recipe.cards import RecipeCard
from studio.ui.recipe.comings import comings, costs, state_words
from studio.ui.recipe.curve_bar import CurveBar
from studio.ui.recipe.global_batch_row import GlobalBatchRow
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
        self._session, self._draft = session, session.draft
        self.cards = [RecipeCard(self._draft, plan) for plan in card_plans()]
        self.global_batch = GlobalBatchRow(self._draft)
        self._card("batch").rows.insertWidget(2, self.global_batch)
        self.curve = RateCurve(self._draft)
        self.curve.tried.connect(self._on_tried)
        self._add_curve_bar()
        self.preset = button("", "presetButton", self.tr("Start from a published recipe"))
        self.preset.clicked.connect(self.open_presets)
        self.groups = button(self.tr("Parameter groups…"), "parameterGroupsButton", role="link")
        self.groups.clicked.connect(self.open_groups)
        self._card("optimizer").rows.addWidget(self.groups, 0, Qt.AlignmentFlag.AlignRight)
        self.range_test = button(self.tr("Range test…"), "rangeTestButton", role="link")
        self.range_test.setToolTip(self.tr("Find a peak by a short run in which the learning rate rises"))
        self.range_test.clicked.connect(self.open_range_test)
        self._card("schedule").rows.addWidget(self.range_test, 0, Qt.AlignmentFlag.AlignRight)
        self.tracker_keys = button(self.tr("Keys…"), "trackerKeysButton", self.tr("Keys of trackers"), role="link")
        self.tracker_keys.clicked.connect(self.open_tracker_keys)
        self._card("trackers").rows.addWidget(self.tracker_keys, 0, Qt.AlignmentFlag.AlignRight)
        self._say_state_bytes()
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
        layout.addWidget(self.preset)
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
        layout.addWidget(MemoryCard(self._session.memory.outlook))
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

    def _card(self, name: str) -> RecipeCard:
        return next(card for card in self.cards if card.objectName() == f"{name}Card")

    def _field(self, path: str) -> KnobField:
        return next(card.fields[path] for card in self.cards if path in card.fields)

    def _on_draft_changed(self) -> None:
        self._show_comings(self._draft.spec)
        preset = self._draft.preset
        self.preset.setText(
            self.tr("Preset: {}").format(preset) if preset else self.tr("Start from a published recipe…")
        )

    def _show_comings(self, spec: JobSpec) -> None:
        """Say beside some fields what their values come to, and below some what they cost."""
        for path, said in comings(self._draft, spec):
            self._field(path).set_tail(said)
        for path, sentence in costs(self._draft, spec):
            self._field(path).set_note(sentence)

    def _say_state_bytes(self) -> None:
        """Say beside each optimizer in the open list what it keeps of a parameter."""
        box = self._field("optimizer.kind").control
        assert isinstance(box, ChoiceBox)
        momentum = FIELDS["optimizer.momentum"].default
        box.set_details({kind: state_words(kind, momentum) for kind in FIELDS["optimizer.kind"].knob.choices})

    def _add_curve_bar(self) -> None:
        """Put the curve's choices beside its title, and its legend into a row of its own."""
        curve = self.curve
        curve.top.removeWidget(curve.legend)
        curve.legend.set_wraps()
        curve.column.insertWidget(1, curve.legend)
        curve.top.addStretch(1)
        curve.top.addWidget(CurveBar(self._draft, curve))

    def open_presets(self) -> None:
        """Open the presets below their button."""
        from studio.ui.recipe.preset_picker import PresetPicker

        PresetPicker(self._draft, self._session.presets, self).popup_at(self.preset)

    def open_range_test(self) -> None:
        """Open the learning-rate range test below its button."""
        from studio.ui.recipe.range_test_popup import RangeTestPopup

        RangeTestPopup(self._session, self).popup_at(self.range_test)

    def open_groups(self) -> None:
        """Open the table of the parameter groups below its button."""
        from studio.ui.recipe.parameter_groups_popup import ParameterGroupsPopup

        ParameterGroupsPopup(self._draft, self).popup_at(self.groups)

    def open_tracker_keys(self) -> None:
        """Open the window that keeps the trackers' keys."""
        from studio.ui.recipe.tracker_keys_dialog import TrackerKeysDialog

        TrackerKeysDialog(self._session, self).open()

    def _on_tried(self, values: Mapping[str, Any]) -> None:
        for path, value in values.items():
            self._field(path).show_value(path, value)
        self._show_comings(self.curve.tried_spec)
