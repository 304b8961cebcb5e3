"""How long an estimate, the search for what fits and a page of small multiples take."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import pytest

from remote_agent.contract.job_spec import JobSpec, with_value
from remote_agent.contract.memory import estimate_memory, setup_of_job
from remote_agent.contract.memory.largest import largest_model
from remote_agent.contract.memory.search import proposals
from remote_agent.contract.step_time import Machine, step_time

CONFIG = {
    "model_type": "llama", "vocab_size": 128256, "hidden_size": 8192, "intermediate_size": 28672,
    "num_hidden_layers": 80, "num_attention_heads": 64, "num_key_value_heads": 8, "max_position_embeddings": 8192,
}  # fmt: skip
CAPACITY = 80 << 30


def _median_ms(work: Callable[[], object], times: int) -> float:
    found = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        found.append((time.perf_counter() - began) * 1e3)
    return statistics.median(found)


@pytest.mark.benchmark
def test_that_an_estimate_takes_less_than_five_milliseconds() -> None:
    spec = with_value(with_value(JobSpec(), "strategy.ranks", 32), "strategy.zero_stage", 3)
    spec = with_value(spec, "batch.accumulation", 64)
    once = _median_ms(lambda: estimate_memory(setup_of_job(spec, CONFIG).setup), 200)
    setup = setup_of_job(spec, CONFIG).setup
    alone = _median_ms(lambda: estimate_memory(setup), 200)
    search = _median_ms(lambda: proposals(spec, CONFIG, 0, CAPACITY), 9)
    assert proposals(spec, CONFIG, 0, CAPACITY)
    machine = Machine(989e12, 3350e9, 450e9)
    time_alone = _median_ms(lambda: step_time(setup, machine), 200)
    largest = _median_ms(lambda: largest_model(setup, CAPACITY), 9)
    print(
        f"\nMemory of a 70B job: {once:.2f} ms from the spec (goal 5 ms), {alone:.2f} ms of them the model itself; "
        f"what fits: {search:.0f} ms (goal 200 ms), {search / once:.0f} x of one estimate; "
        f"an update's time: {time_alone:.3f} ms; the largest model: {largest:.1f} ms"
    )
