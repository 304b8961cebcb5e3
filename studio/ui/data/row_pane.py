"""One row three ways: the conversation that was read from it, the rendered text, and the tokens that are trained."""

from __future__ import annotations

from PySide6.QtCore import QEvent
from PySide6.QtGui import QColor, QFont, QTextBlockFormat, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QPlainTextEdit, QStackedWidget, QTextEdit, QVBoxLayout, QWidget

from remote_agent.contract.data_report import RowView
from studio.ui import theme, words
from studio.ui.data.token_legend import TokenLegend
from studio.ui.data.token_view import MASKED, SPECIAL, TRAINED, TRUNCATED, TokenView, token_kind
from studio.ui.pieces import Card, ElidedLabel, button, plain_label
from studio.ui.translation import told

SHOWN_CHARACTERS = 60_000
CONVERSATION, TEXT, TOKENS = range(3)


class RowPane(Card):
    """The row that is selected in the table."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(name="rowPane", parent=parent)
        self.setAccessibleName(self.tr("The selected row"))
        self._row: RowView | None = None
        self._title = plain_label(self.tr("Row"), "heading")
        self._fingerprint = ElidedLabel("", "caption")
        self._fingerprint.setObjectName("rowFingerprint")
        self._conversation = QTextEdit()
        self._text = QPlainTextEdit()
        self._tokens = TokenView()
        self._legend = TokenLegend()
        self._pointed = ElidedLabel("", "mono")
        self._pointed.setObjectName("tokenUnderCursor")
        self._tokens.pointed.connect(self._on_pointed)
        self._stack = QStackedWidget()
        self._stack.addWidget(self._dressed(self._conversation, "rowConversation", self.tr("Conversation of the row")))
        self._stack.addWidget(self._dressed(self._text, "rowText", self.tr("Rendered text of the row")))
        self._stack.addWidget(self._token_side())
        self.body.addLayout(self._head())
        self.body.addWidget(self._stack, 1)
        self.show_row(None)

    def show_row(self, row: RowView | None) -> None:
        """Show a row, or that none is chosen."""
        self._row = row
        self._title.setText(self.tr("Row {number}").format(number=words.whole(row.index)) if row else self.tr("No row"))
        self._fingerprint.set_text(self.tr("fingerprint {hash}").format(hash=row.fingerprint[:16]) if row else "")
        self._text.setPlainText(_cut(row.text) if row else "")
        self._tokens.show_row(row)
        self._legend.show_row(row)
        self._show_conversation(row)
        self._on_pointed(-1)

    def show_waiting(self, number: int) -> None:
        """Say that a row is on its way."""
        self.show_row(None)
        self._title.setText(self.tr("Row {number}").format(number=words.whole(number)))
        self._conversation.setPlainText(self.tr("The row is being read."))

    def show_problem(self, sentence: str) -> None:
        """Say why no row can be shown."""
        if self._row is None:
            self._conversation.setPlainText(told(sentence))

    def show_view(self, which: int) -> None:
        """Switch to conversation (0), text (1) or tokens (2)."""
        self._views.button(which).setChecked(True)
        self._stack.setCurrentIndex(which)

    def changeEvent(self, event: QEvent) -> None:
        """Take the colours of a changed theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and self._row is not None:
            self._show_conversation(self._row)

    def _head(self) -> QHBoxLayout:
        self._views = QButtonGroup(self)
        head = QHBoxLayout()
        head.setSpacing(12)
        names = (
            (self.tr("Conversation"), "viewConversation"),
            (self.tr("Text"), "viewText"),
            (self.tr("Tokens"), "viewTokens"),
        )
        for number, (text, name) in enumerate(names):
            tab = button(text, name, role="tab")
            tab.setCheckable(True)
            tab.setChecked(number == CONVERSATION)
            self._views.addButton(tab, number)
            head.addWidget(tab)
        self._views.idClicked.connect(self._stack.setCurrentIndex)
        head.addStretch(1)
        head.addWidget(self._title)
        return head

    def _dressed(self, view: QTextEdit | QPlainTextEdit, name: str, spoken: str) -> QWidget:
        view.setObjectName(name)
        view.setAccessibleName(spoken)
        view.setReadOnly(True)
        view.setUndoRedoEnabled(False)
        view.setTabChangesFocus(True)
        return view

    def _token_side(self) -> QWidget:
        side = QWidget()
        layout = QVBoxLayout(side)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        self._tokens.setTabChangesFocus(True)
        layout.addWidget(self._legend)
        layout.addWidget(self._tokens, 1)
        layout.addWidget(self._pointed)
        layout.addWidget(self._fingerprint)
        return side

    def _show_conversation(self, row: RowView | None) -> None:
        self._conversation.clear()
        if row is None:
            return
        colours = theme.tokens()
        cursor = QTextCursor(self._conversation.document())
        head, said = QTextCharFormat(), QTextCharFormat()
        head.setFontWeight(QFont.Weight.DemiBold)
        said.setForeground(QColor(colours.text))
        block = QTextBlockFormat()
        cursor.beginEditBlock()
        if row.problem:
            head.setForeground(QColor(colours.bad))
            cursor.insertText(row.problem, head)
            cursor.insertBlock()
        for number, turn in enumerate(row.turns):
            block.setTopMargin(12 if number else 0)
            block.setBottomMargin(2)
            head.setForeground(QColor(colours.accent if turn.role == "assistant" else colours.muted))
            cursor.insertBlock(block) if number or row.problem else cursor.setBlockFormat(block)
            cursor.insertText(_role_word(turn.role), head)
            block.setTopMargin(0)
            cursor.insertBlock(block)
            cursor.insertText(_cut(turn.content), said)
        cursor.endEditBlock()
        self._conversation.moveCursor(QTextCursor.MoveOperation.Start)

    def _on_pointed(self, number: int) -> None:
        if self._row is None or not 0 <= number < len(self._row.tokens):
            self._pointed.set_text(self.tr("Point at a token to see its id.") if self._row else "")
            return
        token = self._row.tokens[number]
        kinds = {
            TRAINED: self.tr("trained"),
            MASKED: self.tr("masked"),
            SPECIAL: self.tr("special, masked"),
            TRUNCATED: self.tr("cut off"),
        }
        kind = kinds[token_kind(token)]
        if token.special and token.trained:
            kind = self.tr("special, trained")
        said = self.tr("token {number}  id {id}  {text}  {kind}")
        self._pointed.set_text(said.format(number=number, id=token.id, text=_quoted(token.text), kind=kind))


def _role_word(role: str) -> str:
    known = {
        "system": words.translated("System"),
        "user": words.translated("User"),
        "assistant": words.translated("Assistant"),
    }
    return known.get(role, role)


def _quoted(text: str) -> str:
    return "“" + text.replace("\n", "↵").replace("\t", "→") + "”"


def _cut(text: str) -> str:
    return text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + "…"
