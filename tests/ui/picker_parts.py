"""What the tests of the pickers reach into them with."""

from __future__ import annotations

from typing import Any, TypeVar, cast

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton, QWidget
from pytestqt.qtbot import QtBot

from tests.ui.page_session import PageSession


def as_session(session: PageSession) -> Any:
    return cast(Any, session)


Part = TypeVar("Part", bound=QWidget)


def part(parent: QWidget, kind: type[Part], name: str) -> Part:
    found = parent.findChild(kind, name)
    assert isinstance(found, kind), name
    return found


def click(qtbot: QtBot, parent: QWidget, name: str) -> None:
    QTest.mouseClick(part(parent, QPushButton, name), Qt.MouseButton.LeftButton)
