"""How rows become tokens: what each source holds, what is learnt of it, what is held out, how sequences are made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from remote_agent.contract.data_spec import all_sources
from studio.ui import icons
from studio.ui.controls import ChoiceBox
from studio.ui.data.described_form import CONTROL_WIDTH, LABEL_WIDTH
from studio.ui.data.scrolled import scrolled
from studio.ui.data.source_form import SourceForm
from studio.ui.data.template_row import TemplateRow
from studio.ui.knob_field import KnobField
from studio.ui.pieces import button, plain_label

if TYPE_CHECKING:
    from studio.session.session import Session

LEARNT = (
    "data.system_prompt", "data.train_on", "data.classification_prompt", "data.label_names", "data.added_tokens",
)  # fmt: skip
HELD_OUT = (
    "data.held_out_path", "data.held_out_fraction", "data.held_out_by", "data.held_out_column", "data.held_out_rows",
)  # fmt: skip
REPLAY = ("data.replay_share",)
SEQUENCES = ("data.max_length", "data.over_length", "data.packing", "data.group_by_length")
_LIST_WIDTH = 168
_LINES = ("data.system_prompt", "data.classification_prompt")


class ReadingPanel(QWidget):
    """Every field of the job's data; ``held_out_wanted`` asks for the picker of a held-out file."""

    held_out_wanted = Signal()

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("dataKnobs")
        self._session = session
        self._fields: dict[str, KnobField] = {}
        self.source = SourceForm(session)
        self._which = ChoiceBox([(0, "")])
        self._which.setObjectName("readingSource")
        self._which.setAccessibleName(self.tr("The source that is read so"))
        self._which.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self._which.activated.connect(lambda _: self.show_source(int(str(self._which.value()))))
        self._template = TemplateRow(session)
        page = QWidget()
        self._rows = QVBoxLayout(page)
        self._rows.setContentsMargins(0, 0, 4, 0)
        self._rows.setSpacing(8)
        self._build()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self._area = scrolled(page, "readingScroll", self.tr("How rows are read"))
        layout.addWidget(self._area)
        self.refresh()

    def refresh(self) -> None:
        """Show what the draft holds; fields that say nothing here are left out."""
        data = self._session.draft.spec.data
        report = self._session.draft.known.data
        sources = all_sources(data)
        self._which.setVisible(len(sources) > 1)
        names = [(number, one.path.replace("\\", "/").rsplit("/", 1)[-1]) for number, one in enumerate(sources)]
        if names != [(self._which.itemData(n), self._which.itemText(n)) for n in range(self._which.count())]:
            self._which.clear()
            for number, name in names:
                self._which.addItem(name, number)
        self.source.show_source(self.source.number)
        self._which.set_value(self.source.number)
        self._template.refresh()
        shapes = {one.shape for one in sources} | ({report.shape} if report is not None else set())
        shapes |= {one.shape for one in report.sources} if report is not None else set()
        by_class = "classification" in shapes
        for path in ("data.classification_prompt", "data.label_names"):
            self._fields[path].setVisible(by_class)
        for path in ("data.held_out_fraction", "data.held_out_by"):
            self._fields[path].setVisible(not data.held_out_path)
        self._fields["data.replay_share"].setVisible(len(sources) > 1 or data.replay_share > 0)
        self._fields["data.held_out_column"].setVisible(not data.held_out_path and data.held_out_by == "group")
        self._fields["data.group_by_length"].setVisible(not data.packing)

    def show_source(self, number: int) -> None:
        """Show how a source is read, by its number."""
        self.source.show_source(number)
        self._which.set_value(self.source.number)
        self._area.ensureWidgetVisible(self.source, 0, 0)

    def reveal(self, path: str) -> QWidget | None:
        """Bring a field into view with the keyboard on it; None where there is no such field."""
        field = self._fields.get(path)
        if field is not None:
            self._area.ensureWidgetVisible(field)
            field.focus()
            return field
        found = self.findChild(QWidget, path)
        if found is not None:
            self.source.show_source(0)
            self._area.ensureWidgetVisible(found)
            found.setFocus()
        return found

    def _build(self) -> None:
        self._rows.addWidget(self._heading(self.tr("Source")))
        self._rows.addWidget(self._which)
        self._rows.addWidget(self.source)
        self._add(REPLAY)
        self._rows.addWidget(self._heading(self.tr("What is learnt")))
        self._rows.addWidget(self._template)
        self._add(LEARNT)
        self._rows.addWidget(self._heading(self.tr("Held out")))
        self._add(HELD_OUT)
        pick = button(self.tr("Choose a held-out file…"), "heldOutButton", role="link")
        icons.set_icon(pick, "file", "muted", 14)
        pick.clicked.connect(self.held_out_wanted)
        line = QHBoxLayout()
        line.setContentsMargins(12, 0, 0, 0)
        line.addWidget(pick)
        line.addStretch(1)
        self._rows.addLayout(line)
        self._rows.addWidget(self._heading(self.tr("Sequences")))
        self._add(SEQUENCES)
        self._rows.addStretch(1)

    def _add(self, paths: tuple[str, ...]) -> None:
        for path in paths:
            field = KnobField(self._session.draft, path, multiline=path in _LINES)
            self._fields[path] = field
            self._narrow(field, path)
            self._rows.addWidget(field)

    def _narrow(self, field: KnobField, path: str) -> None:
        """Let a row of the form stand in a column that is narrower than a card of the recipe."""
        for label in field.findChildren(QLabel):
            if label.buddy() is not None:
                label.setFixedWidth(LABEL_WIDTH)
        control = field.findChild(QWidget, path)
        if isinstance(control, QComboBox):
            control.setFixedWidth(CONTROL_WIDTH)
            control.view().setMinimumWidth(_LIST_WIDTH)

    def _heading(self, text: str) -> QLabel:
        return plain_label(text, "section")
