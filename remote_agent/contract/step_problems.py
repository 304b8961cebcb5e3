"""Why a step of a job cannot be done, step by step."""

from __future__ import annotations

import re
import warnings
from typing import Iterator, Optional, Tuple

from remote_agent.contract.data_report import DataReport
from remote_agent.contract.data_steps import (
    AugmentStep,
    BalanceStep,
    DropStep,
    MapLabelsStep,
    ReplaceStep,
    Step,
)
from remote_agent.contract.job_spec import JobSpec
from remote_agent.contract.problem import ERROR, WARNING, Fix, Problem

Found = Tuple[str, str, str]
"""Severity, field of the step, and sentence."""


def step_problems(spec: JobSpec, report: Optional[DataReport]) -> Iterator[Problem]:
    """Yield what stands against each step; the fix takes out the step, or what of it cannot be done."""
    steps = spec.data.steps
    for number, step in enumerate(steps):
        for severity, field, sentence in _of_step(step, report):
            left = _mended(step)
            rest = steps[:number] + ((left,) if left is not None else ()) + steps[number + 1 :]
            label = "Keep the others" if left is not None else "Take the step out"
            yield Problem(
                severity, "data.steps[{}].{}".format(number, field), sentence, Fix(label, (("data.steps", rest),))
            )


def _of_step(step: Step, report: Optional[DataReport]) -> Iterator[Found]:
    if isinstance(step, DropStep):
        if not step.finding.strip() and not step.rows:
            yield WARNING, "finding", "A drop step names neither a finding nor rows, so it drops nothing."
        if any(row < 0 for row in step.rows):
            yield ERROR, "rows", "A drop step names row {}; rows count from 1.".format(min(step.rows) + 1)
    elif isinstance(step, ReplaceStep):
        yield from _of_replace(step)
    elif isinstance(step, MapLabelsStep):
        for line in _without_equals(step):
            yield ERROR, "labels", "The class map has the line {!r}; write OLD=NEW.".format(line)
    elif isinstance(step, BalanceStep):
        if report is not None and report.complete and not report.classes:
            yield WARNING, "method", "The rows have no class, so there is nothing to balance."
    elif isinstance(step, AugmentStep):
        yield from _of_augment(step)


def _of_replace(step: ReplaceStep) -> Iterator[Found]:
    if not step.find:
        yield ERROR, "find", "A replace step has nothing to find."
        return
    for name, text in (("find", step.find), ("put", step.put)):
        if any("\ud800" <= character <= "\udfff" for character in text):
            yield ERROR, name, "A replace step holds half of a character, which no text may have."
            return
    wrong = expression_fault(step.find, step.put) if step.regex else ""
    if wrong:
        yield ERROR, "find", "The regular expression {!r} cannot be used: {}.".format(step.find, wrong)


def expression_fault(find: str, put: str) -> str:
    """Return why a regular expression and what is put for it cannot be used, empty where they can.

    The expression is never run, which could take for ever: what is put is tried on one of the same groups.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            pattern = re.compile(find)
            names = {number: name for name, number in pattern.groupindex.items()}
            groups = ("(?P<{}>)".format(names[at]) if at in names else "()" for at in range(1, pattern.groups + 1))
            re.compile("x" + "".join(groups)).sub(put, "")
    except (re.error, IndexError, OverflowError, RecursionError) as error:
        return str(error)
    return ""


def _of_augment(step: AugmentStep) -> Iterator[Found]:
    if step.method == "endpoint":
        if not step.url.lower().startswith(("http://", "https://")):
            yield ERROR, "url", "The endpoint needs an address that starts with http:// or https://."
        if not step.consent:
            yield (
                ERROR, "consent",
                "Rows would leave the node for {}; turn on that they may.".format(step.url or "an endpoint"),
            )  # fmt: skip
        return
    if not step.model.strip():
        yield ERROR, "model", "The augment step names no model."
    one_for_both = step.method == "back_translation" and not step.back_model.strip()
    if one_for_both and not (step.source_language.strip() and step.other_language.strip()):
        yield (
            ERROR, "back_model",
            "One model translates there and back only by language codes; name both, or a model back.",
        )  # fmt: skip


def _without_equals(step: MapLabelsStep) -> Tuple[str, ...]:
    return tuple(line for line in step.labels if "=" not in line)


def _mended(step: Step) -> Optional[Step]:
    """Return the step without what cannot be done, None where nothing would be left."""
    if isinstance(step, MapLabelsStep):
        lines = tuple(line for line in step.labels if "=" in line)
        return MapLabelsStep(lines) if lines else None
    if isinstance(step, DropStep):
        rows = tuple(row for row in step.rows if row >= 0)
        return DropStep(step.finding, rows) if step.finding.strip() or rows else None
    return None
