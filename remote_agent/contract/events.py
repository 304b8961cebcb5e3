"""What a journal line says: the typed events, their names on the wire, and the states a run goes through."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar, Dict, List, Mapping, NamedTuple, Optional, Tuple, Type, Union

from remote_agent.contract.alert_events import AlertCleared as AlertCleared
from remote_agent.contract.alert_events import AlertRaised as AlertRaised
from remote_agent.contract.alert_events import AlertSent as AlertSent
from remote_agent.contract.alert_events import StacksTaken as StacksTaken
from remote_agent.contract.alert_events import StepRows as StepRows
from remote_agent.contract.command_events import Amended as Amended
from remote_agent.contract.command_events import CommandAccepted as CommandAccepted
from remote_agent.contract.command_events import CommandDone as CommandDone
from remote_agent.contract.command_events import CommandRefused as CommandRefused
from remote_agent.contract.command_events import Restarted as Restarted

QUEUED, PREPARING, STARTING, RUNNING = "queued", "preparing", "starting", "running"
PAUSING, PAUSED, STOPPING = "pausing", "paused", "stopping"
STOPPED, FINISHED, FAILED, INTERRUPTED = "stopped", "finished", "failed", "interrupted"

# queued -> preparing -> starting -> running -> finished
#                                      |  ^
#                   paused <- pausing -+  +- starting (a further attempt)
# any state that is alive may go to stopping, failed or interrupted; a run that rests may start again.
TRANSITIONS: Mapping[str, Tuple[str, ...]] = {
    QUEUED: (PREPARING, STARTING, STOPPING, STOPPED, FAILED, INTERRUPTED),
    PREPARING: (STARTING, STOPPING, STOPPED, FAILED, INTERRUPTED),
    STARTING: (RUNNING, STARTING, STOPPING, FAILED, INTERRUPTED),
    RUNNING: (FINISHED, PAUSING, STOPPING, STARTING, FAILED, INTERRUPTED),
    PAUSING: (PAUSED, RUNNING, FINISHED, STARTING, STOPPING, FAILED, INTERRUPTED),
    PAUSED: (STARTING, STOPPED, INTERRUPTED),
    STOPPING: (STOPPED, FINISHED, FAILED, INTERRUPTED),
    STOPPED: (STARTING,),
    FINISHED: (STARTING,),
    FAILED: (STARTING,),
    INTERRUPTED: (STARTING,),
}
ENDED = frozenset((STOPPED, FINISHED, FAILED, INTERRUPTED))
RESTING = ENDED | {PAUSED}
"""No rank runs and none will, until someone resumes."""


@dataclasses.dataclass(frozen=True)
class StateChanged:
    """The run entered a state. ``reason`` is a sentence for people, empty where the state says it all."""

    kind: ClassVar[str] = "state"
    state: str
    attempt: int = 0
    reason: str = ""


@dataclasses.dataclass(frozen=True)
class AttemptStarted:
    """The ranks of an attempt were started. ``resume_step`` is the number of updates already done.

    ``zero_stage`` is -1 where ranks and stage are the job's.
    """

    kind: ClassVar[str] = "attempt"
    attempt: int
    ranks: int
    resume_step: int = 0
    checkpoint: str = ""
    zero_stage: int = -1


@dataclasses.dataclass(frozen=True)
class RankExited:
    """A rank or the launcher ended; ``rank`` is -1 for the launcher, ``signal`` 0 where none killed it."""

    kind: ClassVar[str] = "rank_exited"
    attempt: int
    rank: int
    exit_code: int
    signal: int = 0
    last_lines: Tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Progressed:
    """A phase before training moved on; ``total`` is 0 where it is unknown."""

    kind: ClassVar[str] = "progress"
    phase: str
    done: float
    total: float
    unit: str = ""


@dataclasses.dataclass(frozen=True)
class NodeSampled:
    """What the node's hardware did at one moment. ``gpus``: one mapping a GPU as in `node_report.Gpu`.

    The network's figures are of all interfaces but the loopback, 0 where the system does not tell them.
    """

    kind: ClassVar[str] = "node"
    cpu_percent: float
    memory_used_bytes: int
    memory_total_bytes: int
    disk_free_bytes: int
    gpus: Tuple[Mapping[str, Any], ...] = ()
    received_bytes_per_s: float = 0.0
    sent_bytes_per_s: float = 0.0


@dataclasses.dataclass(frozen=True)
class TrainingStarted:
    """The ranks hold the model and are about to train. ``train_tokens`` are those of an epoch, 0 where not told.

    ``planned_steps`` is the length that the job itself gives, 0 where it is ``total_steps``: amendments may change it.
    """

    kind: ClassVar[str] = "training"
    attempt: int
    first_step: int
    total_steps: int
    steps_per_epoch: int
    world_size: int
    parameters: int
    train_sequences: int
    held_out_sequences: int
    train_tokens: int = 0
    planned_steps: int = 0


@dataclasses.dataclass(frozen=True)
class StepCompleted:
    """An update is done. ``step`` counts completed updates; ``learning_rate`` was read from the optimizer.

    ``tokens`` are non-padding input ids of the global batch, ``supervised_tokens`` labels other than -100 after the
    shift; ``loss`` is the mean over the supervised tokens of the global batch, each counted by its weight where the
    data has weights; ``gradient_norm`` is before clipping, infinite where fp16 overflowed. ``learning_rates`` are
    those of all parameter groups where they differ, else empty. ``loss_scale`` is fp16's for this update, 0 without
    one; ``skipped_steps`` counts this attempt's updates so far that changed nothing because gradients overflowed.
    ``data_s`` … ``optimizer_s`` are the parts of rank 0's ``step_time_s``: waiting for rows, forward passes, backward
    passes (with the exchange of gradients in them), the update; ``communication_s`` is what rank 0 waited for others
    in the exchange of counts, all 0 where not measured. ``slowest_rank`` took ``slowest_share`` times the ranks' median
    for its own rows and forward passes, -1 where there is one rank.
    """

    kind: ClassVar[str] = "step"
    attempt: int
    step: int
    loss: float
    learning_rate: float
    gradient_norm: float
    tokens: int
    supervised_tokens: int
    tokens_per_s: float
    step_time_s: float
    peak_memory_bytes: int
    epoch: float
    learning_rates: Tuple[float, ...] = ()
    loss_scale: float = 0.0
    skipped_steps: int = 0
    data_s: float = 0.0
    forward_s: float = 0.0
    backward_s: float = 0.0
    optimizer_s: float = 0.0
    communication_s: float = 0.0
    slowest_rank: int = -1
    slowest_share: float = 0.0


@dataclasses.dataclass(frozen=True)
class MemoryMeasured:
    """What the ranks have held so far, in bytes; later ones of an attempt replace earlier ones.

    Attributes:
        on_gpu: the figures are of GPUs, else of the ranks' processes in the host's memory.
        weights, gradients, optimizer: tensors of the fullest rank just before an update, where that lies: on its GPU,
            else in the host's memory. All 0 where no update was measured.
        peak_bytes: the most that the fullest rank held: torch.cuda.max_memory_allocated, else its process's peak.
        reserved_bytes, card_bytes: max_memory_reserved, and all that is in use on that GPU; 0 without GPUs.
        before_bytes: what a rank held before it loaded the model.
        host_bytes: the peaks of all ranks' processes together.
    """

    kind: ClassVar[str] = "memory"
    attempt: int
    step: int
    on_gpu: bool
    weights: int
    gradients: int
    optimizer: int
    peak_bytes: int
    reserved_bytes: int
    card_bytes: int
    before_bytes: int
    host_bytes: int


@dataclasses.dataclass(frozen=True)
class Evaluated:
    """Held-out loss: the sum of NLL over supervised tokens divided by their number, in evaluation mode.

    ``source_losses`` are those of each data source by itself, in the order of the job (a held-out file's last), NaN
    where none of its rows were held out; empty where there is but one.
    """

    kind: ClassVar[str] = "evaluated"
    attempt: int
    step: int
    loss: float
    perplexity: float
    supervised_tokens: int
    rows: int
    seconds: float
    source_losses: Tuple[float, ...] = ()


@dataclasses.dataclass(frozen=True)
class Sampled:
    """The model answered a fixed prompt."""

    kind: ClassVar[str] = "sampled"
    attempt: int
    step: int
    prompt: str
    text: str
    seconds: float = 0.0


@dataclasses.dataclass(frozen=True)
class CheckpointCommitted:
    """A checkpoint is complete on disk; ``name`` is its folder below checkpoints/, ``has_state`` allows a resume."""

    kind: ClassVar[str] = "checkpoint"
    attempt: int
    step: int
    name: str
    has_state: bool
    size_bytes: int
    seconds: float


@dataclasses.dataclass(frozen=True)
class RowLossesTaken:
    """An epoch has ended: the mean loss of each of its rows, as the updates saw it, lies in ``file``.

    After Toneva et al., An Empirical Study of Example Forgetting during Deep Neural Network Learning, 2019,
    arXiv:1812.05159, with losses in the place of right and wrong answers: a row is learnt in an epoch where its mean
    loss is at most ``threshold``, the median over the rows of the first epoch that was taken.

    Attributes:
        epoch: counted from 1.
        rows: how many have a loss in this epoch.
        mean: the mean of their mean losses, in nats, without smoothing and weights.
        file: its path below the run directory.
        hardest, hardest_losses: the first rows by loss, the greatest first, counted from 0 over all sources.
        never_learned: rows that were learnt in no epoch so far.
        forgotten: rows that were learnt in an earlier epoch and are not in this one.
        complete: False where the run ended within the epoch, or part of it ran in an attempt that kept no losses.
    """

    kind: ClassVar[str] = "row_losses"
    attempt: int
    step: int
    epoch: int
    rows: int
    mean: float
    file: str
    hardest: Tuple[int, ...]
    hardest_losses: Tuple[float, ...]
    threshold: float
    never_learned: int
    forgotten: int
    complete: bool = True


@dataclasses.dataclass(frozen=True)
class TrainingEnded:
    """The ranks are through: ``step`` updates done.

    ``complete`` where there is nothing left to do: the whole run is done, or it ended early for the ``reason``.
    ``cause`` is `contract.recovery_spec.NONFINITE` where the ranks gave up on a loss that is no number, else empty.
    """

    kind: ClassVar[str] = "training_ended"
    attempt: int
    step: int
    complete: bool
    reason: str = ""
    cause: str = ""


@dataclasses.dataclass(frozen=True)
class Complained:
    """Something went wrong; ``sentence`` says what, where and what to do."""

    kind: ClassVar[str] = "complaint"
    severity: str
    sentence: str
    rank: int = -1


@dataclasses.dataclass(frozen=True)
class Unknown:
    """An event of a newer writer, kept whole."""

    name: str
    body: Mapping[str, Any]


Event = Union[
    StateChanged, AttemptStarted, CommandAccepted, CommandRefused, CommandDone, RankExited, Progressed, NodeSampled,
    TrainingStarted, StepCompleted, MemoryMeasured, Evaluated, Sampled, CheckpointCommitted, RowLossesTaken,
    TrainingEnded, Complained, AlertRaised, AlertCleared, AlertSent, StacksTaken,
    StepRows, Amended, Restarted, Unknown,
]  # fmt: skip

_CLASSES: Dict[str, Type[Any]] = {
    event_class.kind: event_class
    for event_class in (
        StateChanged, AttemptStarted, CommandAccepted, CommandRefused, CommandDone, RankExited, Progressed, NodeSampled,
        TrainingStarted, StepCompleted, MemoryMeasured, Evaluated, Sampled, CheckpointCommitted, RowLossesTaken,
        TrainingEnded, Complained, AlertRaised, AlertCleared, AlertSent, StacksTaken, StepRows,
        Amended, Restarted,
    )
}  # fmt: skip
_FIELDS: Dict[str, Tuple["dataclasses.Field[Any]", ...]] = {
    kind: dataclasses.fields(event_class) for kind, event_class in _CLASSES.items()
}


class Stamped(NamedTuple):
    """An event with the writer's clock: seconds since the epoch, for people only, never for order."""

    time_s: float
    event: Event


def event_to_body(event: Event, time_s: float) -> Dict[str, Any]:
    """Return the JSON object of a journal line: ``k`` the kind, ``t`` the time, then the event's fields."""
    if isinstance(event, Unknown):
        return dict(event.body)
    body: Dict[str, Any] = {"k": event.kind, "t": round(time_s, 3)}
    for field in _FIELDS[event.kind]:
        body[field.name] = getattr(event, field.name)
    return body


def event_from_body(body: Mapping[str, Any]) -> Stamped:
    """Return the event of a journal line's JSON object.

    Fields it does not know are ignored, missing ones with a default take it, kinds it does not know and events that
    lack a field or hold the wrong type become `Unknown`. The strings "nan", "inf" and "-inf" become floats again.
    """
    time_s = _as_float(body.get("t", 0.0))
    kind = body.get("k")
    name = kind if isinstance(kind, str) else ""
    event_class = _CLASSES.get(name)
    if event_class is None:
        return Stamped(time_s or 0.0, Unknown(name, body))
    values: Dict[str, Any] = {}
    for field in _FIELDS[name]:
        if field.name in body:
            value = _typed(str(field.type), body[field.name])
            if value is None:
                return Stamped(time_s or 0.0, Unknown(name, body))
            values[field.name] = value
        elif field.default is dataclasses.MISSING:
            return Stamped(time_s or 0.0, Unknown(name, body))
    return Stamped(time_s or 0.0, event_class(**values))


def _typed(kind: str, value: Any) -> Any:
    if kind == "float":
        return _as_float(value)
    if kind == "int":
        return value if isinstance(value, int) and not isinstance(value, bool) else None
    if kind == "str":
        return value if isinstance(value, str) else None
    if kind == "bool":
        return value if isinstance(value, bool) else None
    return tuple(value) if isinstance(value, (list, tuple)) else None


def _as_float(value: Any) -> Optional[float]:
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        try:
            return float(value)
        except OverflowError:
            return None
    return float(value) if value in ("nan", "inf", "-inf") else None


def field_names(kind: str) -> List[str]:
    """Return the names of an event kind's fields in order. Raises KeyError for an unknown kind."""
    return [field.name for field in _FIELDS[kind]]
