"""The recipe's update rule over the model's own parameters, and its schedule."""

from __future__ import annotations

from typing import Any

import torch

from remote_agent.contract.amendments import AmendedJob
from remote_agent.contract.job_spec import JobSpec
from remote_agent.contract.parameter_groups import parameter_groups
from remote_agent.contract.recipe_spec import OptimizerSpec
from remote_agent.contract.schedule_spans import Length
from remote_agent.trainer.optimizers.choice import DECAY_KEYS, build_optimizer
from remote_agent.trainer.optimizers.value_clipping import clip_values
from remote_agent.trainer.scheduler import RecipeScheduler


def make_optimizer(model: Any, spec: JobSpec) -> torch.optim.Optimizer:
    """Freeze what the recipe freezes and return the optimizer of the rest, clipping by value included.

    Raises:
        ValueError: nothing is left to train, or a package is missing.
    """
    groups = model_groups(model, spec.optimizer)
    if not groups:
        raise ValueError("Every parameter of the model is frozen; there is nothing to train.")
    optimizer = build_optimizer(groups, spec.optimizer, spec.strategy.offload_optimizer)
    if spec.regularization.clip_value > 0.0:
        clip_values(optimizer, spec.regularization.clip_value, spec.regularization.clip_norm)
    return optimizer


def model_groups(model: Any, spec: OptimizerSpec) -> list[dict[str, Any]]:
    """Return the optimizer's groups, each at its share of the peak, and take what is frozen out of the training.

    The groups are those of `contract.parameter_groups`, in its order; DeepSpeed wants none of them empty.
    """
    by_name = dict(model.named_parameters())
    names = {id(parameter): name for name, parameter in by_name.items()}
    ends = [model.get_input_embeddings(), model.get_output_embeddings()]
    first, last = (names.get(id(end.weight), "") if end is not None else "" for end in ends)
    # under ZeRO-3 a parameter's own shape is that of this rank's share
    shapes = [(name, tuple(getattr(one, "ds_shape", one.shape))) for name, one in by_name.items()]
    key = DECAY_KEYS.get(spec.kind, "weight_decay")
    made = []
    for group in parameter_groups(shapes, spec, (first,), () if last == first else (last,)):
        parameters = [by_name[name] for name in group.names]
        if group.frozen:
            for parameter in parameters:
                parameter.requires_grad_(False)
            continue
        one = {"params": parameters, "lr": spec.learning_rate * group.lr_factor, key: group.weight_decay}
        if spec.kind == "muon":
            one["rule"] = group.rule
        made.append(one)
    return made


def build_scheduler(
    optimizer: torch.optim.Optimizer,
    spec: JobSpec,
    first_step: int,
    horizon: Length,
    amended: AmendedJob | None = None,
) -> RecipeScheduler:
    """Return the schedule from update ``first_step`` on: a function of the step and of the job alone.

    It multiplies what each group's rate and decay are now: its share of the peak, and its own decay.
    """
    return RecipeScheduler(optimizer, spec, first_step, horizon, amended)
