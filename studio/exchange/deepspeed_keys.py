"""A DeepSpeed configuration, on its own or inside another tool's file."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from studio.exchange.reader import AUTO, Reader

_STAGE = re.compile(r"z(?:ero)?[_-]?([0-3])", re.IGNORECASE)
_OPTIMIZERS = {"adamw": "adamw", "adam": "adamw", "lion": "lion", "muon": "muon", "sgd": "sgd"}
_FSDP_STAGES = {"full_shard": 3, "hybrid_shard": 3, "shard_grad_op": 2, "no_shard": 0}


def read_zero(reader: Reader) -> None:
    """Set the ZeRO stage and offloads from ``deepspeed`` (a file's name, or the object) or ``fsdp``."""
    value = reader.raw("deepspeed")
    if isinstance(value, str) and value.lstrip().startswith("{"):
        value = json.loads(value)
    if isinstance(value, Mapping):
        read_deepspeed(Reader(reader.tool, value, {}), reader, "deepspeed.")
    elif isinstance(value, str) and value:
        _by_name(reader, value)
    elif reader.has("fsdp"):
        _fsdp(reader)
    else:
        reader.put("deepspeed", "strategy.zero_stage", 0, "Without DeepSpeed every GPU keeps everything: ZeRO 0.")


def _by_name(reader: Reader, name: str) -> None:
    file = name.rstrip("/").rpartition("/")[2]
    found = _STAGE.search(file)
    if found is None:
        reader.drop("deepspeed", f"{file} is not read; import it on its own to see its ZeRO stage.")
        return
    stage = int(found.group(1))
    reader.put("deepspeed", "strategy.zero_stage", stage, f"By the name {file}; the file is not read.")
    if "offload" in file:
        reader.put("deepspeed", "strategy.offload_optimizer", stage > 0, f"By the name {file}.")
        if stage == 3:
            reader.put("deepspeed", "strategy.offload_parameters", True, f"By the name {file}.")


def _fsdp(reader: Reader) -> None:
    words = " ".join(str(item) for item in reader.items("fsdp")).lower().split()
    stage = next((_FSDP_STAGES[word] for word in words if word in _FSDP_STAGES), 3)
    reader.put("fsdp", "strategy.zero_stage", stage, f"ZeRO {stage} splits what FSDP splits so.")
    if "offload" in words:
        reader.put("fsdp", "strategy.offload_optimizer", True, "FSDP's offload keeps states and weights on the CPU.")
        reader.put("fsdp", "strategy.offload_parameters", stage == 3, "FSDP's offload.")


def read_deepspeed(config: Reader, into: Reader, prefix: str = "") -> None:
    """Set what a DeepSpeed object says. ``config`` reads the object, ``into`` the file that holds it."""
    account = _Account(config, into, prefix)
    zero = _object(config, "zero_optimization")
    account.put("zero_optimization.stage", zero.get("stage", 0), "strategy.zero_stage", int(zero.get("stage", 0)))
    for key, path in (("offload_optimizer", "offload_optimizer"), ("offload_param", "offload_parameters")):
        target = zero.get(key)
        device = str(target.get("device", "none")) if isinstance(target, Mapping) else "none"
        if device != "none":
            why = "" if device == "cpu" else f"{device} becomes the host's memory."
            account.put(f"zero_optimization.{key}.device", device, f"strategy.{path}", True, why)
    _precision(account, config)
    if isinstance(config.raw("gradient_clipping"), int | float):
        account.put(
            "gradient_clipping", config.raw("gradient_clipping"), "regularization.clip_norm",
            float(config.raw("gradient_clipping")),
        )  # fmt: skip
    _batch(account, config)
    _optimizer(account, config)
    account.finish(zero)


def _precision(account: _Account, config: Reader) -> None:
    for name in ("bf16", "fp16"):
        section = _object(config, name)
        if section.get("enabled") is True:
            account.put(f"{name}.enabled", True, "strategy.precision", name)
            power = section.get("initial_scale_power")
            if isinstance(power, int) and name == "fp16":
                account.put("fp16.initial_scale_power", power, "strategy.loss_scale_power", power)
            return
    if not account.prefix and config.has("zero_optimization"):
        both_auto = AUTO in (_object(config, "bf16").get("enabled"), _object(config, "fp16").get("enabled"))
        if not both_auto:
            account.put("bf16.enabled", False, "strategy.precision", "fp32", "Neither bf16 nor fp16 is on.")


def _batch(account: _Account, config: Reader) -> None:
    found = {}
    for key, path in (
        ("train_micro_batch_size_per_gpu", "batch.micro_batch"), ("gradient_accumulation_steps", "batch.accumulation"),
    ):  # fmt: skip
        value = config.raw(key)
        if isinstance(value, int):
            found[key] = value
            account.put(key, value, path, value)
    whole = config.raw("train_batch_size")
    if isinstance(whole, int) and not account.prefix:
        per_rank = found.get("train_micro_batch_size_per_gpu", 1) * found.get("gradient_accumulation_steps", 1)
        if account.into.given.gpus == 0 and whole % per_rank == 0:
            account.put(
                "train_batch_size", whole, "strategy.ranks", whole // per_rank,
                f"{whole} sequences an update are {whole // per_rank} processes of {per_rank}.",
            )  # fmt: skip


def _optimizer(account: _Account, config: Reader) -> None:
    block = _object(config, "optimizer")
    if block:
        name = str(block.get("type", "AdamW")).lower()
        kind = _OPTIMIZERS.get(name)
        account.put(
            "optimizer.type", block.get("type"), "optimizer.kind", kind or "adamw",
            "" if kind == name else f"{name} here is {kind or 'adamw'}.",
        )  # fmt: skip
        options = block.get("params")
        options = options if isinstance(options, Mapping) else {}
        for key, path in (
            ("lr", "optimizer.learning_rate"), ("eps", "optimizer.epsilon"), ("weight_decay", "optimizer.weight_decay"),
        ):  # fmt: skip
            if isinstance(options.get(key), int | float):
                account.put(f"optimizer.params.{key}", options[key], path, float(options[key]))
        betas = options.get("betas")
        if isinstance(betas, list | tuple) and len(betas) == 2:
            account.put("optimizer.params.betas", betas, "optimizer.beta1", float(betas[0]), "The first of both.")
            account.put("optimizer.params.betas", betas, "optimizer.beta2", float(betas[1]), "The second of both.")
    _scheduler(account, config)


def _scheduler(account: _Account, config: Reader) -> None:
    block = _object(config, "scheduler")
    if not block:
        return
    name = str(block.get("type", ""))
    shape = {"WarmupLR": "constant", "WarmupDecayLR": "linear", "WarmupCosineLR": "cosine"}.get(name)
    if shape is None:
        account.drop("scheduler", name, f"Luthier has no schedule {name}.")
        return
    account.put("scheduler.type", name, "schedule.shape", shape, "Under its name here.")
    options = block.get("params")
    options = options if isinstance(options, Mapping) else {}
    minimum = options.get("cos_min_ratio", 0.0001) if shape == "cosine" else 0.0
    account.put("scheduler.type", name, "schedule.minimum_factor", float(minimum), "Where it ends.")
    steps = options.get("warmup_num_steps", 1000)
    if isinstance(steps, int):
        account.put("scheduler.params.warmup_num_steps", steps, "schedule.warmup.amount", float(steps))
        account.put("scheduler.params.warmup_num_steps", steps, "schedule.warmup.unit", "steps", "They are steps.")
        if str(options.get("warmup_type", "log")) == "log":
            account.into.find(
                "schedule.warmup.shape",
                "DeepSpeed's warmup rises with the logarithm of the step where warmup_type is left out; here it is a "
                "line.",
            )
    if isinstance(options.get("warmup_max_lr"), float):
        rate = options["warmup_max_lr"]
        account.put("scheduler.params.warmup_max_lr", rate, "optimizer.learning_rate", rate)
    total = options.get("total_num_steps")
    if isinstance(total, int):
        account.put("scheduler.params.total_num_steps", total, "batch.max_steps", total)


def _object(config: Reader, key: str) -> Mapping[str, Any]:
    value = config.raw(key)
    return value if isinstance(value, Mapping) else {}


class _Account:
    """Enters what a DeepSpeed object says into the import of the file that holds it."""

    def __init__(self, config: Reader, into: Reader, prefix: str) -> None:
        self.config = config
        self.into = into
        self.prefix = prefix

    def put(self, key: str, theirs: Any, path: str, value: Any, sentence: str = "") -> None:
        """Set a field from a nested key."""
        self.into.put_nested(self.prefix + key, theirs, path, value, sentence)

    def drop(self, key: str, theirs: Any, sentence: str) -> None:
        """Say why a nested key has no counterpart."""
        self.into.drop_nested(self.prefix + key, theirs, sentence)

    def finish(self, zero: Mapping[str, Any]) -> None:
        """Account for what is left: values that DeepSpeed or the Trainer fills in, and the engine's own knobs."""
        read = {"stage", "offload_optimizer", "offload_param"}
        for key, value in zero.items():
            if key not in read and value is not False:
                self.drop(f"zero_optimization.{key}", value, _left(value))
        for key, value in self.config.unread().items():
            self.drop(key, value, _left(value))


def _left(value: Any) -> str:
    if value == AUTO:
        return "auto is for the Trainer to fill in; a job says every value."
    return "Luthier writes its own buckets and switches, the same for every job."
