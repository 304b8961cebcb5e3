"""What a probe found on a node."""

from __future__ import annotations

import dataclasses
from typing import Optional, Tuple

TRAINER_PACKAGES = (
    "torch",
    "transformers",
    "deepspeed",
    "accelerate",
    "safetensors",
    "tokenizers",
    "numpy",
    "pyarrow",
    "jinja2",
)


@dataclasses.dataclass(frozen=True)
class Gpu:
    """One accelerator as nvidia-smi tells it; ``compute_capability`` is "8.0"-like or empty."""

    index: int
    uuid: str
    name: str
    memory_total_bytes: int
    memory_used_bytes: int
    utilization_percent: float
    temperature_c: float
    power_w: float
    compute_capability: str = ""


@dataclasses.dataclass(frozen=True)
class PackageVersion:
    """An installed package of an interpreter; ``version`` is empty where it is missing."""

    name: str
    version: str


@dataclasses.dataclass(frozen=True)
class Interpreter:
    """A Python on the node that may run the trainer."""

    path: str
    version: str
    packages: Tuple[PackageVersion, ...]

    @property
    def missing(self) -> Tuple[str, ...]:
        """Return the names of the trainer's packages that it lacks."""
        return tuple(package.name for package in self.packages if not package.version)


@dataclasses.dataclass(frozen=True)
class NodeReport:
    """One probe. ``problem`` sentences say what stands against a run there; empty where nothing does."""

    hostname: str
    user: str
    system: str
    home: str
    python_version: str
    cores: int
    memory_total_bytes: int
    memory_available_bytes: int
    disk_free_bytes: int
    gpus: Tuple[Gpu, ...]
    interpreter: Optional[Interpreter]
    compiler: str
    ninja: str
    boot_id: str
    time_s: float
    problems: Tuple[str, ...] = ()
