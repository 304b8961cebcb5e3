"""Rate, decay and momentum that move, under ZeRO on two ranks: a plain loop's losses, also after a resume."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM

from remote_agent.contract.events import StepCompleted, TrainingStarted
from remote_agent.contract.job_spec import JobSpec
from remote_agent.contract.schedule import (
    Horizon,
    horizon_of,
    lr_at,
    momentum_at,
    warmup_steps,
    weight_decay_at,
)
from remote_agent.dataset.order import step_sequences
from remote_agent.dataset.prepared import open_prepared
from tests.support.tiny import tiny_model, tiny_rows
from tests.trainer.launches import SCRIPT
from tests.trainer.run_folder import events_of, job, launch_script, make_run

pytestmark = pytest.mark.slow

STEPS, SAVED = 5, 2
STAGES = (1, 3)
"""One for each of the optimizers that DeepSpeed wraps ours in; its stage 2 is that of 1."""


def _job(stage: int) -> JobSpec:
    return job(
        strategy__ranks=2, strategy__zero_stage=stage, batch__micro_batch=4, batch__max_steps=STEPS,
        data__packing=False, evaluation__at_start=False, optimizer__learning_rate=3e-3,
        schedule__shape="one_cycle", schedule__momentum_low=0.4, schedule__weight_decay_end_factor=10.0,
        schedule__warmup__amount=500.0, schedule__warmup__unit="tokens", schedule__warmup__start_fraction=0.2,
        checkpointing__state_every_steps=SAVED, checkpointing__keep_last=9,
    )  # fmt: skip


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("scheduled")
    model, rows = tiny_model(root / "model"), tiny_rows(root / "rows", 60)
    plan = []
    for stage in STAGES:
        for name, resume in ((f"whole-{stage}", ""), (f"resumed-{stage}", f"step-{SAVED}")):
            make_run(root, name, _job(stage), model, rows)
            copy_from = str(root / f"whole-{stage}" / "checkpoints" / resume) if resume else ""
            plan.append({"run_dir": str(root / name), "attempt": 1, "resume": resume, "copy_from": copy_from})
    path = root / "plan.json"
    path.write_text(json.dumps(plan), encoding="utf-8")
    done = launch_script(2, SCRIPT, str(path))
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-6000:]
    return root


def _steps(root: Path, name: str) -> dict[int, StepCompleted]:
    return {event.step: event for event in events_of(root / name) if isinstance(event, StepCompleted)}


def _horizon(root: Path, name: str) -> Horizon:
    started = next(event for event in events_of(root / name) if isinstance(event, TrainingStarted))
    return horizon_of(started, started.train_tokens)


@pytest.mark.parametrize("stage", STAGES)
def test_that_the_rate_of_the_optimizer_is_the_one_counted_from_the_datas_tokens(root: Path, stage: int) -> None:
    horizon = _horizon(root, f"whole-{stage}")
    report = open_prepared(Path(json.loads((root / "whole-1" / "launch.json").read_text())["data_folder"])).report
    assert horizon.tokens_per_step * horizon.steps_per_epoch == report.train_tokens > 0
    assert 0 < warmup_steps(_job(stage).schedule, horizon) < STEPS - 1
    for name in (f"whole-{stage}", f"resumed-{stage}"):
        for step, event in _steps(root, name).items():
            assert event.learning_rate == lr_at(_job(stage), step - 1, horizon), (name, step)


@pytest.mark.parametrize("stage", STAGES)
def test_that_a_resumed_run_repeats_the_losses_to_the_last_bit(root: Path, stage: int) -> None:
    whole, resumed = _steps(root, f"whole-{stage}"), _steps(root, f"resumed-{stage}")
    assert sorted(resumed) == list(range(SAVED + 1, STEPS + 1))
    for step, event in resumed.items():
        assert event.loss.hex() == whole[step].loss.hex(), step
        assert event.gradient_norm.hex() == whole[step].gradient_norm.hex(), step


def test_that_the_losses_are_those_of_a_plain_loop_with_the_values_set_by_hand(root: Path) -> None:
    spec, horizon = _job(1), _horizon(root, "whole-1")
    part = open_prepared(Path(json.loads((root / "whole-1" / "launch.json").read_text())["data_folder"])).train
    model = AutoModelForCausalLM.from_pretrained(root / "model", dtype=torch.float32)
    matrices = [one for name, one in model.named_parameters() if one.ndim == 2 and "embed" not in name]
    others = [one for name, one in model.named_parameters() if one.ndim == 1 or "embed" in name]
    optimizer = torch.optim.AdamW([{"params": matrices}, {"params": others}], eps=1e-8)
    for step in range(STEPS):
        decays = (weight_decay_at(spec, step, horizon), 0.0)
        for group, decay in zip(optimizer.param_groups, decays, strict=True):
            betas = (momentum_at(spec, step, horizon), 0.95)
            group.update(lr=lr_at(spec, step, horizon), weight_decay=decay, betas=betas)
        optimizer.zero_grad()
        total, tokens = torch.zeros(()), 0
        for number in itertools.chain(*itertools.chain(*step_sequences(spec.seed, step, len(part), 4, 1, 2))):
            row = part.sequence(number)
            logits = model(torch.tensor(row.ids[None].astype("int64")), use_cache=False).logits[0, :-1]
            targets = torch.tensor(row.labels[1:].astype("int64"))
            total = total + torch.nn.functional.cross_entropy(logits, targets, reduction="sum")
            tokens += int((targets != -100).sum())
        loss = total / tokens
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        for stage in STAGES:
            found = _steps(root, f"whole-{stage}")[step + 1].loss
            assert found == pytest.approx(loss.item(), abs=1e-5), (stage, step)
