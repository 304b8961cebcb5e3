"""The child process that makes the rows of a job's augment steps, with models on the node or an endpoint's help."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from remote_agent.contract.data_steps import AugmentStep
from remote_agent.contract.job_spec import JobSpec
from remote_agent.dataset.answers import Answer
from remote_agent.dataset.augmenting import (
    AUGMENTED,
    Maker,
    Wish,
    augment_steps,
    augmented_path,
    chosen_rows,
    make_rows,
    maker_key,
)
from remote_agent.dataset.child_process import data_inputs, path_argument, run_child
from remote_agent.dataset.conversation import Example
from remote_agent.dataset.corpus import Corpus
from remote_agent.dataset.data_error import DataError
from remote_agent.dataset.endpoint import Endpoint
from remote_agent.dataset.inputs import content_hashes
from remote_agent.dataset.sources import Cancelled
from remote_agent.dataset.tokenizer_files import load_tokenizer
from remote_agent.trainer.seq2seq import Seq2SeqModel, model_hash

_LOOK_S = 0.2


def augment(arguments: Mapping[str, Any], answer: Answer, cancelled: Cancelled) -> dict[str, Any]:
    """Answer ``{rows, rejected, path}`` once the rows lie in the agent's home. Raises DataError, CancelledError."""
    inputs = data_inputs(arguments)
    job = inputs.job
    steps = augment_steps(job.data)
    if not steps:
        raise DataError("The job has no step that makes rows; add one first.")
    home = path_argument(arguments, "cache_root").parent
    target = augmented_path(home, job, content_hashes(inputs.paths, cancelled))
    model = load_tokenizer(inputs.model_path, job.data.chat_template, job.data.added_tokens)
    corpus = Corpus(job, model, inputs.paths)
    plan = corpus.plan(answer.progress, cancelled, with_reports=False)
    trained = np.flatnonzero(plan.train).astype(np.int64)

    def rows_of(step: AugmentStep) -> Iterable[Example]:
        wanted = set(chosen_rows(trained, step, job.seed))
        # rows that other steps made are not there: the corpus was opened without them
        return (example for example in corpus.examples(plan) if example.row.index in wanted)

    wishes = [Wish(number, step, maker_key(step, _hashes(step))) for number, step in steps]
    made = make_rows(
        wishes, rows_of, _opener(job, cancelled), home / AUGMENTED / "texts", target, answer.progress, cancelled
    )
    return {"rows": made.rows, "rejected": dict(made.rejected), "path": str(target)}


def _hashes(step: AugmentStep) -> tuple[str, ...]:
    if step.method == "endpoint":
        return ()
    models = (step.model, step.back_model) if step.method == "back_translation" else (step.model,)
    return tuple(model_hash(Path(folder)) for folder in models if folder)


def _opener(job: JobSpec, cancelled: Cancelled) -> Callable[[AugmentStep], Maker]:
    pause = threading.Event()

    def wait(seconds: float) -> bool:
        for _ in range(max(1, round(seconds / _LOOK_S))):
            if cancelled():
                return True
            pause.wait(_LOOK_S)
        return cancelled()

    def open_maker(step: AugmentStep) -> Maker:
        if step.method == "endpoint":
            return Endpoint(step, wait)
        if not step.model:
            raise DataError("The step that makes rows names no model; choose a seq2seq model on the node.")
        there = Seq2SeqModel(Path(step.model), job.model.trust_remote_code)
        if step.method == "paraphrase":
            return lambda texts: there.write(
                texts, step.prefix, step.source_language, step.source_language, step.max_tokens
            )
        back = Seq2SeqModel(Path(step.back_model), job.model.trust_remote_code) if step.back_model else there
        return lambda texts: _there_and_back(texts, step, there, back)

    return open_maker


def _there_and_back(texts: list[str], step: AugmentStep, there: Seq2SeqModel, back: Seq2SeqModel) -> list[str]:
    foreign = there.write(texts, step.prefix, step.source_language, step.other_language, step.max_tokens)
    return back.write(foreign, step.prefix, step.other_language, step.source_language, step.max_tokens)


if __name__ == "__main__":
    sys.exit(run_child(augment))
