"""Runs searched and sorted by any setting or result."""

from __future__ import annotations

import json
import math

from studio.state.library import RunEntry
from studio.state.run_index import RunIndex
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
