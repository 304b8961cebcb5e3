"""What the steps of a job are called, and what a step does, in words."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QCoreApplication

from remote_agent.contract.data_report import StepReport
from remote_agent.contract.data_steps import (
    AugmentStep,
    BalanceStep,
    DeduplicateStep,
    DropStep,
    MapLabelsStep,
    ReplaceStep,
    Step,
    TruncateStep,
    step_kind,
)
from studio.ui import words


def translated(text: str) -> str:
    """Return a text of this module's context in the language in force."""
    return QCoreApplication.translate("steps", text)


def step_name(kind: str) -> str:
    """Return what a kind of step is called."""
    names = {
        "drop": translated("Leave rows out"),
        "deduplicate": translated("Remove duplicates"),
        "truncate": translated("Cut turns"),
        "balance": translated("Balance classes"),
        "normalise": translated("Mend text"),
        "map_labels": translated("Rename classes"),
        "replace": translated("Replace text"),
        "augment": translated("Augment"),
    }
    return names.get(kind, kind)


def step_detail(step: Step, titles: Mapping[str, str]) -> str:
    """Return what a step was told to do, short enough for a list; ``titles`` of findings by their kind."""
    match step:
        case DropStep(finding=finding, rows=rows):
            if finding:
                return titles.get(finding) or finding
            return words.counted(len(rows), translated("{} row"), translated("{} rows"))
        case DeduplicateStep(threshold=threshold):
            alike = translated("from {} alike").format(words.percent(threshold))
            return translated("word for word") if threshold >= 1 else alike
        case TruncateStep(tokens=tokens):
            return translated("to {} tokens").format(words.whole(tokens))
        case BalanceStep(method=method):
            return words.choice(method)
        case MapLabelsStep(labels=labels):
            return ", ".join(labels)
        case ReplaceStep(find=find, put=put):
            return f"{find} → {put}"
        case AugmentStep(method=method):
            return words.choice(method)
        case _:
            return ""


def step_title(step: Step, titles: Mapping[str, str]) -> str:
    """Return the name of a step with what it was told to do."""
    detail = step_detail(step, titles)
    name = step_name(step_kind(step))
    return f"{name}: {detail}" if detail else name


def effect(report: StepReport) -> str:
    """Return what a step does to the rows, in counts."""
    parts = []
    if report.changed:
        parts.append(words.counted(report.changed, translated("changes {} row"), translated("changes {} rows")))
    if report.dropped:
        parts.append(words.counted(report.dropped, translated("leaves out {} row"), translated("leaves out {} rows")))
    if report.added:
        parts.append(words.counted(report.added, translated("adds {} row"), translated("adds {} rows")))
    return ", ".join(parts) or translated("changes no row")
