"""Replacing by a regular expression, bounded in time whatever the expression and the text are.

Python's matcher holds the interpreter while it runs and can be told no limit, and neither nested nor neighbouring
repeats are needed to make it slow: ``\\s+$`` over a long run of spaces is enough. So no look at the expression tells
good from bad ones. It runs in a process of its own, which the kernel ends when one text has cost too much processor
time; that is an error, never another result, so the same job cannot come out differently on a slower machine.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from remote_agent.dataset.data_error import DataError

MOST_SECONDS = 5.0
"""Processor time that one text may take. A page of text takes microseconds."""

_CHILD = Path(__file__).with_name("expression_child.py")


class Expression:
    """One expression and its replacement, ready to run over many texts from any thread."""

    def __init__(self, find: str, put: str, seconds: float = MOST_SECONDS) -> None:
        """Take them as they are; the process starts with the first text."""
        self._find = find
        self._put = put
        self._seconds = seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    def replaced(self, texts: Sequence[str]) -> list[str]:
        """Return the texts with every match replaced.

        Raises:
            DataError: the expression is none, or one of the texts costs more processor time or memory than allowed.
        """
        if not texts:
            return []
        with self._lock:
            answers = self._ask(list(texts))
            if answers is None:
                raise self._too_much(texts)
        return answers

    def _ask(self, texts: list[str]) -> list[str] | None:
        """Return the answers, None where the process ended over them."""
        if self._process is None:
            self._start()
        answers: list[str] | None = self._exchange(texts)
        return answers

    def _too_much(self, texts: Sequence[str]) -> DataError:
        """Return the error that shows the text that is too much, found by asking for one at a time."""
        guilty = next((text for text in texts if self._ask([text]) is None), texts[0])
        start = " ".join(guilty[:60].split())
        return DataError(
            f"The expression {self._find!r} takes more than {self._seconds:g} seconds on one text "
            f"(it starts {start!r}). Write it with fewer repeats such as + and * beside or inside each other."
        )

    def _start(self) -> None:
        self._process = subprocess.Popen(  # this interpreter and a file of ours
            [sys.executable, "-I", "-S", "-B", "-W", "ignore", str(_CHILD)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        weakref.finalize(self, _end, self._process)
        wrong = self._exchange([self._find, self._put, self._seconds])
        if wrong is None or wrong:
            self._process = None
            raise DataError(f"{self._find!r} is no regular expression that can be used: {wrong or 'it is too large'}.")

    def _exchange(self, value: Any) -> Any:
        assert self._process is not None and self._process.stdin is not None and self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps(value).encode("ascii") + b"\n")
            self._process.stdin.flush()
            answer = self._process.stdout.readline()
        except BrokenPipeError:
            answer = b""
        if answer.endswith(b"\n"):
            return json.loads(answer)
        _end(self._process)
        self._process = None
        return None


def _end(process: subprocess.Popen[bytes]) -> None:
    """Let the process see the end of its input, and wait: each text it may still be at is bounded in time."""
    process.communicate()
