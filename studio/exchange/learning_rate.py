"""The learning rate of other tools: schedules of transformers by name, and their warmup."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from remote_agent.contract.problem import Fix
from studio.exchange.imported import ExchangeError
from studio.exchange.reader import Reader

_SHAPES: Mapping[str, str] = {
    "linear": "linear", "cosine": "cosine", "cosine_with_min_lr": "cosine", "cosine_warmup_with_min_lr": "cosine",
    "cosine_with_restarts": "cosine_restarts", "polynomial": "polynomial", "constant": "constant",
    "constant_with_warmup": "constant", "inverse_sqrt": "inverse_sqrt", "warmup_stable_decay": "wsd",
    "one_cycle": "one_cycle", "rex": "rex",
}  # fmt: skip
_COOLDOWNS = {"linear": "linear", "cosine": "cosine", "1-sqrt": "one_minus_sqrt"}
_POLYNOMIAL_END = 1e-7
"""transformers' lr_end of a polynomial schedule."""


def read_schedule(reader: Reader) -> None:
    """Set shape, minimum, warmup and cooldown. Raises ExchangeError. Reads the peak from the job made so far."""
    name = reader.text("lr_scheduler_type").lower().removeprefix("schedulertype.")
    shape = _SHAPES.get(name)
    if shape is None:
        reader.put("lr_scheduler_type", "schedule.shape", "constant", f"Luthier has no schedule {name}; constant here.")
        reader.find(
            "schedule.shape", f"The schedule {name} has no counterpart; the learning rate is constant.",
            Fix("Use cosine", (("schedule.shape", "cosine"),)),
        )  # fmt: skip
    else:
        reader.put("lr_scheduler_type", "schedule.shape", shape, "" if name == shape else "Under its name here.")
    options = _options(reader)
    _minimum(reader, name, options)
    _of_shape(reader, name, options)
    _warmup(reader, name)
    _leftover_options(reader, options)


def _options(reader: Reader) -> dict[str, Any]:
    """Return lr_scheduler_kwargs, which may be an object or its JSON."""
    value = reader.raw("lr_scheduler_kwargs")
    if isinstance(value, str) and value:
        try:
            value = json.loads(value)
        except json.JSONDecodeError:
            raise ExchangeError(f"lr_scheduler_kwargs: expected an object, found {value!r}.") from None
    return dict(value) if isinstance(value, Mapping) else {}


def _minimum(reader: Reader, name: str, options: dict[str, Any]) -> None:
    peak = reader.spec.optimizer.learning_rate
    key, sentence = "lr_scheduler_type", f"{name} falls to 0."
    minimum = 0.0
    if "min_lr_rate" in options:
        minimum, key, sentence = float(options.pop("min_lr_rate")), "lr_scheduler_kwargs", "min_lr_rate is the minimum."
    elif "min_lr_ratio" in options:
        minimum, key = float(options.pop("min_lr_ratio")), "lr_scheduler_kwargs"
        sentence = "min_lr_ratio is the minimum."
    elif "min_lr" in options:
        lowest = float(options.pop("min_lr"))
        minimum, key, sentence = lowest / peak, "lr_scheduler_kwargs", f"min_lr {lowest:g} as a share of the peak."
    elif name == "polynomial":
        lowest = float(options.pop("lr_end", _POLYNOMIAL_END))
        minimum, sentence = lowest / peak, f"It ends at {lowest:g}, here as a share of the peak."
    if reader.has("cosine_min_lr_ratio"):
        minimum, key, sentence = reader.number("cosine_min_lr_ratio") or 0.0, "cosine_min_lr_ratio", ""
    if name not in ("constant", "constant_with_warmup"):
        reader.put(key, "schedule.minimum_factor", minimum, sentence)


def _of_shape(reader: Reader, name: str, options: dict[str, Any]) -> None:
    if name == "cosine_with_restarts":
        cycles = int(options.pop("num_cycles", 1))
        reader.put("lr_scheduler_kwargs", "schedule.cycles", max(1, cycles), "num_cycles, 1 where left out.")
    elif name == "polynomial":
        power = float(options.pop("power", 1.0))
        reader.put("lr_scheduler_kwargs", "schedule.power", power, "power, 1 where left out.")
    elif name == "inverse_sqrt" and options.get("timescale"):
        reader.put("lr_scheduler_kwargs", "schedule.timescale", int(options.pop("timescale")), "timescale.")
    elif name == "warmup_stable_decay":
        _cooldown(reader, options)
    elif name == "cosine_warmup_with_min_lr" and options.get("warmup_lr_rate") is not None:
        start = float(options.pop("warmup_lr_rate"))
        reader.put("lr_scheduler_kwargs", "schedule.warmup.start_fraction", start, "warmup_lr_rate.")
    if name.startswith("cosine") and options.get("num_cycles") == 0.5:
        options.pop("num_cycles")


def _cooldown(reader: Reader, options: dict[str, Any]) -> None:
    key, schedule = "lr_scheduler_kwargs", "schedule.cooldown"
    reader.put(key, f"{schedule}.amount", float(options.pop("num_decay_steps", 0)), "num_decay_steps.")
    reader.put(key, f"{schedule}.unit", "steps", "num_decay_steps are steps.")
    kind = str(options.pop("decay_type", "cosine"))
    reader.put(key, f"{schedule}.shape", _COOLDOWNS.get(kind, "cosine"), f"decay_type {kind}.")
    if options.pop("warmup_type", "linear") == "cosine":
        reader.put(key, "schedule.warmup.shape", "cosine", "warmup_type cosine.")
    minimum = reader.spec.schedule.minimum_factor
    if minimum:
        reader.put(key, "schedule.warmup.start_fraction", minimum, "Its warmup starts at min_lr_ratio.")


def _warmup(reader: Reader, name: str) -> None:
    if name == "constant":
        for key in ("warmup_steps", "warmup_ratio"):
            reader.drop(key, "A constant schedule has no warmup; transformers ignores it too.")
        reader.put("lr_scheduler_type", "schedule.warmup.amount", 0.0, "constant has no warmup.")
        return
    steps, ratio = reader.number("warmup_steps") or 0.0, reader.number("warmup_ratio") or 0.0
    amount, unit = "schedule.warmup.amount", "schedule.warmup.unit"
    if steps >= 1:
        reader.put("warmup_steps", amount, float(int(steps)))
        reader.put("warmup_steps", unit, "steps", "warmup_steps are steps.")
        if reader.has("warmup_ratio") and ratio:
            reader.drop("warmup_ratio", "warmup_steps overrides it, in transformers too.")
        return
    key = "warmup_steps" if steps or not ratio else "warmup_ratio"
    share = steps or ratio
    if share or reader.has(key):
        reader.put(key, amount, round(100.0 * share, 10), f"A share of {share:g} in percent.")
        reader.put(key, unit, "percent", "A share of the run.")
    else:
        reader.put(key, amount, 0.0)


def _leftover_options(reader: Reader, options: dict[str, Any]) -> None:
    for option, value in options.items():
        reader.drop("lr_scheduler_kwargs", f"Of it, {option} = {value!r} has no counterpart.")
