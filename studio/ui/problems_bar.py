"""The problems of the job at the bottom, like an IDE's: a click leads to the field, a button mends it."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from remote_agent.contract.problems import ERROR, Problem
from studio.state.draft import Draft
from studio.ui import icons, theme, words
from studio.ui.knob_field import FIELDS, field_label
from studio.ui.pieces import ElidedLabel
from studio.ui.translation import told

_MOST_ROWS = 6
_ROW_PX, _COUNT_PX = 30, 18
DATA, RECIPE = "data", "recipe"


def page_of(path: str) -> str:
    """Return the key of the page that shows a field; model and node are chosen in the header and have none."""
    head = path.partition(".")[0]
    if head in ("model", "node", "name"):
        return ""
    return DATA if head == "data" else RECIPE


def place_words(path: str) -> str:
    """Return where a field stands, in words: Recipe › Warmup."""
    names = {
        DATA: QCoreApplication.translate("problems", "Data"),
        RECIPE: QCoreApplication.translate("problems", "Recipe"),
        "": QCoreApplication.translate("problems", "Job"),
    }
    if path == "node":
        return QCoreApplication.translate("problems", "Node")
    label = field_label(path) if path in FIELDS else path
    return f"{names[page_of(path)]} › {label}"


class ProblemsBar(QFrame):
    """The first problem in one line and the others on demand; nothing at all where there are none."""

    field_wanted = Signal(str)

    def __init__(self, draft: Draft) -> None:
        super().__init__()
        self._draft = draft
        self.setObjectName("problemsBar")
        self.setAccessibleName(self.tr("Problems of the job"))
        self._open = False
        self._rows = QVBoxLayout()
        self._rows.setSpacing(2)
        self.count = QPushButton()
        self.count.setObjectName("problemCount")
        self.count.setProperty("role", "link")
        self.count.clicked.connect(self._on_count)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(20, 6, 20, 2)
        layout.setSpacing(8)
        layout.addLayout(self._rows, 1)
        first_line = QVBoxLayout()  # as high as a row, so that the count stands level with the first of them
        first_line.addSpacing(_ROW_PX // 2 - _COUNT_PX // 2)
        first_line.addWidget(self.count)
        first_line.addStretch(1)
        layout.addLayout(first_line)
        draft.problems_changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show the draft's problems."""
        found = self._draft.problems
        self._take_rows_out()
        self.setHidden(not found)
        shown = found[:_MOST_ROWS] if self._open else found[:1]
        for index, problem in enumerate(shown):
            self._rows.addWidget(self._row(index, problem))
        self.count.setVisible(len(found) > 1)
        number = words.counted(len(found), self.tr("{} problem"), self.tr("{} problems"))
        self.count.setText(f"{number}  {'▾' if self._open else '▴'}")
        self.count.setAccessibleName(self.tr("{}, show all").format(number))

    def _take_rows_out(self) -> None:
        while (item := self._rows.takeAt(0)) is not None:
            row = item.widget()
            if row is not None:
                row.hide()
                row.setParent(None)  # so that its buttons are no longer found by name
                row.deleteLater()

    def _row(self, index: int, problem: Problem) -> QWidget:
        severe = problem.severity == ERROR
        row = QWidget()
        layout = QHBoxLayout(row)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        icon = icons.pixmap_label("warning-circle-fill" if severe else "warning-fill", "bad" if severe else "warning")
        icon.setAccessibleName(self.tr("Problem") if severe else self.tr("Warning"))
        layout.addWidget(icon)
        place = QPushButton(place_words(problem.field))
        place.setObjectName(f"problemPlace{index}")
        place.setProperty("role", "place")
        place.setAccessibleName(self.tr("Go to {}").format(place.text()))
        place.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        place.setCursor(Qt.CursorShape.PointingHandCursor)
        place.clicked.connect(lambda: self.field_wanted.emit(problem.field))
        layout.addWidget(place)
        layout.addWidget(ElidedLabel(told(problem.sentence), "muted"), 1)
        fix = problem.fix
        if fix is not None:
            mend = QPushButton(told(fix.label))
            mend.setObjectName(f"problemFix{index}")
            mend.setAccessibleName(self.tr("{}: mends {}").format(mend.text(), place.text()))
            mend.clicked.connect(lambda: self._draft.apply(fix))
            layout.addWidget(mend)
        row.setMinimumHeight(_ROW_PX)
        return row

    def _on_count(self) -> None:
        self._open = not self._open
        self.refresh()


class PlainNotice(QWidget):
    """One sentence about what just happened, as a slim bar."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("noticeBar")
        self._bar = bar = QFrame()
        bar.setProperty("role", "notice")
        outer = QVBoxLayout(self)
        outer.setContentsMargins(20, 8, 20, 0)
        outer.addWidget(bar)
        self._icon = icons.pixmap_label("info", "info")
        self._text = QLabel()
        self._text.setObjectName("noticeText")
        self._text.setTextFormat(Qt.TextFormat.PlainText)
        self._text.setWordWrap(True)
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        close = QPushButton(self.tr("Close"))
        close.setProperty("role", "link")
        close.setAccessibleName(self.tr("Close the notice"))
        close.clicked.connect(self.hide)
        layout = QHBoxLayout(bar)
        layout.setContentsMargins(12, 6, 8, 6)
        layout.setSpacing(8)
        layout.addWidget(self._icon)
        layout.addWidget(self._text, 1)
        layout.addWidget(close)
        self.hide()

    def show_sentence(self, severity: str, sentence: str) -> None:
        """Show a sentence; ``severity`` is info, warning or error."""
        name, tint = {"error": ("warning-circle-fill", "bad"), "warning": ("warning-fill", "warning")}.get(
            severity, ("info", "info")
        )
        icons.set_pixmap(self._icon, name, tint)
        theme.set_role(self._bar, "information" if severity == "info" else "notice")
        self._text.setText(told(sentence))
        self.setAccessibleName(self._text.text())
        self.show()

    @property
    def sentence(self) -> str:
        """The sentence shown."""
        return self._text.text()
