"""What happens to a model's embeddings while it trains: noise and mixup, by a hook on the embedding module.

The module's own forward runs as it always does, so that ZeRO-3 gathers its weight.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import torch

from remote_agent.contract.recipe_spec import RegularizationSpec
from remote_agent.trainer.mixup import Mixing, draw_mixing, mixed
from remote_agent.trainer.neftune import with_noise


class EmbeddingChanges:
    """Changes the output of a model's input embeddings within `during`, and only there."""

    def __init__(self, model: Any, spec: RegularizationSpec) -> None:
        self._spec = spec
        self._change: Callable[[torch.Tensor], torch.Tensor] | None = None
        if spec.neftune_alpha > 0.0 or spec.mixup_alpha > 0.0:
            model.get_input_embeddings().register_forward_hook(self._on_embedded)

    def mixing(self, rows: int, draw: int | None) -> Mixing | None:
        """Return how the rows of this micro batch are mixed, None where they are not."""
        if self._spec.mixup_alpha == 0.0 or rows < 2:
            return None
        assert draw is not None, "mixup needs the micro batch's seed"
        return draw_mixing(self._spec.mixup_alpha, rows, draw)

    @contextlib.contextmanager
    def during(
        self, position_ids: torch.Tensor, row_tokens: torch.Tensor | None, mixing: Mixing | None, draw: int | None
    ) -> Iterator[None]:
        """Let the model's forward pass within see changed embeddings: first the rows mixed, then noise on all."""

        def change(embeddings: torch.Tensor) -> torch.Tensor:
            if mixing is not None:
                embeddings = mixed(embeddings, mixing)
            if self._spec.neftune_alpha > 0.0:
                assert row_tokens is not None, "noise needs the rows' lengths"
                assert draw is not None, "noise needs the micro batch's seed"
                embeddings = with_noise(embeddings, position_ids, row_tokens, self._spec.neftune_alpha, draw)
            return embeddings

        self._change = change
        try:
            yield
        finally:
            self._change = None

    def _on_embedded(self, module: Any, inputs: Any, output: torch.Tensor) -> torch.Tensor:
        return output if self._change is None else self._change(output)
