"""Keys that train something else than every parameter: adapters, quantized weights, freezing."""

from __future__ import annotations

from collections.abc import Iterable

from studio.exchange.reader import Reader

_STARTS = ("lora_", "peft_", "relora", "adalora_", "oft_", "boft_", "vera_", "qlora_", "quantization_", "bnb_4bit_",
           "galore_", "apollo_", "badam_")  # fmt: skip
_KEYS = frozenset((
    "adapter", "adapters", "adapter_name_or_path", "load_in_8bit", "load_in_4bit", "gptq", "quant_method",
    "quant_bits", "double_quantization", "use_rslora", "use_dora", "loraplus_lr_ratio", "target_modules",
    "modules_to_save", "additional_target", "use_galore", "use_apollo", "use_badam", "freeze_trainable_layers",
    "freeze_trainable_modules", "freeze_extra_modules", "use_llama_pro", "use_peft", "pissa_init",
    "create_new_adapter", "init_lora_weights", "unfrozen_parameters", "lora",
))  # fmt: skip
_SENTENCE = "It belongs to adapters, quantized or frozen weights; Luthier trains every parameter in full."


def read_adapters(reader: Reader, way: str, says: str, full: str) -> None:
    """Drop and name every key that contradicts full-parameter training.

    Args:
        reader: the import.
        way: the key that says how parameters are trained, "" where the tool has none.
        says: its value, or what stands for it.
        full: the value that means full-parameter training.
    """
    keys = [key for key in reader.unread() if key in _KEYS or key.startswith(_STARTS)]
    if way:
        reader.drop(way, _SENTENCE) if says != full else reader.ignore(way)
    for key in keys:
        reader.drop(key, _SENTENCE)
    if says != full:
        asked = f"{reader.key(way)} is {says}" if reader.has(way) else f"{reader.tool} trains {says} by default"
        also = f"; {_listed(keys)} belong to it" if keys else ""
        rate = reader.spec.optimizer.learning_rate
        reader.find(
            "optimizer.learning_rate",
            f"{asked}{also}. Luthier trains every parameter in full, which takes a lower learning rate than "
            f"{says} usually has (here {rate:g}) and the memory of all states.",
        )
    elif keys:
        verb = "contradicts" if len(keys) == 1 else "contradict"
        reader.find("model.id", f"{_listed(keys)} {verb} full-parameter training; nothing of it is taken over.")


def _listed(keys: Iterable[str]) -> str:
    every = list(keys)
    return every[0] if len(every) == 1 else f"{', '.join(every[:-1])} and {every[-1]}"
