"""What the terminal does between a job and others: import, export, diff."""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from remote_agent.contract import bundle
from remote_agent.contract.job_spec import JobSpec
from remote_agent.contract.run_dir import is_run_id
from remote_agent.contract.spec_diff import ABSENT, differences
from remote_agent.contract.spec_json import spec_from_json, spec_to_dict
from remote_agent.contract.wire import to_wire
from studio.cli.desk import Desk, complain, say, say_json
from studio.cli.exit_codes import OK
from studio.exchange.exported import Exported
from studio.exchange.exporting import exported
from studio.exchange.formats import FORMATS
from studio.exchange.imported import Entry, Given, Imported
from studio.exchange.importing import imported
from studio.exchange.job_schema import job_schema_text
from studio.export import export
from studio.job_file import job_to_yaml, read_job_file, write_job_file

BUNDLE, JSON_SCHEMA, JOB_YAML = "bundle", "json-schema", "job-yaml"


def import_config(arguments: argparse.Namespace, desk: Desk) -> int:
    """Make a job of another tool's configuration, and say what became of every key."""
    text = arguments.file.read_text(encoding="utf-8-sig")
    given = Given(arguments.gpus, arguments.rows, _dataset_info(arguments.file))
    found = imported(text, arguments.file.name, given, FORMATS.get(arguments.origin, ""))
    if arguments.output is not None:
        if arguments.output.exists():
            raise ValueError(f"{arguments.output} exists already; choose another name, so that it is not lost.")
        write_job_file(arguments.output, found.spec)
    if arguments.json:
        say_json(_as_json(found))
        return OK
    _say_account(found, arguments.every)
    if arguments.output is not None:
        say(f"Written to {arguments.output}; `luthier check {arguments.output}` says what stands against it.")
    return OK


def _dataset_info(file: Path) -> Mapping[str, Any]:
    """Return the dataset_info.json that a LLaMA-Factory file refers to, where it lies beside it or in data/."""
    for folder in (file.parent, file.parent / "data"):
        try:
            tree = json.loads((folder / "dataset_info.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if isinstance(tree, dict):
            return tree
    return {}


def _as_json(found: Imported) -> dict[str, Any]:
    return {
        "origin": found.origin,
        "reason": found.reason,
        "job": spec_to_dict(found.spec),
        **{
            name: [dataclasses.asdict(entry) for entry in getattr(found, name)]
            for name in ("mapped", "converted", "dropped")
        },
        "findings": [to_wire(problem) for problem in found.findings],
    }


def _say_account(found: Imported, every: bool) -> None:
    say(f"A configuration of {found.origin}: {found.reason}")
    for title, entries in (("mapped", found.mapped), ("converted", found.converted), ("dropped", found.dropped)):
        shown = [entry for entry in entries if every or not entry.by_default]
        rest = f" ({len(entries) - len(shown)} more are the tool's defaults; --every shows them)"
        say(f"\n{title}: {len(shown)}{rest if len(shown) < len(entries) else ''}")
        for entry in shown:
            say(f"  {_entry_words(entry)}")
    say(f"\nfindings: {len(found.findings)}")
    for problem in found.findings:
        fix = f" Fix: {problem.fix.label}." if problem.fix else ""
        say(f"  {problem.field}: {problem.sentence}{fix}")


def _entry_words(entry: Entry) -> str:
    theirs = f"{entry.their_key} = {_short(entry.their_value)}"
    ours = f" -> {entry.path} = {_short(entry.value)}" if entry.path else ""
    return f"{theirs}{ours}  {entry.sentence}"


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else text[:57] + "..."


def export_job(arguments: argparse.Namespace, desk: Desk) -> int:
    """Write the bundle that reruns a run or a job, or the job as another tool reads it."""
    if arguments.format == JSON_SCHEMA:
        say(job_schema_text().rstrip("\n"))
        return OK
    if arguments.what is None:
        raise ValueError("Say what to export: a run's id, or a job file.")
    if arguments.format == JOB_YAML and arguments.folder is None:
        say(job_to_yaml(job_named(arguments.what, desk)).rstrip("\n"))
        return OK
    if arguments.folder is None:
        raise ValueError("Say into which folder to export.")
    if arguments.format == BUNDLE:
        made = export(arguments.what, arguments.folder, desk.library, arguments.pack)
        say(f"Written to {arguments.folder}; `bash {arguments.folder / 'run.sh'}` reruns {made.name}.")
        return OK
    _export_to_tool(arguments, desk)
    return OK


def _export_to_tool(arguments: argparse.Namespace, desk: Desk) -> None:
    spec = job_named(arguments.what, desk)
    if arguments.format == JOB_YAML:
        made = Exported("Luthier", {bundle.JOB_YAML: job_to_yaml(spec)}, (), f"luthier run {bundle.JOB_YAML}")
    else:
        made = exported(spec, arguments.format)
    taken = [name for name in made.files if (arguments.folder / name).exists()]
    if taken:
        raise ValueError(f"{arguments.folder} has {', '.join(taken)} already; choose another folder.")
    arguments.folder.mkdir(parents=True, exist_ok=True)
    for name, text in made.files.items():
        (arguments.folder / name).write_text(text, encoding="utf-8", newline="\n")
    for one in made.lost:
        complain(f"{one.path} = {_short(one.value)}: {one.sentence}")
    say(f"Written to {arguments.folder}: {', '.join(made.files)}. Start it there with: {made.start}")


def diff(arguments: argparse.Namespace, desk: Desk) -> int:
    """Say what differs between two jobs, field by field."""
    first, second = (job_named(what, desk) for what in (arguments.first, arguments.second))
    found = differences(first, second)
    if arguments.json:
        say_json([one._asdict() for one in found])
        return OK
    for one in found:
        unit = f" {one.unit}" if one.unit else ""
        values = [
            "absent" if value is ABSENT else f"{_short(list(value) if isinstance(value, tuple) else value)}{unit}"
            for value in (one.first, one.second)
        ]
        say(f"{one.path}  {one.label}: {values[0]} -> {values[1]}")
    if not found:
        say("The two jobs are the same.")
    return OK


def job_named(what: str, desk: Desk) -> JobSpec:
    """Return the job of a run (by its id), of a bundle (its folder) or of a job file. Raises ValueError, OSError."""
    if is_run_id(what):
        row = desk.library.run(what)
        if row is None:
            raise ValueError(f"There is no run {what} in this library; `luthier runs` lists them.")
        return spec_from_json(row.job)
    path = Path(what)
    return read_job_file(path / bundle.JOB if path.is_dir() else path)
