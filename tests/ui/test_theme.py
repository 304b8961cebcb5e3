"""Both themes have the same names and enough contrast, and the style sheet is filled from them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from studio.ui import theme

RESOURCES = Path(__file__).parents[2] / "resources"
BOTH = pytest.mark.parametrize("colours", [theme.LIGHT, theme.DARK], ids=lambda colours: colours.name)
SURFACES = ("window", "sidebar", "card", "field", "notice")


@BOTH
@pytest.mark.parametrize("ink", ["text", "muted", "good", "warning", "bad", "info", "accent"])
def test_that_words_stand_out_from_every_surface(colours: theme.Tokens, ink: str) -> None:
    ratios = {
        surface: theme.contrast(getattr(colours, ink), getattr(colours, surface))
        for surface in SURFACES
        if not (surface == "sidebar" and ink in ("good", "warning", "bad", "info", "accent"))
    }
    assert min(ratios.values()) >= 4.5, ratios


@BOTH
def test_that_words_stand_out_from_fills_and_selections(colours: theme.Tokens) -> None:
    pairs = [
        (colours.on_accent, colours.accent),
        (colours.on_accent, colours.accent_hover),
        (colours.text, colours.selection),
        (colours.muted, colours.selection),
        (colours.text, colours.chip),
        (colours.text, colours.hover),
        (colours.muted, colours.hover),
        (colours.good, colours.selection),
    ]
    poor = [(pair, round(theme.contrast(*pair), 2)) for pair in pairs if theme.contrast(*pair) < 4.5]
    assert not poor


def test_that_contrast_is_the_one_of_wcag() -> None:
    assert theme.contrast("#000000", "#ffffff") == pytest.approx(21.0)
    assert theme.contrast("#777777", "#ffffff") == pytest.approx(4.478, abs=1e-3)


@pytest.mark.parametrize("scheme", [Qt.ColorScheme.Light, Qt.ColorScheme.Dark])
def test_that_the_sheet_is_filled_and_the_palette_follows(qapp: QApplication, scheme: Qt.ColorScheme) -> None:
    theme.start(qapp, RESOURCES, scheme)
    expected = theme.DARK if scheme == Qt.ColorScheme.Dark else theme.LIGHT
    assert theme.tokens() is expected
    assert "$" not in qapp.styleSheet()
    assert expected.card in qapp.styleSheet()
    assert qapp.palette().window().color().name() == expected.window
    assert (RESOURCES / f"caret-{expected.name}.svg").is_file()


def test_that_colours_live_in_one_place_only() -> None:
    sheet = (RESOURCES / "style.qss").read_text(encoding="utf-8")
    assert not re.findall(r"#[0-9a-fA-F]{6}\b", sheet)
    ui = Path(theme.__file__).parent
    guilty = [
        path.name
        for path in ui.rglob("*.py")
        if path.name != "theme.py" and re.search(r"[\"']#[0-9a-fA-F]{6}[\"']", path.read_text(encoding="utf-8"))
    ]
    assert not guilty


def test_that_a_role_changes_the_look_at_once(qtbot: QtBot, qapp: QApplication) -> None:
    theme.start(qapp, RESOURCES, Qt.ColorScheme.Light)
    label = QLabel("word")
    qtbot.addWidget(label)
    label.ensurePolished()
    theme.set_role(label, "bad")
    assert label.palette().windowText().color().name() == theme.LIGHT.bad
