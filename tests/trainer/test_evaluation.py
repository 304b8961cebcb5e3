"""Held-out loss by source: the same tokens' losses, told apart by the source of their rows, against a plain loop."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed as dist
from transformers import LlamaForCausalLM

from remote_agent.contract.data_spec import SourceSpec
from remote_agent.contract.job_spec import with_value
from remote_agent.dataset.corpus import DataPaths
from remote_agent.dataset.prepare import prepare
from remote_agent.dataset.prepared import open_prepared
from remote_agent.trainer.batches import BatchShape
from remote_agent.trainer.evaluation import evaluate, evaluated_event
from tests.support.tiny import tiny_model, tiny_rows
from tests.trainer.run_folder import job


class PlainEngine:
    """A model as the trainer holds it, its losses by plain PyTorch."""

    def __init__(self, folder: Path) -> None:
        self.module = LlamaForCausalLM.from_pretrained(folder)
        self.device = torch.device("cpu")

    def eval(self) -> None:
        self.module.eval()

    def train(self, on: bool) -> None:
        self.module.train(on)

    def __call__(self, input_ids: torch.Tensor, labels: torch.Tensor, **_: Any) -> dict[str, torch.Tensor]:
        logits = self.module(input_ids=input_ids).logits[:, :-1]
        found = torch.nn.functional.cross_entropy(logits.transpose(1, 2), labels[:, 1:], reduction="none")
        return {"token_losses": found[labels[:, 1:] != -100]}


@pytest.fixture
def one_rank(tmp_path: Path) -> Iterator[None]:
    dist.init_process_group("gloo", init_method=f"file://{tmp_path / 'store'}", rank=0, world_size=1)
    yield
    dist.destroy_process_group()


def test_that_the_held_out_loss_is_told_by_source_and_the_whole_is_theirs_by_tokens(
    tmp_path: Path, one_rank: None
) -> None:
    model = tiny_model(tmp_path / "model")
    first = tiny_rows(tmp_path / "first", 30)
    second = tmp_path / "second.json"
    second.write_text(json.dumps([{"instruction": f"Count {n}", "input": "", "output": "one " * 6} for n in range(30)]))
    spec = with_value(job(data__packing=False, data__held_out_fraction=0.4), "data.path", str(first))
    spec = with_value(spec, "data.more", (SourceSpec(path=str(second)),))
    report, folder = prepare(spec, model, DataPaths((first, second)), tmp_path / "data")
    assert report.first_rows == (0, 30)
    part, engine = open_prepared(folder).held_out, PlainEngine(model)
    told: list[tuple[int, int]] = []
    found = evaluate(engine, part, 3, BatchShape(0), lambda *at: told.append(at), report.first_rows)
    sums: dict[int, list[float]] = defaultdict(list)
    with torch.no_grad():
        for number in range(len(part)):
            one = part.sequence(number)
            ids, labels = (torch.from_numpy(each.astype("int64"))[None] for each in (one.ids, one.labels))
            losses = engine(ids, labels)["token_losses"]
            sums[int(one.row_ids[0]) >= 30].extend(losses.tolist())
    assert len(sums) == 2 and told[-1] == (len(part), len(part))
    assert found.tokens == len(sums[0]) + len(sums[1])
    assert found.loss == pytest.approx(math.fsum(sums[0] + sums[1]) / found.tokens, rel=1e-5)
    assert found.source_losses == pytest.approx([math.fsum(sums[at]) / len(sums[at]) for at in (0, 1)], rel=1e-5)
    assert evaluated_event(1, 7, found, 24, 0.0).source_losses == found.source_losses
    alone = evaluate(engine, part, 3, BatchShape(0), lambda *at: None)
    assert alone.source_losses == () and alone.loss == pytest.approx(found.loss, rel=1e-6)
