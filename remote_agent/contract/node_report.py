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

OPTIONAL_PACKAGES = ("flash-attn", "kernels", "wandb", "mlflow", "mlflow-skinny", "trackio")
"""What a job may ask for beside the trainer's packages: kernels for its attention, libraries of trackers."""


@dataclasses.dataclass(frozen=True)
class Gpu:
    """One accelerator as nvidia-smi tells it; ``compute_capability`` is "8.0"-like or empty.

    ``slowed_by`` says why it runs below its clock (heat, a hardware slowdown, the power brake), else empty.
    """

    index: int
    uuid: str
    name: str
    memory_total_bytes: int
    memory_used_bytes: int
    utilization_percent: float
    temperature_c: float
    power_w: float
    compute_capability: str = ""
    slowed_by: str = ""


@dataclasses.dataclass(frozen=True)
class PackageVersion:
    """An installed package of an interpreter; ``version`` is empty where it is missing."""

    name: str
    version: str


@dataclasses.dataclass(frozen=True)
class Interpreter:
    """A Python on the node that may run the trainer.

    ``extras`` tells the optional packages in the same way; it is empty where they were not looked for.
    """

    path: str
    version: str
    packages: Tuple[PackageVersion, ...]
    extras: Tuple[PackageVersion, ...] = ()

    @property
    def missing(self) -> Tuple[str, ...]:
        """Return the names of the trainer's packages that it lacks."""
        return tuple(package.name for package in self.packages if not package.version)

    def optional(self, name: str) -> Optional[str]:
        """Return the version of an optional package, empty where it is missing, None where nobody has looked."""
        return next((package.version for package in self.extras if package.name == name), None)


@dataclasses.dataclass(frozen=True)
class GpuProcess:
    """A process that holds memory of a GPU; ``user`` is empty where the system does not tell."""

    gpu: str
    pid: int
    name: str
    user: str
    memory_bytes: int


@dataclasses.dataclass(frozen=True)
class GpuLink:
    """How two GPUs are joined, in nvidia-smi's words: NV4 is four NVLinks, PIX, PXB, PHB, NODE and SYS are PCIe."""

    first: int
    second: int
    kind: str


@dataclasses.dataclass(frozen=True)
class Disk:
    """A file system that the user can write to.

    ``folder`` is where the agent's home could lie on it; ``lasts`` says whether it outlives a stop of the box, as far
    as its kind tells; ``write_bytes_per_s`` is 0 where it was not measured.
    """

    folder: str
    mount: str
    kind: str
    total_bytes: int
    free_bytes: int
    lasts: bool
    write_bytes_per_s: float = 0.0


@dataclasses.dataclass(frozen=True)
class NodeFolder:
    """A folder of the agent: ``name`` is work (its home), environments, models, data or checkpoints.

    ``placed`` says that a person put it elsewhere than below the home; sizes are 0 where its disk is not there.
    ``lasts`` as for a `Disk`.
    """

    name: str
    path: str
    mount: str
    kind: str
    total_bytes: int
    free_bytes: int
    lasts: bool
    placed: bool = False


@dataclasses.dataclass(frozen=True)
class Limits:
    """What the system lets one process of this user have; -1 is without limit."""

    open_files: int = -1
    processes: int = -1
    locked_memory_bytes: int = -1
    file_bytes: int = -1


@dataclasses.dataclass(frozen=True)
class Reached:
    """Whether the node gets to a server outside: ``what`` is "hub" or "index", ``problem`` is empty where it does."""

    what: str
    host: str
    problem: str = ""


@dataclasses.dataclass(frozen=True)
class Survey:
    """The wide part of a probe. Texts are empty, and numbers 0, where the node does not tell.

    ``cuda`` is the newest CUDA that the driver serves. ``lingers`` and ``kills_user_processes`` are "yes", "no" or
    empty. ``ports_open`` says whether a process may listen on loopback, as the ranks do. ``hub_models`` are the
    repositories that lie whole in the Hub's own cache at ``hub_cache``, ``hub_kernels`` those of kernels there.
    """

    cpu: str = ""
    shm_total_bytes: int = 0
    shm_free_bytes: int = 0
    driver: str = ""
    cuda: str = ""
    gpu_processes: Tuple[GpuProcess, ...] = ()
    gpu_links: Tuple[GpuLink, ...] = ()
    disks: Tuple[Disk, ...] = ()
    interpreters: Tuple[Interpreter, ...] = ()
    scheduler: str = ""
    limits: Limits = Limits()
    lingers: str = ""
    kills_user_processes: str = ""
    ports_open: bool = True
    hub_cache: str = ""
    hub_models: Tuple[str, ...] = ()
    hub_kernels: Tuple[str, ...] = ()
    reached: Tuple[Reached, ...] = ()
    took_s: float = 0.0


@dataclasses.dataclass(frozen=True)
class CollectiveReport:
    """What a sum over all ranks came to: ``sums`` of ``message_bytes`` in ``took_s``, ``joined_s`` until the first.

    ``bus_bytes_per_s`` is the bandwidth of the bus as NCCL's own tests count it, 0 for one rank.
    """

    ranks: int
    backend: str
    message_bytes: int
    sums: int
    took_s: float
    joined_s: float
    bus_bytes_per_s: float


@dataclasses.dataclass(frozen=True)
class NodeReport:
    """One probe. ``problem`` sentences say what stands against a run there; empty where nothing does.

    ``clock_offset_s`` is how far the node's clock is ahead of the desktop's, to the accuracy of a message's way;
    ``survey`` is None where the node was asked for the short answer.
    """

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
    clock_offset_s: float = 0.0
    survey: Optional[Survey] = None
    folders: Tuple[NodeFolder, ...] = ()
