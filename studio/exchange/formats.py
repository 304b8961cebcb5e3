"""Which tool a file is of, told from its keys."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from studio.exchange.imported import ExchangeError

LLAMA_FACTORY = "LLaMA-Factory"
AXOLOTL = "Axolotl"
SWIFT = "ms-swift"
DEEPSPEED = "DeepSpeed"
TRL = "TRL"
TRANSFORMERS = "transformers"

FORMATS: Mapping[str, str] = {
    "llamafactory": LLAMA_FACTORY, "axolotl": AXOLOTL, "ms-swift": SWIFT, "deepspeed": DEEPSPEED, "trl": TRL,
    "transformers": TRANSFORMERS,
}  # fmt: skip
"""The names on a command line."""

# keys that only one tool has
_OWN: Mapping[str, frozenset[str]] = {
    LLAMA_FACTORY: frozenset((
        "finetuning_type", "stage", "template", "cutoff_len", "dataset_dir", "neat_packing", "val_size", "flash_attn",
        "train_on_prompt", "mask_history", "preprocessing_num_workers", "overwrite_cache", "plot_loss", "pure_bf16",
        "disable_gradient_checkpointing", "enable_liger_kernel", "quantization_bit", "eval_dataset", "mix_strategy",
    )),
    AXOLOTL: frozenset((
        "base_model", "sequence_len", "sample_packing", "micro_batch_size", "num_epochs", "val_set_size", "datasets",
        "train_on_inputs", "flash_attention", "pad_to_sequence_len", "dataset_prepared_path", "tokenizer_type",
        "evals_per_epoch", "saves_per_epoch", "lr_scheduler", "adapter", "lora_target_linear", "test_datasets",
    )),
    SWIFT: frozenset((
        "train_type", "sft_type", "tuner_type", "tuner_backend", "split_dataset_ratio", "val_dataset", "attn_impl",
        "truncation_strategy", "loss_scale", "dataset_num_proc", "torch_dtype", "model_type", "model_author", "use_hf",
        "custom_register_path", "model_id_or_path", "dataset_shuffle", "lazy_tokenize",
    )),
    DEEPSPEED: frozenset((
        "zero_optimization", "train_micro_batch_size_per_gpu", "train_batch_size", "gradient_clipping",
        "zero_allow_untested_optimizer", "wall_clock_breakdown", "steps_per_print",
    )),
}  # fmt: skip
_TRL_OWN = frozenset((
    "completion_only_loss", "assistant_only_loss", "dataset_text_field", "max_seq_length", "padding_free",
    "packing_strategy", "truncation_mode", "dataset_kwargs", "eval_packing",
))  # fmt: skip
_TRAINING_ARGUMENTS = frozenset((
    "per_device_train_batch_size", "gradient_accumulation_steps", "num_train_epochs", "lr_scheduler_type",
    "warmup_ratio", "save_strategy", "eval_strategy", "evaluation_strategy", "learning_rate", "warmup_steps", "optim",
    "max_grad_norm", "weight_decay", "adam_beta2",
))  # fmt: skip
_SHOWN = 4


class Detected(NamedTuple):
    """The tool, and the keys that tell it, as a sentence."""

    tool: str
    reason: str


def detected(tree: Mapping[str, Any], name: str) -> Detected:
    """Return which tool a file is of. Raises ExchangeError where its keys are those of none, or of several."""
    if "schema_version" in tree and ("optimizer" in tree or "model" in tree):
        raise ExchangeError(f"{name}: this is a Luthier job already; open it as one.")
    found = {tool: sorted(own & set(tree)) for tool, own in _OWN.items()}
    found = {tool: keys for tool, keys in found.items() if keys}
    best = sorted(found, key=lambda tool: -len(found[tool]))
    if best and (len(best) == 1 or len(found[best[0]]) >= 3 * len(found[best[1]])):
        return Detected(best[0], f"only {best[0]} has the keys {_listed(found[best[0]])}.")
    if best:
        sides = " and ".join(f"{tool} ({_listed(found[tool])})" for tool in best[:2])
        raise ExchangeError(f"{name}: has keys of {sides}; say which it is with --from.")
    own = sorted(_TRL_OWN & set(tree))
    if own:
        return Detected(TRL, f"SFTConfig of TRL has the keys {_listed(own)}.")
    own = sorted(_TRAINING_ARGUMENTS & set(tree))
    if own:
        return Detected(TRANSFORMERS, f"TrainingArguments has the keys {_listed(own)}, and no key is another tool's.")
    known = ", ".join(FORMATS.values())
    raise ExchangeError(f"{name}: no key of it is one of {known}; its keys are {_listed(tree)}.")


def _listed(keys: Iterable[str]) -> str:
    every = list(keys)
    return ", ".join(every[:_SHOWN]) + (" …" if len(every) > _SHOWN else "")
