"""What an exported bundle says of itself: the inputs with their hashes, and the losses a rerun is compared with."""

from __future__ import annotations

import dataclasses
from typing import Any, Mapping, Optional, Tuple

from remote_agent.contract.data_report import FileEntry

SCHEMA_VERSION = 1

# files of a bundle's folder
BUNDLE = "bundle.json"
JOB = "job.json"
JOB_YAML = "job.yaml"
DS_CONFIG = "ds_config.json"
REQUIREMENTS = "requirements.lock"
AGENT = "agent.zip"
RUN_SCRIPT = "run.sh"
README = "README.md"
PACKED_MODEL = "model"
PACKED_DATA = "data"
PACKED_HELD_OUT = "held-out"


def packed_data(number: int) -> str:
    """Return the folder inside a bundle for one of its sources, 1 for the first."""
    return PACKED_DATA if number == 1 else "{}-{}".format(PACKED_DATA, number)


BIT_FOR_BIT_TOLERANCE = 0.0
LOSS_TOLERANCE = 2e-2
"""The relative difference of losses allowed where hardware or rank count differ from the original's."""


@dataclasses.dataclass(frozen=True)
class BundleInput:
    """A model or data set of the bundle.

    Attributes:
        path: where it lay for the original run, or its Hub id.
        how: a sentence for people that says how to get it.
        packed: its path inside the bundle, empty where it is not packed.
        files: names relative to the folder (for a single file, its own name), with SHA-256; empty where not known.
        content_hash: the hash that `PreparedData` gives of all training rows, on the first source alone.
    """

    path: str
    how: str
    packed: str = ""
    files: Tuple[FileEntry, ...] = ()
    content_hash: str = ""


@dataclasses.dataclass(frozen=True)
class BundleLoss:
    """A loss of the original: ``step`` completed updates, ``value`` as `float.hex` writes it, exact to the bit."""

    step: int
    value: str


@dataclasses.dataclass(frozen=True)
class BundleAmendment:
    """What was changed while the original went on, as in `contract.command_events.Amended`."""

    from_step: int
    field: str
    value: float


@dataclasses.dataclass(frozen=True)
class Bundle:
    """bundle.json. ``run_id`` and the losses are empty for a job that was never run.

    ``ranks`` and ``threads_per_rank`` are the original's; ``cpu`` and ``gpus`` name its hardware, so that a rerun knows
    whether to compare bit for bit (``deterministic`` and like hardware and equal counts) or within ``tolerance``
    (relative). ``more_data`` are the sources behind the first, in the job's order. ``amendments`` are made by a rerun
    too, in this order.
    """

    name: str
    luthier_version: str
    model: BundleInput
    data: BundleInput
    held_out: Optional[BundleInput] = None
    run_id: str = ""
    ranks: int = 1
    threads_per_rank: int = 0
    cpu: str = ""
    gpus: Tuple[str, ...] = ()
    packages: Mapping[str, str] = dataclasses.field(default_factory=dict)
    deterministic: bool = False
    tolerance: float = LOSS_TOLERANCE
    losses: Tuple[BundleLoss, ...] = ()
    held_out_losses: Tuple[BundleLoss, ...] = ()
    complete: bool = False
    schema_version: int = SCHEMA_VERSION
    notes: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    more_data: Tuple[BundleInput, ...] = ()
    amendments: Tuple[BundleAmendment, ...] = ()
