"""Which fields stand on which card of the recipe, which wait behind "More", and which a choice makes meaningful."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from PySide6.QtCore import QCoreApplication

from remote_agent.contract.job_spec import JobSpec
from remote_agent.contract.schedule_spans import RANGE_TEST
from remote_agent.contract.tracker_spec import ONLINE
from studio.ui.knob_control import FIELDS

Condition = Callable[[JobSpec], bool]

POINTED = ("piecewise", "multi_step")
"""Shapes that go through points."""


class Row(NamedTuple):
    """One row: a field, perhaps a second one beside it, other words than the field's own, and when it matters.

    A row that matters only sometimes stands in front, as it is hidden while it does not; ``folded`` rows wait behind
    "More" even then.
    """

    path: str
    companion: str = ""
    label: str = ""
    when: Condition | None = None
    folded: bool = False

    @property
    def is_folded(self) -> bool:
        """Whether the row waits behind "More"."""
        return self.folded or (self.when is None and FIELDS[self.path].knob.advanced)


class CardPlan(NamedTuple):
    """A card: its title and its rows."""

    name: str
    title: str
    rows: tuple[Row, ...]


def card_plans() -> tuple[CardPlan, ...]:
    """Return the cards in reading order."""
    return (
        CardPlan("optimizer", _translated("Optimizer"), _optimizer_rows()),
        CardPlan("schedule", _translated("Schedule"), _schedule_rows()),
        CardPlan("regularization", _translated("Regularization"), _regularization_rows()),
        CardPlan("batch", _translated("Batch"), (
            Row("batch.micro_batch"), Row("batch.accumulation"), Row("strategy.ranks"), Row("batch.epochs"),
            Row("batch.max_steps"), Row("batch.longest_only"),
        )),
        CardPlan("strategy", _translated("Precision and memory"), (
            Row("strategy.precision"),
            Row("strategy.loss_scale_power", when=lambda spec: spec.strategy.precision == "fp16"),
            Row("strategy.zero_stage"), Row("strategy.activation_checkpointing"), Row("strategy.offload_optimizer"),
            Row("strategy.offload_parameters"), Row("strategy.attention"), Row("strategy.loss_kernel"),
            Row("strategy.threads_per_rank"),
        )),
        CardPlan("keeping", _translated("Checkpoints and evaluation"), (
            Row("evaluation.every_steps"), Row("evaluation.at_start"), Row("checkpointing.weights_every_steps"),
            Row("checkpointing.state_every_steps"), Row("checkpointing.keep_last"), Row("checkpointing.save_at_end"),
            Row("evaluation.sample_prompts"), Row("evaluation.sample_tokens"), Row("evaluation.sample_seconds"),
            Row("evaluation.micro_batch"),
        )),
        CardPlan("repeating", _translated("Seed and loading"), (
            Row("seed"), Row("determinism.enabled"), Row("loading.workers"), Row("loading.prefetch"),
            Row("loading.pin_memory"),
        )),
        CardPlan("recovery", _translated("After a failure"), tuple(
            Row(path) for path in FIELDS if path.startswith("recovery.")
        )),
        CardPlan("alerts", _translated("Alerts"), tuple(Row(path) for path in FIELDS if path.startswith("alerts."))),
        CardPlan("trackers", _translated("Trackers"), _tracker_rows()),
    )  # fmt: skip


def _translated(text: str) -> str:
    return QCoreApplication.translate("recipe", text)


def _kind_is(*kinds: str) -> Condition:
    return lambda spec: spec.optimizer.kind in kinds


def _shape_is(*shapes: str) -> Condition:
    return lambda spec: spec.schedule.shape in shapes


def _shape_is_not(*shapes: str) -> Condition:
    return lambda spec: spec.schedule.shape not in shapes


def _tracker_rows() -> tuple[Row, ...]:
    return (
        Row("trackers.tensorboard"), Row("trackers.wandb"), Row("trackers.mlflow"), Row("trackers.trackio"),
        Row("trackers.wandb_server", when=lambda spec: spec.trackers.wandb == ONLINE),
        Row("trackers.mlflow_server", when=lambda spec: spec.trackers.mlflow == ONLINE),
        Row("trackers.trackio_space", when=lambda spec: spec.trackers.trackio == ONLINE),
        Row("trackers.project"), Row("trackers.run_name"),
    )  # fmt: skip


def _optimizer_rows() -> tuple[Row, ...]:
    adaptive = _kind_is("adamw", "adamw_8bit", "muon")
    with_betas = _kind_is("adamw", "adamw_8bit", "lion", "muon")
    return (
        Row("optimizer.kind"),
        Row("optimizer.beta1", "optimizer.beta2", _translated("Betas"), with_betas),
        Row("optimizer.momentum", when=_kind_is("sgd", "muon")),
        Row("optimizer.weight_decay"),
        Row("optimizer.epsilon", when=adaptive, folded=True),
        Row("optimizer.adam_kernel", when=_kind_is("adamw"), folded=True),
        Row("optimizer.decay_embeddings"),
        Row("optimizer.layer_decay"),
        Row("optimizer.embedding_factor"),
        Row("optimizer.head_factor"),
        Row("optimizer.frozen"),
    )


def _schedule_rows() -> tuple[Row, ...]:
    return (
        Row("schedule.shape"),
        Row("optimizer.learning_rate"),
        Row("schedule.warmup.amount", "schedule.warmup.unit", when=_shape_is_not(RANGE_TEST)),
        Row("schedule.cooldown.amount", "schedule.cooldown.unit", when=_shape_is("wsd")),
        Row("schedule.cooldown.shape", when=_shape_is("wsd")),
        Row("schedule.cycles", when=_shape_is("cosine_restarts")),
        Row("schedule.cycle_length_factor", when=_shape_is("cosine_restarts")),
        Row("schedule.cycle_peak_factor", when=_shape_is("cosine_restarts")),
        Row("schedule.power", when=_shape_is("polynomial")),
        Row("schedule.timescale", when=_shape_is("inverse_sqrt")),
        Row("schedule.step_percent", when=_shape_is("step")),
        Row("schedule.step_factor", when=_shape_is("step")),
        Row("schedule.points", when=_shape_is(*POINTED)),
        Row("schedule.minimum_factor", when=_shape_is_not("constant", "step", *POINTED)),
        Row("schedule.divergence_factor", when=_shape_is(RANGE_TEST)),
        Row("schedule.momentum_low", when=_shape_is("one_cycle")),
        Row("schedule.warmup.start_fraction"),
        Row("schedule.warmup.shape"),
        Row("schedule.weight_decay_end_factor"),
    )


def _regularization_rows() -> tuple[Row, ...]:
    return (
        Row("regularization.clip_norm"),
        Row("regularization.label_smoothing"),
        Row("regularization.clip_value"),
        Row("regularization.override_dropout"),
        Row("regularization.dropout", when=lambda spec: spec.regularization.override_dropout, folded=True),
        Row("regularization.residual_dropout"),
        Row("regularization.neftune_alpha"),
        Row("regularization.mixup_alpha"),
        Row("regularization.r_drop_alpha"),
        Row("regularization.base_penalty"),
        Row("regularization.averaging"),
        Row("regularization.ema_decay", when=lambda spec: spec.regularization.averaging == "ema", folded=True),
        Row("regularization.tail_percent", when=lambda spec: spec.regularization.averaging == "tail", folded=True),
        Row("regularization.patience"),
        Row("regularization.patience_threshold", when=lambda spec: spec.regularization.patience > 0, folded=True),
    )
