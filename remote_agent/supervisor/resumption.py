"""From which checkpoint an ended run goes on, and why it may not."""

from __future__ import annotations

import dataclasses
import os
import shutil
from typing import Any, List, NamedTuple, Optional, Tuple

from remote_agent.contract.amendments import LEARNING_RATE, MAX_STEPS, AmendedJob, amendment_problem
from remote_agent.contract.events import FINISHED, RESTING, AttemptStarted, TrainingEnded, TrainingStarted
from remote_agent.contract.job_spec import JobSpec
from remote_agent.contract.run_dir import CHECKPOINTS, INBOX, JOURNAL, RANK0_WRITER, checkpoint_step
from remote_agent.contract.schedule_spans import Horizon
from remote_agent.run_files.amendments import read_amendments
from remote_agent.run_files.inbox import Command, list_commands
from remote_agent.run_files.journal_segments import JournalReader, last_events
from remote_agent.run_files.manifest import committed_checkpoints, read_manifest, verify
from remote_agent.supervisor.attempt_shape import asked_launch, check_shape
from remote_agent.supervisor.launch import Launch
from remote_agent.supervisor.recovery import job_of
from remote_agent.supervisor.run_record import RunRecord
from remote_agent.supervisor.talk import CommandError, Talk

VERB = "resume"
PHASE = "checking the checkpoint"


class Resumption(NamedTuple):
    """Where a run goes on: ``step`` updates are done; ``note`` is what people have to know of it, or empty."""

    step: int
    checkpoint: str
    launch: Launch
    note: str
    amendments: Tuple[Tuple[str, int, float], ...] = ()
    """(field, from_step, value) of what is different from then on."""

    def told(self, attempt: int) -> AttemptStarted:
        """Return what the journal says of it."""
        return AttemptStarted(attempt, self.launch.ranks, self.step, self.checkpoint, self.launch.zero_stage)


def waiting_resume(run_dir: str, record: RunRecord) -> Optional[Command]:
    """Return the oldest resume in the inbox that was not taken yet."""
    commands, _ = list_commands(os.path.join(run_dir, INBOX))
    return next(
        (command for command in commands if command.verb == VERB and command.command_id not in record.seen), None
    )


def check_ended(run_dir: str, record: RunRecord, max_steps: int = 0) -> None:
    """Raise CommandError unless the run rests and there is something to train, up to ``max_steps`` where given."""
    if record.state not in RESTING:
        raise CommandError(
            "The run is {}; only a run that has ended can go on from a checkpoint.".format(record.state or "new"),
            "bad_request",
        )
    ends = [
        event
        for _, event in last_events(os.path.join(run_dir, JOURNAL), RANK0_WRITER)
        if isinstance(event, TrainingEnded)
    ]
    if ends and max_steps > ends[-1].step:
        return
    if record.state == FINISHED or (ends and ends[-1].complete):
        steps = " All {} updates are done.".format(ends[-1].step) if ends else ""
        raise CommandError("The run is complete; there is nothing to go on with.{}".format(steps), "bad_request")


def choose_checkpoint(talk: Talk, run_dir: str, launch: Launch, max_steps: int = 0) -> Tuple[str, str]:
    """Return the newest undamaged checkpoint with its full state, and a sentence on newer ones that were passed over.

    One of the very last update is left out: after it there is no update for the ranks to go on with.

    Raises:
        CommandError: there is none, or its state cannot be divided among these ranks; or the client cancelled.
    """
    found = [item for item in committed_checkpoints(os.path.join(run_dir, CHECKPOINTS)) if item[2].has_state]
    total = max_steps or total_steps(run_dir)
    if total and found and found[0][0] >= total:
        raise CommandError(
            "All {} updates are done and {} holds their result; only what follows the last update is missing, and "
            "there is no earlier checkpoint to go on from.".format(total, os.path.basename(found[0][1])),
            "bad_request",
        )
    found = [item for item in found if not total or item[0] < total]
    damaged: List[str] = []
    spec = readable_job(run_dir)
    for number, (_, folder, manifest) in enumerate(reversed(found)):
        talk.check()
        talk.progress(PHASE, number, len(found), "checkpoints")
        wrong = verify(folder)
        name = os.path.basename(folder)
        if wrong:
            damaged.append("{} is damaged ({})".format(name, wrong[0].rstrip(".")))
            continue
        check_shape(name, manifest, launch, spec)
        return name, "; ".join(damaged) + ", so the run goes on from {}.".format(name) if damaged else ""
    if damaged:
        raise CommandError("There is nothing to go on from: {}.".format("; ".join(damaged)), "not_found")
    raise CommandError(
        "The run has no checkpoint with its full state, so it cannot go on; start it anew, and let it save its full "
        "state every so many steps.",
        "not_found",
    )


def total_steps(run_dir: str) -> int:
    """Return the updates of the whole run as it was last amended, 0 where its ranks never got so far as to tell."""
    amended = [one.value for one in read_amendments(run_dir) if one.field == MAX_STEPS]
    if amended:
        return int(amended[-1])
    reader = JournalReader(os.path.join(run_dir, JOURNAL), RANK0_WRITER, (TrainingStarted.kind,))
    try:
        totals = [event.total_steps for _, event in reader.poll() if isinstance(event, TrainingStarted)]
    finally:
        reader.close()
    return totals[-1] if totals else 0


def readable_job(run_dir: str) -> JobSpec:
    """Return the run's job. Raises CommandError."""
    try:
        return job_of(run_dir)
    except (OSError, ValueError) as error:
        raise CommandError("The run's job cannot be read: {}.".format(error)) from None


def resumption(run_dir: str, launch: Launch, record: RunRecord, command: Command) -> Resumption:
    """Return what a command from the inbox asks for, checked anew. Raises CommandError."""
    max_steps = _steps(command)
    check_ended(run_dir, record, max_steps)
    name = _text(command, "checkpoint")
    step = checkpoint_step(name)
    manifest = read_manifest(os.path.join(run_dir, CHECKPOINTS, name)) if step is not None else None
    if step is None or manifest is None or not manifest.has_state:
        raise CommandError("{} is no checkpoint that the run can go on from.".format(name[:80] or "It"), "not_found")
    spec = readable_job(run_dir)
    launch = asked_launch(launch, spec, command.arguments)
    check_shape(name, manifest, launch, spec)
    python, extensions = _text(command, "python"), _text(command, "extensions_dir")
    if python:
        launch = dataclasses.replace(launch, python=python, extensions_dir=extensions or launch.extensions_dir)
    return Resumption(step, name, launch, _text(command, "note"), _amendments(run_dir, spec, command, step, max_steps))


def _amendments(
    run_dir: str, spec: JobSpec, command: Command, step: int, max_steps: int
) -> Tuple[Tuple[str, int, float], ...]:
    """Return what a resume changes: the run's end, and the learning rate by a factor. Raises CommandError."""
    found: List[Tuple[str, int, float]] = []
    factor = command.arguments.get("factor", 0.0)
    if max_steps:
        found.append((MAX_STEPS, step, float(max_steps)))
    if isinstance(factor, (int, float)) and not isinstance(factor, bool) and factor:
        peak = AmendedJob(spec, Horizon(0), read_amendments(run_dir)).peak_at(step)
        found.append((LEARNING_RATE, step, factor * peak))
    for field, _, value in found:
        wrong = amendment_problem(spec, field, value, step)
        if wrong:
            raise CommandError(wrong, "bad_request")
    return tuple(found)


def _steps(command: Command) -> int:
    value = command.arguments.get("max_steps", 0)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _text(command: Command, name: str) -> str:
    value: Any = command.arguments.get(name, "")
    return value if isinstance(value, str) else ""


def remove_partial_checkpoints(run_dir: str) -> None:
    """Remove what was being written when an attempt ended; no rank runs any more."""
    parent = os.path.join(run_dir, CHECKPOINTS)
    for name in os.listdir(parent):
        if name.startswith(".step-") and name.endswith(".partial"):
            shutil.rmtree(os.path.join(parent, name))
