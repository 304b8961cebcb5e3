"""Numbers as people say them: 1.3 B, 61.2 GiB, 2e-5, 3 h 12 min, 12.4 k tokens/s."""

from __future__ import annotations

import math

from PySide6.QtCore import QCoreApplication

_GIB = 1024**3
_MIB = 1024**2


def translated(text: str) -> str:
    """Return a text of this module's context in the language in force."""
    return QCoreApplication.translate("words", text)


def short_number(value: float) -> str:
    """Return four significant digits at most: 1.314, 0.0021, 2e-5, 12 431."""
    if not math.isfinite(value):
        return "∞" if value == math.inf else ("-∞" if value == -math.inf else "NaN")
    if value == 0:
        return "0"
    if abs(value) < 1e-3 or abs(value) >= 1e6:
        return exact_float(float(f"{value:.3g}"))
    if abs(value) >= 1e4:
        return whole(round(value))
    return f"{value:.4g}"


def exact_float(value: float) -> str:
    """Return the shortest text that reads back as the same number, as people write it: 2e-5, 0.95, 1e-8, 3."""
    if not math.isfinite(value):
        return short_number(value)
    text = repr(float(value))
    if value != 0 and not 1e-3 <= abs(value) < 1e6:
        digits, _, exponent = f"{value:.16e}".partition("e")
        for places in range(17):
            digits, _, exponent = f"{value:.{places}e}".partition("e")
            if float(f"{digits}e{exponent}") == value:
                break
        return f"{digits}e{int(exponent)}"
    return text.removesuffix(".0")


def whole(value: int) -> str:
    """Return a whole number in groups of three: 46 584 (narrow spaces)."""
    return f"{value:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def count(value: float) -> str:
    """Return a count with a scale: 999, 12.4 k, 135 M, 1.3 B."""
    for limit, letter in ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= (limit if letter == "k" else limit * 0.9995):
            scaled = value / (1e3 if letter == "k" else limit)
            return f"{_three(scaled)} {letter}"
    return whole(round(value))


def _three(scaled: float) -> str:
    return f"{scaled:.0f}" if abs(scaled) >= 99.95 else f"{scaled:.1f}".removesuffix(".0")


def size(value_bytes: float) -> str:
    """Return bytes as GiB, MiB, KiB or bytes: 61.2 GiB, 538 MiB."""
    if value_bytes >= 0.9995 * _GIB:
        return f"{_three(value_bytes / _GIB)} GiB"
    if value_bytes >= 0.9995 * _MIB:
        return f"{_three(value_bytes / _MIB)} MiB"
    if value_bytes >= 1024:
        return f"{_three(value_bytes / 1024)} KiB"
    return translated("{} bytes").format(round(value_bytes))


def duration(seconds: float) -> str:
    """Return a length of time in its two largest units: 12 s, 4 min 10 s, 3 h 12 min, 2 d 4 h."""
    if not math.isfinite(seconds) or seconds < 0:
        return "–"
    if seconds < 10:
        return f"{seconds:.1f} {translated('s')}"
    left = round(seconds)
    parts: list[tuple[int, str]] = []
    for length, unit in (
        (86400, translated("d")),
        (3600, translated("h")),
        (60, translated("min")),
        (1, translated("s")),
    ):
        amount, left = divmod(left, length)
        if amount or parts:
            parts.append((amount, unit))
        if len(parts) == 2:
            break
    return " ".join(f"{amount} {unit}" for amount, unit in parts if amount)


def rate(tokens_per_s: float) -> str:
    """Return a throughput: 74 tokens/s, 12.4 k tokens/s."""
    return translated("{} tokens/s").format(count(tokens_per_s))


def counted(number: int, one: str, many: str) -> str:
    """Return a whole number with its noun; both forms are whole texts with ``{}`` for the number."""
    return (one if number == 1 else many).format(whole(number))


def percent(share: float) -> str:
    """Return a share of 0 … 1 in percent: 23 %, 0.4 %, 99.7 %; what is not quite all never reads 100 %."""
    scaled = 100 * share
    if 99 < scaled < 100:
        return f"{min(scaled, 99.9):.1f} %"
    return f"{scaled:.1f} %" if 0 < abs(scaled) < 1 else f"{scaled:.0f} %"


def choice(value: str) -> str:
    """Return what a choice of the job spec is called on the screen; one without a name of its own stays as it is."""
    return _recipe_choices().get(value) or _data_choices().get(value) or value


def _recipe_choices() -> dict[str, str]:
    return {
        "adamw": "AdamW",
        "adamw_8bit": translated("AdamW, 8 bits"),
        "lion": "Lion",
        "muon": "Muon",
        "sgd": "SGD",
        "adafactor": "Adafactor",
        "cosine": translated("Cosine"),
        "linear": translated("Linear"),
        "constant": translated("Constant"),
        "cosine_restarts": translated("Cosine, restarts"),
        "polynomial": translated("Polynomial"),
        "inverse_sqrt": translated("Inverse root"),
        "wsd": translated("Stable, decay"),
        "one_cycle": translated("One cycle"),
        "rex": "REX",
        "step": translated("Steps"),
        "multi_step": translated("Steps by hand"),
        "piecewise": translated("Drawn by hand"),
        "range_test": translated("Range test"),
        "go_on": translated("Go on"),
        "stop": translated("Stop"),
        "skip_rows": translated("Go back, leave out the rows"),
        "roll_back": translated("Go back, lower the rate"),
        "one_minus_sqrt": translated("1 − square root"),
        "percent": "%",
        "steps": translated("steps"),
        "epochs": translated("epochs"),
        "tokens": translated("tokens"),
        "none": translated("None"),
        "ema": translated("Moving average"),
        "tail": translated("Mean of the end"),
        "lean": translated("Lean"),
        "liger": "Liger",
        "plain": translated("Plain"),
        "bf16": "bf16",
        "fp16": "fp16",
        "fp32": "fp32",
        "sdpa": "SDPA",
        "eager": translated("Eager"),
        "flash_attention_2": "FlashAttention 2",
        "torch": "PyTorch",
        "deepspeed": "DeepSpeed",
        "auto": translated("Auto"),
    }


def _data_choices() -> dict[str, str]:
    return {
        "alpaca": "Alpaca",
        "prompt_completion": translated("Prompt and completion"),
        "messages": translated("Messages"),
        "sharegpt": "ShareGPT",
        "text": translated("Plain text"),
        "classification": translated("Text and class"),
        "truncate": translated("Cut at the end"),
        "drop": translated("Drop the row"),
        "split": translated("Split the row"),
        "row": translated("Any rows"),
        "class": translated("By class"),
        "group": translated("By group"),
        "assistant": translated("Assistant"),
        "user": translated("User"),
        "system": translated("System"),
        "any": translated("Everybody"),
        "last": translated("Last turn"),
        "all": translated("Every token"),
        "start": translated("The start"),
        "end": translated("The end"),
        "down": translated("Down"),
        "up": translated("Up"),
        "paraphrase": translated("Paraphrase"),
        "back_translation": translated("Back-translation"),
        "endpoint": translated("Endpoint"),
        "desktop": translated("This computer"),
        "node": translated("The node"),
        "hub": translated("Hub"),
        "run": translated("A run"),
    }


def run_state(state: str) -> str:
    """Return the word for a run's state."""
    names = {
        "queued": translated("Queued"),
        "preparing": translated("Preparing"),
        "starting": translated("Starting"),
        "running": translated("Running"),
        "pausing": translated("Pausing"),
        "paused": translated("Paused"),
        "stopping": translated("Stopping"),
        "stopped": translated("Stopped"),
        "finished": translated("Finished"),
        "failed": translated("Failed"),
        "interrupted": translated("Interrupted"),
    }
    return names.get(state, state)
