"""What was changed of a run while it went on, as its journals tell it."""

from __future__ import annotations

from remote_agent.contract.amendments import AmendedJob, in_order
from remote_agent.contract.events import Amended, AttemptStarted, TrainingStarted
from remote_agent.contract.job_spec import JobSpec
from remote_agent.contract.reshaping import Shape, shape_of
from remote_agent.contract.schedule_spans import Horizon, horizon_of


class RunAmendments:
    """The amendments of one run, each once, in the order in which they were made; ``all`` holds them."""

    def __init__(self) -> None:
        self.all: tuple[Amended, ...] = ()
        self._shapes: dict[int, Shape] = {}

    def take(self, event: Amended) -> None:
        """Take an amendment, which a journal that is read anew tells again."""
        if event not in self.all:
            self.all = tuple(in_order([*self.all, event]))

    def begin(self, event: AttemptStarted) -> None:
        """Take with how many ranks and at which stage an attempt was started."""
        self._shapes[event.attempt] = Shape(event.ranks, event.zero_stage)

    def shape(self, spec: JobSpec, attempt: int) -> Shape:
        """Return ranks and ZeRO stage of an attempt: the job's, where a resume has not asked for others."""
        told = self._shapes.get(attempt)
        return shape_of(spec) if told is None or told.zero_stage < 0 else told

    def job(self, spec: JobSpec, told: TrainingStarted | None, total_steps: int) -> AmendedJob:
        """Return the job as it stands at each update; ``total_steps`` is its length before the ranks have told it."""
        horizon = Horizon(total_steps) if told is None else horizon_of(told, told.train_tokens)
        if told is not None and told.planned_steps:
            horizon = horizon._replace(total_steps=told.planned_steps)
        return AmendedJob(spec, horizon, self.all)
