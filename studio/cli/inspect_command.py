"""What the terminal does with data: look at all of it under a model's tokenizer, and tell what was found."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path
from typing import Any

from remote_agent.contract.data_report import DataReport, RowView, TokenCounts
from remote_agent.contract.data_spec import DataSpec, SourceSpec
from remote_agent.contract.job_spec import JobSpec, ModelSpec
from remote_agent.contract.wire import to_wire
from studio.cli.desk import Desk, complain, say_json
from studio.cli.exit_codes import BAD_INPUT, OK
from studio.cli.terminal import Bar
from studio.job_file import read_job_file
from studio.remote.answers import answer_as
from studio.remote.call import Progress
from studio.remote.data_stream import DataStream
from studio.remote.errors import AgentFailed
from studio.report.page import rows_shown, write_report
from studio.session.inputs import Inputs


def inspect(arguments: argparse.Namespace, desk: Desk) -> int:
    """Look at data under a model's tokenizer and template; exit code 2 where a finding blocks the launch."""
    spec = inspected_job(arguments)
    if arguments.html is not None and not arguments.html.absolute().parent.is_dir():
        raise ValueError(f"{arguments.html}: there is no folder {arguments.html.absolute().parent}.")
    inputs = Inputs(desk.local_place(), None, desk.model_cache)
    bar = Bar(enabled=True, aside=True)

    def show(progress: Progress) -> None:
        bar.update(progress.phase.capitalize(), progress.done, progress.total, progress.unit)

    rows: dict[int, RowView] = {}
    try:
        show(Progress("model", 0.0, 0.0))
        model = inputs.inspect_model(spec.model, on_progress=show)
        if model.report.problems and not model.report.has_tokenizer:
            raise ValueError(" ".join(model.report.problems))
        stream = inputs.data_stream(spec, model, on_progress=show)
        try:
            report = stream.whole_report(show)
            if arguments.html is not None:
                rows = _rows(stream, report)
        finally:
            stream.finish()
    finally:
        bar.stop()
    if arguments.json:
        say_json(report_as_json(report))
    else:
        from studio.cli.data_tables import say_report

        say_report(spec, report)
    if arguments.html is not None:
        write_report(arguments.html, spec, report, rows)
        complain(f"The report was written to {arguments.html}.")
    return BAD_INPUT if any(finding.severity == "error" for finding in report.findings) else OK


def inspected_job(arguments: argparse.Namespace) -> JobSpec:
    """Return the job that the arguments describe. Raises ValueError where data or model are named nowhere."""
    spec = read_job_file(arguments.job) if arguments.job else JobSpec()
    data, model = spec.data, spec.model
    if arguments.data:
        first, *more = (_absolute(path) for path in arguments.data)
        data = dataclasses.replace(
            data, source="desktop", path=first, more=tuple(SourceSpec(path=path) for path in more)
        )
    if arguments.held_out:
        data = dataclasses.replace(data, held_out_path=_absolute(arguments.held_out))
    if arguments.length:
        data = dataclasses.replace(data, max_length=arguments.length)
    if arguments.shape:
        data = _with_shape(data, arguments.shape)
    if arguments.model:
        model = ModelSpec(source="desktop", id=_absolute(arguments.model))
    if not data.path:
        raise ValueError("No data is named; give files or folders, or a job with --job.")
    if not model.id:
        raise ValueError("No model is named; give its folder with --model, or a job with --job.")
    return dataclasses.replace(spec, data=data, model=model)


def report_as_json(report: DataReport) -> dict[str, Any]:
    """Return the report for another program; rows count from 0 over all sources."""
    value: dict[str, Any] = to_wire(report)
    tokens = {name: _counts(getattr(report, name)) for name in ("prompt", "response", "total")}
    for name in tokens:
        del value[name]
    return {"rows": value.pop("rows"), "shape": value.pop("shape"), "shape_reason": value.pop("shape_reason"),
            "tokens": tokens, **value}  # fmt: skip


def _counts(counts: TokenCounts) -> dict[str, Any]:
    return {
        "count": counts.count, "min": counts.minimum, "mean": counts.mean, "median": counts.median,
        "max": counts.maximum, "total": counts.total, "histogram": list(counts.histogram), "edges": list(counts.edges),
    }  # fmt: skip


def _rows(stream: DataStream, report: DataReport) -> dict[int, RowView]:
    """Return the rows that the HTML report shows; one that cannot be had is left out."""
    found: dict[int, RowView] = {}
    for index in rows_shown(report):
        try:
            found[index] = answer_as(RowView, stream.answer("row", {"index": index}))
        except AgentFailed:
            if stream.is_over:
                raise
    return found


def _with_shape(data: DataSpec, shape: str) -> DataSpec:
    return dataclasses.replace(
        data, shape=shape, more=tuple(dataclasses.replace(source, shape=shape) for source in data.more)
    )


def _absolute(path: Path) -> str:
    return str(path.expanduser().absolute())
