"""The life of one run: start the ranks, watch them, obey the inbox, and say at the end what happened."""

from __future__ import annotations

import os
import signal
import time
from typing import Callable, Dict, Optional, Set, Tuple

from remote_agent.contract.events import (
    ENDED,
    FAILED,
    FINISHED,
    INTERRUPTED,
    QUEUED,
    RUNNING,
    STARTING,
    STOPPED,
    STOPPING,
    TRANSITIONS,
    AttemptStarted,
    CommandAccepted,
    CommandDone,
    CommandRefused,
    Complained,
    Event,
    RankExited,
    StateChanged,
    TrainingEnded,
    TrainingStarted,
)
from remote_agent.contract.run_dir import CONTROL, INBOX, JOURNAL, RANK0_WRITER
from remote_agent.run_files.inbox import Command, list_commands, put_command, remove_command
from remote_agent.run_files.journal import JournalWriter
from remote_agent.run_files.journal_segments import JournalReader
from remote_agent.run_files.process import boot_id
from remote_agent.supervisor.alert_watch import AlertWatch
from remote_agent.supervisor.launch import Launch, trainer_command
from remote_agent.supervisor.lease import BEAT_S, Lease, LeaseHolder
from remote_agent.supervisor.node_sample import NodeSampler
from remote_agent.supervisor.ranks import Ranks, launch_ranks
from remote_agent.supervisor.resumption import VERB, Resumption, remove_partial_checkpoints, resumption
from remote_agent.supervisor.run_record import RunRecord
from remote_agent.supervisor.talk import CommandError
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
SYNC_S = 1.0
SAMPLE_S = 5.0
_RANK0_KINDS = ("training", "training_ended", "done", "step", "evaluated", "checkpoint")
_CONTROL_VERBS = ("save", "evaluate")


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
        self._holder = holder
        self._journal = journal
        self._samples = samples
        self._state = record.state
        self._attempt = record.attempt
        self._seen: Set[str] = set(record.seen)
        self._open_stops: Set[str] = set(record.open_stops)
        self._rank0 = JournalReader(os.path.join(run_dir, JOURNAL), RANK0_WRITER, _RANK0_KINDS)
        self._alerts = AlertWatch(run_dir, journal.write)
        self._sampler = NodeSampler(run_dir)
        self._ranks: Optional[Ranks] = None
        self._resume: Optional[Tuple[Command, Resumption]] = None
        self._ended: Optional[TrainingEnded] = None
        self._deadline: Optional[float] = None
        self._next_force: Optional[signal.Signals] = None
        self._waited = False
        self._by_force = False
        self._memory_kills = memory_kills()
        self._due = {"sync": 0.0, "sample": 0.0, "beat": 0.0}

    def begin(self) -> None:
        """Journal that the run is queued."""
        if not self._state:
            self._enter(QUEUED)

    def adopt(self, lease: Optional[Lease]) -> None:
        """Take over an attempt whose supervisor is gone; where nothing of it runs, say how the run ended."""
        self._ranks = Ranks(os.path.basename(self._run_dir), None)
        self._read_rank0(is_history=True)
        if self._ranks.are_running():
            self._write(Complained("warning", "The supervisor was killed; a new one has taken over the running ranks."))
            if self._state == STOPPING:
                self._plan_force()
        elif lease is not None and lease.boot_id != boot_id() and not (self._ended and self._ended.complete):
            self._enter(INTERRUPTED, "The node was restarted while the run was going on.")
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
            self._leave_attempt(command.command_id)
            self._resume, self._launch = (command, wanted), wanted.launch
            self._attempt += 1
            self._enter(STARTING, "from step {}".format(wanted.step))
            self._write(AttemptStarted(self._attempt, self._launch.ranks, wanted.step, wanted.checkpoint))
            if wanted.note:
                self._write(Complained("warning", wanted.note))
            self._write(CommandAccepted(command.command_id, command.verb))
        self._journal.sync()
        remove_command(os.path.join(self._run_dir, INBOX), command.command_id)
        return self._resume is not None

    def launch(self, secrets: Dict[str, str]) -> None:
        """Start the ranks; where that fails the run has failed."""
        if self._resume is None:
            self._take_commands()
            if self._state != QUEUED:
                return
            self._attempt += 1
            self._enter(STARTING)
            self._write(AttemptStarted(self._attempt, self._launch.ranks))
            self._journal.sync()
        checkpoint = self._resume[1].checkpoint if self._resume else ""
        arguments, environment = trainer_command(self._run_dir, self._launch, self._attempt, checkpoint)
        environment.update(secrets)
        try:
            self._ranks = launch_ranks(self._run_dir, arguments, environment)
        except OSError as error:
            self._enter(FAILED, "{} cannot be started: {}.".format(arguments[0], error.strerror))
            return
        if self._resume is not None:
            command, wanted = self._resume
            self._write(CommandDone(command.command_id, command.verb, wanted.step))

    def _leave_attempt(self, resume_id: str) -> None:
        """Clear away what the attempt before has left, so that none of it is taken for the next one's."""
        self._read_rank0(is_history=True)
        self._finish_stops()
        self._ended = None
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
        while self._state not in ENDED:
            assert self._ranks is not None
            if not self._keep_up():
                return
            running = self._ranks.are_running()
            self._read_rank0()
            self._take_commands()
            if not running:
                self._conclude(self._ranks)
                return
            self._use_force(self._ranks)
            wait(TICK_S)

    def end_ranks(self) -> None:
        """End everything that runs, for a run whose directory is gone."""
        if self._ranks is not None:
            self._ranks.sweep(self._launch.term_grace_s)

    def close(self) -> None:
        """Sync and close everything."""
        self._rank0.sync()
        self._rank0.close()
        self._sampler.close()
        self._samples.close()
        self._journal.close()

    def _write(self, event: Event) -> None:
        self._journal.write(event)
        self._alerts.take(event, time.time())

    def _enter(self, state: str, reason: str = "") -> None:
        assert not self._state or state in TRANSITIONS[self._state], "{} -> {}".format(self._state, state)
        self._state = state
        self._write(StateChanged(state, self._attempt, reason))
        self._journal.sync()

    def _keep_up(self) -> bool:
        """Do what is due by the clock: sync, sample, renew the lease; say False where the run is no longer ours."""
        now = time.monotonic()
        if now >= self._due["sample"]:
            self._due["sample"] = now + SAMPLE_S
            sample = self._sampler.sample()
            self._samples.write(sample)
            self._alerts.take(sample, time.time())
            self._alerts.tick()
        if now >= self._due["sync"]:
            self._due["sync"] = now + SYNC_S
            os.stat(self._run_dir)  # raises where someone deleted the run under us
            self._journal.sync()
            self._samples.sync()
            self._rank0.sync()
        if now >= self._due["beat"]:
            self._due["beat"] = now + BEAT_S
            return self._renew()
        return True

    def _renew(self) -> bool:
        try:
            return self._holder.renew()
        except OSError:
            return True  # a full disk costs the beat; the process itself still proves that we live

    def _read_rank0(self, is_history: bool = False) -> None:
        """Take what rank 0 journalled; ``is_history`` where another process has taken it before."""
        told = self._rank0.poll()
        if is_history:
            self._alerts.take_over(told)
        for time_s, event in told:
            if not is_history:
                self._alerts.take(event, time_s)
            if isinstance(event, CommandDone):
                self._open_stops.discard(event.command_id)
            elif isinstance(event, TrainingStarted) and event.attempt == self._attempt:
                if self._state == STARTING:
                    self._enter(RUNNING)
                if self._ranks is not None:
                    self._ranks.look_again()
            elif isinstance(event, TrainingEnded) and event.attempt == self._attempt:
                self._ended = event
                self._rank0.sync()

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
        elif command.verb not in _CONTROL_VERBS:
            self._refuse(command, "There is no command {}.".format(command.verb[:40]))
        elif self._state != RUNNING:
            self._refuse(command, "The run is {}; it can {} only while it trains.".format(self._state, command.verb))
        else:
            self._write(CommandAccepted(command.command_id, command.verb))
            if not self._hand_over(command):
                self._refuse(command, "It could not be handed to the ranks; is the node's disk full?")

    def _refuse(self, command: Command, reason: str) -> None:
        self._write(CommandRefused(command.command_id, command.verb, reason))

    def _stop(self, command: Command) -> None:
        """Ask the ranks to end; a stop before they train, or a second one that saves nothing, ends them at once."""
        self._open_stops.add(command.command_id)
        if self._state == QUEUED:
            self._enter(STOPPED)
            self._finish_stops()
            return
        trains = self._state == RUNNING
        again = self._state == STOPPING
        if not again:
            self._enter(STOPPING)
        if trains and self._hand_over(command):
            self._plan_force()
        elif not again or command.arguments.get("save") is False:
            self._waited = False
            self._deadline, self._next_force = time.monotonic(), signal.SIGTERM

    def _hand_over(self, command: Command) -> bool:
        try:
            put_command(os.path.join(self._run_dir, CONTROL), command)
        except OSError:
            return False
        return True

    def _plan_force(self) -> None:
        self._waited = True
        self._deadline, self._next_force = time.monotonic() + self._launch.stop_grace_s, signal.SIGTERM

    def _use_force(self, ranks: Ranks) -> None:
        if self._deadline is None or time.monotonic() < self._deadline or self._next_force is None:
            return
        self._by_force = self._waited
        ranks.signal_all(self._next_force)
        self._deadline = time.monotonic() + self._launch.term_grace_s
        self._next_force = signal.SIGKILL

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
            launcher, self._ended, failure, self._is_stopping(), self._by_force,
            memory_kills() != self._memory_kills,
        )  # fmt: skip
        state, reason = verdict(ending)
        if state == FINISHED and self._state == STARTING:
            self._enter(RUNNING)
        self._finish_stops()
        self._enter(state, reason)

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


def is_fresh(record: RunRecord) -> bool:
    """Say whether no attempt of the run was ever begun."""
    return record.state in ("", QUEUED) and record.attempt == 0
