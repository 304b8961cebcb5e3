"""Recognises servers that hand out a terminal and run no command, such as the gates of some rental sites."""

from __future__ import annotations

import re

_ASKS_FOR_TERMINAL = re.compile(
    r"(doesn'?t|does not|no|without|requires?|needs?|allocate)\b.{0,40}\b(pty|tty|pseudo-?terminal|terminal)\b|"
    r"\b(pty|tty)\b.{0,40}\b(required|not supported|denied|needed)|not a (tty|terminal)|"
    r"(exec|command)\w*\b.{0,40}\b(not (allowed|supported|permitted)|disabled|prohibited)|"
    r"interactive (shell|session)s? only",
    re.IGNORECASE,
)
_PROMPT = re.compile(r"(^|\n|\x1b\[[0-9;?]*[A-Za-z])[^\n]{0,200}[$#>%❯]\s*(\x1b\[[0-9;?]*[A-Za-z])*\Z")
_CONTROL = re.compile(r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x09\x0b-\x1f\x7f-\x9f]")


def no_command_sentence(where: str, said: str = "") -> str:
    """Return what to tell a person of a server that runs no command; ``said`` is what it printed, if anything."""
    quoted = " ".join(_CONTROL.sub("", said).split())[-200:]
    return (
        f"{where} gives a terminal but runs no command{f' (it says: {quoted})' if quoted else ''}. Luthier needs an "
        "SSH server that runs commands: rental sites often have a second way in, called direct SSH or SSH over exposed "
        "TCP, with an address and a port of its own. Paste that one."
    )


def is_terminal_only(said: str) -> bool:
    """Say whether a server printed a call for a terminal, or a shell's prompt, instead of running our command."""
    plain = _CONTROL.sub("", said)
    return _ASKS_FOR_TERMINAL.search(plain) is not None or _PROMPT.search(said[-400:]) is not None
