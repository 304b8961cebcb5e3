"""What stands against a job: a sentence at a field, and the click that mends it."""

from __future__ import annotations

import dataclasses
import math
from typing import Any, Mapping, Optional, Tuple

from remote_agent.contract.data_report import DataReport, ModelReport
from remote_agent.contract.knob import Knob
from remote_agent.contract.node_report import NodeReport

ERROR, WARNING = "error", "warning"


@dataclasses.dataclass(frozen=True)
class Fix:
    """One click that mends a problem: ``label`` on the button, and the values it sets by field path."""

    label: str
    changes: Tuple[Tuple[str, Any], ...]


@dataclasses.dataclass(frozen=True)
class Problem:
    """Something wrong with a job. An error blocks the launch, a warning does not."""

    severity: str
    field: str
    sentence: str
    fix: Optional[Fix] = None


@dataclasses.dataclass(frozen=True)
class Known:
    """What is known beside the spec; rules that need what is not known say nothing.

    ``train_sequences`` and ``train_tokens`` are those of prepared data, 0 where none is; a report has its own.
    ``gpus`` are the UUIDs of those that a person chose on the node.
    """

    model: Optional[ModelReport] = None
    data: Optional[DataReport] = None
    node: Optional[NodeReport] = None
    train_sequences: int = 0
    train_tokens: int = 0
    gpus: Tuple[str, ...] = ()


def changed_fields(fix: Fix) -> Mapping[str, Any]:
    """Return the values a fix sets, by field path."""
    return dict(fix.changes)


def range_sentence(about: Knob, value: Any) -> str:
    """Return what is wrong with a value by its field's description, empty where nothing is."""
    if about.choices and value not in about.choices:
        return "{} is {!r}; it can be {}.".format(about.label, value, ", ".join(about.choices))
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return ""
    if not math.isfinite(value):
        return "{} is {}; a finite number is needed.".format(about.label, value)
    if about.above is not None and value <= about.above:
        return "{} is {:g}; it has to be more than {:g}.".format(about.label, value, about.above)
    if about.low is not None and value < about.low:
        return "{} is {:g}; the least is {:g}.".format(about.label, value, about.low)
    if about.high is not None and value > about.high:
        return "{} is {:g}; the most is {:g}.".format(about.label, value, about.high)
    return ""
