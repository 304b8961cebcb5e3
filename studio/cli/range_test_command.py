"""The terminal's learning-rate range test: a short run of its own on a node, its curve, and the peak it suggests."""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Sequence

from remote_agent.contract.events import FINISHED
from remote_agent.contract.range_test import (
    RangeTest,
    Suggestion,
    range_test_job,
    range_test_mistake,
    smoothed,
    suggestion,
)
from studio.cli.desk import Desk, say
from studio.cli.exit_codes import RUN_FAILED
from studio.cli.run_commands import follow, start_job
from studio.job_file import read_job_file, write_job_file
from studio.store.library import Library
from studio.store.replay import replay


def range_test(arguments: argparse.Namespace, desk: Desk) -> int:
    """Run a range test of a job on a node, follow it, show its curve and say which peak it suggests.

    Raises:
        ValueError: the bounds are none.
    """
    spec = read_job_file(arguments.job)
    test = RangeTest(arguments.low, arguments.high, arguments.updates)
    mistake = range_test_mistake(test)
    if mistake:
        raise ValueError(mistake)
    row = start_job(range_test_job(spec, test), arguments.node, desk, arguments.json)
    if isinstance(row, int):
        return row
    code = follow(row, desk, arguments.json)
    ended = desk.library.run(row.run_id)
    if ended is None or ended.state != FINISHED:
        return code
    rates, losses = _curve(desk.library, row.run_id)
    found = suggestion(rates, losses)
    if arguments.json:
        # one line, since the lines of the journal stand before it
        say(json.dumps({"run_id": row.run_id, "suggestion": found._asdict() if found else None}))
    else:
        _show(rates, losses, found)
    if found is None:
        return RUN_FAILED
    if arguments.output:
        optimizer = dataclasses.replace(spec.optimizer, learning_rate=found.peak)
        write_job_file(arguments.output, dataclasses.replace(spec, optimizer=optimizer))
    return code


def _curve(library: Library, run_id: str) -> tuple[list[float], list[float]]:
    rates: list[float] = []
    losses: list[float] = []
    for batch, _ in replay(library, run_id):
        rates.extend(batch.steps.column("learning_rate"))
        losses.extend(batch.steps.column("loss"))
    return rates, losses


def _show(rates: Sequence[float], losses: Sequence[float], found: Suggestion | None) -> None:
    means = smoothed(losses)
    every = max(1, len(rates) // 24)
    highest = max(means)
    say("learning rate  smoothed loss")
    for rate, mean in list(zip(rates, means, strict=True))[::every]:
        say(f"{rate:<14.3g} {mean:<14.4f} " + "█" * round(40 * mean / highest))
    if found is None:
        say("The loss never fell, so the curve suggests nothing.")
    else:
        say(
            f"Suggested peak: {found.peak:.3g}, a tenth of {found.lowest:.3g}, where the smoothed loss is lowest. "
            f"It falls fastest at {found.steepest:.3g}."
        )
