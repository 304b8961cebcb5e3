"""A library full of runs of a few settings, as months of work leave it."""

from __future__ import annotations

import itertools
import math
import random
from pathlib import Path

from remote_agent.contract.job_spec import JobSpec, with_value
from remote_agent.contract.spec_json import spec_to_json
from studio.store.library import Library
from studio.store.rows import JobRow, LabelRow, RunRow

START_S = 1_764_000_000.0
JOB_ID = "0a1b2c3d4e5f"
_STATES = ("finished", "finished", "finished", "stopped", "failed")
_NODES = ("gpu-box", "lab-2", "This computer")
_TAGS = (("baseline",), ("sweep",), (), ("sweep", "long"))


def fill_library(path: Path, count: int) -> list[RunRow]:
    """Keep runs 0 … ``count`` - 1, newest last, and the job that every tenth was launched from; return the runs."""
    chance = random.Random(1)
    specs = [_spec(number) for number in range(min(count, 200))]
    texts = [spec_to_json(spec) for spec in specs]
    library = Library(path)
    try:
        library.save_job(JobRow(JOB_ID, "docstrings", spec_to_json(with_value(specs[0], "name", "docstrings"))))
        rows = []
        for number in range(count):
            state = _STATES[number % len(_STATES)]
            loss = math.nan if state == "failed" else 1.0 + chance.random()
            row = RunRow(
                f"r-{number:06d}", f"sweep {number}", _NODES[number % 3], texts[number % len(texts)], state, 100, 100,
                loss, START_S + 600 * number, START_S + 600 * number + 300,
                job_id=JOB_ID if number % 10 == 0 else "", best_held_out=loss + 0.1,
                tokens_per_s=chance.uniform(1e3, 5e4),
            )  # fmt: skip
            rows.append(row)
            library.save_run(row)
            tags = _TAGS[number % 4]
            library.save_label(LabelRow(row.run_id, f"week {number // 500}", tags, "", archived=number % 25 == 24))
    finally:
        library.close()
    return rows


def _spec(number: int) -> JobSpec:
    kinds = itertools.cycle(("adamw", "lion", "muon"))
    spec: JobSpec = with_value(JobSpec(), "optimizer.kind", next(itertools.islice(kinds, number % 3, None)))
    for path, value in (
        ("name", f"job {number}"), ("optimizer.learning_rate", 1e-5 * (1 + number % 7)), ("seed", number),
    ):  # fmt: skip
        spec = with_value(spec, path, value)
    return spec
