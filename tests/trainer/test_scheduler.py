"""The schedule on plain optimizers: every update by hand, and a resume that brings back an older group."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch

from remote_agent.contract.job_spec import JobSpec
from remote_agent.contract.recipe_spec import OptimizerSpec, ScheduleSpec, WarmupSpec
from remote_agent.contract.schedule import Horizon, lr_at, momentum_at, weight_decay_at
from remote_agent.trainer.optimizers.choice import DECAY_KEYS, build_optimizer
from remote_agent.trainer.scheduler import RecipeScheduler

TOTAL = 12
KINDS = ("adamw", "lion", "sgd", "muon")
SHARES = (1.0, 0.5)
"""Of the peak, group by group; the second has no decay."""


def _job(kind: str) -> JobSpec:
    schedule = ScheduleSpec(
        "one_cycle", 0.01, WarmupSpec(2.0, "epochs", 0.1, "cosine"), weight_decay_end_factor=4.0, momentum_low=0.5
    )
    return JobSpec(optimizer=OptimizerSpec(kind, learning_rate=1e-2, weight_decay=0.2, momentum=0.8), schedule=schedule)


HORIZON = Horizon(TOTAL, 2, 10.0)


def _weights() -> list[torch.nn.Parameter]:
    generator = torch.Generator().manual_seed(1)
    return [torch.nn.Parameter(torch.randn(4, 3, generator=generator)) for _ in range(2)]


def _optimizer(spec: JobSpec, weights: list[torch.nn.Parameter]) -> torch.optim.Optimizer:
    key, kind = DECAY_KEYS.get(spec.optimizer.kind, "weight_decay"), spec.optimizer.kind
    rules = ("muon", "adamw") if kind == "muon" else ("", "")
    groups = [
        {"params": [weight], "lr": spec.optimizer.learning_rate * share, key: decay, **({"rule": rule} if rule else {})}
        for weight, share, decay, rule in zip(weights, SHARES, (spec.optimizer.weight_decay, 0.0), rules, strict=True)
    ]
    return build_optimizer(groups, spec.optimizer)


def _update(optimizer: torch.optim.Optimizer, weights: list[torch.nn.Parameter], step: int) -> None:
    for number, weight in enumerate(weights):
        weight.grad = torch.sin(weight.detach() * (step + 1) + number)
    optimizer.step()


def _momentum_of(group: dict[str, Any]) -> float:
    return float(group["betas"][0] if "betas" in group else group["momentum"])


@pytest.mark.parametrize("kind", KINDS)
def test_that_every_update_is_the_one_with_the_values_set_by_hand(kind: str) -> None:
    spec = _job(kind)
    scheduled, by_hand = _weights(), _weights()
    optimizer, plain = _optimizer(spec, scheduled), _optimizer(spec, by_hand)
    scheduler = RecipeScheduler(optimizer, spec, 0, HORIZON)
    key = DECAY_KEYS.get(kind, "weight_decay")
    for step in range(TOTAL):
        momentum = momentum_at(spec, step, HORIZON)
        for share, group in zip(SHARES, plain.param_groups, strict=True):
            group["lr"] = lr_at(spec, step, HORIZON) * share
            group[key] = weight_decay_at(spec, step, HORIZON) if share == 1.0 else 0.0
            if "betas" in group:
                beta1 = momentum_at(_job("adamw"), step, HORIZON)
                group["betas"] = (beta1, spec.optimizer.beta2)
            else:
                group["momentum"] = momentum
        _update(plain, by_hand, step)
        _update(optimizer, scheduled, step)
        assert optimizer.param_groups[0]["lr"] == lr_at(spec, step, HORIZON)
        assert _momentum_of(optimizer.param_groups[0]) == momentum
        scheduler.step()
    for ours, theirs in zip(scheduled, by_hand, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("kind", KINDS)
def test_that_a_resumed_run_goes_on_to_the_last_bit_though_the_groups_come_back_old(kind: str) -> None:
    spec = _job(kind)
    whole = _weights()
    optimizer = _optimizer(spec, whole)
    scheduler = RecipeScheduler(optimizer, spec, 0, HORIZON)
    for step in range(TOTAL):
        if step == 7:
            # a checkpoint is written before the scheduler has gone on, as at the end of an update
            resumed = [torch.nn.Parameter(weight.detach().clone()) for weight in whole]
            state = copy.deepcopy(optimizer.state_dict())
        if step:
            scheduler.step()
        _update(optimizer, whole, step)
    optimizer = _optimizer(spec, resumed)
    scheduler = RecipeScheduler(optimizer, spec, 7, HORIZON)
    optimizer.load_state_dict(state)
    assert optimizer.param_groups[0]["lr"] == lr_at(spec, 6, HORIZON)
    scheduler.put_back()
    assert optimizer.param_groups[0]["lr"] == lr_at(spec, 7, HORIZON)
    for step in range(7, TOTAL):
        if step > 7:
            scheduler.step()
        _update(optimizer, resumed, step)
    for ours, theirs in zip(resumed, whole, strict=True):
        assert torch.equal(ours, theirs)


def test_that_a_schedule_that_moves_the_rate_alone_leaves_the_rest_of_the_group() -> None:
    spec = JobSpec()
    optimizer = _optimizer(spec, _weights())
    before = [{**group, "lr": 0.0} for group in optimizer.param_groups]
    scheduler = RecipeScheduler(optimizer, spec, 3, 10)
    optimizer.step()
    scheduler.step()
    after = [{**group, "lr": 0.0} for group in optimizer.param_groups]
    for one, other in zip(before, after, strict=True):
        assert {key: other[key] for key in one if key != "params"} == {key: one[key] for key in one if key != "params"}
