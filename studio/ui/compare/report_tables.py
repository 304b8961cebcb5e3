"""What the report of a comparison holds beside the page's own tables: every job whole, alerts, and samples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication

from remote_agent.contract.job_spec import JobSpec, value_at
from remote_agent.contract.knob import described_fields
from studio.ui.compare.figures import run_labels
from studio.ui.knob_control import value_text
from studio.ui.monitor.alerts import alert_title

if TYPE_CHECKING:
    from studio.state.run import RunState

Table = tuple[str, list[list[str]]]
_MOST_SAMPLES = 200


def report_tables(runs: Sequence[RunState]) -> list[Table]:
    """Return titles and rows, the headings first; one that would be empty is left out."""

    def translated(text: str) -> str:
        return QCoreApplication.translate("compare", text)

    labels = run_labels(runs)
    heads = (
        ["", *labels],
        [translated("Run"), translated("Step"), translated("Alert"), translated("What it says")],
        [translated("Run"), translated("Step"), translated("Prompt"), translated("Answer")],
    )
    titles = (translated("The whole jobs"), translated("Alerts"), translated("Samples"))
    bodies = (_jobs(runs), _alerts(runs, labels), _samples(runs, labels))
    tables = zip(titles, heads, bodies, strict=True)
    return [(title, [head, *body]) for title, head, body in tables if body]


def _jobs(runs: Sequence[RunState]) -> list[list[str]]:
    rows = []
    for field in described_fields(JobSpec):
        values = [value_at(run.spec, field.path) for run in runs]
        rows.append([field.path, *(value_text(field.path, value) for value in values)])
    return rows


def _alerts(runs: Sequence[RunState], labels: Sequence[str]) -> list[list[str]]:
    from studio.ui.translation import told

    return [
        [label, str(alert.step), alert_title(alert.rule), told(alert.sentence)]
        for run, label in zip(runs, labels, strict=True)
        for alert in run.all_alerts
    ]


def _samples(runs: Sequence[RunState], labels: Sequence[str]) -> list[list[str]]:
    return [
        [label, str(sample.step), sample.prompt, sample.text]
        for run, label in zip(runs, labels, strict=True)
        for sample in run.samples[-_MOST_SAMPLES:]
    ]
