"""What the terminal does with a job file: check and schedule."""

from __future__ import annotations

import argparse

from remote_agent.contract.job_spec import ScheduleSpec, with_value
from remote_agent.contract.problem import Known
from remote_agent.contract.problems import blocking, problems
from remote_agent.contract.schedule import (
    Horizon,
    first_update_note,
    lr_curve,
    momentum_at,
    warmup_steps,
    weight_decay_at,
)
from remote_agent.contract.schedule_problems import known_horizon, schedule_problems
from remote_agent.contract.schedule_spans import is_counted
from remote_agent.contract.wire import to_wire
from studio.cli.desk import Desk, say, say_json
from studio.cli.exit_codes import BAD_INPUT, OK
from studio.job_file import read_job_file


def check(arguments: argparse.Namespace, desk: Desk) -> int:
    """Say what stands against a job; exit code 2 where something blocks the launch."""
    spec = read_job_file(arguments.job)
    found = problems(spec)
    if arguments.json:
        say_json({"ok": not blocking(found), "problems": [to_wire(problem) for problem in found]})
    else:
        for problem in found:
            fix = f" Fix: {problem.fix.label}." if problem.fix else ""
            say(f"{problem.severity}: {problem.field}: {problem.sentence}{fix}")
        if not found:
            say(f"{arguments.job}: nothing stands against it.")
    return BAD_INPUT if blocking(found) else OK


def schedule(arguments: argparse.Namespace, desk: Desk) -> int:
    """Show the learning rate over the run, every update with ``--json``; weight decay and momentum where they move."""
    spec = read_job_file(arguments.job)
    if arguments.steps:
        spec = with_value(spec, "batch.max_steps", arguments.steps)
    known = Known(train_sequences=arguments.sequences, train_tokens=arguments.tokens)
    horizon = known_horizon(spec, known)
    if horizon.total_steps <= 0:
        raise ValueError(
            "The number of steps is not known without the data: set batch.max_steps, or give --steps or --sequences."
        )
    _need_counts(spec.schedule, horizon)
    updates, rates = lr_curve(spec, horizon, horizon.total_steps if arguments.json else arguments.rows)
    columns = {"learning rate": rates}
    for name, at in (("weight decay", weight_decay_at), ("momentum", momentum_at)):
        values = [at(spec, update, horizon) for update in updates]
        if min(values) != max(values):
            columns[name] = values
    warmup, note = warmup_steps(spec.schedule, horizon), first_update_note(spec, horizon)
    if arguments.json:
        listed = {f"{name.replace(' ', '_')}s": values for name, values in columns.items()}
        say_json({"total_steps": horizon.total_steps, "warmup_steps": warmup, **listed, "note": note})
        return OK
    peak = max(rates)
    say("step         " + "".join(f"{name:<15}" for name in columns).rstrip())
    for update, *row in zip(updates, *columns.values(), strict=True):
        bar = "█" * round(40 * row[0] / peak) if peak else ""
        say(f"{update + 1:<12} " + "".join(f"{value:<14.6g} " for value in row) + bar)
    say(f"{horizon.total_steps} steps, {warmup} of them warmup. {note}".rstrip())
    for problem in schedule_problems(spec, known):
        say(f"{problem.severity}: {problem.field}: {problem.sentence}")
    return OK


def _need_counts(schedule: ScheduleSpec, horizon: Horizon) -> None:
    """Raise ValueError where a span's unit asks for counts of the data that were not given."""
    spans = (schedule.warmup, schedule.cooldown) if schedule.shape == "wsd" else (schedule.warmup,)
    units = {span.unit for span in spans if span.amount > 0}
    for unit, option in (("epochs", "--sequences"), ("tokens", "--sequences and --tokens")):
        if unit in units and not is_counted(unit, horizon):
            raise ValueError(f"The schedule has a span in {unit}: give {option}, as `luthier inspect` counts them.")
