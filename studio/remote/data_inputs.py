"""What the agent has to be told for a look at data and its preparation."""

from __future__ import annotations

from typing import Any, NamedTuple

from remote_agent.contract.job_spec import JobSpec
from remote_agent.contract.spec_json import spec_to_dict


class DataInputs(NamedTuple):
    """What a look at data and its preparation need, as paths on the agent's machine.

    ``data_paths`` has one path for each of the job's sources, in their order; ``held_out_path`` is empty where there is
    no held-out file, ``python`` where the agent chooses the interpreter.
    """

    job: JobSpec
    python: str
    model_path: str
    data_paths: tuple[str, ...]
    held_out_path: str = ""

    def arguments(self) -> dict[str, Any]:
        """Return them as the agent's commands take them."""
        return {
            "job": spec_to_dict(self.job),
            "python": self.python,
            "model_path": self.model_path,
            "data_paths": list(self.data_paths),
            "held_out_path": self.held_out_path,
        }
