"""A job as the keys of transformers' TrainingArguments: what three of the exports share."""

from __future__ import annotations

from typing import Any

from remote_agent.contract.schedule_spans import is_counted, span_steps
from studio.exchange.exported import Writer

_OPTIMIZERS = {
    "adamw": "adamw_torch", "adamw_8bit": "adamw_bnb_8bit", "lion": "lion_32bit", "sgd": "sgd",
    "adafactor": "adafactor", "muon": "muon",
}  # fmt: skip
_NAMES = frozenset((
    "linear", "cosine", "cosine_with_min_lr", "cosine_warmup_with_min_lr", "cosine_with_restarts", "polynomial",
    "constant_with_warmup", "inverse_sqrt", "warmup_stable_decay",
))  # fmt: skip
"""Schedules of transformers."""
_COOLDOWNS = {"linear": "linear", "cosine": "cosine", "one_minus_sqrt": "1-sqrt"}


def training_arguments(writer: Writer, schedules: frozenset[str] = frozenset()) -> dict[str, Any]:
    """Return the keys with their values. ``schedules`` are shapes that the tool has beyond those of transformers."""
    return {
        **_batch(writer),
        **_optimizer(writer),
        **_schedule(writer, schedules),
        **_regularization(writer),
        **_precision(writer),
        **_saving(writer),
        **_evaluation(writer),
        "seed": writer.take("seed"),
    }


def _batch(writer: Writer) -> dict[str, Any]:
    keys = {
        "per_device_train_batch_size": writer.take("batch.micro_batch"),
        "gradient_accumulation_steps": writer.take("batch.accumulation"),
        "num_train_epochs": writer.take("batch.epochs"),
        "per_device_eval_batch_size": writer.take("evaluation.micro_batch"),
    }
    steps = writer.take("batch.max_steps")
    return {**keys, "max_steps": steps} if steps else keys


def _optimizer(writer: Writer) -> dict[str, Any]:
    kind = writer.take("optimizer.kind")
    keys = {
        "optim": _OPTIMIZERS[kind],
        "learning_rate": writer.take("optimizer.learning_rate"),
        "weight_decay": writer.take("optimizer.weight_decay"),
        "adam_beta1": writer.take("optimizer.beta1"),
        "adam_beta2": writer.take("optimizer.beta2"),
        "adam_epsilon": writer.take("optimizer.epsilon"),
    }
    decays = writer.take("optimizer.decay_embeddings")
    if keys["weight_decay"] and not decays:
        writer.lose("optimizer.decay_embeddings", "transformers decays embeddings and head as well.")
    momentum = writer.take("optimizer.momentum")
    if kind == "sgd" and momentum:
        writer.lose("optimizer.momentum", "transformers' sgd has no momentum.")
    return keys


def _schedule(writer: Writer, schedules: frozenset[str]) -> dict[str, Any]:
    shape, start = writer.take("schedule.shape"), writer.take("schedule.warmup.start_fraction")
    name, options = _shape(writer, shape, start)
    if name not in _NAMES and name not in schedules:
        name = "cosine"
        writer.lose("schedule.shape", "transformers has no such schedule; a cosine to 0 stands for it.")
    if start and shape != "cosine":
        writer.lose("schedule.warmup.start_fraction", "transformers' warmup starts at 0.")
    if writer.take("schedule.warmup.shape") != "linear":
        writer.lose("schedule.warmup.shape", "transformers' warmup is a line.")
    return {"lr_scheduler_type": name, **({"lr_scheduler_kwargs": options} if options else {}), **_warmup(writer)}


def _shape(writer: Writer, shape: str, start: float) -> tuple[str, dict[str, Any]]:
    """Return transformers' name of a schedule, ours where it has none, and lr_scheduler_kwargs."""
    peak, minimum = writer.spec.optimizer.learning_rate, writer.take("schedule.minimum_factor")
    if shape == "cosine":
        if start:
            return "cosine_warmup_with_min_lr", {"min_lr_rate": minimum, "warmup_lr_rate": start}
        return ("cosine_with_min_lr", {"min_lr_rate": minimum}) if minimum else ("cosine", {})
    if shape == "polynomial":
        return shape, {"lr_end": minimum * peak, "power": writer.take("schedule.power")}
    if shape == "linear" and minimum:
        # a polynomial of power 1 is a line, and has an end
        return "polynomial", {"lr_end": minimum * peak, "power": 1.0}
    if shape == "wsd":
        return "warmup_stable_decay", _cooldown(writer)
    if shape == "inverse_sqrt":
        _lose_minimum(writer)
        timescale = writer.take("schedule.timescale")
        return shape, {"timescale": timescale} if timescale else {}
    if shape == "cosine_restarts":
        _lose_minimum(writer)
        return "cosine_with_restarts", {"num_cycles": writer.take("schedule.cycles")}
    return ("constant_with_warmup" if shape == "constant" else shape), {}


def _lose_minimum(writer: Writer) -> None:
    if writer.spec.schedule.minimum_factor:
        writer.lose("schedule.minimum_factor", "transformers' schedule of this shape falls to 0.")


def _cooldown(writer: Writer) -> dict[str, Any]:
    amount, unit = writer.take("schedule.cooldown.amount"), writer.take("schedule.cooldown.unit")
    steps = _steps(writer, amount, unit)
    if steps is None:
        writer.lose("schedule.cooldown.amount", "The steps of the run are not known, and transformers asks for them.")
    shape = _COOLDOWNS[writer.take("schedule.cooldown.shape")]
    minimum = writer.spec.schedule.minimum_factor
    if minimum:
        writer.lose("schedule.warmup.start_fraction", "transformers starts this warmup at the minimum.")
    return {"num_decay_steps": steps or 0, "decay_type": shape, "min_lr_ratio": minimum}


def _warmup(writer: Writer) -> dict[str, Any]:
    amount, unit = writer.take("schedule.warmup.amount"), writer.take("schedule.warmup.unit")
    if unit == "percent" and not writer.horizon:
        return {"warmup_ratio": round(amount / 100.0, 12)} if amount else {}
    steps = _steps(writer, amount, unit)
    if steps is None:
        writer.lose("schedule.warmup.amount", f"The run's length in {unit} is not known; it starts without a warmup.")
    return {"warmup_steps": steps} if steps else {}


def _steps(writer: Writer, amount: float, unit: str) -> int | None:
    horizon = writer.horizon
    if unit == "steps":
        return span_steps(amount, unit, 0)
    total = horizon or (writer.spec.batch.max_steps or None)
    if total is None or not is_counted(unit, total):
        return None
    return span_steps(amount, unit, total)


def _regularization(writer: Writer) -> dict[str, Any]:
    keys = {"max_grad_norm": writer.take("regularization.clip_norm")}
    for path, key in (
        ("regularization.label_smoothing", "label_smoothing_factor"),
        ("regularization.neftune_alpha", "neftune_noise_alpha"),
    ):
        value = writer.take(path)
        if value:
            keys[key] = value
    return keys


def _precision(writer: Writer) -> dict[str, Any]:
    precision = writer.take("strategy.precision")
    writer.take("strategy.loss_kernel")
    if precision != "fp16":
        writer.take("strategy.loss_scale_power")
    keys: dict[str, Any] = {"bf16": precision == "bf16", "fp16": precision == "fp16"}
    keys["gradient_checkpointing"] = writer.take("strategy.activation_checkpointing")
    if writer.take("determinism.enabled"):
        keys["full_determinism"] = True
    return keys


def _saving(writer: Writer) -> dict[str, Any]:
    states, weights = writer.take("checkpointing.state_every_steps"), writer.take("checkpointing.weights_every_steps")
    keep = writer.take("checkpointing.keep_last")
    if not writer.take("checkpointing.save_at_end"):
        writer.lose("checkpointing.save_at_end", "The final weights are written all the same.")
    if not states and not weights:
        return {"save_strategy": "no"}
    if states and weights and states != weights:
        writer.lose("checkpointing.weights_every_steps", "One interval is for both there: that of the full state.")
    return {
        "save_strategy": "steps", "save_steps": states or weights, "save_only_model": not states,
        "save_total_limit": keep,
    }  # fmt: skip


def _evaluation(writer: Writer) -> dict[str, Any]:
    every, first = writer.take("evaluation.every_steps"), writer.take("evaluation.at_start")
    held_out = writer.spec.data.held_out_path or writer.spec.data.held_out_fraction
    if not held_out:
        return {"eval_strategy": "no"}
    if not every:
        writer.lose("evaluation.every_steps", "transformers evaluates at intervals only; here after each epoch.")
        return {"eval_strategy": "epoch", "eval_on_start": first}
    return {"eval_strategy": "steps", "eval_steps": every, "eval_on_start": first}
