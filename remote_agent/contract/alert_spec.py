"""When a run says that something is wrong: the thresholds of its alerts. 0 turns a rule off."""

from __future__ import annotations

import dataclasses

from remote_agent.contract.knob import knob


@dataclasses.dataclass(frozen=True)
class AlertSpec:
    """The thresholds of the alerts; they are evaluated on the node, also while nobody looks."""

    loss_rise: float = knob(
        1.5, "Loss rises", "Alerts where the running loss is this times its level before, or the last epoch's mean. "
        "0: off.", unit="x level", low=0.0, high=100.0, advanced=True,
    )  # fmt: skip
    gradient_spike: float = knob(
        10.0, "Gradient spike", "Alerts where a gradient norm is this times the median of the last 100. 0: off.",
        unit="x median", low=0.0, advanced=True,
    )  # fmt: skip
    overfitting_evaluations: int = knob(
        3, "Held-out loss rises", "Alerts after so many evaluations in a row above the best held-out loss while the "
        "training loss falls. 0: off.", unit="evaluations", low=0, high=100, advanced=True,
    )  # fmt: skip
    stall_factor: float = knob(
        10.0, "Stall", "Alerts where no update came for this times the median step, at least a minute. 0: off.",
        unit="x median step", low=0.0, advanced=True,
    )  # fmt: skip
    throughput_drop: float = knob(
        0.5, "Throughput drops", "Alerts where the last 10 updates run below this share of the usual rate. 0: off.",
        unit="x usual", low=0.0, high=1.0, advanced=True,
    )  # fmt: skip
    gpu_temperature_c: float = knob(
        88.0, "GPU too hot", "Alerts where a GPU is at this temperature or above. 0: off.", unit="°C", low=0.0,
        high=150.0, advanced=True,
    )  # fmt: skip
    memory_share: float = knob(
        0.95, "Memory full", "Alerts where this share of a GPU's memory, or of the node's, is used. 0: off.",
        unit="x total", low=0.0, high=1.0, advanced=True,
    )  # fmt: skip
    disk_fills: bool = knob(
        True, "Disk fills", "Alerts where the next checkpoint would not fit on the node's disk.", advanced=True
    )
    slow_rank: float = knob(
        1.5, "Slow rank", "Alerts where one and the same rank takes this times the others' median for its own rows and "
        "forward passes, ten updates long. 0: off.", unit="x median", low=0.0, high=100.0, advanced=True,
    )  # fmt: skip
    gpu_slows: bool = knob(
        True, "GPU throttles", "Alerts where a GPU runs below its clock for heat, a hardware fault or the power brake; "
        "reaching the power limit under load is usual and no alert.", advanced=True,
    )  # fmt: skip
