"""What a rerun shows in a terminal: a line that moves where a person looks, plain lines where a file does."""

from __future__ import annotations

import os
import sys
import time
from typing import Any, Optional

from remote_agent.contract.events import Complained, Evaluated, Progressed, StepCompleted, TrainingStarted
from remote_agent.contract.run_dir import JOURNAL, RANK0_WRITER
from remote_agent.run_files.journal_segments import JournalReader
from remote_agent.supervisor.talk import Talk

_LINE_EVERY_S = 5.0


class Terminal(Talk):
    """Stands where a client's talk stands: progress is printed, other frames are not for people."""

    def __init__(self) -> None:
        super().__init__()
        self._moves = sys.stdout.isatty()
        self._open_line = False
        self._last_phase = ""
        self._next_line_s = 0.0

    def send(self, frame: str, body: bytes = b"", **head: Any) -> None:
        """Print a progress; leave out everything else."""
        if frame == "progress":
            self.progress(
                str(head.get("phase", "")), head.get("done", 0), head.get("total", 0), str(head.get("unit", ""))
            )

    def progress(self, phase: str, done: float, total: float, unit: str = "") -> None:
        """Show how far a phase is."""
        if total:
            self.show("{}: {:g} of {:g} {}".format(phase, done, total, unit).rstrip(), phase)
        else:
            self.show("{}: {}".format(phase, "{:g} {}".format(done, unit) if done else "...").rstrip(), phase)

    def show(self, text: str, phase: str) -> None:
        """Show a line that the next one of the same phase replaces; in a file, one every few seconds."""
        if self._moves:
            sys.stdout.write("\r\x1b[K" + text)
            self._open_line = True
        elif phase != self._last_phase or time.monotonic() >= self._next_line_s:
            self._next_line_s = time.monotonic() + _LINE_EVERY_S
            sys.stdout.write(text + "\n")
        self._last_phase = phase
        sys.stdout.flush()

    def say(self, sentence: str) -> None:
        """Print a line that stays."""
        self.end_line()
        sys.stdout.write(sentence + "\n")
        sys.stdout.flush()

    def complain(self, sentence: str) -> None:
        """Print a line to standard error."""
        self.end_line()
        sys.stderr.write(sentence + "\n")
        sys.stderr.flush()

    def end_line(self) -> None:
        """Leave the line that moves."""
        if self._open_line:
            sys.stdout.write("\n")
            self._open_line = False


class RunDisplay:
    """Follows a run's journal and shows where it is; `wait` takes the place of a supervisor's pause."""

    def __init__(self, terminal: Terminal, run_dir: str) -> None:
        self._terminal = terminal
        self._reader = JournalReader(os.path.join(run_dir, JOURNAL), RANK0_WRITER)
        self._started: Optional[TrainingStarted] = None

    def wait(self, seconds: float) -> None:
        """Show what is new and pause."""
        for _, event in self._reader.poll():
            self._show(event)
        time.sleep(seconds)

    def close(self) -> None:
        """Show the rest."""
        for _, event in self._reader.poll():
            self._show(event)
        self._reader.close()
        self._terminal.end_line()

    def _show(self, event: Any) -> None:
        if isinstance(event, TrainingStarted):
            self._started = event
        elif isinstance(event, StepCompleted):
            total = self._started.total_steps if self._started else 0
            text = "step {} of {}, loss {:.4f}, {:.0f} tokens/s".format(
                event.step, total, event.loss, event.tokens_per_s
            )
            self._terminal.show(text, "training")
        elif isinstance(event, Evaluated):
            self._terminal.say("step {}: held-out loss {:.4f}".format(event.step, event.loss))
        elif isinstance(event, Progressed):
            self._terminal.progress(event.phase, event.done, event.total, event.unit)
        elif isinstance(event, Complained):
            self._terminal.complain(event.sentence)
