"""What many runs in one launch of two ranks and one of a single rank gave: ZeRO stages, evaluation, resume, rows."""

from __future__ import annotations

import itertools
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from remote_agent.contract.events import (
    CheckpointCommitted,
    CommandDone,
    Complained,
    Evaluated,
    Sampled,
    StepCompleted,
    TrainingEnded,
)
from remote_agent.contract.range_test import suggestion
from remote_agent.contract.schedule import lr_at, lr_curve
from remote_agent.contract.spec_json import spec_from_json
from remote_agent.dataset.order import step_sequences
from remote_agent.dataset.prepared import open_prepared
from tests.trainer.launches import STAGES, Launches
from tests.trainer.run_folder import job

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    "name", ["one-accumulated", *(f"{kind}-{s}" for kind in ("stage", "accumulated") for s in STAGES)]
)
def test_that_ranks_accumulation_and_zero_stage_leave_the_losses_alone(launches: Launches, name: str) -> None:
    reference, found = launches.losses("one-8"), launches.losses(name)
    assert sorted(found) == sorted(reference) == [1, 2, 3, 4, 5]
    for step, loss in reference.items():
        assert found[step] == pytest.approx(loss, abs=1e-5), step
    norms = [e.gradient_norm for e in launches.events("one-8", StepCompleted)]
    assert [e.gradient_norm for e in launches.events(name, StepCompleted)] == pytest.approx(norms, rel=1e-4)


@pytest.mark.parametrize("stage", STAGES)
def test_that_an_update_waits_for_the_device_once_beside_what_the_engine_does(launches: Launches, stage: int) -> None:
    """On a CPU nobody waits; counted are the places that would on a GPU, the trainer's own by name."""
    micro_batches = 2
    path = launches.root / f"counted-{stage}" / "reads-rank0.json"
    updates = json.loads(path.read_text(encoding="utf-8"))
    assert len(updates) == 3
    own = "remote_agent/trainer "
    expected = {
        f"{own}fine_tuner.py read cpu": 1,
        # of what never left the host: labels before they are moved, what ranks exchange, and what `read` has brought
        f"{own}fine_tuner.py read tolist": 1,
        f"{own}batches.py supervised_tokens _local_scalar_dense": 2 * micro_batches,
        f"{own}collectives.py <listcomp> tolist": 2 * 2,
        f"{own}epoch_losses.py take numpy": 3,
    }
    if stage == 0:
        # where the norm lies on the CPU alone
        expected[f"{own}spared_work.py clip _local_scalar_dense"] = 1
    for reads in updates:
        assert {place: times for place, times in reads.items() if place.startswith(own)} == expected
        others = {place.split()[0] for place in reads} - {"remote_agent/trainer", "tests/trainer/many_runs"}
        assert others <= {"deepspeed", "transformers"}, "accelerate waits for nothing"
    told = {place: times for place, times in updates[0].items() if place.startswith(("deepspeed", "transformers"))}
    assert sum(told.values()) <= micro_batches + 3, told


def test_that_the_losses_are_those_of_a_plain_pytorch_loop(launches: Launches) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    spec = job(batch__micro_batch=8, batch__max_steps=5)
    data = json.loads((launches.root / "one-8" / "launch.json").read_text(encoding="utf-8"))["data_folder"]
    part = open_prepared(Path(data)).train
    model = AutoModelForCausalLM.from_pretrained(launches.root / "model", dtype=torch.float32)
    matrices = [p for name, p in model.named_parameters() if p.ndim == 2 and "embed" not in name]
    others = [p for name, p in model.named_parameters() if p.ndim == 1 or "embed" in name]
    groups = [{"params": matrices, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=1e-3, betas=(0.9, 0.95), eps=1e-8)
    found = launches.losses("one-8")
    for step in range(5):
        for group in optimizer.param_groups:
            group["lr"] = lr_at(spec, step, 5)
        optimizer.zero_grad()
        total, tokens = torch.zeros(()), 0
        for number in step_sequences(spec.seed, step, len(part), 8, 1, 1)[0][0]:
            row = part.sequence(number)
            logits = model(torch.tensor(row.ids[None].astype("int64")), use_cache=False).logits[0, :-1]
            targets = torch.tensor(row.labels[1:].astype("int64"))
            total = total + torch.nn.functional.cross_entropy(logits, targets, reduction="sum")
            tokens += int((targets != -100).sum())
        loss = total / tokens
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        assert found[step + 1] == pytest.approx(loss.item(), abs=1e-5), step


@pytest.mark.parametrize("stage", STAGES[1:])
def test_that_sgd_with_momentum_and_decay_is_the_same_under_every_stage(launches: Launches, stage: int) -> None:
    assert launches.losses(f"sgd-{stage}") == pytest.approx(launches.losses("sgd-0"), abs=1e-5)


def test_that_the_learning_rate_of_the_optimizer_is_the_schedules(launches: Launches) -> None:
    spec = job(batch__micro_batch=8, batch__max_steps=5)
    for name in ("one-8", "stage-3", "resumed-1"):
        for event in launches.events(name, StepCompleted):
            assert event.learning_rate == lr_at(spec, event.step - 1, 5), (name, event.step)


@pytest.mark.parametrize("stage", STAGES)
def test_that_a_resumed_run_repeats_the_uninterrupted_one_to_the_last_bit(launches: Launches, stage: int) -> None:
    whole = {e.step: e for e in launches.events(f"stage-{stage}", StepCompleted)}
    resumed = {e.step: e for e in launches.events(f"resumed-{stage}", StepCompleted)}
    assert sorted(resumed) == [3, 4, 5]
    for step, event in resumed.items():
        assert event.loss.hex() == whole[step].loss.hex()
        assert event.gradient_norm.hex() == whole[step].gradient_norm.hex()
    at_end = [launches.events(f"{kind}-{stage}", Evaluated)[-1].loss.hex() for kind in ("stage", "resumed")]
    assert at_end[0] == at_end[1]
    finals = [_weights(launches.root / f"{kind}-{stage}" / "checkpoints" / "step-5") for kind in ("stage", "resumed")]
    assert finals[0] == finals[1]


def test_that_a_stop_saves_and_the_next_attempt_goes_on_from_there(launches: Launches) -> None:
    ended = launches.events("stopped", TrainingEnded)
    assert [(e.attempt, e.step, e.complete) for e in ended] == [(1, 1, False), (2, 5, True)]
    assert [(e.command_id, e.verb, e.step) for e in launches.events("stopped", CommandDone)] == [("c1", "stop", 1)]
    assert not list((launches.root / "stopped" / "control").iterdir())
    whole = launches.losses("stage-1")
    found = {**launches.losses("stopped", 1), **launches.losses("stopped", 2)}
    assert {step: loss.hex() for step, loss in found.items()} == {step: loss.hex() for step, loss in whole.items()}


def test_that_a_full_disk_costs_a_checkpoint_and_not_the_run(launches: Launches) -> None:
    (complaint,) = launches.events("full-disk", Complained)
    assert complaint.sentence.startswith("The checkpoint of step 2 needs 0.0 GiB more than the node's disk has free.")
    assert launches.events("full-disk", CheckpointCommitted) == []
    assert launches.events("full-disk", TrainingEnded) == [TrainingEnded(1, 3, True)]


def test_that_the_held_out_loss_depends_on_neither_batch_nor_ranks_nor_packing(launches: Launches) -> None:
    names = ["one-packed-4", "one-padded-4", "two-packed-1", "two-padded-4", "stage-3"]
    first = [launches.events(name, Evaluated)[0] for name in names]
    assert {event.step for event in first} == {0}
    assert len({event.supervised_tokens for event in first}) == 1 == len({event.rows for event in first})
    for event in first:
        assert event.loss == pytest.approx(first[0].loss, abs=1e-6)
        assert event.perplexity == pytest.approx(math.exp(event.loss))


def test_that_an_epoch_trains_every_row_exactly_once(launches: Launches) -> None:
    data = json.loads((launches.root / "epoch" / "launch.json").read_text(encoding="utf-8"))["data_folder"]
    part = open_prepared(Path(data)).train
    expected = sorted(row for i in range(len(part)) for row in _rows(part.sequence(i).ids, part.sequence(i).positions))
    trained: list[tuple[int, ...]] = []
    for rank in range(2):
        for batch in json.loads((launches.root / "epoch" / f"seen-rank{rank}.json").read_text(encoding="utf-8")):
            for ids, positions, labels in zip(batch["input_ids"], batch["position_ids"], batch["labels"], strict=True):
                length = max((i + 1 for i, label in enumerate(labels) if label != -100), default=0)
                trained += _rows(np.array(ids[:length]), np.array(positions[:length]))
    # a row's end that is not trained on cannot be told from padding here
    shortest = [tuple(row[: min(len(row), 40)]) for row in sorted(trained)]
    assert shortest == [tuple(row[: min(len(row), 40)]) for row in expected]
    events = launches.events("epoch", StepCompleted)
    assert sum(event.tokens for event in events) == part.tokens
    assert events[-1].epoch == 1.0


def test_that_every_stage_saves_weights_that_transformers_loads_and_a_state(launches: Launches) -> None:
    for stage in STAGES:
        events = launches.events(f"stage-{stage}", CheckpointCommitted)
        assert [(e.name, e.has_state) for e in events] == [("step-2", True), ("step-4", True), ("step-5", False)]
        final = _weights(launches.root / f"stage-{stage}" / "checkpoints" / "step-5")
        assert "model.embed_tokens.weight" in final
        folder = launches.root / f"stage-{stage}" / "checkpoints" / "step-5"
        assert {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"} <= {
            path.name for path in folder.iterdir()
        }


def test_that_the_saved_weights_give_the_held_out_loss_that_was_journalled(launches: Launches) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    data = json.loads((launches.root / "stage-3" / "launch.json").read_text(encoding="utf-8"))["data_folder"]
    part = open_prepared(Path(data)).held_out
    for stage in STAGES:
        model = AutoModelForCausalLM.from_pretrained(launches.root / f"stage-{stage}" / "checkpoints" / "step-5")
        total, tokens = 0.0, 0
        with torch.no_grad():
            for number in range(len(part)):
                row = part.sequence(number)
                logits = model(torch.tensor(row.ids[None].astype("int64"))).logits[0, :-1]
                targets = torch.tensor(row.labels[1:].astype("int64"))
                total += float(torch.nn.functional.cross_entropy(logits, targets, reduction="sum"))
                tokens += int((targets != -100).sum())
        event = launches.events(f"stage-{stage}", Evaluated)[-1]
        assert event.step == 5
        assert event.supervised_tokens == tokens
        assert event.loss == pytest.approx(total / tokens, abs=1e-5)


def test_that_prompts_are_answered_before_and_after_under_every_stage(launches: Launches) -> None:
    found = [[(e.step, e.text) for e in launches.events(f"stage-{stage}", Sampled)] for stage in STAGES]
    assert [step for step, _ in found[0]] == [0, 5]
    assert all(one == found[0] for one in found)


def _rows(ids: Any, positions: Any) -> list[tuple[int, ...]]:
    starts = [*np.flatnonzero(positions == 0).tolist(), len(ids)]
    return [tuple(ids[a:b].tolist()) for a, b in itertools.pairwise(starts) if b > a]


def _weights(folder: Path) -> dict[str, bytes]:
    from safetensors.numpy import load_file

    return {name: value.tobytes() for name, value in load_file(folder / "model.safetensors").items()}


def test_that_a_range_test_rises_as_previewed_ends_where_the_loss_diverges_and_keeps_no_weights(
    launches: Launches,
) -> None:
    spec = spec_from_json((launches.root / "range-test" / "job.json").read_text(encoding="utf-8"))
    steps = launches.events("range-test", StepCompleted)
    drawn = dict(zip(*lr_curve(spec, spec.batch.max_steps), strict=True))
    assert [e.learning_rate for e in steps] == pytest.approx([drawn[e.step - 1] for e in steps], rel=1e-12)
    (ended,) = launches.events("range-test", TrainingEnded)
    assert ended.complete and 20 < ended.step == len(steps) < spec.batch.max_steps
    assert "smoothed loss" in ended.reason
    assert launches.events("range-test", CheckpointCommitted) == launches.events("range-test", Evaluated) == []
    found = suggestion([e.learning_rate for e in steps], [e.loss for e in steps])
    assert found is not None and 1e-3 < found.peak < 0.1
