"""One row four ways: conversation, rendered text, the tokens that are trained, and beside the row it is like."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QPlainTextEdit, QStackedWidget, QWidget

from remote_agent.contract.data_report import RowPair, RowView
from studio.ui import words
from studio.ui.data.conversation_view import ConversationView, cut
from studio.ui.data.pair_view import PairView
from studio.ui.data.row_table import part_word
from studio.ui.data.token_side import TokenSide
from studio.ui.pieces import Card, ElidedLabel, button, plain_label
from studio.ui.translation import told

CONVERSATION, TEXT, TOKENS, PAIR = range(4)


class RowPane(Card):
    """The row that is selected in the table. ``row_wanted`` asks to select a row, ``row_needed`` to load one."""

    row_wanted = Signal(int)
    row_needed = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(name="rowPane", parent=parent)
        self.setAccessibleName(self.tr("The selected row"))
        self._row: RowView | None = None
        self._waits_for = -1
        self._title = plain_label(self.tr("Row"), "strong", "rowTitle")
        self._facts = ElidedLabel("", "caption")
        self._facts.setObjectName("rowFacts")
        self._problem = plain_label("", "bad", "rowProblem", wraps=True)
        self.conversation = ConversationView()
        self.text = QPlainTextEdit()
        self.text.setObjectName("rowText")
        self.text.setAccessibleName(self.tr("Rendered text of the row"))
        self.text.setReadOnly(True)
        self.text.setUndoRedoEnabled(False)
        self.text.setTabChangesFocus(True)
        self.tokens = TokenSide()
        self.pairs = PairView()
        self._stack = QStackedWidget()
        for view in (self.conversation, self.text, self.tokens, self.pairs):
            self._stack.addWidget(view)
        self.body.addLayout(self._head())
        place = QHBoxLayout()
        place.setSpacing(8)
        place.addWidget(self._title)
        place.addWidget(self._facts, 1)
        self.body.addLayout(place)
        self.body.addWidget(self._problem)
        self.body.addWidget(self._stack, 1)
        self.body.setSpacing(4)
        self.setMinimumWidth(240)
        self.tokens.row_wanted.connect(self.row_wanted)
        self.pairs.row_needed.connect(self.row_needed)
        self._views.button(PAIR).hide()
        self.show_row(None)

    def show_row(self, row: RowView | None, length: int = 0, titles: Mapping[str, str] | None = None) -> None:
        """Show a row in sequences of a length in tokens; ``titles`` of findings by their kind."""
        self._row, self._waits_for = row, -1
        self._title.setText(self._title_of(row) if row else self.tr("No row"))
        self._facts.set_text(self._facts_of(row, titles or {}) if row else "")
        self._problem.setText(told(row.problem) if row and row.problem else "")
        self._problem.setVisible(bool(row and row.problem))
        self.text.setPlainText(cut(row.text) if row else "")
        self.tokens.show_row(row, length)
        self.conversation.show_row(row)

    def show_waiting(self, index: int) -> None:
        """Say that a row is on its way."""
        if self._row is None or self._row.index != index:
            self.show_row(None)
            self.conversation.show_sentence(self.tr("The row is being read."))
        self._title.setText(self._row_words(index))
        self._waits_for = index

    def show_problem(self, index: int, sentence: str) -> None:
        """Say why a row cannot be shown."""
        if index == self._waits_for:
            self.show_row(None)
            self._title.setText(self._row_words(index))
            self.conversation.show_sentence(told(sentence))

    @property
    def waits_for(self) -> int:
        """Return the number of the row that is on its way, -1 for none."""
        return self._waits_for

    def show_pairs(self, pairs: Sequence[RowPair]) -> None:
        """Offer the pairs of a finding beside each other, or none."""
        if self.pairs.pairs == tuple(pairs):
            return
        tab = self._views.button(PAIR)
        tab.setVisible(bool(pairs))
        self.pairs.show_pairs(pairs)
        if pairs:
            self.show_view(PAIR)
        elif self._stack.currentIndex() == PAIR:
            self.show_view(CONVERSATION)

    def show_view(self, which: int) -> None:
        """Switch to conversation (0), text (1), tokens (2) or pair (3)."""
        self._views.button(which).setChecked(True)
        self._stack.setCurrentIndex(which)

    def _row_words(self, index: int) -> str:
        return self.tr("Row {number}").format(number=words.whole(index + 1))

    def _title_of(self, row: RowView) -> str:
        """Return the row's number, with how it came to be where a step made it."""
        number = self._row_words(row.index)
        if not row.origin:
            return number
        found = re.fullmatch(r"(Paraphrase|Back-translation|Rewording) of row (\d+)", row.origin)
        said = told(row.origin)
        if found:
            texts = {
                "Paraphrase": self.tr("Paraphrase of row {}"),
                "Back-translation": self.tr("Back-translation of row {}"),
                "Rewording": self.tr("Rewording of row {}"),
            }
            said = texts[found[1]].format(words.whole(int(found[2])))
        return f"{number}  ·  {said}"

    def _facts_of(self, row: RowView, titles: Mapping[str, str]) -> str:
        name = row.file.replace("\\", "/").rsplit("/", 1)[-1]
        where = self.tr("{file}, line {line}").format(file=name, line=words.whole(row.line)) if row.line else name
        parts = [where, part_word(row.part), row.label]
        if row.sequence >= 0:
            parts.append(self.tr("sequence {number}").format(number=words.whole(row.sequence + 1)))
        if row.loss is not None:
            parts.append(self.tr("loss {loss}").format(loss=f"{row.loss:.2f}"))
        parts += [told(titles.get(kind, kind)) for kind in row.findings]
        return "  ·  ".join(part for part in parts if part)

    def _head(self) -> QHBoxLayout:
        self._views = QButtonGroup(self)
        head = QHBoxLayout()
        head.setSpacing(4)
        names = (
            (self.tr("Conversation"), "viewConversation"), (self.tr("Text"), "viewText"),
            (self.tr("Tokens"), "viewTokens"), (self.tr("Pair"), "viewPair"),
        )  # fmt: skip
        for number, (text, name) in enumerate(names):
            tab = button(text, name, role="tab")
            tab.setCheckable(True)
            tab.setChecked(number == CONVERSATION)
            self._views.addButton(tab, number)
            head.addWidget(tab)
        self._views.idClicked.connect(self._stack.setCurrentIndex)
        head.addStretch(1)
        return head
