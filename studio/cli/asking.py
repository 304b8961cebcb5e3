"""Asks at the terminal for what only a person knows: a passphrase, a password, a code."""

from __future__ import annotations

import getpass
import sys

from studio.remote.asking import PASSPHRASE, Prompt, SecretAnswer, SecretQuestion


def ask_at_terminal(question: SecretQuestion) -> SecretAnswer | None:
    """Return what was typed; None where the input ended or a line was left empty. Nothing goes to standard output."""
    if question.again:
        _say("That was not accepted; try again.")
    for text in (question.title, question.instruction):
        if text.strip():
            _say(_printable(text))
    if question.kind == PASSPHRASE:
        _say(f"It is needed for {question.where}.")
    texts: list[str] = []
    for prompt in question.prompts:
        text = _typed(prompt)
        if not text:
            return None
        texts.append(text)
    return SecretAnswer(tuple(texts))


def _typed(prompt: Prompt) -> str:
    shown = _printable(prompt.text).strip().rstrip(":") + ": "
    try:
        if prompt.hidden:
            return getpass.getpass(shown)
        sys.stderr.write(shown)
        sys.stderr.flush()
        return sys.stdin.readline().rstrip("\n")
    except EOFError:
        return ""


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")


def _printable(text: str) -> str:
    """Return a server's text without what would steer the terminal."""
    return "".join(letter if letter.isprintable() or letter == "\n" else "?" for letter in text)[:2000]
