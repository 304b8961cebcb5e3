"""What the ranks say they hold is what their tensors come to, at each ZeRO stage, and all on the longest batch."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from remote_agent.contract.events import MemoryMeasured, StepCompleted, TrainingStarted
from remote_agent.dataset.order import SequenceLengths
from remote_agent.dataset.prepared import TRAIN
from tests.trainer.launches import STAGES, Launches

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("stage", STAGES)
def test_that_weights_gradients_and_states_are_the_bytes_of_this_stage(launches: Launches, stage: int) -> None:
    started = launches.events(f"stage-{stage}", TrainingStarted)[0]
    measured = launches.events(f"stage-{stage}", MemoryMeasured)
    assert [each.step for each in measured] == [5, 5], "after five updates, and at the end"
    found, whole = measured[-1], 4 * started.parameters
    if stage == 3:  # small tensors stay whole beside their share, and a tiny model has no others
        assert whole / 2 <= found.weights <= 1.6 * whole
    else:
        assert found.weights == pytest.approx(whole, rel=0.1)
    # DeepSpeed keeps the partition of the gradients in fp32 under ZeRO 1 too once it has reduced them
    assert whole / 2 * 0.9 <= found.gradients <= 2.1 * whole
    master = 0 if stage == 0 else whole / 2
    moments = 2 * whole if stage == 0 else whole
    assert found.optimizer == pytest.approx(master + moments, rel=0.1)
    peaks = [step.peak_memory_bytes for step in launches.events(f"stage-{stage}", StepCompleted)]
    assert found.peak_bytes >= max(peaks) > found.before_bytes > 0
    assert found.host_bytes >= found.peak_bytes and not found.on_gpu and not found.card_bytes


def test_that_a_probe_trains_the_longest_sequences_at_every_step(launches: Launches) -> None:
    folder = json.loads((launches.root / "longest" / "launch.json").read_text(encoding="utf-8"))["data_folder"]
    lengths = SequenceLengths.of(Path(folder), TRAIN).values
    longest = int(np.sort(lengths)[-6:].sum())
    assert [step.tokens for step in launches.events("longest", StepCompleted)] == [longest] * 5
