"""Published instruction data under the real tokenizer: our ids and labels beside transformers' own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from remote_agent.contract.data_report import RowView
from remote_agent.contract.job_spec import DataSpec, JobSpec
from remote_agent.dataset.corpus import DataPaths
from remote_agent.dataset.data_inspection import inspect_data
from remote_agent.dataset.encoding import RowEncoder
from remote_agent.dataset.inspection_inputs import Inputs
from remote_agent.dataset.row_views import row_view
from tests.support.real_model import real_inputs
from tests.support.samples import sample

pytestmark = pytest.mark.slow
JOB = JobSpec(data=DataSpec(max_length=2048))


def views_of(inputs: Inputs, folder: Path) -> list[RowView]:
    tokenizer = inputs.tokenizer()
    encoder = RowEncoder(tokenizer, inputs.job.data)
    batches = encoder.encode(inputs.corpus(tokenizer, folder).examples(), strict=True, offsets=True)
    return [row_view(row, tokenizer, inputs.job.data) for batch in batches for row in batch]


def test_that_every_row_of_alpaca_has_transformers_ids_and_only_its_response_trained(tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    data, model = sample("alpaca_en_demo.json"), real_inputs().model
    tokenizer = AutoTokenizer.from_pretrained(model)
    rows = json.loads(data.read_text(encoding="utf-8"))
    views = views_of(Inputs(JOB, model, DataPaths((data,))), tmp_path)
    assert len(views) == len(rows) == 999
    for row, view in zip(rows, views, strict=True):
        asked = f"{row['instruction']}\n\n{row['input']}" if row["input"] else row["instruction"]
        messages = [{"role": "user", "content": asked}, {"role": "assistant", "content": row["output"]}]
        ids = [token.id for token in view.tokens]
        assert ids == tokenizer.apply_chat_template(messages, tokenize=True, return_dict=False), view.index
        trained = tokenizer.decode([token.id for token in view.tokens if token.trained])
        assert trained == f"{row['output'].strip()}<|im_end|>", view.index


def test_that_the_report_of_alpaca_counts_what_the_rows_hold(tmp_path: Path) -> None:
    data, model = sample("alpaca_en_demo.json"), real_inputs().model
    inputs = Inputs(JOB, model, DataPaths((data,)))
    report = inspect_data(inputs)
    assert (report.rows, report.shape) == (999, "alpaca")
    lengths = [len(view.tokens) for view in views_of(inputs, tmp_path)]
    assert report.total.total == sum(lengths) and report.total.maximum == max(lengths)
    assert report.packing.efficiency > 0.95
