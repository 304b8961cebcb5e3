"""Colours by name, light and dark, and the one style sheet made from them; follows the system's scheme."""

from __future__ import annotations

import dataclasses
import string
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QFontDatabase, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication, QWidget

BODY_PX, CAPTION_PX, TITLE_PX = 13, 11, 20
"""Type sizes in device-independent pixels."""


@dataclasses.dataclass(frozen=True)
class Tokens:
    """Every colour of the application under one name, as ``#rrggbb``; ``series`` are Okabe-Ito's colours."""

    name: str
    window: str
    sidebar: str
    card: str
    field: str
    border: str
    field_border: str
    hover: str
    text: str
    muted: str
    accent: str
    accent_hover: str
    on_accent: str
    selection: str
    chip: str
    good: str
    warning: str
    bad: str
    info: str
    notice: str
    grid: str
    free: str
    series: tuple[str, ...]


LIGHT = Tokens(
    name="light",
    window="#f5f6f8",
    sidebar="#eceef2",
    card="#ffffff",
    field="#ffffff",
    border="#e1e4e9",
    field_border="#d3d7de",
    hover="#e4e7ec",
    text="#1b1e23",
    muted="#59606b",
    accent="#2b6adf",
    accent_hover="#2059c4",
    on_accent="#ffffff",
    selection="#dbe7fb",
    chip="#eaf0fb",
    good="#17723d",
    warning="#875a00",
    bad="#bd2626",
    info="#2059c4",
    notice="#fdf6e3",
    grid="#e9ebef",
    free="#e1e4e9",
    series=("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#59606b"),
)
DARK = Tokens(
    name="dark",
    window="#16181c",
    sidebar="#111317",
    card="#1d2024",
    field="#16191d",
    border="#2d3238",
    field_border="#3a4048",
    hover="#282d34",
    text="#e7e9ec",
    muted="#a3a9b3",
    accent="#6ea2ff",
    accent_hover="#8db6ff",
    on_accent="#0c1118",
    selection="#22355c",
    chip="#1f2a3d",
    good="#43c483",
    warning="#e3b341",
    bad="#ff7b72",
    info="#6ea2ff",
    notice="#2b2617",
    grid="#2a2e34",
    free="#32373e",
    series=("#56b4e9", "#e69f00", "#2bc795", "#e893c4", "#f0e442", "#4d9de0", "#a3a9b3"),
)

_current = LIGHT


def tokens() -> Tokens:
    """Return the colours in force; a widget that paints reads them in its paint event."""
    return _current


def start(app: QApplication, resources: Path, scheme: Qt.ColorScheme | None = None) -> None:
    """Dress the application: Fusion, font, palette and style sheet, then follow the system's light or dark.

    Args:
        app: the application.
        resources: the folder with style.qss.
        scheme: a scheme to keep instead of the system's.
    """
    sheet = string.Template((resources / "style.qss").read_text(encoding="utf-8"))
    if app.style().objectName().lower() != "fusion":  # where it is the style already, setting it costs milliseconds
        app.setStyle("Fusion")
    app.setFont(_body_font(app.font()))
    hints = QGuiApplication.styleHints()
    if scheme is not None:
        _dress(app, sheet, resources, scheme)
        return
    _dress(app, sheet, resources, hints.colorScheme())
    hints.colorSchemeChanged.connect(lambda new: _dress(app, sheet, resources, new))


def _dress(app: QApplication, sheet: string.Template, resources: Path, scheme: Qt.ColorScheme) -> None:
    global _current
    _current = DARK if scheme == Qt.ColorScheme.Dark else LIGHT
    app.setPalette(_palette(_current))
    app.setStyleSheet(sheet.substitute(_values(_current), resources=resources.as_posix()))


def _values(colours: Tokens) -> dict[str, str]:
    values = {
        field.name: value
        for field in dataclasses.fields(colours)
        if isinstance(value := getattr(colours, field.name), str)
    }
    mono = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont).family()
    return {**values, "caption_px": f"{CAPTION_PX}px", "title_px": f"{TITLE_PX}px", "mono": mono}


def _body_font(system: QFont) -> QFont:
    font = QFont(system)
    if font.family() in ("Sans Serif", "Sans", ""):  # a Linux session that names no font of its own
        for family in ("Inter", "Noto Sans", "Cantarell", "Ubuntu"):
            if QFontDatabase.hasFamily(family):
                font.setFamily(family)
                break
    font.setPixelSize(BODY_PX)
    font.setFeature(QFont.Tag("tnum"), 1)
    return font


def _palette(colours: Tokens) -> QPalette:
    palette = QPalette()
    role = QPalette.ColorRole
    for where, colour in (
        (role.Window, colours.window),
        (role.WindowText, colours.text),
        (role.Base, colours.field),
        (role.AlternateBase, colours.window),
        (role.Text, colours.text),
        (role.PlaceholderText, colours.muted),
        (role.Button, colours.card),
        (role.ButtonText, colours.text),
        (role.BrightText, colours.bad),
        (role.Highlight, colours.selection),
        (role.HighlightedText, colours.text),
        (role.ToolTipBase, colours.card),
        (role.ToolTipText, colours.text),
        (role.Link, colours.accent),
        (role.LinkVisited, colours.accent),
        (role.Light, colours.card),
        (role.Midlight, colours.border),
        (role.Mid, colours.border),
        (role.Dark, colours.field_border),
        (role.Shadow, colours.border),
        (role.Accent, colours.accent),
    ):
        palette.setColor(where, QColor(colour))
    for where in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, where, QColor(colours.muted))
    return palette


def contrast(first: str, second: str) -> float:
    """Return the contrast ratio of two colours (1 … 21) as WCAG 2 defines it."""
    lights = sorted((_luminance(first), _luminance(second)))
    return (lights[1] + 0.05) / (lights[0] + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def series_colour(index: int) -> QColor:
    """Return the colour of a chart's line by its place; colours repeat after the last."""
    return QColor(_current.series[index % len(_current.series)])


def mono_font(pixels: int = 12) -> QFont:
    """Return the system's fixed-width font for tokens, paths and logs."""
    font = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
    font.setPixelSize(pixels)
    return font


def set_role(widget: QWidget, role: str) -> None:
    """Give a widget a role of the style sheet (caption, heading, title, card, primary …) and redraw it."""
    if widget.property("role") != role:
        widget.setProperty("role", role)
        style = widget.style()
        style.unpolish(widget)
        style.polish(widget)
