"""What the terminal does with a job file: check, schedule, estimate, inspect and export."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from remote_agent.contract.batch_arithmetic import batch_plan
from remote_agent.contract.job_spec import JobSpec
from remote_agent.contract.memory import state_bytes
from remote_agent.contract.model_facts import UnknownModelError, model_facts
from remote_agent.contract.problems import blocking, problems
from remote_agent.contract.schedule import lr_at, lr_curve
from remote_agent.contract.wire import to_wire
from studio.cli.desk import Desk, say, say_json
from studio.cli.exit_codes import BAD_INPUT, OK
from studio.cli.words import amount, gib
from studio.export import export
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
    """Show the learning rate over the run, every update with ``--json``."""
    spec = read_job_file(arguments.job)
    total = arguments.steps or batch_plan(spec, arguments.sequences).total_steps
    if total <= 0:
        raise ValueError(
            "The number of steps is not known without the data: set batch.max_steps, or give --steps or --sequences."
        )
    if arguments.json:
        say_json({"total_steps": total, "learning_rates": [lr_at(spec, update, total) for update in range(total)]})
        return OK
    updates, rates = lr_curve(spec, total, columns=arguments.rows)
    peak = max(rates)
    say("step         learning rate")
    for update, rate in zip(updates, rates, strict=True):
        say(f"{update + 1:<12} {rate:<14.6g} {'█' * round(40 * rate / peak) if peak else ''}")
    return OK


def estimate(arguments: argparse.Namespace, desk: Desk) -> int:
    """Say what weights, gradients and optimizer states take on each GPU."""
    spec = read_job_file(arguments.job)
    parameters = arguments.parameters or _parameters(spec)
    states = state_bytes(spec, parameters)
    if arguments.json:
        sizes = {f"{name}_bytes": size for name, size in states._asdict().items()}
        say_json({"parameters": parameters, **sizes, "on_gpu_bytes": states.on_gpu})
        return OK
    strategy = spec.strategy
    say(f"{amount(parameters)} parameters, {strategy.precision}, ZeRO {strategy.zero_stage}, {strategy.ranks} ranks")
    for label, count in (
        ("weights", states.weights), ("gradients", states.gradients), ("optimizer", states.optimizer),
        ("together on each GPU", states.on_gpu), ("in host memory", states.host),
    ):  # fmt: skip
        say(f"  {label:<22}{gib(count):>12}")
    say("Computed from the arithmetic of ZeRO; activations and buffers come on top and are not in it.")
    return OK


def _parameters(spec: JobSpec) -> int:
    """Return the parameters of a model on this computer. Raises ValueError where they cannot be told."""
    config = Path(spec.model.id).expanduser() / "config.json"
    if spec.model.source != "desktop" or not config.is_file():
        raise ValueError("The model's config.json is not on this computer; give --parameters.")
    try:
        return model_facts(json.loads(config.read_text(encoding="utf-8"))).parameters
    except (UnknownModelError, json.JSONDecodeError) as error:
        raise ValueError(f"{config}: {error} Give --parameters.") from None


def export_bundle(arguments: argparse.Namespace, desk: Desk) -> int:
    """Write the bundle that reruns a run or a job."""
    made = export(arguments.what, arguments.folder, desk.library, arguments.pack)
    say(f"Written to {arguments.folder}; `bash {arguments.folder / 'run.sh'}` reruns {made.name}.")
    return OK
