"""What the terminal does with runs: start, follow, stop, list."""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
from typing import Any

from remote_agent.contract.events import FINISHED, QUEUED
from remote_agent.contract.job_spec import JobSpec
from remote_agent.contract.run_dir import is_run_id
from studio.cli.desk import Desk, complain, say, say_json
from studio.cli.exit_codes import BAD_INPUT, OK, RUN_FAILED
from studio.cli.terminal import LaunchView, RunView
from studio.job_file import read_job_file
from studio.session.expected_memory import keep_measured
from studio.session.following import Following
from studio.session.known_nodes import save_node
from studio.session.launching import LaunchCancelledError, LaunchError, Launching, StartUnknownError
from studio.session.records import launched_row
from studio.session.resuming import resume_run, resumed_row
from studio.store.rows import RunRow


def run(arguments: argparse.Namespace, desk: Desk) -> int:
    """Start a job on a node and follow the run to its end."""
    row = start_job(read_job_file(arguments.job), arguments.node, desk, arguments.json)
    if isinstance(row, int):
        return row
    if arguments.detach:
        _say_started(arguments.json, row)
        return OK
    return follow(row, desk, arguments.json)


def start_job(spec: JobSpec, node_name: str, desk: Desk, as_json: bool) -> RunRow | int:
    """Start a job on a node and keep its run in the library; an exit code where none was started, which was said.

    Raises:
        StartUnknownError: the node went silent while it was told to start.
    """
    node, library = desk.node(node_name), desk.library
    view = LaunchView(as_json=as_json)
    launching = Launching(
        spec,
        desk.reach.agent(node.address),
        node=node_name,
        is_local=node.address.kind == "local",
        python=node.address.python,
        on_steps=view.show,
        keep=lambda launched: library.save_run(launched_row(launched)),
        discard=library.delete_run,
    )
    try:
        with view:
            launched = launching.run()
    except StartUnknownError as error:
        complain(error.sentence)
        raise
    except LaunchCancelledError:
        return RUN_FAILED
    except LaunchError as error:
        for problem in error.problems:
            complain(f"{problem.severity}: {problem.field}: {problem.sentence}")
        if not error.problems:
            complain(str(error))
        return BAD_INPUT
    save_node(library, node.address, launched.node_report)
    row = library.run(launched.run_id)
    assert row is not None
    return row


def attach(arguments: argparse.Namespace, desk: Desk) -> int:
    """Follow a run to its end, from where the library's copy of its journal stands."""
    return follow(known_run(arguments.run, arguments.node, desk), desk, arguments.json)


def stop(arguments: argparse.Namespace, desk: Desk) -> int:
    """Ask a run to stop after the update it is in."""
    row = known_run(arguments.run, "", desk)
    agent = desk.reach.agent(desk.node(row.node).address)
    agent.command(row.run_id, "stop", {"save": arguments.save})
    say(f"{row.run_id} was asked to stop; `luthier attach {row.run_id}` shows when it has.")
    return OK


def resume(arguments: argparse.Namespace, desk: Desk) -> int:
    """Let an ended run go on from its last checkpoint and follow it to its end."""
    row = known_run(arguments.run, arguments.node, desk)
    agent = desk.reach.agent(desk.node(row.node).address)
    resumed = resume_run(agent, row.run_id, arguments.python, None, arguments.gpus, arguments.zero_stage, row.job)
    row = resumed_row(row)
    desk.library.save_run(row)
    if arguments.json:
        # one line, since the lines of the journal follow
        goes_on = {"run_id": row.run_id, "node": row.node, "attempt": resumed.attempt, "step": resumed.step}
        say(json.dumps(goes_on))
    else:
        say(f"{row.run_id} goes on from step {resumed.step}.")
    return OK if arguments.detach else follow(row, desk, arguments.json)


def list_runs(arguments: argparse.Namespace, desk: Desk) -> int:
    """List the runs of the library, or of a node."""
    rows: list[dict[str, Any]]
    if arguments.node:
        agent = desk.reach.agent(desk.node(arguments.node).address)
        rows = [dataclasses.asdict(summary) for summary in agent.runs()]
    else:
        keys = ("run_id", "name", "node", "state", "step", "total_steps", "loss", "created_s", "ended_s", "note")
        rows = [{key: getattr(row, key) for key in keys} for row in desk.library.runs()]
    if arguments.json:
        say_json(rows)
        return OK
    for row in rows:
        loss = row.get("loss", math.nan)
        steps = f"{row['step']}/{row['total_steps']}" if row.get("total_steps") else f"{row['step']}"
        shown = f"loss {loss:.4f}" if math.isfinite(loss) else ""
        say(f"{row['run_id']:<24} {row['state']:<12} {steps:>12}  {shown:<14} {row['name']}")
    if not rows:
        say("There are no runs yet; `luthier run JOB.yaml` starts one.")
    return OK


def follow(row: RunRow, desk: Desk, as_json: bool) -> int:
    """Follow a run to its end and return the exit code; Ctrl+C leaves it to itself."""
    node = desk.node(row.node)
    following = Following(row, desk.library, desk.reach.agent(node.address))
    try:
        with RunView(row, as_json=as_json) as view:
            following.follow(view.show)
    except KeyboardInterrupt:
        complain(
            f"Detached; {row.run_id} goes on on {row.node}. `luthier attach {row.run_id}` follows it again, "
            f"`luthier stop {row.run_id}` stops it."
        )
        return OK
    finally:
        followed = following.measured_row()
        desk.library.save_run(followed)
        if following.memory is not None:
            keep_measured(desk.library, followed, following.memory)
    if following.gone:
        complain(f"{row.node} has no run {row.run_id}.")
        return BAD_INPUT
    ended = following.row
    if not as_json:
        reason = f" {following.reason}" if following.reason else ""
        say(f"{ended.run_id} is {ended.state} at step {ended.step} of {ended.total_steps}.{reason}")
    return OK if ended.state == FINISHED else RUN_FAILED


def known_run(run_id: str, node: str, desk: Desk) -> RunRow:
    """Return a run of the library, or of a node that has it. Raises ValueError where neither has."""
    if not is_run_id(run_id):
        raise ValueError(f"{run_id} is no run id; `luthier runs` lists them.")
    row = desk.library.run(run_id)
    if row is not None:
        return row
    if not node:
        raise ValueError(f"There is no run {run_id} in this library; name its node with --node, or see `luthier runs`.")
    summaries = [one for one in desk.reach.agent(desk.node(node).address).runs() if one.run_id == run_id]
    if not summaries:
        raise ValueError(f"{node} has no run {run_id}.")
    row = _adopted(summaries[0].name, run_id, node, summaries[0].created_s, desk)
    desk.library.save_run(row)
    return row


def _adopted(name: str, run_id: str, node: str, created_s: float, desk: Desk) -> RunRow:
    """Return a row for a run that was started elsewhere, with the job that lies beside it on the node."""
    import tempfile
    from pathlib import Path

    from remote_agent.contract.run_dir import JOB

    with tempfile.TemporaryDirectory() as folder:
        desk.reach.agent(desk.node(node).address).fetch(run_id, [JOB], Path(folder))
        job = (Path(folder) / JOB).read_text(encoding="utf-8")
    return RunRow(run_id, name, node, job, QUEUED, created_s=created_s)


def _say_started(as_json: bool, row: RunRow) -> None:
    if as_json:
        say_json({"run_id": row.run_id, "node": row.node})
    else:
        say(f"{row.run_id} is started on {row.node}; `luthier attach {row.run_id}` follows it.")
