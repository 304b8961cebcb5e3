"""Phosphor icons in the theme's colours; qtawesome is imported once the window is up, as its import takes 0.75 s."""

from __future__ import annotations

import weakref
from typing import NamedTuple

from PySide6.QtCore import QSize
from PySide6.QtGui import QAction, QIcon, QPixmap
from PySide6.QtWidgets import QAbstractButton, QLabel, QWidget

from studio.ui import theme


class _Wish(NamedTuple):
    target: weakref.ref[QAbstractButton | QAction | QLabel]
    name: str
    tint: str
    pixels: int


_loaded = False
_wishes: dict[int, _Wish] = {}
_pixmaps: dict[tuple[str, str, int, float], QPixmap] = {}


def load() -> None:
    """Fill in every icon that was asked for so far; call it after the first paint."""
    global _loaded
    if not _loaded:
        import qtawesome  # noqa: F401  (the import is the work)

        _loaded = True
    refresh()


def refresh() -> None:
    """Paint all icons again, in the theme's present colours."""
    for wish in list(_wishes.values()):
        _fill(wish)


def set_icon(target: QAbstractButton | QAction, name: str, tint: str = "muted", pixels: int = 16) -> None:
    """Give a button or an action the icon of that Phosphor name, now or as soon as icons are loaded.

    Args:
        target: what shows it; it is not kept alive.
        name: the name without its family, such as "play-fill".
        tint: the colour's name in the theme.
        pixels: the side in device-independent pixels.
    """
    _wish(_Wish(weakref.ref(target), name, tint, pixels))


def set_pixmap(label: QLabel, name: str, tint: str = "muted", pixels: int = 16) -> None:
    """Show an icon in a label, now or as soon as icons are loaded."""
    label.setFixedSize(QSize(pixels, pixels))
    _wish(_Wish(weakref.ref(label), name, tint, pixels))


def pixmap_label(name: str, tint: str = "muted", pixels: int = 16) -> QLabel:
    """Return a label with an icon."""
    label = QLabel()
    set_pixmap(label, name, tint, pixels)
    return label


def pixmap(name: str, tint: str, pixels: int, ratio: float) -> QPixmap | None:
    """Return an icon for a paint event, None until icons are loaded."""
    if not _loaded:
        return None
    colour: str = getattr(theme.tokens(), tint)
    key = (name, colour, pixels, ratio)
    if key not in _pixmaps:
        import qtawesome

        icon: QIcon = qtawesome.icon(f"ph.{name}", color=colour)
        _pixmaps[key] = icon.pixmap(QSize(pixels, pixels), ratio)
    return _pixmaps[key]


def _wish(wish: _Wish) -> None:
    target = wish.target()
    assert target is not None
    key = id(target)
    if key not in _wishes:
        target.destroyed.connect(lambda: _wishes.pop(key, None))
    _wishes[key] = wish
    if _loaded:
        _fill(wish)


def _fill(wish: _Wish) -> None:
    target = wish.target()
    if isinstance(target, QLabel):
        image = pixmap(wish.name, wish.tint, wish.pixels, target.devicePixelRatioF())
        if image is not None:
            target.setPixmap(image)
    elif target is not None:
        ratio = target.devicePixelRatioF() if isinstance(target, QWidget) else 2.0
        image = pixmap(wish.name, wish.tint, wish.pixels, ratio)
        if image is not None:
            target.setIcon(QIcon(image))
