"""What the comparison of runs tells about each: the settings that differ, and final and best values."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QCoreApplication

from remote_agent.contract.job_spec import JobSpec, value_at
from remote_agent.contract.knob import described_fields
from remote_agent.contract.throughput import Throughput
from studio.ui import words
from studio.ui.field_table import FieldRow

if TYPE_CHECKING:
    from studio.state.run import RunState

Rate = Callable[[str, float], Throughput | None]
"""What a run's tokens a second, by its id, come to; None where that is not known."""

MOST_RUNS = 20
_UNTOLD = ("schema_version", "name")
_LAST_STEPS = 10


def run_labels(runs: Sequence[RunState]) -> tuple[str, ...]:
    """Return what each run is called: its name, with the end of its id where two have the same."""
    names = [run.name or run.run_id for run in runs]
    return tuple(
        f"{name} · {run.run_id[-6:]}" if names.count(name) > 1 else name for name, run in zip(names, runs, strict=True)
    )


def differing_settings(specs: Sequence[JobSpec]) -> list[FieldRow]:
    """Return a row for each field in which any two jobs differ, in the order of the job: label, then each value."""
    rows = []
    for field in described_fields(JobSpec):
        values = [value_at(spec, field.path) for spec in specs]
        if field.path not in _UNTOLD and any(value != values[0] for value in values[1:]):
            label = QCoreApplication.translate("JobSpec", field.knob.label)
            rows.append(FieldRow((label, *(_shown(value) for value in values)), field.path))
    return rows


def _unknown(run_id: str, tokens_per_s: float) -> Throughput | None:
    return None


def results(runs: Sequence[RunState], rate: Rate = _unknown) -> list[FieldRow]:
    """Return a row for each figure: its name, then what it is for each run; the best of a row is marked."""

    def translated(text: str) -> str:
        return QCoreApplication.translate("compare", text)

    columns = [_figures(run) for run in runs]
    found = [rate(run.run_id, column["rate"]) for run, column in zip(runs, columns, strict=True)]
    lowest = min((column["best"][0] for column in columns if math.isfinite(column["best"][0])), default=math.nan)
    rows = [
        (translated("State"), [words.run_state(run.state) for run in runs]),
        (translated("Steps"), [f"{words.whole(run.step)} / {words.whole(run.total_steps)}" for run in runs]),
        (translated("Training loss, last 10 steps"), [_number(column["loss"]) for column in columns]),
        (translated("Held-out loss, last"), [_number(column["held_out"]) for column in columns]),
        (
            translated("Held-out loss, best"),
            [_best(column["best"], column["best"][0] == lowest and len(runs) > 1) for column in columns],
        ),
        (translated("Tokens/s, median"), [_rate(column["rate"]) for column in columns]),
        *_utilisation(found),
        (translated("Time"), [words.duration(column["seconds"]) if column["seconds"] else "–" for column in columns]),
        (translated("Alerts"), [words.whole(len(run.all_alerts)) for run in runs]),
        (translated("Node"), [run.node for run in runs]),
    ]
    return [FieldRow((name, *cells)) for name, cells in rows]


def _figures(run: RunState) -> dict[str, Any]:
    best = run.best_held_out
    return {
        "loss": run.recent_mean("loss", _LAST_STEPS),
        "held_out": run.recent_mean("held_out_loss", 1),
        "best": (best[1], best[0]) if best is not None else (math.nan, 0),
        "rate": run.median("tokens_per_s"),
        "seconds": max(0.0, run.ended_s - run.started_s) if run.ended_s else 0.0,
    }


def _number(value: float) -> str:
    return f"{value:.4f}" if math.isfinite(value) else "–"


def _rate(value: float) -> str:
    return words.count(value) if math.isfinite(value) else "–"


def _utilisation(found: Sequence[Throughput | None]) -> list[tuple[str, list[str]]]:
    """Return the rows of FLOP/s and MFU, and one of what cannot be; none where no run tells."""
    from studio.ui.translation import told

    def translated(text: str) -> str:
        return QCoreApplication.translate("compare", text)

    rows = []
    if any(each is not None for each in found):
        texts = [words.short_number(float(f"{each.tflops:.3g}")) if each is not None else "–" for each in found]
        rows.append((translated("TFLOP/s a GPU or process"), texts))
    if any(each is not None and each.mfu is not None for each in found):
        shares = [each.mfu if each is not None else None for each in found]
        rows.append((translated("MFU"), [words.percent(share) if share is not None else "–" for share in shares]))
    if any(each is not None and each.defect for each in found):
        defects = [told(each.defect) if each is not None else "" for each in found]
        rows.append((translated("What cannot be"), [f"⚠ {defect}" if defect else "–" for defect in defects]))
    return rows


def _best(best: tuple[float, int], is_lowest: bool) -> str:
    if not math.isfinite(best[0]):
        return "–"
    said = QCoreApplication.translate("compare", "{loss} at step {step}").format(
        loss=_number(best[0]), step=words.whole(best[1])
    )
    return f"★ {said}" if is_lowest else said


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return QCoreApplication.translate("compare", "on") if value else QCoreApplication.translate("compare", "off")
    if isinstance(value, float):
        return words.exact_float(value)
    if isinstance(value, tuple):
        return ", ".join(str(one) for one in value) or "–"
    return str(value) if value != "" else "–"
