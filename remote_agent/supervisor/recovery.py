"""Whether a run goes on by itself once its ranks have ended, from where, and what is different then."""

from __future__ import annotations

import json
import os
from typing import NamedTuple, Optional, Sequence, Tuple

from remote_agent.contract.amendments import LEARNING_RATE, SKIP_STEPS, AmendedJob, amendment_problem
from remote_agent.contract.events import FAILED, Restarted
from remote_agent.contract.job_spec import JobSpec
from remote_agent.contract.recovery_spec import (
    ASKED,
    CRASH,
    MOST_NONFINITE,
    NONFINITE,
    ROLL_BACK,
    SKIP_ROWS,
)
from remote_agent.contract.reshaping import reshape_problem
from remote_agent.contract.run_dir import CHECKPOINTS, JOB
from remote_agent.contract.schedule_spans import Horizon
from remote_agent.contract.spec_json import spec_from_dict
from remote_agent.run_files.amendments import read_amendments
from remote_agent.run_files.inbox import Command
from remote_agent.run_files.manifest import committed_checkpoints
from remote_agent.supervisor.attempt_shape import saved_shape, shape_of_launch
from remote_agent.supervisor.launch import Launch

LONGEST_WAIT_S = 3600.0
MOST_IN_PLACE = 3
"""So often in a row the ranks are started from one and the same place."""

PAUSE, ROLL_BACK_VERB = "pause", "roll_back"
CONTROL_VERBS = ("save", "evaluate", "sample", "amend", PAUSE)
"""What is handed to the ranks while they train."""

_MEMORY_WORDS = ("OutOfMemoryError", "out of memory", "can't allocate memory", "Cannot allocate memory", "MemoryError")


class Further(NamedTuple):
    """The attempt that is to follow by itself.

    Attributes:
        cause: one of `contract.recovery_spec`'s.
        step: updates that are done where it goes on.
        checkpoint: its folder's name, empty for the beginning of the run.
        wait_s: how long to wait before.
        amendments: (field, from_step, value) of what is different from then on.
        reason: a sentence for people.
    """

    cause: str
    step: int
    checkpoint: str
    wait_s: float
    amendments: Tuple[Tuple[str, int, float], ...]
    reason: str

    @property
    def told(self) -> Tuple[str, int, float, str, str]:
        """Return what a `Restarted` says of it behind the attempt that ended."""
        return self.cause, self.step, self.wait_s, self.checkpoint, self.reason


class Ended(NamedTuple):
    """How an attempt ended: the verdict's state and reason, the ranks' own cause and step, their last words."""

    state: str
    reason: str
    cause: str
    step: int
    last_words: Sequence[str]
    killed_for_memory: bool


class Recovery:
    """What is to follow by itself in one run, and when.

    Attributes:
        asked_by: the command that asked to roll back, until its attempt has started.
        launch: how the newest attempt's ranks were launched.
    """

    def __init__(self, run_dir: str, launch: Launch, before: Sequence[Restarted]) -> None:
        self._run_dir, self.launch = run_dir, launch
        self._before = list(before)
        self._further: Optional[Further] = None
        self._at_s = 0.0
        self.asked_by: Optional[Command] = None
        try:
            self._spec = job_of(run_dir)
        except (OSError, ValueError):
            self._spec = JobSpec()  # the ranks say what is wrong with it

    @property
    def waits(self) -> bool:
        """Whether an attempt is to follow."""
        return self._further is not None

    def refusal(self, command: Command) -> str:
        """Return why the ranks are not handed a command, empty where they may be."""
        if command.verb == "amend":
            arguments = command.arguments
            return amendment_problem(self._spec, str(arguments.get("field", "")), arguments.get("value"))
        return ""

    def after(self, ended: Ended, now_s: float) -> Optional[Further]:
        """Return the attempt that follows, and let it wait; None where the run is over."""
        if self.asked_by is not None:
            self._further = self._as_asked(self.asked_by, ended)
        else:
            self._further = further_attempt(self._run_dir, self._spec, self.launch, ended, self._before)
        if self._further is not None:
            one = self._further
            self._before.append(Restarted(0, one.cause, one.step, one.wait_s, one.checkpoint))
            self._at_s = now_s + one.wait_s
        return self._further

    def due(self, now_s: float) -> Optional[Further]:
        """Return the attempt whose time has come, once."""
        if self._further is None or now_s < self._at_s:
            return None
        further, self._further = self._further, None
        return further

    def give_up(self) -> None:
        """Let nothing follow."""
        self._further = None

    def _as_asked(self, command: Command, ended: Ended) -> Further:
        given, factor = command.arguments.get("step"), command.arguments.get("factor")
        step = given if isinstance(given, int) and given > 0 else ended.step
        return rolled_back(
            self._run_dir, self._spec, self.launch, ASKED, step, bool(command.arguments.get("skip")), "",
            float(factor) if isinstance(factor, (int, float)) and 0 < factor <= 1 else 0.0,
        )  # fmt: skip


def job_of(run_dir: str) -> JobSpec:
    """Return the run's job. Raises OSError, or ValueError where it cannot be read."""
    with open(os.path.join(run_dir, JOB), encoding="utf-8") as file:
        return spec_from_dict(json.load(file))


def further_attempt(
    run_dir: str, spec: JobSpec, launch: Launch, ended: Ended, before: Sequence[Restarted]
) -> Optional[Further]:
    """Return the attempt that follows a failure, None where the run is over.

    Args:
        run_dir: the run's folder.
        spec: the job.
        launch: how the ranks were launched; a checkpoint that they cannot read is passed over.
        ended: how the attempt ended.
        before: the restarts since a person last started or resumed the run, oldest first.
    """
    if ended.state != FAILED:
        return None
    if ended.cause == NONFINITE:
        return _after_nonfinite(run_dir, spec, launch, ended, before)
    crashes = [one for one in before if one.cause == CRASH]
    if len(crashes) >= spec.recovery.restarts or ran_out_of_memory(ended):
        return None
    step, name = place_before(run_dir, spec, launch, None)
    in_place = _in_a_row(crashes, step)
    if in_place >= MOST_IN_PLACE:
        return None
    wait_s = min(LONGEST_WAIT_S, spec.recovery.backoff_s * 2.0**in_place)
    reason = "{} It starts again {}{} (restart {} of {}).".format(
        ended.reason, "from step {}".format(step) if name else "from the beginning",
        " in {:.0f} s".format(wait_s) if wait_s >= 1 else "", len(crashes) + 1, spec.recovery.restarts)  # fmt: skip
    return Further(CRASH, step, name, wait_s, (), reason)


def _after_nonfinite(
    run_dir: str, spec: JobSpec, launch: Launch, ended: Ended, before: Sequence[Restarted]
) -> Optional[Further]:
    policy = spec.recovery.nonfinite
    if policy not in (SKIP_ROWS, ROLL_BACK):
        return None
    step = place_before(run_dir, spec, launch, ended.step)[0]
    if _in_a_row([one for one in before if one.cause == NONFINITE], step) >= MOST_NONFINITE:
        return None
    return rolled_back(run_dir, spec, launch, NONFINITE, ended.step, policy == SKIP_ROWS, ended.reason)


def rolled_back(
    run_dir: str, spec: JobSpec, launch: Launch, cause: str, at_step: int, skips: bool, reason: str, factor: float = 0.0
) -> Further:
    """Return the attempt that goes on before update number ``at_step``, counted from 1.

    It leaves that update's rows out where it ``skips``; else the learning rate is ``factor`` times what it was for the
    rest of the run, the job's own factor where that is 0.
    """
    step, name = place_before(run_dir, spec, launch, at_step)
    where = "step {}".format(step) if name else "the beginning"
    if skips:
        change: Tuple[str, int, float] = (SKIP_STEPS, max(step, at_step - 1), 1.0)
        said = "It goes back to {} and leaves out the rows of step {}.".format(where, at_step)
    else:
        times = factor or spec.recovery.roll_back_factor
        known = AmendedJob(spec, Horizon(0), read_amendments(run_dir))
        change = (LEARNING_RATE, step, times * known.peak_at(max(0, at_step - 1)))
        said = "It goes back to {} and trains on at {:g} times the learning rate.".format(where, times)
    return Further(cause, step, name, 0.0, (change,), "{} {}".format(reason, said).strip())


def place_before(run_dir: str, spec: JobSpec, launch: Launch, step: Optional[int]) -> Tuple[int, str]:
    """Return the updates done and the name of the newest full state, before an update where one is given.

    (0, "") where there is none: the run then begins anew. The ranks verify it before they read it.
    """
    wanted = shape_of_launch(launch, spec)
    for done, folder, manifest in reversed(committed_checkpoints(os.path.join(run_dir, CHECKPOINTS))):
        fits = manifest.has_state and not reshape_problem(spec, saved_shape(manifest, spec), wanted)
        if fits and (step is None or done < step):
            return done, os.path.basename(folder)
    return 0, ""


def ran_out_of_memory(ended: Ended) -> bool:
    """Say whether memory was what a rank failed for; started again it would fail again."""
    text = "\n".join(ended.last_words)
    return ended.killed_for_memory or any(word in text for word in _MEMORY_WORDS)


def _in_a_row(restarts: Sequence[Restarted], step: int) -> int:
    """Return how many of the last restarts were from this very step."""
    count = 0
    for one in reversed(restarts):
        if one.step != step:
            break
        count += 1
    return count
