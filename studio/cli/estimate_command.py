"""The terminal's `estimate`: what each GPU, the host and the disk will hold, and how far the model is off a table."""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from remote_agent.contract.job_spec import JobSpec, with_value
from remote_agent.contract.memory import (
    Figure,
    JobSetup,
    MemoryEstimate,
    disk,
    estimate_memory,
    host_memory,
    setup_of_job,
    state_bytes,
    verdict,
)
from remote_agent.contract.memory.fitting import (
    Published,
    Shares,
    cross_validated,
    grouped,
    predicted,
    shares,
    strategy_name,
)
from remote_agent.contract.memory.from_job import PLAIN_HEADS
from remote_agent.contract.memory.from_table import METRICS, RowError, capacities, published, setup_of_row
from remote_agent.contract.memory.gpu_kinds import FILE_NAME, GpuKind, gpu_kind, gpu_kinds
from remote_agent.contract.memory.host import verdict_with_host
from remote_agent.contract.memory.search import proposals
from remote_agent.contract.model_facts import UnknownModelError
from studio import places
from studio.cli import estimate_outlay
from studio.cli.desk import Desk, complain, say, say_json
from studio.cli.exit_codes import BAD_INPUT, OK
from studio.cli.words import amount, gib

_GIB = 1 << 30
ADDED_COLUMNS = ("predicted_allocated_gib", "predicted_reserved_gib", "predicted_card_gib", "binding_phase")
FIT_COLUMN, HOST_COLUMN = "predicted_fit", "predicted_host_gib"


def estimate(arguments: argparse.Namespace, desk: Desk) -> int:
    """Say what a job takes on a GPU, or with ``--table`` how the estimate compares with published peaks."""
    if arguments.table is not None:
        return _table(arguments.table, arguments.out, arguments.json)
    if arguments.examples:
        estimate_outlay.examples(arguments.json)
        return OK
    if arguments.job is None:
        raise ValueError("Name a job file, or give --table FILE.csv or --examples.")
    spec = read_spec(arguments)
    config = config_of(spec)
    if arguments.trace:
        return _trace(spec, config, arguments.json)
    if config is None and not arguments.parameters:
        raise ValueError("The model's config.json is not on this computer; give --parameters.")
    kind = gpu_kind(shipped_gpus(), arguments.gpu) if arguments.gpu else None
    try:
        made = setup_of_job(spec, config, arguments.parameters)
    except UnknownModelError as error:
        raise ValueError(f"{error} Give --parameters.") from None
    if arguments.fit:
        if kind is None:
            raise ValueError("What should it fit? Give --gpu, such as H100-80GB.")
        return _fit(spec, config, arguments, kind)
    return _job(spec, made, kind, arguments)


def _job(spec: JobSpec, made: JobSetup, kind: GpuKind | None, arguments: argparse.Namespace) -> int:
    """Say what a GPU, a node's memory and its disk will hold, and where a kind of GPU is named, time and cost."""
    setup, missing = made
    found = estimate_memory(setup)
    host = host_memory(setup, spec.loading.workers, spec.loading.pin_memory)
    kept = disk(setup, spec.checkpointing.keep_last, spec.checkpointing.state_every_steps > 0)
    capacity = kind.memory_bytes if kind is not None else 0
    fit = verdict(found, capacity)
    states = state_bytes(spec, setup.shape.parameters)
    if arguments.json:
        sizes = {f"{name}_bytes": size for name, size in states._asdict().items()}
        priced = (arguments.updates, arguments.price)
        say_json({
            "parameters": setup.shape.parameters, **sizes, "on_gpu_bytes": states.on_gpu,
            "binding_phase": found.binding,
            **{f"{name}_bytes": getattr(found, name)._asdict() for name in ("allocated", "reserved", "card")},
            "phases": {phase.name: dict(phase.terms) for phase in found.phases},
            "host": {**dict(host.terms), "used_bytes": host.used._asdict(), "binding_phase": host.binding},
            "disk": {**dict(kept.terms), "total_bytes": kept.total},
            "verdict": fit, "capacity_bytes": capacity, "missing": missing,
            **({"outlay": estimate_outlay.outlay(spec, setup, kind, *priced)} if kind is not None else {}),
        })  # fmt: skip
        return OK
    _say_job(spec, found, setup.shape.parameters, missing)
    say(f"Host memory of a node, estimated: {gib(host.used.likely)} ({_terms(host.terms)}).")
    say(f"Disk: {gib(kept.total)} ({_terms(kept.terms)}).")
    if kind is not None:
        say(f"A GPU of {gib(capacity)}: {fit}.")
        estimate_outlay.say_outlay(spec, setup, kind, arguments.updates, arguments.price)
    return OK


def _trace(spec: JobSpec, config: Mapping[str, Any] | None, as_json: bool) -> int:
    """Trace the model on one GPU in a child that has torch, and say what it counted beside the estimate."""
    if config is None:
        raise ValueError("The model's config.json is not on this computer, so that there is nothing to trace.")
    dtype = "fp32" if spec.strategy.precision == "fp32" else "bf16"
    full = spec.strategy.loss_kernel == "plain" or config.get("model_type") not in PLAIN_HEADS
    command = [
        sys.executable, "-m", "remote_agent.trainer.memory_trace",
        str(Path(spec.model.id).expanduser() / "config.json"),
        "--micro-batch", str(spec.batch.micro_batch), "--length", str(spec.data.max_length), "--dtype", dtype,
        "--loss", "full" if full else "lean", "--attention", spec.strategy.attention,
        *([] if spec.strategy.activation_checkpointing else ["--no-checkpointing"]),
    ]  # fmt: skip
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    if answer.returncode:
        said = answer.stderr.strip().splitlines() or ["it said nothing"]
        raise ValueError(f"The model could not be traced: {said[-1]}")
    found = json.loads(answer.stdout.splitlines()[-1])
    estimated = None
    try:
        setup = setup_of_job(spec, config).setup._replace(
            strategy="single", gpus=1, precision="fp32" if dtype == "fp32" else "all_bf16"
        )
        estimated = estimate_memory(setup).allocated.likely
    except UnknownModelError as error:
        complain(f"{error} The trace stands alone.")
    if as_json:
        say_json({**found, "estimated": estimated})
        return OK
    say(f"{amount(found['parameters'])} parameters on one GPU in {dtype}, AdamW, without master weights")
    say(f"  traced    {gib(found['peak']):>12}   {_terms(tuple(found['terms'].items()))}")
    if estimated is not None:
        say(f"  estimated {gib(estimated):>12}   {estimated / found['peak']:.3f} of the trace")
    return OK


def shipped_gpus() -> tuple[GpuKind, ...]:
    """Return the kinds of GPU that the table in the resources lists."""
    return gpu_kinds((places.resources_dir() / FILE_NAME).read_text(encoding="utf-8"))


def _fit(spec: JobSpec, config: Mapping[str, Any] | None, arguments: argparse.Namespace, kind: GpuKind) -> int:
    """Say what fits a kind of GPU; exit code 2 where nothing does."""
    found = proposals(spec, config, arguments.parameters, kind.memory_bytes)
    if arguments.json:
        say_json([
            {"changes": dict(each.changes), "verdict": each.verdict, "headroom": each.headroom,
             "card_bytes": each.estimate.card._asdict(), "relative_time": each.relative_time,
             "host_bytes": each.host_bytes}
            for each in found
        ])  # fmt: skip
        return OK if found else BAD_INPUT
    if not found:
        say(f"Nothing fits {spec.strategy.ranks} x {kind.name} with this model and sequence length. Take more GPUs.")
        return BAD_INPUT
    say(f"What fits {spec.strategy.ranks} x {kind.name} ({gib(kind.memory_bytes)} each), the fastest first, estimated:")
    for each in found:
        changes = ", ".join(f"{path} {value}" for path, value in each.changes) or "as it is"
        say(f"  {each.verdict:<6}{gib(each.estimate.card.likely):>10}  {100 * each.headroom:>4.0f} % free  "
            f"time x {each.relative_time:.2f}  {changes}")  # fmt: skip
    return OK


def read_spec(arguments: argparse.Namespace) -> JobSpec:
    """Return the job of a file, over another number of GPUs where that is asked for."""
    from studio.job_file import read_job_file

    spec = read_job_file(arguments.job)
    return with_value(spec, "strategy.ranks", arguments.gpus) if arguments.gpus else spec


def config_of(spec: JobSpec) -> Mapping[str, Any] | None:
    """Return the config.json of a model on this computer, None where there is none. Raises ValueError if unreadable."""
    path = Path(spec.model.id).expanduser() / "config.json"
    if spec.model.source != "desktop" or not path.is_file():
        return None
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: {error} Give --parameters.") from None
    if not isinstance(config, dict):
        raise ValueError(f"{path} holds no JSON object. Give --parameters.")
    return config


def _say_job(spec: JobSpec, found: MemoryEstimate, parameters: int, missing: str) -> None:
    strategy = spec.strategy
    say(f"{amount(parameters)} parameters, {strategy.precision}, ZeRO {strategy.zero_stage}, {strategy.ranks} ranks")
    for label, figure in (
        ("allocated", found.allocated),
        ("reserved", found.reserved),
        ("on the card", found.card),
    ):
        say(f"  {label:<18}{_interval(figure)}")
    say("")
    for phase in found.phases:
        mark = "<- binds" if phase.name == found.binding else ""
        say(f"  {phase.name.replace('_', ' '):<18}{gib(phase.total):>12}  {mark}")
    say(f"At its peak: {_terms(found.bound.terms)}.")
    say("All figures are estimates for one GPU." + (f" {missing}" if missing else ""))


def _interval(figure: Figure) -> str:
    return f"{gib(figure.likely):>12}   {gib(figure.low)} to {gib(figure.high)}"


def _terms(terms: Sequence[tuple[str, int]]) -> str:
    return ", ".join(f"{name} {gib(size)}" for name, size in terms) or "nothing"


def _table(path: Path, out: Path | None, as_json: bool) -> int:
    """Compare with every row of a table; rows that cannot be read are named and left out, exit code 2."""
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file)
        columns = list(reader.fieldnames or [])
        rows = [{key: value or "" for key, value in row.items() if key} for row in reader]
    if not rows:
        raise ValueError(f"{path}: there is no row in it.")
    complaints, known = [], []
    for number, row in enumerate(rows, 1):
        try:
            setup = setup_of_row(row)
            metric, measured = published(row)
        except RowError as error:
            complaints.append(f"row {number} ({row.get('id', '')}): {error}")
            continue
        found = estimate_memory(setup)
        figures = (found.allocated.likely, found.reserved.likely, found.card.likely)
        on_gpu, on_host = capacities(row)
        if on_gpu:
            host = host_memory(setup)
            row[FIT_COLUMN] = verdict_with_host(verdict(found, on_gpu), setup, host, on_host)
            row[HOST_COLUMN] = f"{host.used.likely / _GIB:.1f}"
        row.update(zip(ADDED_COLUMNS, (*(f"{size / _GIB:.3f}" for size in figures), found.binding), strict=True))
        if measured > 0 and metric in METRICS:
            known.append(Published(row.get("source", ""), setup, metric, measured))
    if out is not None:
        with out.open("w", newline="", encoding="utf-8") as file:
            added = [*ADDED_COLUMNS, *((FIT_COLUMN, HOST_COLUMN) if "gpu_gib" in columns else ())]
            writer = csv.DictWriter(file, [*[name for name in columns if name not in added], *added])
            writer.writeheader()
            writer.writerows(rows)
    _say_table(known, as_json, complaints)
    return BAD_INPUT if complaints else OK


def _say_table(known: Sequence[Published], as_json: bool, complaints: Sequence[str]) -> None:
    if not known:
        say_json({"rows": 0, "complaints": list(complaints)}) if as_json else say("No row has a measured figure.")
        return
    plain = [predicted(row) / row.measured for row in known]
    sections = (("as shipped", plain), ("fitted to the other sources", cross_validated(known)))
    answer: dict[str, Any] = {"rows": len(known), "complaints": list(complaints)}
    for title, ratios in sections:
        groups = [
            ("all", shares(ratios)),
            *grouped(known, ratios, lambda row: row.metric),
            *grouped(known, ratios, lambda row: row.setup.strategy),
            *grouped(known, ratios, lambda row: f"{row.metric}, {strategy_name(row.setup)}"),
        ]
        answer[title] = {name: found._asdict() for name, found in groups}
        if not as_json:
            _say_groups(title, groups)
    if as_json:
        say_json(answer)
    for complaint in complaints:
        if not as_json:
            say(complaint)


def _say_groups(title: str, groups: Sequence[tuple[str, Shares]]) -> None:
    say(f"Predicted / measured, {title}")
    say(f"  {'':<24}{'rows':>5}{'median':>9}{'<= 5 %':>9}{'<= 10 %':>9}{'<= 15 %':>9}{'<= 20 %':>9}")
    for name, found in groups:
        cells = "".join(
            f"{100 * share:>7.0f} %" for share in (found.within_5, found.within_10, found.within_15, found.within_20)
        )
        say(f"  {name:<24}{found.rows:>5}{found.median:>9.3f}{cells}")
    say("")
