"""A run directory written line by line, as supervisor and rank 0 do, for tests of following without a trainer."""

from __future__ import annotations

from pathlib import Path

from remote_agent.contract.events import FINISHED, RUNNING, Event, StateChanged, TrainingStarted
from remote_agent.contract.job_spec import JobSpec
from remote_agent.contract.run_dir import JOB, JOURNAL, LOG, RANK0_WRITER, RUNS, SUPERVISOR_WRITER, segment_file
from remote_agent.contract.spec_json import spec_to_json
from tests.support.journals import RUN_ID, event_lines, header_line, step_event

STEPS = 20


class RunFolder:
    """The run `RUN_ID` of `STEPS` updates below an agent's home; it is running and has done five of them."""

    def __init__(self, home: Path) -> None:
        self.folder = home / RUNS / RUN_ID
        (self.folder / JOURNAL).mkdir(parents=True)
        (self.folder / LOG).mkdir()
        for folder in (self.folder, self.folder.parent, self.folder.parent.parent):
            folder.chmod(0o700)
        (self.folder / JOB).write_text(spec_to_json(JobSpec()), encoding="utf-8")
        self._seqs = {RANK0_WRITER: 1, SUPERVISOR_WRITER: 1}
        for writer in self._seqs:
            self.journal(writer).write_bytes(header_line(RUN_ID, writer))
        self.write(SUPERVISOR_WRITER, StateChanged(RUNNING, 1))
        self.write(RANK0_WRITER, TrainingStarted(1, 0, STEPS, STEPS, 1, 1000, STEPS, 2))
        self.steps(1, 5)

    def write(self, writer: str, *events: Event) -> None:
        """Add events to a writer's journal."""
        with self.journal(writer).open("ab") as file:
            file.write(event_lines(list(events), self._seqs[writer]))
        self._seqs[writer] += len(events)

    def steps(self, first: int, last: int) -> None:
        """Add updates, the last one included."""
        self.write(RANK0_WRITER, *(step_event(step) for step in range(first, last + 1)))

    def end(self) -> None:
        """Let the supervisor say that the run is finished."""
        self.write(SUPERVISOR_WRITER, StateChanged(FINISHED, 1))

    def journal(self, writer: str) -> Path:
        """Return a writer's journal."""
        return self.folder / JOURNAL / segment_file(writer, 0)
