"""A row as a conversation: who says what, what of it is learnt, which functions could be called."""

from __future__ import annotations

from PySide6.QtCore import QEvent
from PySide6.QtGui import QColor, QFont, QTextBlockFormat, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QTextEdit, QWidget

from remote_agent.contract.data_report import RowView, TurnView
from studio.ui import theme, words
from studio.ui.translation import told

SHOWN_CHARACTERS = 60_000


class ConversationView(QTextEdit):
    """Shows the turns of a row as plain text under the names of their roles."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("rowConversation")
        self.setAccessibleName(self.tr("Conversation of the row"))
        self.setReadOnly(True)
        self.setUndoRedoEnabled(False)
        self.setTabChangesFocus(True)
        self._row: RowView | None = None

    def show_row(self, row: RowView | None) -> None:
        """Show another row."""
        self._row = row
        self.clear()
        if row is None:
            return
        colours = theme.tokens()
        cursor = QTextCursor(self.document())
        cursor.beginEditBlock()
        self._is_first = True
        if row.problem:
            self._write(cursor, told(row.problem), "", colours.bad)
        for turn in row.turns:
            self._write(cursor, self._head(turn), cut(turn.content), self._colour(turn), turn.weight == 0)
        if row.tools:
            names = self.tr("Functions that may be called: {names}").format(names=", ".join(row.tools))
            self._write(cursor, names, "", colours.muted)
        cursor.endEditBlock()
        self.moveCursor(QTextCursor.MoveOperation.Start)

    def show_sentence(self, sentence: str) -> None:
        """Show a sentence in place of a row."""
        self._row = None
        self.setPlainText(sentence)

    def changeEvent(self, event: QEvent) -> None:
        """Take the colours of a changed theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and self._row is not None:
            self.show_row(self._row)

    def _head(self, turn: TurnView) -> str:
        name = role_word(turn.role)
        if turn.role != "assistant" and turn.weight in (0, 1):
            return name
        if turn.weight == 0:
            return self.tr("{role}  ·  not trained").format(role=name)
        if turn.weight != 1:
            return self.tr("{role}  ·  weight {weight}").format(role=name, weight=words.short_number(turn.weight))
        return name

    def _colour(self, turn: TurnView) -> str:
        trained = turn.role == "assistant" and turn.weight > 0
        return theme.tokens().accent if trained else theme.tokens().muted

    def _write(self, cursor: QTextCursor, head: str, content: str, colour: str, dimmed: bool = False) -> None:
        """Write one turn: its head in a colour, then what is said."""
        head_format, said = QTextCharFormat(), QTextCharFormat()
        head_format.setFontWeight(QFont.Weight.DemiBold)
        head_format.setForeground(QColor(colour))
        said.setForeground(QColor(theme.tokens().muted if dimmed else theme.tokens().text))
        block = QTextBlockFormat()
        block.setTopMargin(0 if self._is_first else 12)
        block.setBottomMargin(2)
        if self._is_first:
            cursor.setBlockFormat(block)
        else:
            cursor.insertBlock(block)
        self._is_first = False
        cursor.insertText(head, head_format)
        if content:
            block.setTopMargin(0)
            cursor.insertBlock(block)
            cursor.insertText(content, said)


def role_word(role: str) -> str:
    """Return the word for who says a turn."""
    known = {
        "system": words.translated("System"),
        "user": words.translated("User"),
        "assistant": words.translated("Assistant"),
        "tool": words.translated("Tool"),
    }
    return known.get(role, role)


def cut(text: str) -> str:
    """Return the text, or the start of a very long one."""
    return text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + "…"
