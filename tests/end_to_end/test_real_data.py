"""Published instruction data under the real tokenizer: our ids and labels beside transformers' own."""

from __future__ import annotations

import json

import pytest

from remote_agent.contract.job_spec import DataSpec, JobSpec
from remote_agent.dataset.data_inspection import inspect_data
from remote_agent.dataset.row_views import row_views
from tests.support.real_model import real_inputs
from tests.support.samples import sample

pytestmark = pytest.mark.slow
JOB = JobSpec(data=DataSpec(max_length=2048))


def test_that_every_row_of_alpaca_has_transformers_ids_and_only_its_response_trained() -> None:
    from transformers import AutoTokenizer

    data, model = sample("alpaca_en_demo.json"), real_inputs().model
    tokenizer = AutoTokenizer.from_pretrained(model)
    rows = json.loads(data.read_text(encoding="utf-8"))
    views = list(row_views(JOB, model, data, 0, len(rows)))
    assert len(views) == len(rows) == 999
    for row, view in zip(rows, views, strict=True):
        asked = f"{row['instruction']}\n\n{row['input']}" if row["input"] else row["instruction"]
        messages = [{"role": "user", "content": asked}, {"role": "assistant", "content": row["output"]}]
        ids = [token.id for token in view.tokens]
        assert ids == tokenizer.apply_chat_template(messages, tokenize=True, return_dict=False), view.index
        trained = tokenizer.decode([token.id for token in view.tokens if token.trained])
        assert trained == f"{row['output'].strip()}<|im_end|>", view.index


def test_that_the_report_of_alpaca_counts_what_the_rows_hold() -> None:
    data, model = sample("alpaca_en_demo.json"), real_inputs().model
    report = inspect_data(JOB, model, data, None)
    assert (report.rows, report.shape) == (999, "alpaca")
    views = row_views(JOB, model, data, 0, 999)
    lengths = [len(view.tokens) for view in views]
    assert report.total.total == sum(lengths) and report.total.maximum == max(lengths)
    assert report.packing.efficiency > 0.95
