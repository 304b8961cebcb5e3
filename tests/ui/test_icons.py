"""Icons wait for qtawesome, take the theme's colours, and let go of what is gone; the first paint waits for nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QEvent, Qt
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot

from studio.ui import icons, theme

ROOT = Path(__file__).parents[2]

FIRST_PAINT = """
import sys
from studio.app import make_application, open_window
from studio.session.opening import open_session
app = make_application([])
session = open_session()
window = open_window(session)
app.processEvents()
late = ("torch", "transformers", "deepspeed", "accelerate", "pyqtgraph", "qtawesome", "paramiko")
print([name for name in late if name in sys.modules])
window.close()
session.close()
window.deleteLater()
session.deleteLater()
app.processEvents()
"""


def test_that_what_is_slow_to_import_comes_after_the_first_paint(luthier_home: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run(
        [sys.executable, "-c", FIRST_PAINT], env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"


def test_that_an_icon_follows_the_theme(qtbot: QtBot, qapp: QApplication) -> None:
    theme.start(qapp, ROOT / "resources", Qt.ColorScheme.Light)
    button = QPushButton("Launch")
    qtbot.addWidget(button)
    icons.set_icon(button, "play-fill", "accent")
    icons.load()
    light = button.icon().pixmap(16).toImage()
    theme.start(qapp, ROOT / "resources", Qt.ColorScheme.Dark)
    icons.refresh()
    assert not light.isNull()
    assert button.icon().pixmap(16).toImage() != light


def test_that_a_deleted_button_is_forgotten(qapp: QApplication) -> None:
    icons.load()
    button = QPushButton()
    before = len(icons._wishes)
    icons.set_icon(button, "info")
    assert len(icons._wishes) == before + 1
    button.deleteLater()
    QCoreApplication.sendPostedEvents(button, QEvent.Type.DeferredDelete)
    assert len(icons._wishes) == before
    icons.refresh()
