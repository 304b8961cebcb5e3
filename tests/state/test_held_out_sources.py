"""The held-out loss by source: as the journal told it, named by the job, the newest attempt's where two told it."""

from __future__ import annotations

import json
import math

from remote_agent.contract.data_spec import SourceSpec
from remote_agent.contract.events import Evaluated, Stamped, event_from_body, event_to_body
from remote_agent.contract.job_spec import JobSpec, with_value
from studio.state.held_out_sources import held_out_by_source, source_names
from studio.state.run import RunState

SPEC = with_value(
    with_value(JobSpec(), "data.path", "/a/chat.jsonl"),
    "data.more",
    (SourceSpec(path="/b/chat.jsonl"), SourceSpec(path="org/replay"), SourceSpec(path="code.parquet")),
)


def evaluated(step: int, *losses: float, attempt: int = 1) -> Stamped:
    """Return an evaluation as it comes out of a journal."""
    event = Evaluated(attempt, step, 2.0, 7.4, 100, 10, 0.5, losses)
    return event_from_body(json.loads(json.dumps(event_to_body(event, 10.0 + step))))


def test_that_sources_are_named_and_those_without_held_out_rows_are_left_out() -> None:
    run = RunState("r", "r", "node", SPEC)
    run.fold([evaluated(0, 3.0, 2.0, math.nan, 4.0), evaluated(5, 2.5, 1.5, math.nan, 3.5)])
    first, second, third = held_out_by_source(run)
    assert (first.name, first.steps, first.losses) == ("chat.jsonl (1)", (0.0, 5.0), (3.0, 2.5))
    assert (second.name, third.name) == ("chat.jsonl (2)", "code.parquet")
    assert source_names(with_value(SPEC, "data.held_out_path", "x/test.json").data)[-1] == "test.json"


def test_that_a_later_attempt_takes_the_place_and_one_source_alone_is_no_split() -> None:
    run = RunState("r", "r", "node", SPEC)
    run.fold([evaluated(5, 2.5, 1.5, 1.0, 3.5), evaluated(5, 9.0, 1.5, 1.0, 3.5, attempt=2)])
    assert next(iter(held_out_by_source(run))).losses == (9.0,)
    alone = RunState("r", "r", "node", SPEC)
    alone.fold([evaluated(5, 2.5, math.nan, math.nan, math.nan)])
    assert list(held_out_by_source(alone)) == []
