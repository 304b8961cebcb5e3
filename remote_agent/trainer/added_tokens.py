"""Room in a model for the tokens that a job adds to its tokenizer."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from remote_agent.dataset.tokenizer_files import load_tokenizer, read_json_object

_CONFIG = "tokenizer_config.json"
_DECODER = "added_tokens_decoder"


def make_room(model: Any, folder: Path, added_tokens: Sequence[str]) -> None:
    """Grow embeddings and head until every added token has a row, tied and untied, and on every rank alike.

    The new rows are the mean of the rows that have a token, nothing random, so that at first a new token is neither
    likelier nor less likely than the others on average (Hewitt, Initializing New Word Embeddings for Pretrained
    Language Models, 2021). A model may already have rows that no token of its tokenizer had; new tokens come to them
    first, and these rows are set likewise. The matrices get exactly the rows they need and are not rounded up: a row
    without a token would only take from the others' probability. Under ZeRO-3 every rank has to call this.

    Args:
        model: as transformers loads it, before `end_in_loss`.
        folder: the model's folder, for its tokenizer.
        added_tokens: texts that become tokens; those it has are left alone.
    """
    before, after = load_tokenizer(folder).tokenizer, load_tokenizer(folder, "", added_tokens).tokenizer
    ids = [int(after.token_to_id(text) or 0) for text in added_tokens if before.token_to_id(text) is None]
    if not ids:
        return
    embedding, head = model.get_input_embeddings(), model.get_output_embeddings()
    tied = head is not None and head.weight is embedding.weight
    known = before.get_vocab_size(with_added_tokens=True)
    embedding.weight = _grown(embedding.weight, known, ids)
    embedding.num_embeddings = rows = _rows(embedding.weight)
    if head is not None:
        head.weight = embedding.weight if tied else _grown(head.weight, known, ids)
        head.out_features = rows
        if getattr(head, "bias", None) is not None:
            head.bias = _grown(head.bias, known, ids)
    model.config.get_text_config().vocab_size = rows
    model.vocab_size = rows


def write_tokenizer(model_path: Path, folder: Path, added_tokens: Sequence[str]) -> None:
    """Write tokenizer.json with the added tokens, and tokenizer_config.json where it lists tokens by id."""
    tokenizer = load_tokenizer(model_path, "", added_tokens).tokenizer
    tokenizer.save(str(folder / "tokenizer.json"))
    config = read_json_object(model_path / _CONFIG)
    if not isinstance(config.get(_DECODER), dict):
        return
    for number, token in sorted(tokenizer.get_added_tokens_decoder().items()):
        if token.content in added_tokens:
            config[_DECODER][str(number)] = {
                "content": token.content,
                "lstrip": token.lstrip,
                "normalized": token.normalized,
                "rstrip": token.rstrip,
                "single_word": token.single_word,
                "special": token.special,
            }
    (folder / _CONFIG).write_text(json.dumps(config, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _grown(old: nn.Parameter, known: int, ids: Sequence[int]) -> nn.Parameter:
    """Return the matrix with rows up to the highest id; those of ``ids`` and all that are new hold the mean row."""
    with _whole(old), torch.no_grad():
        rows = max(old.shape[0], max(ids) + 1)
        values = old.new_empty((rows, *old.shape[1:]))
        values[: old.shape[0]] = old
        mean = old[: min(known, old.shape[0])].float().mean(dim=0)
        values[old.shape[0] :] = mean.to(values.dtype)
        values[list(ids)] = mean.to(values.dtype)
    return nn.Parameter(values, requires_grad=old.requires_grad)


def _rows(weight: nn.Parameter) -> int:
    return int(weight.shape[0])


def _whole(weight: nn.Parameter) -> contextlib.AbstractContextManager[None]:
    """Return a context in which a weight that ZeRO-3 has split over the ranks is whole on each."""
    if not hasattr(weight, "ds_id"):
        return contextlib.nullcontext()
    import deepspeed

    gathered: contextlib.AbstractContextManager[None] = deepspeed.zero.GatheredParameters([weight])
    return gathered
