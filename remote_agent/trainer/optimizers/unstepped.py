"""The optimizer as it was made, after an engine that tried it out on gradients of zero."""

from __future__ import annotations

from typing import Any

import torch
from transformers import TrainerCallback


class Unstepped(TrainerCallback):  # type: ignore[misc]
    """Takes back the step that DeepSpeed's 16-bit wrapper at ZeRO 0 does with zero gradients to allocate the states.

    It counts as an update: AdamW's first ones would be a fifth too small by their bias correction, and the fp32 weights
    would be decayed once too often. A resume loads its states after this.
    """

    def on_train_begin(self, args: Any, state: Any, control: Any, model: Any = None, **kwargs: Any) -> None:
        """Empty the states and copy the fp32 weights anew, where there is such a wrapper."""
        wrapper = kwargs["optimizer"].optimizer
        low, high = getattr(wrapper, "fp16_groups", None), getattr(wrapper, "fp32_groups", None)
        if low is None or high is None:
            return
        wrapper.optimizer.state.clear()
        with torch.no_grad():
            for low_group, high_group in zip(low, high, strict=True):
                for narrow, wide in zip(low_group, high_group, strict=True):
                    wide.copy_(narrow)
