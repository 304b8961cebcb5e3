"""The child process that takes the loss of every row under the base model: one request in, frames and one file out."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from remote_agent.contract.job_spec import JobSpec, with_value
from remote_agent.dataset.answers import Answer
from remote_agent.dataset.child_process import data_inputs, path_argument, run_child, send_file
from remote_agent.dataset.corpus import Corpus, DataPaths
from remote_agent.dataset.data_error import DataError
from remote_agent.dataset.encoding import RowEncoder
from remote_agent.dataset.row_losses import RowLosses
from remote_agent.dataset.sources import Advance, Cancelled, never, no_progress
from remote_agent.dataset.tokenizer_files import load_tokenizer
from remote_agent.trainer.failure import out_of_memory

if TYPE_CHECKING:
    from remote_agent.trainer.surprise import RowScores

FILE = "row_losses.npz"
"""The name under which the file travels."""

PHASE = "losses"
_FOLDER = "losses"
_CPU_TOKENS, _GPU_TOKENS = 2048, 16384


def take_row_losses(
    job: JobSpec,
    model_path: Path,
    paths: DataPaths,
    progress: Advance = no_progress,
    cancelled: Cancelled = never,
) -> RowLosses:
    """Return the losses of the rows of all training sources under the model, forward only.

    Every row is read as it would be trained, its row-wise steps applied; whether a step leaves it out, or it is held
    out, makes no difference, so that its loss stays known when that is changed. See `RowScores` for what rows are
    ordered by.

    Args:
        job: which rows, how they are read, and the precision of the forward pass on a GPU; a CPU computes in fp32.
        model_path: the folder with the weights.
        paths: where the sources lie.
        progress: told of rows done.
        cancelled: asked before each batch.

    Raises:
        DataError: data or model cannot be used.
        CancelledError: somebody asked to stop.
    """
    tokenizer = load_tokenizer(model_path, job.data.chat_template, job.data.added_tokens)
    corpus = Corpus(job, tokenizer, paths)
    rows = corpus.index(progress, cancelled)
    scores = _scores(job, model_path, max(tokenizer.pad_token_id, 0), cancelled, progress)
    held_out = next((number for number, source in enumerate(corpus.sources) if source.is_held_out), -1)
    examples = (one for one in corpus.examples() if one.row.source != held_out)
    progress(PHASE, 0, rows, "rows")
    for batch in RowEncoder(tokenizer, job.data).encode(examples, strict=False, cancelled=cancelled):
        scores.add(batch, lambda done: progress(PHASE, done, rows, "rows"))
    found = scores.finish(lambda done: progress(PHASE, done, rows, "rows"))
    progress(PHASE, rows, rows, "rows")
    return found


def _scores(job: JobSpec, model_path: Path, pad_id: int, cancelled: Cancelled, progress: Advance) -> RowScores:
    progress("importing", 0, 1, "")
    import torch

    from remote_agent.trainer.batches import BatchShape
    from remote_agent.trainer.causal_model import load_model
    from remote_agent.trainer.surprise import RowScores

    on_gpu = torch.cuda.is_available()
    settings: dict[str, Any] = {"strategy.zero_stage": 0, "strategy.activation_checkpointing": False}
    if not on_gpu:
        settings |= {"strategy.precision": "fp32", "strategy.attention": "sdpa"}
    for name, value in settings.items():
        job = with_value(job, name, value)
    progress("loading model", 0, 1, "")
    try:
        model = load_model(model_path, job, spread=torch.cuda.device_count() > 1)
    except (OSError, ValueError) as error:
        raise DataError(
            f"{model_path.name}: the model cannot be loaded ({' '.join(str(error).split())[:300]})."
        ) from None
    if on_gpu and torch.cuda.device_count() == 1:
        model.cuda()
    shape = BatchShape(pad_id, flatten=job.strategy.attention == "flash_attention_2")
    return RowScores(model.eval(), shape, _GPU_TOKENS if on_gpu else _CPU_TOKENS, cancelled)


def row_losses(arguments: Mapping[str, Any], answer: Answer, cancelled: Cancelled) -> dict[str, Any]:
    """Take the losses, keep them below ``cache_root``, send the file, and answer ``{"path", "rows"}``.

    Raises:
        DataError, CancelledError: as `take_row_losses`; memory that does not suffice is a DataError too.
    """
    inputs = data_inputs(arguments)
    # the same question is kept in the same place
    told = json.dumps([arguments.get(name) for name in ("job", "model_path", "data_paths")], sort_keys=True)
    name = f"{hashlib.sha256(told.encode()).hexdigest()[:32]}.npz"
    path = path_argument(arguments, "cache_root") / _FOLDER / name
    try:
        losses = take_row_losses(*inputs, answer.progress, cancelled)
    except RuntimeError as error:
        sentence = out_of_memory(error)
        if not sentence:
            raise
        raise DataError(sentence) from None
    losses.save(path)
    send_file(path, FILE, answer)
    return {"path": str(path), "rows": len(losses)}


if __name__ == "__main__":
    os.environ["HF_HUB_OFFLINE"] = "1"
    sys.exit(run_child(row_losses))
