"""Groups, update rules and schedule against formulas and against transformers' own schedulers."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, get_cosine_schedule_with_warmup

from remote_agent.contract.job_spec import JobSpec, OptimizerSpec, with_value
from remote_agent.contract.schedule import lr_at
from remote_agent.trainer.optimizer import DecoupledSGD, build_optimizer, build_scheduler, parameter_groups
from tests.support.tiny import tiny_model


def test_that_decay_spares_norms_and_embeddings_unless_they_are_chosen(tmp_path: Path) -> None:
    model = AutoModelForCausalLM.from_pretrained(tiny_model(tmp_path), dtype=torch.float32)
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    matrices = [name for name in names.values() if "norm" not in name]
    for chosen in (False, True):
        groups = parameter_groups(model, matrices, OptimizerSpec(weight_decay=0.3, decay_embeddings=chosen))
        decayed = {names[id(parameter)] for parameter in groups[0]["params"]}
        spared = {names[id(parameter)] for parameter in groups[1]["params"]}
        assert [group["weight_decay"] for group in groups] == [0.3, 0.0]
        assert ("model.embed_tokens.weight" in decayed) is chosen
        assert {name for name in spared if "norm" in name} == {name for name in names.values() if "norm" in name}
        assert decayed | spared == set(names.values())


def test_that_sgd_decays_past_the_momentum() -> None:
    weight = torch.nn.Parameter(torch.tensor([2.0]))
    spec = OptimizerSpec(kind="sgd", learning_rate=0.1, momentum=0.5, weight_decay=0.2)
    optimizer = build_optimizer([{"params": [weight], "decay": 0.2}], spec)
    assert isinstance(optimizer, DecoupledSGD)
    expected, velocity = 2.0, 0.0
    for _ in range(3):
        optimizer.zero_grad()
        (3.0 * weight).sum().backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        velocity = 0.5 * velocity + 3.0
        expected = expected * (1.0 - 0.1 * 0.2) - 0.1 * velocity
        assert weight.item() == pytest.approx(expected, rel=1e-6)


def test_that_a_schedule_begun_late_goes_on_where_the_whole_one_is() -> None:
    spec = JobSpec()
    for first in (0, 7, 19):
        optimizer = build_optimizer([{"params": [torch.nn.Parameter(torch.ones(1))]}], spec.optimizer)
        scheduler = build_scheduler(optimizer, spec, first, 20)
        for step in range(first, 20):
            assert optimizer.param_groups[0]["lr"] == lr_at(spec, step, 20)
            optimizer.step()
            scheduler.step()


def test_that_the_schedule_is_transformers_cosine() -> None:
    spec = with_value(with_value(JobSpec(), "schedule.minimum_factor", 0.0), "schedule.warmup.amount", 25.0)
    optimizers = [build_optimizer([{"params": [torch.nn.Parameter(torch.ones(1))]}], spec.optimizer) for _ in "12"]
    ours = build_scheduler(optimizers[0], spec, 0, 12)
    theirs = get_cosine_schedule_with_warmup(optimizers[1], 3, 12)
    for _ in range(12):
        assert optimizers[0].param_groups[0]["lr"] == pytest.approx(optimizers[1].param_groups[0]["lr"], rel=1e-12)
        for optimizer, scheduler in zip(optimizers, (ours, theirs), strict=True):
            optimizer.step()
            scheduler.step()
