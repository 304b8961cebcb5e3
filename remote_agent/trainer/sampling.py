"""A fixed prompt answered greedily, to be read beside the losses."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import torch
import torch.distributed as dist
from transformers import GenerationConfig

from remote_agent.contract.events import Sampled
from remote_agent.contract.job_spec import JobSpec
from remote_agent.dataset.conversation import Turn
from remote_agent.dataset.tokenizer_files import ModelTokenizer
from remote_agent.trainer.collectives import gathered


def prompt_ids(tokenizer: ModelTokenizer, prompt: str, spec: JobSpec) -> list[int]:
    """Return the prompt's ids as data/ prepares them: as a user's turn where there is a template and rows are chats."""
    if tokenizer.template is None or spec.data.shape == "prompt_completion":
        return list(tokenizer.tokenizer.encode(prompt).ids)
    turns = [Turn("system", spec.data.system_prompt)] if spec.data.system_prompt else []
    text = tokenizer.template.render([*turns, Turn("user", prompt)], add_generation_prompt=True)
    return list(tokenizer.tokenizer.encode(text, add_special_tokens=False).ids)


def samples(engine: Any, tokenizer: ModelTokenizer, spec: JobSpec, attempt: int, step: int) -> Iterator[Sampled]:
    """Yield the answers to the job's prompts on rank 0; every rank calls this and gets through together.

    Where each rank holds the whole model, rank 0 answers alone. Under ZeRO-3 all answer in step, as every layer's
    weights are gathered from all of them for each token. Once ``evaluation.sample_seconds`` are over no further prompt
    is begun.
    """
    together = spec.strategy.zero_stage == 3
    was_training = engine.module.training
    most_s, taken_s = spec.evaluation.sample_seconds, 0.0
    engine.eval()
    try:
        for prompt in spec.evaluation.sample_prompts:
            if 0 < most_s <= taken_s:
                break
            text, began_s = "", time.monotonic()
            if together or dist.get_rank() == 0:
                text = _answer(engine, tokenizer, prompt, spec)
            seconds = time.monotonic() - began_s
            # by rank 0's clock, so that all stop at the same prompt
            taken_s += gathered([seconds])[0][0]
            if dist.get_rank() == 0:
                yield Sampled(attempt, step, prompt, text, round(seconds, 3))
    finally:
        engine.train(was_training)
    dist.barrier()


def _answer(engine: Any, tokenizer: ModelTokenizer, prompt: str, spec: JobSpec) -> str:
    ids = torch.tensor([prompt_ids(tokenizer, prompt, spec)], dtype=torch.int64, device=engine.device)
    ends = _end_ids(engine.module, tokenizer)
    greedy = GenerationConfig(
        max_new_tokens=spec.evaluation.sample_tokens,
        do_sample=False,
        use_cache=True,
        repetition_penalty=1.0,
        eos_token_id=ends or None,
        pad_token_id=ends[0] if ends else 0,
    )
    with torch.no_grad():
        answered = engine.module.generate(input_ids=ids, attention_mask=torch.ones_like(ids), generation_config=greedy)
    return str(tokenizer.tokenizer.decode(answered[0, ids.shape[1] :].tolist(), skip_special_tokens=True))


def _end_ids(model: Any, tokenizer: ModelTokenizer) -> list[int]:
    """Return every id that ends an answer: the tokenizer's, then what the model's own settings add."""
    own = getattr(model.generation_config, "eos_token_id", None)
    found = [tokenizer.eos_token_id] if tokenizer.eos_token_id >= 0 else []
    found += own if isinstance(own, list) else ([own] if isinstance(own, int) else [])
    return list(dict.fromkeys(found))
