"""The presets below their button: what each is for, what it would change field by field, and one click to take it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QCoreApplication, QSize, Qt
from PySide6.QtWidgets import QHBoxLayout, QListWidget, QVBoxLayout, QWidget

from studio.state.draft import Draft
from studio.state.preset import GLOBAL_BATCH, Preset, differences, preset_values
from studio.ui import words
from studio.ui.field_table import FieldRow, FieldTable
from studio.ui.knob_control import field_label, value_text
from studio.ui.pickers.popup import Popup
from studio.ui.pieces import button, plain_label

_WIDTH, _LIST_WIDTH, _TABLE_HEIGHT, _ITEM_PX = 820, 190, 280, 30


class PresetPicker(Popup):
    """A list of presets beside what the chosen one would change; `apply` changes the draft as one step of the undo."""

    def __init__(self, draft: Draft, presets: Sequence[Preset], parent: QWidget) -> None:
        super().__init__(self.tr("Start from a published recipe"), "presetPicker", parent, _WIDTH)
        self._draft, self._presets = draft, presets
        self.list = QListWidget()
        self.list.setObjectName("presetList")
        self.list.setAccessibleName(self.tr("Presets"))
        self.list.setProperty("role", "plain")
        self.list.setFixedWidth(_LIST_WIDTH)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.addItems([preset_text(preset.name) for preset in presets])
        for place in range(self.list.count()):
            self.list.item(place).setSizeHint(QSize(0, _ITEM_PX))
        self._about = plain_label("", "", "presetAbout", wraps=True)
        self._sources = plain_label("", "caption", "presetSources", wraps=True)
        self.table = FieldTable(
            [self.tr("Field"), self.tr("Now"), self.tr("Then"), self.tr("Source")],
            "presetTable",
            self.tr("Changes"),
            stretch=(3,),
        )
        self.table.setFixedHeight(_TABLE_HEIGHT)
        self._summary = plain_label("", "muted", "presetSummary")
        self._apply = button(self.tr("Apply"), "presetApply", role="primary")
        self._apply.clicked.connect(self.apply)
        self._lay_out()
        self.list.currentRowChanged.connect(self._on_chosen)
        self.list.itemActivated.connect(self.apply)
        names = [preset_text(preset.name) for preset in presets]
        self.list.setCurrentRow(names.index(draft.preset) if draft.preset in names else 0)

    def _lay_out(self) -> None:
        bottom = QHBoxLayout()
        bottom.addWidget(self._summary, 1)
        bottom.addWidget(self._apply)
        right = QVBoxLayout()
        right.setSpacing(8)
        for widget in (self._about, self.table, self._sources):
            right.addWidget(widget)
        right.addStretch(1)
        right.addLayout(bottom)
        row = QHBoxLayout()
        row.setSpacing(16)
        row.addWidget(self.list)
        row.addLayout(right, 1)
        self.body.addLayout(row)

    @property
    def preset(self) -> Preset:
        """The preset that is shown."""
        return self._presets[max(0, self.list.currentRow())]

    def apply(self, *_: object) -> None:
        """Take the preset's values over and close."""
        preset = self.preset
        self._draft.apply_preset(preset_text(preset.name), preset_values(preset, self._draft.spec))
        self.close()

    def _on_chosen(self, _: int) -> None:
        preset = self.preset
        found = differences(preset, self._draft.spec)
        self._about.setText(preset_text(preset.about))
        self.table.show_rows(
            [
                FieldRow(
                    (
                        field_label(each.path),
                        value_text(each.path, each.now),
                        value_text(each.path, each.then),
                        each.source,
                    ),
                    each.path,
                )
                for each in found
            ]
        )
        batch = preset.sources.get(GLOBAL_BATCH, "")
        self._sources.setText(
            self.tr("Global batch {batch}: {source}").format(batch=preset.global_batch, source=batch) if batch else ""
        )
        self._sources.setVisible(bool(batch))
        changed = words.counted(len(found), self.tr("{} field changes"), self.tr("{} fields change"))
        self._summary.setText(changed if found else self.tr("The job is like this already."))


def preset_text(text: str) -> str:
    """Return a preset's name or its description in the language in force."""
    return QCoreApplication.translate("presets", text)
