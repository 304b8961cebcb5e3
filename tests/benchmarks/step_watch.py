"""What a benchmark's training process notes of itself: phases, ends and losses of its updates, and its memory.

The standard library alone, so that another tool's environment can run it too.
"""

from __future__ import annotations

import gc
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

FORWARD, BACKWARD, OPTIMIZER = "forward", "backward", "optimizer"


class Figures(NamedTuple):
    """What a process measured. Moments are in seconds since the epoch, sizes in bytes.

    Attributes:
        losses, done_s: of each update the mean over its supervised tokens, and when it was done.
        spans: a name of FORWARD, BACKWARD or OPTIMIZER with begin and end, and the processor seconds used until then.
        weights: the model's parameters.
        loaded: resident with the model loaded and nothing else done.
        peak: the most that was resident after that.
    """

    losses: list[float]
    done_s: list[float]
    spans: list[tuple[str, float, float, float]]
    weights: int
    loaded: int
    peak: int

    @classmethod
    def read(cls, path: Path) -> Figures:
        """Return what a process wrote."""
        found = json.loads(path.read_text(encoding="utf-8"))
        return cls(**found | {"spans": [tuple(span) for span in found["spans"]]})


class Watch:
    """Notes the phases, ends and losses of updates in this process, and its memory from the loaded model on."""

    def __init__(self) -> None:
        self.losses: list[float] = []
        self.done_s: list[float] = []
        self._spans: list[tuple[str, float, float, float]] = []
        self._weights = self._loaded = 0

    def time(self, owner: Any, name: str, phase: str) -> None:
        """Time every call of a function as a part of ``phase``."""
        plain: Callable[..., Any] = getattr(owner, name)

        def timed(*args: Any, **named: Any) -> Any:
            begin = time.time()
            result = plain(*args, **named)
            self._spans.append((phase, begin, time.time(), time.process_time()))
            return result

        setattr(owner, name, timed)

    def time_trainer(self, trainer: Any) -> None:
        """Time the phases of a Trainer of transformers, without DeepSpeed."""
        import torch
        from accelerate import Accelerator

        self.time(trainer, "compute_loss", FORWARD)
        self.time(Accelerator, "backward", BACKWARD)
        self.time(Accelerator, "clip_grad_norm_", OPTIMIZER)
        self.time(torch.optim.AdamW, "step", OPTIMIZER)

    def ends(self) -> Any:
        """Return a callback of transformers that notes each update's loss and end."""
        from transformers import TrainerCallback

        class Ends(TrainerCallback):  # type: ignore[misc]
            def on_log(_, args: Any, state: Any, control: Any, logs: dict[str, float], **more: Any) -> None:
                if "loss" in logs:
                    self.losses.append(logs["loss"])
                    self.done_s.append(time.time())

        return Ends()

    def wait_for_model(self) -> None:
        """Let transformers' loading of a model end in the memory's mark."""
        from transformers import AutoModelForCausalLM

        plain = AutoModelForCausalLM.from_pretrained

        def loaded(*args: Any, **named: Any) -> Any:
            model = plain(*args, **named)
            # a weight mapped from its file is resident only when it has been read
            for weight in model.parameters():
                weight.sum().item()
            self._weights = sum(weight.numel() * weight.element_size() for weight in model.parameters())
            gc.collect()
            Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
            self._loaded = _memory("VmRSS")
            return model

        AutoModelForCausalLM.from_pretrained = loaded

    def write(self, path: Path) -> None:
        """Write the figures."""
        peak = _memory("VmHWM")
        figures = Figures(self.losses, self.done_s, self._spans, self._weights, self._loaded, peak)
        path.write_text(json.dumps(figures._asdict()), encoding="utf-8")


def _memory(field: str) -> int:
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) * 1024
    raise KeyError(field)
