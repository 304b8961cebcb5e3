"""Which chat template the rows are rendered by: the model's own, one of Luthier's, or an edited one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QHBoxLayout, QPlainTextEdit, QVBoxLayout, QWidget

from remote_agent.contract.chat_templates import BUILT_IN, resolve_template
from studio.ui import theme
from studio.ui.controls import ChoiceBox
from studio.ui.data.described_form import INDENT, LABEL_WIDTH
from studio.ui.data.icon_button import icon_button
from studio.ui.pickers.popup import Popup
from studio.ui.pieces import button, plain_label

if TYPE_CHECKING:
    from studio.session.session import Session

PREFIX = "builtin:"
_OWN, _EDITED = "", "edited"


class TemplateRow(QWidget):
    """A choice, and a button that opens the template's text."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        names = [(PREFIX + name, name) for name in BUILT_IN]
        self.box = ChoiceBox([(_OWN, self.tr("Model's own")), *names, (_EDITED, self.tr("Edited"))])
        self.box.setObjectName("data.chat_template")
        self.box.setSizeAdjustPolicy(self.box.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.box.setAccessibleName(self.tr("Chat template"))
        label = plain_label(self.tr("Chat template"), wraps=True)
        label.setFixedWidth(LABEL_WIDTH)
        label.setBuddy(self.box)
        self._edit = icon_button("code", "templateButton", self.tr("Open the text of the chat template"))
        row = QHBoxLayout(self)
        row.setContentsMargins(INDENT, 0, 0, 0)
        row.setSpacing(4)
        row.addWidget(label)
        row.addWidget(self.box, 1)
        row.addWidget(self._edit)
        self.box.activated.connect(lambda _: self._on_chosen())
        self._edit.clicked.connect(self.open_editor)
        self.refresh()

    def refresh(self) -> None:
        """Show what the draft holds."""
        text = self._session.draft.spec.data.chat_template
        is_named = text == _OWN or (text.removeprefix(PREFIX) in BUILT_IN and text.startswith(PREFIX))
        self.box.set_value(text if is_named else _EDITED)

    def open_editor(self) -> None:
        """Open the template as text."""
        TemplateEditor(self._session, self).popup_at(self._edit)

    def _on_chosen(self) -> None:
        value = str(self.box.value())
        if value == _EDITED:
            self.open_editor()
            self.refresh()
        else:
            self._session.draft.set_value("data.chat_template", value)


class TemplateEditor(Popup):
    """The text of the template; closing it takes a changed text over, and the undo gives the former one back."""

    def __init__(self, session: Session, parent: QWidget) -> None:
        super().__init__(self.tr("Chat template"), "templateEditor", parent, 640)
        self._session = session
        said = self.tr("Jinja, as Transformers renders it. A change counts once this closes; Undo takes it back.")
        self.text = QPlainTextEdit()
        self.text.setObjectName("templateText")
        self.text.setAccessibleName(self.tr("Text of the chat template"))
        self.text.setFont(theme.mono_font(12))
        self.text.setProperty("role", "mono")
        self.text.setTabChangesFocus(True)
        self.text.setMinimumHeight(360)
        self._before = _text_of(session)
        self.text.setPlainText(self._before)
        own = button(self.tr("The model's own"), "templateOwnButton", self.tr("Put the model's own template back"))
        own.clicked.connect(self._on_own)
        done = button(self.tr("Done"), "templateDoneButton", role="primary")
        done.clicked.connect(self.close)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(own)
        row.addStretch(1)
        row.addWidget(done)
        column = QVBoxLayout()
        column.setSpacing(8)
        column.addWidget(plain_label(said, "caption", wraps=True))
        column.addWidget(self.text, 1)
        column.addLayout(row)
        self.body.addLayout(column, 1)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Take a changed text over."""
        text = self.text.toPlainText()
        if text != self._before:
            self._before = text
            self._session.draft.set_value("data.chat_template", text)
        super().closeEvent(event)

    def _on_own(self) -> None:
        self._session.draft.set_value("data.chat_template", "")
        self._before = _text_of(self._session)
        self.text.setPlainText(self._before)


def _text_of(session: Session) -> str:
    """Return the text of the template that the draft names."""
    named = session.draft.spec.data.chat_template
    if named:
        try:
            return resolve_template(named)
        except ValueError:  # a name that this version does not know, said so by the job's problems
            return named
    model = session.draft.known.model
    return model.chat_template if model is not None else ""
