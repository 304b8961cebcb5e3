"""What a supervisor does by the clock: sync, sample, renew the lease; and the force it uses once patience ends."""

from __future__ import annotations

import os
import signal
import time
from typing import Optional

from remote_agent.contract.run_dir import CHECKPOINTS
from remote_agent.run_files.journal import JournalWriter
from remote_agent.run_files.journal_segments import JournalReader
from remote_agent.supervisor.alert_watch import AlertWatch
from remote_agent.supervisor.lease import BEAT_S, LeaseHolder
from remote_agent.supervisor.node_sample import NodeSampler
from remote_agent.supervisor.ranks import Ranks

SYNC_S = 0.9  # with a tick of the supervisor less than a second
SAMPLE_S = 5.0


class Upkeep:
    """Keeps a run's journals on the disk, its node sampled and its lease held."""

    def __init__(
        self, run_dir: str, holder: LeaseHolder, journal: JournalWriter, samples: JournalWriter, rank0: JournalReader,
        alerts: AlertWatch,
    ) -> None:  # fmt: skip
        self._run_dir, self._holder = run_dir, holder
        self._journal, self._samples, self._rank0 = journal, samples, rank0
        self._alerts = alerts
        self._sampler = NodeSampler(os.path.join(run_dir, CHECKPOINTS))
        self._due = {"sync": 0.0, "sample": 0.0, "beat": 0.0}

    def keep_up(self) -> bool:
        """Do what is due; say False where the run is no longer ours. Raises OSError where its folder is gone."""
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

    def close(self) -> None:
        """End what samples."""
        self._sampler.close()
        self._samples.close()


class Force:
    """SIGTERM and then SIGKILL for ranks that do not end by themselves.

    Attributes:
        was_needed: they had been given time to end, and did not.
    """

    def __init__(self) -> None:
        self._deadline: Optional[float] = None
        self._next = signal.SIGTERM
        self._waited = False
        self.was_needed = False

    def plan(self, grace_s: float, waited: bool = True) -> None:
        """Use force once the grace is over; ``waited`` where the ranks were asked to end by themselves before."""
        self._waited = waited
        self._deadline, self._next = time.monotonic() + grace_s, signal.SIGTERM

    def drop(self) -> None:
        """Use none."""
        self._deadline = None

    def use(self, ranks: Ranks, term_grace_s: float) -> None:
        """Signal the ranks where it is time."""
        if self._deadline is None or time.monotonic() < self._deadline:
            return
        self.was_needed = self._waited
        ranks.signal_all(self._next)
        self._deadline = time.monotonic() + term_grace_s
        self._next = signal.SIGKILL
