"""How fast rows become tokens and labels, against a bare `encode_batch` of the tokenizers library on the same texts."""

from __future__ import annotations

import itertools
import json
import os
import time

import pytest

from remote_agent.contract.data_spec import DataSpec, SourceSpec
from remote_agent.dataset.encoding import RowEncoder
from remote_agent.dataset.readers import Row
from remote_agent.dataset.shapes import RowShape, row_shape
from remote_agent.dataset.tokenizer_files import ModelTokenizer, load_tokenizer
from tests.support.real_model import real_inputs
from tests.support.samples import sample

ROWS = 30_000
TURN_ROWS = 3_000
GOAL = 0.8


@pytest.mark.benchmark
def test_that_encoding_keeps_up_with_the_bare_tokenizer() -> None:
    model = load_tokenizer(real_inputs().model)
    records = json.loads(sample("alpaca_en_demo.json").read_text(encoding="utf-8"))
    rows = [Row(index, "rows.json", 0, fields) for index, fields in zip(range(ROWS), itertools.cycle(records))]
    shape = row_shape(rows[:100], SourceSpec(), DataSpec())
    encoder = RowEncoder(model, DataSpec())
    texts = [
        encoded.text for batch in encoder.encode(map(shape.example, rows[: len(records)]), True) for encoded in batch
    ]
    ours_s = bare_s = 0.0
    tokens = 0
    for start in range(0, ROWS, TURN_ROWS):
        # In turns, so that whatever else the machine does slows both alike.
        bare_s += _bare(model, [texts[row % len(texts)] for row in range(start, start + TURN_ROWS)])
        seconds, count = _ours(encoder, shape, rows[start : start + TURN_ROWS])
        ours_s += seconds
        tokens += count
    print(
        f"\nEncoding of {ROWS:,} rows ({tokens:,} tokens) with masks: {tokens / ours_s / 1e6:.2f} M tokens/s, bare "
        f"encode_batch on {os.cpu_count()} cores {tokens / bare_s / 1e6:.2f} M; "
        f"{bare_s / ours_s:.2f} x of it (goal {GOAL:g} x)"
    )


def _ours(encoder: RowEncoder, shape: RowShape, rows: list[Row]) -> tuple[float, int]:
    began = time.perf_counter()
    count = sum(len(encoded.ids) for batch in encoder.encode(map(shape.example, rows), True) for encoded in batch)
    return time.perf_counter() - began, count


def _bare(model: ModelTokenizer, texts: list[str]) -> float:
    began = time.perf_counter()
    model.tokenizer.encode_batch(texts, add_special_tokens=False)
    return time.perf_counter() - began
