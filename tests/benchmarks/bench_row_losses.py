"""Taking the losses of rows under SmolLM2 against one plain forward pass over them, and how well they find errors."""

from __future__ import annotations

import json
import os
import random
import time
from pathlib import Path

import numpy as np
import pytest

from remote_agent.contract.job_spec import JobSpec
from remote_agent.dataset.corpus import Corpus, DataPaths
from remote_agent.dataset.encoding import RowEncoder
from remote_agent.dataset.tokenizer_files import load_tokenizer
from remote_agent.trainer.row_losses import take_row_losses
from tests.support.real_model import real_inputs
from tests.support.samples import sample

ROWS = int(os.environ.get("LUTHIER_BENCH_ROWS", "100"))
LONGEST_CHARACTERS = 300
GOAL = 18


@pytest.mark.benchmark
def test_how_fast_losses_are_taken_and_how_well_they_find_exchanged_answers(tmp_path: Path) -> None:
    path, wrong = _with_exchanged_answers(sample("alpaca_en_demo.json"), tmp_path / "rows.json")
    model, spec = real_inputs().model, JobSpec()
    began: list[float] = []

    def progress(phase: str, done: float, total: float, unit: str) -> None:
        if phase == "losses" and not began:
            began.append(time.perf_counter())

    found = take_row_losses(spec, model, DataPaths((path,)), progress)
    seconds = time.perf_counter() - began[0]
    tokens, plain = _plain_pass(spec, model, path)
    by_mean = found.rows[np.argsort(-found.mean)]
    first, first_by_mean = (len(set(order[:40].tolist()) & wrong) for order in (found.hardest, by_mean))
    print(
        f"\nlosses of {len(found)} rows of instructions, {tokens:,} tokens: {len(found) / seconds:.1f} rows/s, "
        f"{seconds / plain:.2f} x the time of one plain forward pass row by row ({tokens / plain:.0f} tokens/s); of 20 "
        f"exchanged answers {first} among the first 40 (goal {GOAL}), {first_by_mean} were they ordered by mean loss"
    )


def _with_exchanged_answers(source: Path, path: Path) -> tuple[Path, set[int]]:
    chosen = random.Random(11)
    short = [row for row in json.loads(source.read_text(encoding="utf-8")) if _characters(row) <= LONGEST_CHARACTERS]
    rows = chosen.sample(short, ROWS)
    wrong = chosen.sample(range(ROWS), 20)
    answers = [rows[at]["output"] for at in wrong]
    for at, answer in zip(wrong, [*answers[1:], answers[0]], strict=True):
        rows[at]["output"] = answer
    path.write_text(json.dumps(rows), encoding="utf-8")
    return path, set(wrong)


def _characters(row: dict[str, str]) -> int:
    return sum(len(text) for text in row.values())


def _plain_pass(spec: JobSpec, folder: Path, path: Path) -> tuple[int, float]:
    """Return the tokens of all rows and the seconds transformers takes for the loss of one after the other."""
    import torch
    from transformers import AutoModelForCausalLM

    tokenizer = load_tokenizer(folder)
    examples = Corpus(spec, tokenizer, DataPaths((path,))).examples()
    rows = [row for batch in RowEncoder(tokenizer, spec.data).encode(examples, strict=False) for row in batch]
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    began = time.perf_counter()
    with torch.no_grad():
        for row in rows:
            ids, labels = (torch.tensor(values[None].astype("int64")) for values in (row.ids, row.labels))
            model(input_ids=ids, labels=labels, use_cache=False)
    return sum(len(row.ids) for row in rows), time.perf_counter() - began
