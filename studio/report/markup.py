"""Markup that is made of elements, so that text is always escaped: only what was built here is ever a tag."""

from __future__ import annotations

import html
import re

_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f\x80-\x9f]")
_SURROGATES = re.compile("[\ud800-\udfff]")
_VOID = frozenset(("meta", "br", "rect", "line"))


class Html(str):
    """A piece of markup; a plain `str` is text."""

    __slots__ = ()


def element(name: str, /, *children: Html | str, **attributes: object) -> Html:
    """Return an element; plain text among its children is escaped, and so are the values of attributes.

    An attribute's name may end in ``_`` where Python keeps the word, and ``_`` inside it stands for ``-``; one that is
    None or False is left out.
    """
    said = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_plain(str(value))}"'
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    if name in _VOID and not children:
        return Html(f"<{name}{said}>" if name in ("meta", "br") else f"<{name}{said}/>")
    return Html(f"<{name}{said}>{joined(*children)}</{name}>")


def joined(*children: Html | str) -> Html:
    """Return pieces one behind the other."""
    return Html("".join(child if isinstance(child, Html) else _plain(child) for child in children))


def _plain(text: str) -> str:
    """Escape text; control characters and halves of characters, which no file may hold, become visible ones."""
    shown = _CONTROLS.sub(_picture, text.replace("\r\n", "\n"))
    return html.escape(_SURROGATES.sub("�", shown), quote=True)


def _picture(found: re.Match[str]) -> str:
    code = ord(found.group())
    if code < 0x20:
        return chr(0x2400 + code)
    return "␡" if code == 0x7F else "�"
