"""The plan of rows that augment steps made: they follow all others, and are trained where the row they are of is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from remote_agent.contract.data_report import StepReport
from remote_agent.contract.data_steps import AugmentStep, Step
from remote_agent.dataset.augmented import AugmentedFile
from remote_agent.dataset.planning import Plan
from remote_agent.dataset.steps.step_reports import EXAMPLES_SHOWN, ROWS_SHOWN, made_report, shown_text


def with_made(plan: Plan, file: AugmentedFile, steps: Sequence[Step]) -> Plan:
    """Return a plan of the files' rows with the made ones behind them, each as often trained as once.

    A made row is kept where its step is in the job and the row it was made of is trained; so none is ever made of a
    row that is held out.
    """
    is_step = np.array([isinstance(step, AugmentStep) for step in steps] or [False])
    is_ours = (file.steps >= 0) & (file.steps < len(steps)) & (file.of_rows >= 0) & (file.of_rows < plan.rows)
    kept = is_ours & is_step[np.where(is_ours, file.steps, 0)] if len(file) else np.zeros(0, dtype=np.bool_)
    kept &= plan.train[np.where(is_ours, file.of_rows, 0)] > 0
    return plan._replace(
        rows=plan.rows + len(file),
        kept=np.concatenate([plan.kept, kept]),
        train=np.concatenate([plan.train, kept.astype(np.int32)]),
        held_out=np.concatenate([plan.held_out, np.zeros(len(file), dtype=np.bool_)]),
        steps=_reports(plan, file, kept, steps) if plan.steps else (),
        made=len(file),
    )


def of_files(plan: Plan) -> Plan:
    """Return the plan without made rows: what a step sees that stands behind the job's own."""
    rows = plan.rows - plan.made
    return plan._replace(
        rows=rows, kept=plan.kept[:rows], train=plan.train[:rows], held_out=plan.held_out[:rows], made=0
    )


def _reports(
    plan: Plan, file: AugmentedFile, kept: np.ndarray[tuple[int], np.dtype[np.bool_]], steps: Sequence[Step]
) -> tuple[StepReport, ...]:
    reports = list(plan.steps)
    for number, step in enumerate(steps):
        if isinstance(step, AugmentStep):
            mine = np.flatnonzero(kept & (file.steps == number))
            shown = [next(file.rows(place, 1)) for place in mine[:EXAMPLES_SHOWN].tolist()]
            reports[number] = made_report(
                step,
                len(mine),
                file.rejected.get(number, {}),
                (plan.rows + mine[:ROWS_SHOWN]).tolist(),
                [("", shown_text(row.conversation)) for row in shown],
            )
    return tuple(reports)
