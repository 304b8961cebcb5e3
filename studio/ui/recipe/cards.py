"""A card of the recipe: a titled column of fields, the advanced ones behind "More", each shown while it matters."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from studio.state.draft import Draft
from studio.ui.knob_field import KnobField
from studio.ui.recipe.card_plans import CardPlan, Condition


class RecipeCard(QFrame):
    """A titled column of fields with the advanced ones folded away; ``fields`` has them by path."""

    def __init__(self, draft: Draft, plan: CardPlan) -> None:
        super().__init__()
        self._draft = draft
        self.setProperty("role", "card")
        self.setObjectName(f"{plan.name}Card")
        self.setAccessibleName(plan.title)
        self.fields: dict[str, KnobField] = {}
        self._conditions: list[tuple[KnobField, Condition]] = []
        self._wanted: KnobField | None = None
        self._more = QPushButton(self.tr("More"))
        self._hidden = QWidget()
        heading = QLabel(plan.title)
        heading.setProperty("role", "heading")
        self.top = QHBoxLayout()
        self.top.setContentsMargins(12, 0, 0, 0)
        self.top.addWidget(heading)
        self.top.addStretch(1)
        self.top.addWidget(self._more)
        self.rows = QVBoxLayout()
        self.rows.setSpacing(6)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 10, 12, 12)
        layout.setSpacing(6)
        layout.addLayout(self.top)
        layout.addLayout(self.rows)
        folded = QVBoxLayout(self._hidden)
        folded.setContentsMargins(0, 0, 0, 0)
        folded.setSpacing(6)
        for row in plan.rows:
            field = KnobField(draft, row.path, row.companion, row.label)
            self.fields.update(dict.fromkeys(field.paths, field))
            (folded if row.is_folded else self.rows).addWidget(field)
            if row.when is not None:
                self._conditions.append((field, row.when))
        layout.addWidget(self._hidden)
        self._hidden.hide()
        self._more.setProperty("role", "link")
        self._more.setCheckable(True)
        self._more.setVisible(folded.count() > 0)
        self._more.setAccessibleName(self.tr("More of {}").format(plan.title))
        self._more.setCursor(Qt.CursorShape.PointingHandCursor)
        self._more.toggled.connect(self._on_more)
        draft.changed.connect(self._show_what_matters)
        draft.problems_changed.connect(self._show_what_matters)
        self._show_what_matters()

    def _show_what_matters(self) -> None:
        """Hide what the draft's choices leave without effect, unless a problem is told there or it was asked for."""
        troubled = {problem.field for problem in self._draft.problems}
        for field, matters in self._conditions:
            shown = matters(self._draft.spec) or not troubled.isdisjoint(field.paths) or field is self._wanted
            if field.isHidden() == shown:
                field.setVisible(shown)

    def _on_more(self, open_: bool) -> None:
        self._hidden.setVisible(open_)
        self._more.setText(self.tr("Less") if open_ else self.tr("More"))

    @property
    def is_open(self) -> bool:
        """Whether the advanced fields are shown."""
        return self._more.isChecked()

    def set_open(self, open_: bool) -> None:
        """Show or fold the advanced fields."""
        self._more.setChecked(open_)

    def reveal(self, path: str) -> KnobField:
        """Make a field visible and return it. Raises KeyError for a path that is not on this card."""
        field = self.fields[path]
        self._wanted = field
        self._show_what_matters()
        if field.parentWidget() is self._hidden:
            self.set_open(True)
        return field
