"""The life of one run: start the ranks, watch them, obey the inbox, and say at the end what happened."""

from __future__ import annotations

import os
import time
from typing import Callable, Dict, Optional, Set, Union

from remote_agent.contract.events import (
    FAILED,
    FINISHED,
    INTERRUPTED,
    PAUSED,
    PAUSING,
    QUEUED,
    RESTING,
    RUNNING,
    STARTING,
    STOPPED,
    STOPPING,
    TRANSITIONS,
    Amended,
    CommandAccepted,
    CommandDone,
    CommandRefused,
    Complained,
    Event,
    RankExited,
    Restarted,
    StateChanged,
    StepCompleted,
    TrainingEnded,
    TrainingStarted,
)
from remote_agent.contract.run_dir import CONTROL, INBOX, JOURNAL, RANK0_WRITER
from remote_agent.run_files.inbox import Command, list_commands, put_command, remove_command
from remote_agent.run_files.journal import JournalWriter
from remote_agent.run_files.journal_segments import JournalReader
from remote_agent.supervisor.alert_watch import BULKY_KINDS, LOOKED_BACK, AlertWatch
from remote_agent.supervisor.launch import Launch, trainer_command
from remote_agent.supervisor.lease import Lease, LeaseHolder, interruption
from remote_agent.supervisor.ranks import Ranks, launch_ranks
from remote_agent.supervisor.recovery import CONTROL_VERBS, PAUSE, ROLL_BACK_VERB, Ended, Recovery
from remote_agent.supervisor.resumption import VERB, Resumption, remove_partial_checkpoints, resumption
from remote_agent.supervisor.run_record import RunRecord
from remote_agent.supervisor.talk import CommandError
from remote_agent.supervisor.upkeep import Force, Upkeep
from remote_agent.supervisor.verdict import (
    LAUNCHER,
    Ending,
    Exit,
    failure_in_log,
    first_failure,
    last_lines,
    mark_attempt,
    memory_kills,
    verdict,
)

TICK_S = 0.05
_RANK0_KINDS = (
    "training", "training_ended", "done", "refused", "step", "step_rows", "evaluated", "checkpoint", "amended",
)  # fmt: skip


class Supervision:
    """Supervises a run until it has ended; every change of state is on the disk before anything follows from it.

    Args:
        run_dir: the run's folder, absolute.
        holder: our hold on the run.
        record: what the journal said before we opened it.
        journal: the writer ``supervisor``.
        samples: the writer ``node``.
    """

    def __init__(
        self, run_dir: str, launch: Launch, holder: LeaseHolder, record: RunRecord, journal: JournalWriter,
        samples: JournalWriter,
    ) -> None:  # fmt: skip
        self._run_dir = run_dir
        self._launch = launch
        self._journal = journal
        self._state = record.state
        self._attempt = record.attempt
        self._seen: Set[str] = set(record.seen)
        self._open_stops: Set[str] = set(record.open_stops)
        self._last_step = record.resume_step
        self._rank0 = JournalReader(os.path.join(run_dir, JOURNAL), RANK0_WRITER, _RANK0_KINDS)
        self._alerts = AlertWatch(run_dir, journal.write)
        self._upkeep = Upkeep(run_dir, holder, journal, samples, self._rank0, self._alerts)
        self._force = Force()
        self._ranks: Optional[Ranks] = None
        self._start: Optional[Resumption] = None
        self._resumed_by: Optional[Command] = None
        self._ended: Optional[TrainingEnded] = None
        self._memory_kills = memory_kills()
        self._recovery = Recovery(run_dir, launch, record.restarts)
        self._secrets: Dict[str, str] = {}

    def begin(self) -> None:
        """Journal that the run is queued."""
        if not self._state:
            self._enter(QUEUED)

    def adopt(self, lease: Optional[Lease]) -> None:
        """Take over an attempt whose supervisor is gone; where nothing of it runs, say how the run ended."""
        self._ranks = Ranks(self._run_dir, None, {})
        self._read_rank0(is_history=True)
        if self._ranks.are_running():
            self._write(Complained("warning", "The supervisor was killed; a new one has taken over the running ranks."))
            if self._state == STOPPING:
                self._force.plan(self._launch.stop_grace_s)
        elif interruption(lease) and not (self._ended and self._ended.complete):
            self._enter(INTERRUPTED, interruption(lease))
        else:
            self._conclude(self._ranks)
        self._journal.sync()

    def resume(self, command: Command, record: RunRecord) -> bool:
        """Let an ended run enter its next attempt; say False where the command had to be refused.

        The command is accepted after the change of state, so that one that a crash has cut off is taken again.
        """
        self._seen.add(command.command_id)
        try:
            wanted = resumption(self._run_dir, self._launch, record, command)
        except CommandError as error:
            self._refuse(command, error.sentence)
        else:
            self._resumed_by = command
            self._leave_attempt(command.command_id)
            self._begin_attempt(wanted)
            if wanted.note:
                self._write(Complained("warning", wanted.note))
            self._write(CommandAccepted(command.command_id, command.verb))
        self._journal.sync()
        remove_command(os.path.join(self._run_dir, INBOX), command.command_id)
        return self._start is not None

    def _begin_attempt(self, start: Resumption) -> None:
        """Journal the next attempt and what is different in it; its ranks read that before they train."""
        self._start, self._launch, self._recovery.launch = start, start.launch, start.launch
        self._attempt += 1
        self._enter(STARTING, "from step {}".format(start.step) if start.checkpoint else "")
        self._write(start.told(self._attempt))
        for field, from_step, value in start.amendments:
            self._write(Amended(self._attempt, from_step, field, value, at_start=True))

    def rest(self) -> None:
        """Take what was asked of a run that is paused."""
        self._take_commands()
        self._journal.sync()

    def launch(self, secrets: Dict[str, str]) -> None:
        """Start the ranks; where that fails the run has failed."""
        self._secrets = dict(secrets)
        if self._start is None:
            self._take_commands()
            if self._state != QUEUED:
                return
            self._begin_attempt(Resumption(0, "", self._launch, ""))
            self._journal.sync()
        self._start_ranks()

    def _start_ranks(self) -> None:
        assert self._start is not None
        arguments, environment = trainer_command(self._run_dir, self._launch, self._attempt, self._start.checkpoint)
        environment.update(self._secrets)
        try:
            self._ranks = launch_ranks(self._run_dir, arguments, environment)
        except OSError as error:
            self._enter(FAILED, "{} cannot be started: {}.".format(arguments[0], error.strerror))
            return
        command, self._resumed_by = self._resumed_by, None
        if command is not None:
            self._write(CommandDone(command.command_id, command.verb, self._start.step))

    def _leave_attempt(self, resume_id: str = "") -> None:
        """Clear away what the attempt before has left, so that none of it is taken for the next one's."""
        self._read_rank0(is_history=True)
        self._finish_stops()
        self._ended, self._ranks = None, None
        self._force.drop()
        for folder in (CONTROL, INBOX):
            path = os.path.join(self._run_dir, folder)
            for command in list_commands(path)[0]:
                if command.verb != VERB and command.command_id != resume_id:
                    self._seen.add(command.command_id)
                    self._refuse(command, "The run ended before this was done.")
                    remove_command(path, command.command_id)
        remove_partial_checkpoints(self._run_dir)
        mark_attempt(self._run_dir, self._attempt + 1)

    def watch(self, wait: Callable[[float], None] = time.sleep) -> None:
        """Return when the run has ended, or when another supervisor has taken it.

        Raises:
            OSError: the run directory is gone.
        """
        while self._state not in RESTING:
            if not self._upkeep.keep_up():
                return
            running = self._ranks is not None and self._ranks.are_running()
            self._read_rank0()
            self._take_commands()
            if self._recovery.waits:
                self._go_on_when_due()
            elif not running:
                assert self._ranks is not None
                self._conclude(self._ranks)
                continue
            elif self._ranks is not None:
                self._force.use(self._ranks, self._launch.term_grace_s)
            wait(TICK_S)

    def _go_on_when_due(self) -> None:
        """Start the attempt that is to follow by itself once its time has come; a stop meanwhile ends the run."""
        if self._state == STOPPING:
            self._recovery.give_up()
            self._finish_stops()
            self._enter(STOPPED)
            return
        further = self._recovery.due(time.monotonic())
        if further is None:
            return
        self._leave_attempt()
        self._begin_attempt(Resumption(further.step, further.checkpoint, self._launch, "", further.amendments))
        self._journal.sync()
        self._start_ranks()
        command, self._recovery.asked_by = self._recovery.asked_by, None
        if command is not None:
            self._write(CommandDone(command.command_id, command.verb, further.step))

    def end_ranks(self) -> None:
        """End everything that runs, for a run whose directory is gone."""
        if self._ranks is not None:
            self._ranks.sweep(self._launch.term_grace_s)

    def close(self) -> None:
        """Sync and close everything."""
        self._rank0.sync()
        self._rank0.close()
        self._upkeep.close()
        self._journal.close()

    def _write(self, event: Event) -> None:
        self._journal.write(event)
        self._alerts.take(event, time.time())

    def _enter(self, state: str, reason: str = "") -> None:
        assert not self._state or state in TRANSITIONS[self._state], "{} -> {}".format(self._state, state)
        self._state = state
        self._write(StateChanged(state, self._attempt, reason))
        self._journal.sync()

    def _read_rank0(self, is_history: bool = False) -> None:
        """Take what rank 0 journalled; ``is_history`` where another process has taken it before."""
        told = self._rank0.poll_latest(BULKY_KINDS, LOOKED_BACK) if is_history else self._rank0.poll()
        if is_history:
            self._alerts.take_over(told)
        for time_s, event in told:
            if not is_history:
                self._alerts.take(event, time_s)
            if isinstance(event, (TrainingStarted, TrainingEnded)) and event.attempt == self._attempt:
                self._take_milestone(event)
            elif isinstance(event, CommandDone):
                self._open_stops.discard(event.command_id)
            elif isinstance(event, CommandRefused) and event.verb == PAUSE and self._state == PAUSING:
                self._enter(RUNNING, event.reason)
            elif isinstance(event, StepCompleted):
                self._last_step = event.step

    def _take_milestone(self, event: Union[TrainingStarted, TrainingEnded]) -> None:
        """Take that the ranks of this attempt train, or are through."""
        if isinstance(event, TrainingEnded):
            self._ended = event
            self._rank0.sync()
            return
        if self._state == STARTING:
            self._enter(RUNNING)
        if self._ranks is not None:
            self._ranks.look_again()

    def _take_commands(self) -> None:
        inbox = os.path.join(self._run_dir, INBOX)
        commands, broken = list_commands(inbox)
        for name in broken:
            self._write(Complained("warning", "The inbox held a file that is no command: {}.".format(name)))
            os.unlink(os.path.join(inbox, name))
        for command in commands:
            if command.command_id not in self._seen:
                self._seen.add(command.command_id)
                self._obey(command)
                self._journal.sync()
            remove_command(inbox, command.command_id)

    def _obey(self, command: Command) -> None:
        if command.verb == "stop":
            self._write(CommandAccepted(command.command_id, command.verb))
            self._stop(command)
        elif command.verb == VERB:
            self._refuse(command, "The run is {}; it goes on already.".format(self._state))
        elif command.verb not in (*CONTROL_VERBS, ROLL_BACK_VERB):
            self._refuse(command, "There is no command {}.".format(command.verb[:40]))
        elif self._state != RUNNING:
            said = "The run is {}; it can {} only while it trains."
            self._refuse(command, said.format(self._state, command.verb.replace("_", " ")))
        elif command.verb == ROLL_BACK_VERB:
            self._write(CommandAccepted(command.command_id, command.verb))
            self._recovery.asked_by = command
            self._force.plan(0.0, waited=False)
        elif self._recovery.refusal(command):
            self._refuse(command, self._recovery.refusal(command))
        else:
            self._write(CommandAccepted(command.command_id, command.verb))
            if not self._hand_over(command):
                self._refuse(command, "It could not be handed to the ranks; is the node's disk full?")
            elif command.verb == PAUSE:
                self._enter(PAUSING)

    def _refuse(self, command: Command, reason: str) -> None:
        self._write(CommandRefused(command.command_id, command.verb, reason))

    def _stop(self, command: Command) -> None:
        """Ask the ranks to end; a stop before they train, or a second one that saves nothing, ends them at once."""
        self._open_stops.add(command.command_id)
        if self._state in (QUEUED, PAUSED):
            self._enter(STOPPED)
            self._finish_stops()
            return
        trains = self._state in (RUNNING, PAUSING)
        again = self._state == STOPPING
        if not again:
            self._enter(STOPPING)
        if trains and self._hand_over(command):
            self._force.plan(self._launch.stop_grace_s)
        elif not again or command.arguments.get("save") is False:
            self._force.plan(0.0, waited=False)

    def _hand_over(self, command: Command) -> bool:
        try:
            put_command(os.path.join(self._run_dir, CONTROL), command)
        except OSError:
            return False
        return True

    def _conclude(self, ranks: Ranks) -> None:
        """Journal how the launcher ended, end what is left of the ranks, and then the verdict."""
        launcher = ranks.launcher_exit
        if launcher is not None:
            self._exited(LAUNCHER, launcher)
        self._journal.sync()
        left = ranks.sweep(self._launch.term_grace_s)
        if left:
            self._write(Complained("error", "{} processes of the run could not be killed.".format(left)))
        self._read_rank0()
        failure = failure_in_log(self._run_dir) or first_failure(ranks.exits)
        if launcher is not None and launcher.signal and not self._is_stopping():
            failure = None  # the ranks died of the launcher's death
        if failure is not None and launcher != Exit(0, 0):
            self._exited(failure.rank, failure.exit)
        ending = Ending(
            launcher, self._ended, failure, self._is_stopping(), self._force.was_needed,
            memory_kills() != self._memory_kills, self._state == PAUSING,
        )  # fmt: skip
        state, reason = verdict(ending)
        if state == FINISHED and self._state == STARTING:
            self._enter(RUNNING)
        self._finish_stops()
        rank = failure.rank if failure is not None else LAUNCHER
        if state != FAILED or not self._goes_on(reason, rank, ending.out_of_memory):
            self._enter(state, reason)

    def _goes_on(self, reason: str, rank: int, out_of_memory: bool) -> bool:
        """Let the run wait for its next attempt where it is to go on by itself."""
        step, cause = (self._ended.step, self._ended.cause) if self._ended is not None else (self._last_step, "")
        ended = Ended(FAILED, reason, cause, step, last_lines(self._run_dir, rank), out_of_memory)
        further = self._recovery.after(ended, time.monotonic())
        if further is None:
            return False
        self._write(Restarted(self._attempt, *further.told))
        self._enter(STARTING, further.reason)
        return True

    def _is_stopping(self) -> bool:
        return self._state == STOPPING

    def _exited(self, rank: int, ended: Exit) -> None:
        lines = last_lines(self._run_dir, rank) if ended != Exit(0, 0) else ()
        self._write(RankExited(self._attempt, rank, ended.code, ended.signal, lines))

    def _finish_stops(self) -> None:
        step = self._ended.step if self._ended is not None else 0
        for command_id in sorted(self._open_stops):
            self._write(CommandDone(command_id, "stop", step))
            remove_command(os.path.join(self._run_dir, CONTROL), command_id)
        self._open_stops.clear()
