"""How a person wants the charts of runs: the axis, the smoothing, which of them are shown; kept as a line of text."""

from __future__ import annotations

import dataclasses
import json

from studio.ui.charts.run_axis import AXES, STEPS

CHARTS = (
    "loss", "learning_rate", "gradient_norm", "throughput", "perplexity", "held_out", "step_time", "memory",
    "gpu_utilization", "gpu_memory", "gpu_temperature", "gpu_power", "node_load", "node_disk", "node_network",
)  # fmt: skip
DEFAULT_CHARTS = CHARTS[:4]
WEIGHTS = (0.0, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999)
"""What the smoothing can be, from none to most: the weight of the mean so far against a new value."""


@dataclasses.dataclass(frozen=True)
class ViewChoices:
    """What the control bar says: ``axis`` one of `AXES`, ``weight`` one of `WEIGHTS`, ``shown`` some of `CHARTS`."""

    axis: str = STEPS
    log_loss: bool = False
    weight: float = 0.9
    clips: bool = False
    shown: tuple[str, ...] = DEFAULT_CHARTS

    def as_text(self) -> str:
        """Return the choices as text that `choices_of` reads."""
        return json.dumps(dataclasses.asdict(self))


def choices_of(text: str) -> ViewChoices:
    """Return the choices in a text; what is missing or unknown, as after another version, is as at first."""
    try:
        read = json.loads(text) if text else {}
    except ValueError:
        read = {}
    if not isinstance(read, dict):
        return ViewChoices()
    named = read.get("shown")
    shown = tuple(key for key in CHARTS if key in named) if isinstance(named, list) else ()
    return ViewChoices(
        axis=next((axis for axis in AXES if axis == read.get("axis")), STEPS),
        log_loss=read.get("log_loss") is True,
        weight=next((weight for weight in WEIGHTS if weight == read.get("weight")), 0.9),
        clips=read.get("clips") is True,
        shown=shown or DEFAULT_CHARTS,
    )
