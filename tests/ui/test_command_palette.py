"""A few letters in their order find a command, the closest first."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from studio.ui.command_palette import Command, CommandPalette, match_rank


def test_that_a_whole_word_beats_scattered_letters() -> None:
    whole, scattered = match_rank("run", "Run r-0412"), match_rank("run", "Return to the node")
    assert whole is not None and scattered is not None and whole < scattered
    assert match_rank("xq", "Export") is None
    assert match_rank("", "anything") == 0


def test_that_the_arrows_choose_and_return_does_it(qtbot: QtBot) -> None:
    parent = QWidget()
    qtbot.addWidget(parent)
    parent.resize(900, 600)
    parent.show()
    done: list[str] = []
    palette = CommandPalette(parent)
    palette.open_with([Command(name, "", lambda name=name: done.append(name)) for name in ("Undo", "Redo", "Launch")])  # type: ignore[misc]
    qtbot.keyClicks(palette.search, "do")
    assert palette.list.count() == 2
    qtbot.keyClick(palette.search, Qt.Key.Key_Down)
    qtbot.keyClick(palette.search, Qt.Key.Key_Return)
    assert done == ["Redo"]
    assert palette.isHidden()
