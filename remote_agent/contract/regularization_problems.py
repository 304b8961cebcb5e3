"""What of the regularization cannot work or would do nothing in a job, and what each part costs in memory and time."""

from __future__ import annotations

from typing import Any, Dict, Iterator, Tuple

from remote_agent.contract.averaging_span import averaged_steps
from remote_agent.contract.batch_arithmetic import batch_plan
from remote_agent.contract.dropout_fields import dropout_fields
from remote_agent.contract.job_spec import JobSpec
from remote_agent.contract.problem import ERROR, WARNING, Fix, Known, Problem

_FIELD = "regularization."
LEAST_TAIL_STEPS = 2
"""A mean over fewer updates is no mean."""
LEAST_USUAL_DECAY = 0.99
"""Of an exponential moving average; runs too short for it are better averaged over their end."""


def regularization_problems(spec: JobSpec, known: Known) -> Iterator[Problem]:
    """Yield what stands against the job's regularization, besides what `combinations` does not let run together."""
    yield from _of_dropout(spec, known)
    yield from _of_early_stopping(spec, known)
    yield from _of_averaging(spec, known)


def _of_dropout(spec: JobSpec, known: Known) -> Iterator[Problem]:
    rules = spec.regularization
    if not rules.override_dropout or known.model is None or dropout_fields(known.model.config):
        return
    changes: Tuple[Tuple[str, Any], ...] = ((_FIELD + "override_dropout", False),)
    if rules.residual_dropout == 0:
        changes += ((_FIELD + "residual_dropout", rules.dropout),)
    yield Problem(
        WARNING, _FIELD + "override_dropout",
        "The model's config has no dropout, so there is none to set. Residual dropout works without one.",
        Fix("Use residual dropout", changes),
    )  # fmt: skip


def _of_early_stopping(spec: JobSpec, known: Known) -> Iterator[Problem]:
    path, patience, every = _FIELD + "patience", spec.regularization.patience, spec.evaluation.every_steps
    if patience == 0:
        return
    total = _total_steps(spec, known)
    if not spec.data.held_out_path and spec.data.held_out_fraction == 0:
        yield Problem(
            ERROR, path, "Early stopping goes by the held-out loss, and there is no held-out part.",
            Fix("Set aside 10 %", (("data.held_out_fraction", 0.1),)),
        )  # fmt: skip
    if every == 0:
        often = max(1, total // 10) if total else 50
        yield Problem(
            ERROR, path, "Early stopping needs evaluations during the run, and there are none.",
            Fix("Evaluate every {}".format(often), (("evaluation.every_steps", often),)),
        )  # fmt: skip
    elif total and patience >= (total - 1) // every + int(spec.evaluation.at_start):
        # the first evaluation is always the best so far
        often = max(1, total // (4 * patience))
        fix = Fix("Evaluate every {}".format(often), (("evaluation.every_steps", often),)) if often < every else None
        yield Problem(
            WARNING, path, "Early stopping can never end this run: it has {} evaluations before its end, and it takes "
            "one to set the mark and {} more.".format((total - 1) // every + int(spec.evaluation.at_start), patience),
            fix or Fix("Turn it off", ((path, 0),)),
        )  # fmt: skip


def _of_averaging(spec: JobSpec, known: Known) -> Iterator[Problem]:
    rules, total = spec.regularization, _total_steps(spec, known)
    if rules.averaging == "none" or not total:
        return
    if rules.averaging == "tail" and averaged_steps(rules, total) < LEAST_TAIL_STEPS:
        path = _FIELD + "tail_percent"
        percent = min(100.0, float(-(-100 * 10 // total)))
        fix = Fix("Set to {:g} %".format(percent), ((path, percent),))
        if total < LEAST_TAIL_STEPS:
            fix = Fix("Do not average", ((_FIELD + "averaging", "none"),))
        yield Problem(
            ERROR, path, "The mean over the last {:g} % of {} steps would be over one step only.".format(
                rules.tail_percent, total), fix,
        )  # fmt: skip
    memory = 1.0 / (1.0 - rules.ema_decay)
    if rules.averaging == "ema" and memory > total / 2.0:
        decay = round(1.0 - 5.0 / total, 4)
        fix = Fix("Set to {:g}".format(decay), ((_FIELD + "ema_decay", decay),))
        if decay < LEAST_USUAL_DECAY:
            fix = Fix("Average the end of the run", ((_FIELD + "averaging", "tail"), (_FIELD + "tail_percent", 50.0)))
        yield Problem(
            WARNING, _FIELD + "ema_decay", "The average looks back over about {:.0f} steps, the run has {}: it would "
            "be mostly the weights of the beginning.".format(memory, total), fix,
        )  # fmt: skip


def _total_steps(spec: JobSpec, known: Known) -> int:
    whole = known.data.train_sequences if known.data is not None and known.data.complete else 0
    return batch_plan(spec, known.train_sequences or whole).total_steps


def regularization_costs(spec: JobSpec) -> Dict[str, str]:
    """Return what each part costs while it is on, in memory and time, by the field's path.

    Figures are estimates from what is computed and kept, not measurements.
    """
    strategy = spec.strategy
    split = strategy.zero_stage > 0 and strategy.ranks > 1
    where = "in host memory" if strategy.offload_optimizer else "on each GPU"
    share = ", split over the {} GPUs".format(strategy.ranks) if split else ""
    copy = "4 bytes a trained parameter {}{}".format(where, share)
    lean = strategy.loss_kernel != "plain"
    return {
        _FIELD + "clip_norm": "No memory; the gradient's norm is computed for the journal anyway.",
        _FIELD + "clip_value": "No memory; one pass over the gradient an update.",
        _FIELD + "label_smoothing": "No memory and next to no time"
        + ("; the loss is the lean one, for Liger's kernel is used without smoothing only." if lean else "."),
        _FIELD + "override_dropout": "A mask, 1 byte an element, wherever the model drops; a few percent of the time.",
        _FIELD + "residual_dropout": "Two masks of 1 byte a token and width in each layer, none with activation "
        "checkpointing; a few percent of the time.",
        _FIELD + "neftune_alpha": "One copy of the embeddings' output of a micro batch, in fp32; next to no time.",
        _FIELD + "mixup_alpha": "One copy of the embeddings' output; the head computes its logits for both rows' "
        "labels, about twice its time{}.".format("" if lean else ", and they are all kept"),
        _FIELD + "r_drop_alpha": "Twice the activations and twice the time of forward and backward"
        + ("; the two passes' logits exist a chunk at a time." if lean else
           "; the two passes' logits are all kept, four times those of a plain pass with their gradients."),
        _FIELD + "base_penalty": "{} for the base weights; one pass over the weights an update, after clipping. The "
        "loss shown is without it.".format(copy),
        _FIELD + "averaging": "{} for the average, also in checkpoints with full state; one pass over the weights an "
        "update, and each evaluation and save exchanges the weights twice.".format(copy),
        _FIELD + "patience": "No memory; an evaluation each time, as often as the run evaluates.",
    }  # fmt: skip
