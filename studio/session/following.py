"""Following one run without Qt: the same checks and the same store as the window's follower, in a plain loop."""

from __future__ import annotations

import dataclasses
import random
import statistics
import time
from array import array
from collections.abc import Callable

from remote_agent.contract.events import ENDED, MemoryMeasured, StateChanged, TrainingStarted
from studio.background.back_off import back_off_s
from studio.background.run_feed import RunFeed
from studio.remote.agent import Agent
from studio.remote.errors import LinkError
from studio.store.library import Library
from studio.store.live import Position, RunBatch
from studio.store.rows import RunRow

FIRST_DELAY_S, LONGEST_DELAY_S = 1.0, 60.0
_WAIT_S = 0.25

Show = Callable[[RunRow, RunBatch], None]


class Following:
    """Follows a run to its end and keeps it in the library.

    Attributes:
        row: the run as it stands. reason: the sentence of its state. gone: the node has no such run.
        memory: what its ranks told last, None where they told nothing since the start of following.
    """

    def __init__(self, row: RunRow, library: Library, agent: Agent) -> None:
        self.row = row
        self.reason = ""
        self.gone = False
        self.memory: MemoryMeasured | None = None
        self._rates = array("d")
        self._library, self._agent = library, agent
        self._failures = 0

    def follow(self, show: Show, sleep: Callable[[float], None] = time.sleep) -> None:
        """Follow until the run has ended and its journal was read to the end.

        A broken link is tried again for as long as it takes; ``show`` gets what is new. Raises NeedsPerson,
        NodeRefused, AgentFailed, StoreError.
        """
        while True:
            try:
                if self._attached(show):
                    return
            except LinkError as error:
                chance = random.random()  # noqa: S311 - spreads tries, guards nothing
                delay_s = back_off_s(self._failures, chance, FIRST_DELAY_S, LONGEST_DELAY_S)
                self._failures += 1
                note = f"{error.sentence} The run goes on there; trying again in {delay_s:.0f} s."
                show(self.row, RunBatch(notes=[note]))
                sleep(delay_s)

    def measured_row(self) -> RunRow:
        """Return the row with the median rate of the steps that were followed, in tokens a second."""
        rate = statistics.median(self._rates) if self._rates else self.row.tokens_per_s
        return dataclasses.replace(self.row, tokens_per_s=rate)

    def _attached(self, show: Show) -> bool:
        """Read what comes until the run is over. Returns whether everything of it was read."""
        run_id = self.row.run_id
        feed = RunFeed(run_id, Position(self._library.cursors(run_id), self._library.log_offsets(run_id)))
        # an ended run is read once more without following, so that no last line is left behind
        was_ended = self.row.state in ENDED
        stream = self._agent.attach({run_id: feed.wanted(self._library)}, follow=not was_ended)
        try:
            while not stream.ended:
                frames = stream.receive(_WAIT_S)
                for frame in frames:
                    feed.take(frame)
                if not frames:
                    continue
                self._failures = 0
                feed.store(self._library)
                stream.ack()
                batch = feed.take_batch()
                if batch is not None:
                    self._fold(batch)
                    show(self.row, batch)
                if self.gone:
                    return True
                if not was_ended and self.row.state in ENDED:
                    return False
        finally:
            stream.close()
        # what was read to the end may be that the run goes on
        return was_ended and self.row.state in ENDED

    def _fold(self, batch: RunBatch) -> None:
        self.gone = self.gone or batch.gone
        for stamped in batch.events:
            event = stamped.event
            if isinstance(event, StateChanged):
                ended_s = stamped.time_s if event.state in ENDED else 0.0
                self.row = dataclasses.replace(self.row, state=event.state, ended_s=ended_s)
                self.reason = event.reason
            elif isinstance(event, TrainingStarted):
                self.row = dataclasses.replace(self.row, total_steps=event.total_steps)
            elif isinstance(event, MemoryMeasured):
                self.memory = event
        if len(batch.steps):
            step, loss = batch.steps.column("step")[-1], batch.steps.column("loss")[-1]
            self.row = dataclasses.replace(self.row, step=int(step), loss=loss)
            self._rates.extend(batch.steps.column("tokens_per_s"))
