"""What a run does by itself where its ranks fail or its loss is no number any more."""

from __future__ import annotations

import dataclasses

from remote_agent.contract.knob import knob

CRASH, NONFINITE, ASKED = "crash", "nonfinite", "asked"
"""Why an attempt follows another without a person's resume; ``asked``: a person asked to roll back."""
GO_ON, STOP, SKIP_ROWS, ROLL_BACK = "go_on", "stop", "skip_rows", "roll_back"

MOST_NONFINITE = 3
"""So often in a row a run is taken back because of its loss, until one of these attempts gets further."""


@dataclasses.dataclass(frozen=True)
class RecoverySpec:
    """How a run goes on after a failure; from the last checkpoint with its full state, else from the start."""

    restarts: int = knob(
        0, "Restart after failures", "How often the ranks are started again after one has failed, from the last full "
        "state. Never where memory ran out, which would happen again. 0: never.",
        unit="times", low=0, high=100, advanced=True,
    )  # fmt: skip
    backoff_s: float = knob(
        30.0, "Wait before a restart", "Seconds before the first restart; each further one waits twice as long, "
        "at most an hour.", unit="s", low=0.0, high=3600.0, advanced=True,
    )  # fmt: skip
    nonfinite: str = knob(
        STOP, "Loss is no number", "What happens at the update whose loss or gradient is nan or infinite: go on; "
        "stop; go back to the last full state and leave out that update's rows; or go back and train on at a lower "
        "learning rate.", choices=(GO_ON, STOP, SKIP_ROWS, ROLL_BACK), advanced=True,
    )  # fmt: skip
    roll_back_factor: float = knob(
        0.5, "Learning rate after going back", "What the learning rate is multiplied by for the rest of the run when "
        "it is taken back.", unit="x learning rate", above=0.0, high=1.0, advanced=True,
    )  # fmt: skip
