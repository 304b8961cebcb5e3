"""What the launches gave where data has weights, is grouped by length, adds tokens, and where rows' losses are kept."""

from __future__ import annotations

import json
import math
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from remote_agent.contract.chat_templates import BUILT_IN
from remote_agent.contract.events import Complained, Evaluated, RowLossesTaken, Sampled, StepCompleted
from remote_agent.contract.schedule import lr_at
from remote_agent.dataset.order import step_sequences
from remote_agent.dataset.prepared import Part, Sequence
from remote_agent.dataset.row_losses import RowLosses
from tests.trainer.launches import REPLAY_SHARE, REPLAYED_ROWS, STAGES, Launches
from tests.trainer.run_folder import job

pytestmark = pytest.mark.slow
EVERY_ADDED = (*(f"added-{stage}" for stage in STAGES), "added-untied-1", "added-untied-3")


@pytest.mark.parametrize("name", ["weighted-one-accumulated", "weighted-two-4", "weighted-accumulated-3"])
def test_that_ranks_and_accumulation_leave_a_weighted_loss_alone(launches: Launches, name: str) -> None:
    reference, found = launches.events("weighted-one-8", StepCompleted), launches.events(name, StepCompleted)
    assert [e.loss for e in found] == pytest.approx([e.loss for e in reference], abs=1e-5)
    assert [e.gradient_norm for e in found] == pytest.approx([e.gradient_norm for e in reference], rel=1e-4)
    assert [e.supervised_tokens for e in found] == [e.supervised_tokens for e in reference]


def test_that_weighted_losses_are_those_of_a_plain_pytorch_loop(launches: Launches) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    spec, part = job(batch__micro_batch=8, batch__max_steps=5), launches.data("weighted-one-8").train
    model = AutoModelForCausalLM.from_pretrained(launches.root / "model", dtype=torch.float32)
    matrices = [p for name, p in model.named_parameters() if p.ndim == 2 and "embed" not in name]
    others = [p for name, p in model.named_parameters() if p.ndim == 1 or "embed" in name]
    groups = [{"params": matrices, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=1e-3, betas=(0.9, 0.95), eps=1e-8)
    events = launches.events("weighted-one-8", StepCompleted)
    unweighted = launches.losses("one-8")
    for step in range(5):
        for group in optimizer.param_groups:
            group["lr"] = lr_at(spec, step, 5)
        optimizer.zero_grad()
        total, weight, labels = torch.zeros(()), 0.0, 0
        for number in step_sequences(spec.seed, step, len(part), 8, 1, 1)[0][0]:
            row = part.sequence(number)
            assert row.weights is not None
            each, weights = _token_losses(model, row), torch.from_numpy(np.array(row.weights[1:]))
            trained = torch.tensor(row.labels[1:] != -100)
            total = total + (each * weights)[trained].sum()
            weight += float(weights[trained].sum())
            labels += int((trained & (weights > 0)).sum())
        loss = total / weight
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        assert events[step].loss == pytest.approx(loss.item(), abs=1e-5), step
        assert events[step].supervised_tokens == labels
        assert events[step].loss != pytest.approx(unweighted[step + 1], abs=1e-3)


def test_that_weights_of_the_training_part_leave_the_first_held_out_loss_alone(launches: Launches) -> None:
    first = [launches.events(name, Evaluated)[0].loss for name in ("one-8", "weighted-one-8")]
    assert first[0].hex() == first[1].hex()


@pytest.mark.parametrize("name", ["grouped", "grouped-one-8"])
def test_that_grouping_by_length_trains_every_row_once_with_less_padding(launches: Launches, name: str) -> None:
    ranks = 1 if name.endswith("one-8") else 2
    part, seen = launches.data(name).train, _seen(launches, name, ranks)
    lengths = [len(part.sequence(number).ids) for number in range(len(part))]
    events = launches.events(name, StepCompleted)
    assert sum(event.tokens for event in events) == sum(lengths)
    assert events[-1].epoch == 1.0
    held = sum(len(batch["input_ids"]) * len(batch["input_ids"][0]) for batch in seen)
    micro_batch = max(len(batch["input_ids"]) for batch in seen)
    padding = held - sum(lengths)
    assert 0 <= padding < 0.5 * (_held_without_grouping(lengths, micro_batch, ranks) - sum(lengths))


def test_that_an_epoch_trains_replayed_rows_at_their_share(launches: Launches) -> None:
    data, first = launches.data("replayed"), 60
    sequences = [data.train.sequence(number) for number in range(len(data.train))]
    general = {tuple(one.ids.tolist()) for one in sequences if one.row_ids[0] >= first}
    own = {tuple(one.ids.tolist()) for one in sequences} - general
    assert len(general) == REPLAYED_ROWS
    trained: Counter[tuple[int, ...]] = Counter()
    for rank in range(2):
        for batch in json.loads((launches.root / "replayed" / f"seen-rank{rank}.json").read_text(encoding="utf-8")):
            for ids, labels in zip(batch["input_ids"], batch["labels"], strict=True):
                found = [row for row in general | own if tuple(ids[: len(row)]) == row]
                assert found or all(label == -100 for label in labels), "a row that is none, or a filler with labels"
                trained.update(found)
    replayed = sum(trained[row] for row in general)
    assert replayed / trained.total() == pytest.approx(REPLAY_SHARE, abs=0.01)
    times = [trained[row] for row in general]
    assert max(times) - min(times) <= 1 and min(times) > 1, "few rows come again and again, each as often"
    assert trained.total() == len(sequences)
    held_out = data.held_out
    assert all(held_out.sequence(number).row_ids[0] < first for number in range(len(held_out)))
    assert all(math.isfinite(loss) for loss in launches.losses("replayed").values())


def test_that_row_losses_are_those_of_the_model_the_updates_saw(launches: Launches) -> None:
    """With a learning rate of 0 every update sees the base model, so an epoch's losses are the base model's."""
    import torch
    from transformers import AutoModelForCausalLM

    part = launches.data("row-losses-still").train
    model = AutoModelForCausalLM.from_pretrained(launches.root / "model", dtype=torch.float32)
    sums: dict[int, float] = {}
    tokens: dict[int, int] = {}
    for document in _documents(part):
        with torch.no_grad():
            each = _token_losses(model, document)[torch.tensor(document.labels[1:] != -100)]
        row = int(document.row_ids[0])
        sums[row] = sums.get(row, 0.0) + float(each.double().sum())
        tokens[row] = tokens.get(row, 0) + len(each)
    (event,) = launches.events("row-losses-still", RowLossesTaken)
    found = RowLosses.open(launches.root / "row-losses-still" / event.file)
    assert found.rows.tolist() == sorted(sums)
    assert found.tokens.tolist() == [tokens[row] for row in sorted(sums)]
    assert found.mean == pytest.approx([sums[row] / tokens[row] for row in sorted(sums)], abs=1e-5)
    assert len(part.row_ids) > len(found.rows), "no row was split, so that nothing had to be put together"
    assert event.rows == len(found.rows) and event.complete and event.epoch == 1
    assert event.hardest == tuple(found.hardest[:20].tolist())
    assert event.hardest_losses[0] == pytest.approx(float(found.mean.max()), abs=1e-4)
    assert event.mean == pytest.approx(float(found.mean.mean()), rel=1e-6)


def test_that_every_epoch_is_told_and_what_is_learnt_is_counted_over_them(launches: Launches) -> None:
    events = launches.events("row-losses", RowLossesTaken)
    assert [(e.epoch, e.complete) for e in events] == [(1, True), (2, True), (3, False)]
    files = [RowLosses.open(launches.root / "row-losses" / e.file) for e in events]
    threshold = float(np.median(files[0].mean))
    learned: set[int] = set()
    for event, file in zip(events, files, strict=True):
        assert event.threshold == threshold == file.threshold
        now = {row for row, mean in zip(file.rows.tolist(), file.mean.tolist(), strict=True) if mean <= threshold}
        present = set(file.rows.tolist())
        assert event.forgotten == len((learned & present) - now)
        learned |= now
        assert event.never_learned == len(present - learned)
    assert events[0].never_learned > events[1].never_learned
    assert len(files[2]) < len(files[1]) == len(files[0])


def test_that_a_resume_within_an_epoch_gives_the_same_losses_of_rows(launches: Launches) -> None:
    whole, resumed = (launches.events(name, RowLossesTaken) for name in ("row-losses", "row-losses-resumed"))
    assert [(e.epoch, e.step) for e in resumed] == [(e.epoch, e.step) for e in whole[1:]]
    assert resumed == whole[1:]
    assert launches.events("row-losses-resumed", Complained) == []
    for event in resumed:
        first, second = (
            RowLosses.open(launches.root / name / event.file) for name in ("row-losses", "row-losses-resumed")
        )
        assert first.mean.tobytes() == second.mean.tobytes()
        assert first.rows.tolist() == second.rows.tolist()


def test_that_a_resume_without_the_earlier_files_says_what_is_lost(launches: Launches) -> None:
    (complaint,) = launches.events("row-losses-without-past", Complained)
    assert complaint.severity == "warning" and "earlier epochs" in complaint.sentence
    whole, alone = (launches.events(name, RowLossesTaken)[-2] for name in ("row-losses", "row-losses-without-past"))
    assert (alone.rows, alone.mean, alone.complete) == (whole.rows, whole.mean, True)
    assert alone.threshold != whole.threshold and alone.forgotten == 0


@pytest.mark.parametrize("name", EVERY_ADDED)
def test_that_added_tokens_come_out_trained_and_reload(launches: Launches, name: str) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    base = AutoModelForCausalLM.from_pretrained(
        launches.root / ("untied" if "untied" in name else "model"), dtype=torch.float32
    )
    folder = launches.root / name / "checkpoints" / "step-2"
    trained = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    assert tokenizer.convert_tokens_to_ids(["<|tool|>", "<|im_end|>", "day"]) == [400, 2, 401]
    assert tokenizer("on day 3", add_special_tokens=False).input_ids.count(401) == 1
    assert (folder / "chat_template.jinja").read_text(encoding="utf-8") == BUILT_IN["chatml"]
    assert trained.config.vocab_size == trained.get_input_embeddings().weight.shape[0] == 402
    assert trained.get_output_embeddings().weight.shape[0] == 402
    tied = trained.get_output_embeddings().weight is trained.get_input_embeddings().weight
    assert tied == ("untied" not in name)
    for before, after in (
        (base.get_input_embeddings().weight, trained.get_input_embeddings().weight),
        (base.get_output_embeddings().weight, trained.get_output_embeddings().weight),
    ):
        mean = before[:400].mean(dim=0)
        moved = (after[401] - mean).norm()
        assert 0 < moved < 0.1 * before.std() * len(mean), "the row is not the mean with two updates on it"
    ids = tokenizer("What happens on day 3", return_tensors="pt").input_ids
    with torch.no_grad():
        assert trained(ids).logits.shape[-1] == 402


def test_that_added_tokens_give_the_same_losses_under_every_stage_and_after_a_resume(launches: Launches) -> None:
    for stage in STAGES[1:]:
        assert launches.losses(f"added-{stage}") == pytest.approx(launches.losses("added-0"), abs=1e-5)
        assert [e.text for e in launches.events(f"added-{stage}", Sampled)] == [
            e.text for e in launches.events("added-0", Sampled)
        ]
    assert launches.losses("added-untied-3") == pytest.approx(launches.losses("added-untied-1"), abs=1e-5)
    assert launches.losses("added-resumed-3") == {2: launches.losses("added-3")[2]}


def _documents(part: Part) -> list[Sequence]:
    found = []
    for number in range(len(part)):
        whole = part.sequence(number)
        bounds = [*np.flatnonzero(whole.positions == 0).tolist(), len(whole.ids)]
        for at, row in enumerate(whole.row_ids):
            cut = slice(bounds[at], bounds[at + 1])
            found.append(Sequence(whole.ids[cut], whole.labels[cut], whole.positions[cut], np.array([row])))
    return found


def _token_losses(model: Any, row: Sequence) -> Any:
    """Return the loss of every token but the first, trained or not, by transformers' own logits."""
    import torch

    ids = torch.tensor(row.ids[None].astype("int64"))
    logits = model(ids, use_cache=False).logits[0, :-1]
    return torch.nn.functional.cross_entropy(logits, ids[0, 1:], reduction="none")


def _seen(launches: Launches, name: str, ranks: int) -> list[dict[str, Any]]:
    paths = [launches.root / name / f"seen-rank{rank}.json" for rank in range(ranks)]
    return [batch for path in paths for batch in json.loads(Path(path).read_text(encoding="utf-8"))]


def _held_without_grouping(lengths: list[int], micro_batch: int, ranks: int) -> int:
    steps = range(-(-len(lengths) // (micro_batch * ranks)))
    updates = [step_sequences(job().seed, step, len(lengths), micro_batch, 1, ranks) for step in steps]
    batches = [[lengths[number] for number in batch] for update in updates for turn in update for batch in turn]
    return sum(len(batch) * max(batch) for batch in batches if batch)
