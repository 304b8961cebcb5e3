"""Runs searched and sorted by any setting or result."""

from __future__ import annotations

import dataclasses
import json
import math

import pytest

from remote_agent.contract.flops import Flops
from remote_agent.contract.throughput import Throughput, throughput
from studio.state.library import RunEntry
from studio.state.run_index import JOB, RATES, RESULTS, RunIndex
from studio.store.settings import settings_columns

JOBS = [
    {"name": "a 2", "optimizer": {"kind": "adamw", "learning_rate": 1e-5}, "tags": ["x"]},
    {"name": "a 10", "optimizer": {"kind": "lion", "learning_rate": 5e-5}, "new": True},
    {"name": "b", "optimizer": {"kind": "adamw", "learning_rate": 2e-5}},
]


def index() -> RunIndex:
    runs = [
        RunEntry("r-1", "a 2", "box", "finished", loss=1.5, tags=("baseline",)),
        RunEntry("r-2", "a 10", "box", "failed", remark="two words"),
        RunEntry("r-3", "b", "lab", "finished", loss=0.5),
        RunEntry("r-4", "old", "lab", "finished", loss=0.1, archived=True),
    ]
    return RunIndex(runs, settings_columns([*(json.dumps(job) for job in JOBS), "no json"]))


def test_that_every_word_and_every_condition_has_to_hold() -> None:
    found = index()
    assert found.find("").rows == [0, 1, 2]
    assert found.find("", archived=True).rows == [3]
    assert found.find("LION").rows == [1]
    assert found.find("learning_rate>=2e-5 state=finished").rows == [2]
    assert found.find('"two words"').rows == [1]
    assert found.find("tags=baseline loss<2").rows == [0]
    assert found.find("new=true").rows == [1]
    assert found.find("no_such<3").problem == "no_such"


def test_that_rows_are_ordered_by_any_column_with_the_unknown_last() -> None:
    found = index()
    assert found.ordered([0, 1, 2], "loss") == [2, 0, 1]
    assert found.ordered([0, 1, 2], "loss", descending=True) == [0, 2, 1]
    assert found.ordered([1, 2, 0], "name") == [0, 1, 2]
    assert found.ordered([0, 1, 2], "optimizer.learning_rate") == [0, 2, 1]
    assert math.isnan(float(found.column("best_held_out")[0] or 0))
    assert "optimizer.kind" in found.varying


def test_that_runs_are_found_and_ordered_by_their_flops_and_their_share_of_the_peak() -> None:
    """Of 10 GFLOP a token and a peak of 100 TFLOP/s; the third run was never measured, the fourth's GPU is unknown."""
    peaks = {"r-1": 100e12, "r-2": 100e12, "r-4": 0.0}

    def rate(run_id: str, tokens_per_s: float) -> Throughput | None:
        return throughput(tokens_per_s, Flops(4e9, 6e9), peaks[run_id]) if run_id in peaks else None

    speeds = {"r-1": 4000.0, "r-2": 5000.0, "r-3": 6000.0, "r-4": 7000.0}
    runs = [RunEntry(run_id, run_id, "box", "finished", tokens_per_s=speed) for run_id, speed in speeds.items()]
    found = RunIndex(runs, {}, rate=rate)
    found.prepare()
    assert found.find("mfu>0.45").rows == [1]
    assert found.find("mfu<=0.4").rows == [0]
    assert found.find("tflops>=50").rows == [1, 3]
    assert found.ordered([0, 1, 2, 3], "mfu", descending=True) == [1, 0, 2, 3]
    assert found.ordered([0, 1, 2, 3], "tflops") == [0, 1, 3, 2]
    faster = found.with_runs([*runs[:1], dataclasses.replace(runs[1], tokens_per_s=3000.0), *runs[2:]])
    assert faster is not None and faster.find("mfu<0.4").rows == [1]


def test_that_one_value_is_what_its_column_has_whether_the_column_was_made_or_not() -> None:
    runs = index()
    for name in (*RESULTS, *RATES, JOB, *runs.paths[:20]):
        singly = [runs.value(row, name) for row in range(len(runs.runs))]
        column = list(runs.column(name))
        assert str(singly) == str(column) == str([runs.value(row, name) for row in range(len(runs.runs))]), name
    with pytest.raises(KeyError):
        runs.value(0, "nothing")
