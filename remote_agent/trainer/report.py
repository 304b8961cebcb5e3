"""What rank 0 tells of the run, through its journal; the other ranks have a report that says nothing."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from remote_agent.contract.events import CommandDone, CommandRefused, Event, Progressed, StepCompleted
from remote_agent.contract.run_dir import JOURNAL, RANK0_WRITER
from remote_agent.run_files.journal import JournalWriter
from remote_agent.run_files.masking import mask_of_environment
from remote_agent.trainer.control import Command

_PROGRESS_EVERY_S = 0.5


class Report:
    """Writes events to the rank's journal and a line a step to its log."""

    def __init__(self, run_dir: Path, rank: int) -> None:
        self._journal: JournalWriter | None = None
        self._last_progress_s = -_PROGRESS_EVERY_S
        if rank == 0:
            folder = run_dir / JOURNAL
            folder.mkdir(mode=0o700, exist_ok=True)
            self._journal = JournalWriter(
                str(folder), RANK0_WRITER, run_dir.name, time.time, mask=mask_of_environment()
            )

    def tell(self, event: Event) -> None:
        """Write an event."""
        if self._journal is None:
            return
        self._journal.write(event)
        if isinstance(event, StepCompleted):
            print(  # noqa: T201 the log of the rank is for people
                f"step {event.step}: loss {event.loss:.4f}, learning rate {event.learning_rate:.3e}, "
                f"gradient norm {event.gradient_norm:.3f}, {event.tokens_per_s:.0f} tokens/s",
                flush=True,
            )

    def progress(self, phase: str, done: float, total: float, unit: str = "") -> None:
        """Say how far a phase is, at most twice a second but for its beginning and end."""
        now = time.monotonic()
        if 0 < done < total and now - self._last_progress_s < _PROGRESS_EVERY_S:
            return
        self._last_progress_s = now
        self.tell(Progressed(phase, done, total, unit))

    def done(self, commands: Sequence[Command], step: int, failed: Mapping[str, str] | None = None) -> None:
        """Confirm commands whose effect has happened, or say by verb why it could not, then remove their files."""
        for command in commands:
            reason = (failed or {}).get(command.verb, "")
            if reason:
                self.tell(CommandRefused(command.command_id, command.verb, reason))
            else:
                self.tell(CommandDone(command.command_id, command.verb, step))
        self.sync()
        for command in commands:
            with contextlib.suppress(FileNotFoundError):
                command.path.unlink()

    def sync(self) -> None:
        """Put the journal on the disk: at commits and at the end, never within an update."""
        if self._journal is not None:
            self._journal.sync()

    def close(self) -> None:
        """Sync and close the journal."""
        if self._journal is not None:
            self._journal.close()
