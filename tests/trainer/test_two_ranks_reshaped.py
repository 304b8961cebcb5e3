"""Runs that go on with another number of ranks and at another ZeRO stage: losses, rates and rows are the same."""

from __future__ import annotations

import json

import pytest

from remote_agent.contract.events import CheckpointCommitted, Evaluated, Progressed, StepCompleted, TrainingStarted
from remote_agent.run_files.manifest import read_manifest
from remote_agent.trainer.universal import PHASE
from tests.trainer.launches import ONE_TO_TWO, TWO_TO_ONE, Launches

pytestmark = pytest.mark.slow
WAYS = [
    *(("one-to-two", old, new) for old, new in ONE_TO_TWO),
    *(("two-to-one", old, new) for old, new in TWO_TO_ONE),
]


def whole(way: str, old: int) -> str:
    return f"{'alone' if way == 'one-to-two' else 'stage'}-{old}"


@pytest.mark.parametrize(("way", "old", "new"), WAYS)
def test_that_a_run_in_another_shape_goes_on_with_the_losses_of_the_uninterrupted_one(
    launches: Launches, way: str, old: int, new: int
) -> None:
    name = f"{way}-{old}-{new}"
    uninterrupted, found = launches.losses(whole(way, old)), launches.losses(name)
    assert list(found) == [3, 4, 5]
    assert found == pytest.approx({step: uninterrupted[step] for step in found}, abs=1e-4)
    assert min(abs(uninterrupted[step] - uninterrupted[step - 1]) for step in found) > 1e-3
    held_out = [launches.events(one, Evaluated)[-1].loss for one in (name, whole(way, old))]
    assert held_out[0] == pytest.approx(held_out[1], abs=1e-4)


@pytest.mark.parametrize(("way", "old", "new"), WAYS)
def test_that_learning_rate_and_rows_of_every_update_are_those_of_the_uninterrupted_run(
    launches: Launches, way: str, old: int, new: int
) -> None:
    name = f"{way}-{old}-{new}"
    told = {event.step: event for event in launches.events(whole(way, old), StepCompleted)}
    for event in launches.events(name, StepCompleted):
        assert event.learning_rate == told[event.step].learning_rate
        assert (event.tokens, event.supervised_tokens) == (told[event.step].tokens, told[event.step].supervised_tokens)
    ranks = 2 if way == "one-to-two" else 1
    trained, expected = _rows(launches, name, ranks, 3), _rows(launches, whole(way, old), 3 - ranks, 5)
    assert trained == expected[2:]
    assert all(len(rows) >= 4 for rows in trained)
    (started,) = launches.events(name, TrainingStarted)
    assert (started.first_step, started.total_steps, started.world_size) == (2, 5, ranks)


def test_that_the_conversion_is_journalled_leaves_nothing_and_the_next_state_is_of_the_new_shape(
    launches: Launches,
) -> None:
    for way, old, new in WAYS:
        name = f"{way}-{old}-{new}"
        told = [event.done for event in launches.events(name, Progressed) if event.phase == PHASE]
        assert told == [0, 1]
        folder = launches.root / name / "checkpoints"
        assert sorted(path.name for path in folder.iterdir()) == ["step-2", "step-4", "step-5"]
        (saved,) = [event.name for event in launches.events(name, CheckpointCommitted) if event.has_state]
        manifest = read_manifest(str(folder / saved))
        assert manifest is not None
        assert (manifest.world_size, manifest.zero_stage) == (2 if way == "one-to-two" else 1, new)


def _rows(launches: Launches, name: str, ranks: int, updates: int) -> list[list[list[int]]]:
    """Return the ids of every update's rows that have labels, sorted and without what pads them."""
    found: list[list[list[int]]] = [[] for _ in range(updates)]
    for rank in range(ranks):
        seen = json.loads((launches.root / name / f"seen-rank{rank}.json").read_text())
        for number, micro in enumerate(seen):
            for ids, labels in zip(micro["input_ids"], micro["labels"], strict=True):
                places = [place for place, label in enumerate(labels) if label != -100]
                if places:
                    found[number * updates // len(seen)].append(ids[: places[-1] + 1])
    return [sorted(rows) for rows in found]
