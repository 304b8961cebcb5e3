"""Questions at a real terminal: what is typed comes back, hidden lines are not shown, nothing steers the terminal."""

from __future__ import annotations

import os
import pty
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROGRAM = """
from studio.cli.asking import ask_at_terminal
from studio.remote.asking import Prompt, SecretQuestion
question = SecretQuestion(
    "code", "box", "me@box (port 22)", (Prompt("Password: "), Prompt("Code\\x1b[2J: ", False)), title="Hello\\x07"
)
print("GOT", ask_at_terminal(question).texts)
"""


def _at_terminal(*lines: bytes) -> bytes:
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(ROOT)
        os.execv(sys.executable, [sys.executable, "-c", PROGRAM])
    seen = b""
    answers = list(lines)
    while True:
        try:
            part = os.read(terminal, 4096)
        except OSError:  # Linux's word for the end of a terminal
            part = b""
        if not part:
            break
        seen += part
        if answers and seen.endswith(b": "):
            os.write(terminal, answers.pop(0) + b"\n")
    os.close(terminal)
    os.waitpid(pid, 0)
    return seen


def test_that_answers_are_typed_at_the_terminal_and_hidden_ones_are_not_shown() -> None:
    seen = _at_terminal(b"a word", b"123")
    assert b"GOT ('a word', '123')" in seen
    assert seen.count(b"a word") == 1 and seen.count(b"123") == 2
    assert b"\x1b" not in seen and b"\x07" not in seen
