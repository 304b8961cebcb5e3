"""The keys of TrainingArguments, which every trainer above transformers has under this or another name."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from remote_agent.contract.batch_arithmetic import BatchPlan, batch_plan
from remote_agent.contract.job_spec import with_value
from studio.exchange.learning_rate import read_schedule
from studio.exchange.reader import AUTO, Reader
from studio.exchange.tracker_keys import read_trackers

DEFAULTS: Mapping[str, Any] = {
    "per_device_train_batch_size": 8, "per_device_eval_batch_size": 8, "gradient_accumulation_steps": 1,
    "num_train_epochs": 3.0, "learning_rate": 5e-5, "lr_scheduler_type": "linear", "warmup_steps": 0,
    "optim": "adamw_torch_fused", "weight_decay": 0.0, "adam_beta1": 0.9, "adam_beta2": 0.999, "adam_epsilon": 1e-8,
    "max_grad_norm": 1.0, "save_strategy": "steps", "save_steps": 500, "eval_strategy": "no", "seed": 42,
    "gradient_checkpointing": False, "label_smoothing_factor": 0.0, "dataloader_num_workers": 0,
    "dataloader_pin_memory": True,
}  # fmt: skip
"""As in transformers 5; where left out of a file, they are what runs."""

SILENT: Mapping[str, Any] = {
    "logging_strategy": "steps", "logging_steps": 500, "log_on_each_node": True, "logging_nan_inf_filter": True,
    "log_level": "passive", "log_level_replica": "warning", "include_num_input_tokens_seen": "no",
    "project": "huggingface", "eval_delay": 0, "eval_do_concat_batches": True, "hub_strategy": "every_save",
    "hub_token": "<HUB_TOKEN>", "dataloader_in_order": True, "remove_unused_columns": True,
    "train_sampling_strategy": "random", "length_column_name": "length", "ddp_timeout": 1800,
    "skip_memory_metrics": True, "average_tokens_across_devices": True, "local_rank": -1,
    "accelerator_config": {
        "split_batches": False, "dispatch_batches": None, "even_batches": True, "use_seedable_sampler": True,
        "non_blocking": False, "gradient_accumulation_kwargs": None,
    },
    "do_train": True, "packing_strategy": "bfd", "truncation_mode": "keep_start", "shuffle_dataset": True,
    "loss_type": "nll", "dataset_text_field": "text",
}  # fmt: skip
"""What a dump of all arguments holds of defaults that have no field here and change nothing."""

_LOGS = "Luthier journals every metric of every update on the node, and draws it."
_HUB = "Luthier writes to the node's disk and sends nothing to a hub."
_DDP = "DeepSpeed does what it is for."
REASONS: Mapping[str, str] = {
    "logging_": _LOGS, "log_": _LOGS, "report_to": _LOGS, "run_name": _LOGS, "plot_loss": _LOGS, "wandb_": _LOGS,
    "mlflow_": _LOGS, "comet_": _LOGS, "swanlab_": _LOGS, "trackio_": _LOGS, "project": _LOGS,
    "use_tensorboard": _LOGS, "disable_tqdm": _LOGS, "eval_table_size": _LOGS,
    "hub_": _HUB, "push_to_hub": _HUB,
    "ddp_": _DDP, "local_rank": "Luthier starts the processes itself.",
    "output_dir": "Every run has a directory of its own on the node.",
    "logging_dir": _LOGS, "overwrite_output_dir": "Every run has a directory of its own on the node.",
    "do_train": "A job always trains.", "do_eval": "Evaluation follows from the held-out part.",
    "resume_from_checkpoint": "A run is resumed from its own checkpoints, by name.",
    "load_best_model_at_end": "Luthier keeps checkpoints and says which had the least held-out loss.",
    "metric_for_best_model": "The held-out loss is what counts here.",
    "greater_is_better": "The held-out loss is what counts here.",
    "tf32": "PyTorch's default applies.", "use_cpu": "The node says what it has.",
    "torch_compile": "Luthier does not compile the model.", "torch_compile_": "Luthier does not compile the model.",
    "use_reentrant": "Luthier checkpoints without reentrance.",
    "gradient_checkpointing_kwargs": "Luthier checkpoints without reentrance.",
    "bf16_full_eval": "Held-out loss is computed in the precision of the training.",
    "fp16_full_eval": "Held-out loss is computed in the precision of the training.",
    "data_seed": "One seed decides row order, held-out part and dropout.",
    "ignore_data_skip": "A resumed run always goes on at its place in the data.",
    "preprocessing_num_workers": "The agent prepares the data with as many processes as the node has cores for.",
    "dataset_num_proc": "The agent prepares the data with as many processes as the node has cores for.",
    "dataset_processes": "The agent prepares the data with as many processes as the node has cores for.",
    "overwrite_cache": "Prepared data is addressed by its content, so that it is never stale.",
    "dataset_prepared_path": "Prepared data is addressed by its content, so that it is never stale.",
    "load_from_cache_file": "Prepared data is addressed by its content, so that it is never stale.",
    "tokenized_path": "Prepared data is addressed by its content, so that it is never stale.",
    "fsdp_config": "ZeRO takes FSDP's place; the choice is in the ZeRO stage.",
    "special_tokens": "The tokenizer's own are used.",
}  # fmt: skip
"""Why a key has no counterpart; a name with _ at its end stands for all that begin with it."""

_SAME_ADAMW = ("adamw_torch", "adamw_torch_fused", "adamw_hf", "adamw_apex_fused", "adamw_torch_xla")
_8_BIT = ("adamw_bnb_8bit", "adamw_8bit", "paged_adamw_8bit", "adamw_torch_8bit")
_32_BIT = ("paged_adamw_32bit", "paged_adamw", "adamw_anyprecision", "adamw_torch_npu_fused")
_LIONS = ("lion", "lion_32bit", "lion_8bit", "paged_lion_32bit", "paged_lion_8bit", "lion_pytorch")


def read_training_arguments(reader: Reader) -> None:
    """Set what the keys of TrainingArguments say of recipe, batch, precision, saving, evaluation and loading."""
    _optimizer(reader)
    read_schedule(reader)
    _regularization(reader)
    _batch(reader)
    _precision(reader)
    _saving(reader)
    _evaluation(reader)
    _loading(reader)
    read_trackers(reader)


def plan(reader: Reader) -> BatchPlan:
    """Return the arithmetic of the job made so far; steps are 0 where they cannot be told from rows."""
    spec, rows = reader.spec, reader.given.rows
    sequences = 0 if spec.data.packing else round(rows * (1.0 - spec.data.held_out_fraction))
    return batch_plan(spec, sequences)


def _optimizer(reader: Reader) -> None:
    rate = reader.number("learning_rate")
    if rate is not None:
        reader.put("learning_rate", "optimizer.learning_rate", rate)
    _kind(reader)
    for key, path in (
        ("adam_beta1", "optimizer.beta1"), ("adam_beta2", "optimizer.beta2"), ("adam_epsilon", "optimizer.epsilon"),
        ("weight_decay", "optimizer.weight_decay"),
    ):  # fmt: skip
        value = reader.number(key)
        if value is not None:
            reader.put(key, path, value)
    if reader.spec.optimizer.weight_decay > 0:
        reader.put(
            "weight_decay", "optimizer.decay_embeddings", True, f"{reader.tool} decays embeddings and head as well."
        )


def _kind(reader: Reader) -> None:
    name = reader.text("optim").lower().removeprefix("optimizernames.")
    kind, sentence = "adamw", ""
    if name in _8_BIT:
        kind, sentence = "adamw_8bit", "" if "paged" not in name else "States are not paged here."
    elif name in _32_BIT:
        sentence = "AdamW with fp32 states; they are not paged here."
    elif name in _LIONS:
        kind, sentence = "lion", "" if name.startswith("lion") and "8bit" not in name else "Its state is fp32 here."
    elif name == "adafactor" or name == "muon":
        kind = name
    elif name == "sgd":
        kind = name
        reader.put("optim", "optimizer.momentum", 0.0, "transformers' sgd has no momentum.")
    elif name not in _SAME_ADAMW:
        sentence = f"Luthier has no {name}; AdamW takes its place."
        reader.find("optimizer.kind", f"The optimizer {name} has no counterpart; AdamW takes its place.")
    reader.put("optim", "optimizer.kind", kind, sentence)


def _regularization(reader: Reader) -> None:
    for key, path in (
        ("max_grad_norm", "regularization.clip_norm"),
        ("label_smoothing_factor", "regularization.label_smoothing"),
        ("neftune_noise_alpha", "regularization.neftune_alpha"),
    ):
        value = reader.number(key)
        if value is not None:
            reader.put(key, path, value)


def _batch(reader: Reader) -> None:
    for key, path in (
        ("per_device_train_batch_size", "batch.micro_batch"),
        ("gradient_accumulation_steps", "batch.accumulation"),
        ("num_train_epochs", "batch.epochs"),
        ("per_device_eval_batch_size", "evaluation.micro_batch"),
        ("seed", "seed"),
    ):
        value = reader.number(key)
        if value is not None:
            reader.put(key, path, value)
    steps = reader.whole("max_steps")
    if steps is not None and steps > 0:
        reader.put("max_steps", "batch.max_steps", steps)
    if reader.given.gpus:
        reader.spec = with_value(reader.spec, "strategy.ranks", reader.given.gpus)
    if reader.flag("auto_find_batch_size"):
        reader.drop("auto_find_batch_size", "The memory estimate says beforehand which micro batch fits.")
    if reader.flag("group_by_length"):
        reader.put("group_by_length", "data.group_by_length", True)


def _precision(reader: Reader) -> None:
    bf16, fp16 = reader.raw("bf16"), reader.flag("fp16")
    if bf16 == AUTO or bf16 == "full":
        reader.put("bf16", "strategy.precision", "bf16", "auto takes bf16 where the GPU can; a job says it.")
    elif reader.flag("bf16"):
        reader.put("bf16", "strategy.precision", "bf16")
    elif fp16:
        reader.put("fp16", "strategy.precision", "fp16")
    else:
        reader.put("bf16", "strategy.precision", "fp32", "Neither bf16 nor fp16 is on.")
    value = reader.raw("gradient_checkpointing")
    if isinstance(value, str) and value.startswith("offload"):
        reader.put("gradient_checkpointing", "strategy.activation_checkpointing", True, "Inputs stay on the GPU here.")
    else:
        reader.put("gradient_checkpointing", "strategy.activation_checkpointing", reader.flag("gradient_checkpointing"))
    if reader.flag("use_liger_kernel"):
        reader.put("use_liger_kernel", "strategy.loss_kernel", "liger", "Of Liger's kernels the loss is used here.")
    if reader.flag("full_determinism"):
        reader.put("full_determinism", "determinism.enabled", True)


def _saving(reader: Reader) -> None:
    strategy = reader.text("save_strategy").lower().removeprefix("savestrategy.").removeprefix("intervalstrategy.")
    only_model = reader.flag("save_only_model")
    path = "checkpointing.weights_every_steps" if only_model else "checkpointing.state_every_steps"
    if only_model:
        reader.put("save_only_model", "checkpointing.state_every_steps", 0, "Weights alone are saved.")
    if strategy == "steps":
        _every(reader, "save_steps", path)
    elif strategy == "epoch":
        steps = plan(reader).steps_per_epoch
        if steps:
            reader.put("save_strategy", path, steps, "The steps of an epoch.")
        elif reader.has("save_strategy"):
            reader.drop("save_strategy", "Steps per epoch are not known yet; weights are saved at the end.")
    else:
        if reader.has("save_strategy"):
            reader.put("save_strategy", path, 0, "No checkpoint during the run; weights are saved at the end.")
    if strategy != "steps":
        reader.drop("save_steps", f"save_strategy is {strategy}, so that nothing happens at these steps.")
    limit = reader.whole("save_total_limit")
    if limit:
        reader.put("save_total_limit", "checkpointing.keep_last", limit)


def _every(reader: Reader, key: str, path: str) -> None:
    """Set an interval that is given in steps, or as a share of the run where it is below 1."""
    every = reader.number(key)
    if every is None:
        return
    if every >= 1:
        reader.put(key, path, int(every))
        return
    total = plan(reader).total_steps
    if total and every > 0:
        reader.put(key, path, max(1, math.ceil(total * every)), f"A share of {every:g} of {total} steps.")
    else:
        reader.drop(key, "A share of the run, whose length is not known yet.")


def _evaluation(reader: Reader) -> None:
    old = "evaluation_strategy"
    key = old if reader.has(old) else "eval_strategy"
    reader.ignore(old, "eval_strategy")
    strategy = reader.text(key).lower().removeprefix("intervalstrategy.")
    if strategy == "steps":
        if reader.raw("eval_steps") is not None:
            _every(reader, "eval_steps", "evaluation.every_steps")
        else:
            every = reader.whole("logging_steps") or 500
            reader.put(key, "evaluation.every_steps", every, "eval_steps is left out, so logging_steps counts.")
    elif strategy == "epoch":
        steps = plan(reader).steps_per_epoch
        if steps:
            reader.put(key, "evaluation.every_steps", steps, "The steps of an epoch.")
        else:
            reader.drop(key, "Steps per epoch are not known yet; the held-out loss is taken before and after.")
    if strategy != "steps":
        reader.drop("eval_steps", f"{key} is {strategy}, so that nothing happens at these steps.")
    if reader.has("eval_on_start"):
        reader.put("eval_on_start", "evaluation.at_start", reader.flag("eval_on_start"))


def _loading(reader: Reader) -> None:
    for key, path in (
        ("dataloader_num_workers", "loading.workers"),
        ("dataloader_prefetch_factor", "loading.prefetch"),
    ):
        value = reader.whole(key)
        if value is not None:
            reader.put(key, path, value)
    reader.put("dataloader_pin_memory", "loading.pin_memory", reader.flag("dataloader_pin_memory"))
