"""A bundle's inputs against their hashes, and a rerun's losses against the original's."""

from __future__ import annotations

import json
import math
import os
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from remote_agent.contract.bundle import BUNDLE, JOB, Bundle, BundleInput, BundleLoss
from remote_agent.contract.job_spec import JobSpec, with_value
from remote_agent.contract.spec_json import SpecError, spec_from_json
from remote_agent.contract.wire import from_wire
from remote_agent.run_files.manifest import file_sha256


class BundleError(ValueError):
    """The bundle or an input is not what it should be; the sentence says what to do."""


class Comparison(NamedTuple):
    """How a rerun's losses compare: ``bit_for_bit`` says by which rule, ``largest`` is the relative difference."""

    bit_for_bit: bool
    compared: int
    differing: int
    missing: int
    largest: float
    first: str

    @property
    def equal(self) -> bool:
        """Say whether every loss of the original was met."""
        return self.compared > 0 and not self.differing and not self.missing


def read_bundle(folder: str) -> Tuple[Bundle, JobSpec]:
    """Return a bundle's two files. Raises BundleError where one is missing or damaged."""
    try:
        with open(os.path.join(folder, BUNDLE), encoding="utf-8") as file:
            bundle = from_wire(Bundle, json.load(file))
        with open(os.path.join(folder, JOB), encoding="utf-8") as file:
            spec = spec_from_json(file.read())
    except OSError as error:
        raise BundleError("The bundle lacks {}.".format(error.filename)) from None
    except (SpecError, ValueError) as error:
        raise BundleError("The bundle is damaged: {}.".format(error)) from None
    return bundle, spec


def find_input(folder: str, given: str, wanted: BundleInput, variable: str) -> str:
    """Return the path of an input: the one that was given, the packed one, or where the original's lay.

    Raises:
        BundleError: there is nothing at any of them.
    """
    packed = os.path.join(folder, wanted.packed) if wanted.packed else ""
    for path in (os.path.expanduser(given),) if given else (packed, wanted.path):
        if path and os.path.exists(path):
            return os.path.abspath(path)
    raise BundleError(
        "{} is not here; set {}=/path. {}".format(given or wanted.path or "The input", variable, wanted.how).strip()
    )


def check_files(path: str, wanted: BundleInput) -> List[str]:
    """Return one sentence for each file of an input that is missing or has another content than the original's."""
    wrong = []
    for entry in wanted.files:
        file = os.path.join(path, entry.name) if os.path.isdir(path) else path
        if not os.path.isfile(file):
            wrong.append("{} is missing.".format(file))
        elif os.path.getsize(file) != entry.size_bytes or (entry.sha256 and file_sha256(file) != entry.sha256):
            wrong.append("{} differs from the original's (its SHA-256 is not {}).".format(file, entry.sha256[:16]))
    return wrong


def with_ranks(spec: JobSpec, bundle: Bundle, ranks: int) -> JobSpec:
    """Return the job at another number of ranks with the same global batch; 0 keeps the job's number.

    Threads a rank are the original's where its number of ranks is kept, since they decide the last bits on a CPU.

    Raises:
        BundleError: the global batch cannot be kept.
    """
    ranks = ranks or spec.strategy.ranks
    micro_batches = spec.batch.accumulation * spec.strategy.ranks
    if micro_batches % ranks:
        raise BundleError(
            "{} micro batches an update do not divide among {} ranks; the losses would be another run's.".format(
                micro_batches, ranks
            )
        )
    changed = with_value(with_value(spec, "strategy.ranks", ranks), "batch.accumulation", micro_batches // ranks)
    if ranks == bundle.ranks and bundle.threads_per_rank:
        changed = with_value(changed, "strategy.threads_per_rank", bundle.threads_per_rank)
    assert isinstance(changed, JobSpec)
    return changed


def is_like_hardware(bundle: Bundle, environment: Mapping[str, Any]) -> bool:
    """Say whether the original was deterministic and this environment is its like, to the package's version."""
    packages: Dict[str, str] = environment["packages"]
    return (
        bundle.deterministic
        and bundle.cpu == environment["cpu"]
        and list(bundle.gpus) == list(environment["gpus"])
        and bundle.ranks == environment["ranks"]
        and bundle.threads_per_rank in (0, environment["threads_per_rank"])
        and all(packages.get(name, version) == version for name, version in bundle.packages.items())
    )


def compare(
    wanted: Sequence[BundleLoss], found: Mapping[int, float], bit_for_bit: bool, tolerance: float
) -> Comparison:
    """Compare losses by their step; NaN equals NaN. ``tolerance`` is relative and counts unless ``bit_for_bit``."""
    differing = missing = 0
    largest, first = 0.0, ""
    for loss in wanted:
        original, again = _number(loss.value), found.get(loss.step)
        if original is None or again is None:
            missing += 1
            continue
        difference = _relative_difference(original, again)
        largest = max(largest, difference)
        if difference > (0.0 if bit_for_bit else tolerance):
            differing += 1
            first = first or "step {}: {!r} instead of {!r}".format(loss.step, again, original)
    return Comparison(bit_for_bit, len(wanted) - missing, differing, missing, largest, first)


def _number(text: str) -> Optional[float]:
    try:
        return float.fromhex(text)
    except (ValueError, OverflowError):
        return None


def _relative_difference(original: float, again: float) -> float:
    if original == again or (math.isnan(original) and math.isnan(again)):
        return 0.0
    if not (math.isfinite(original) and math.isfinite(again)):
        return math.inf
    return abs(original - again) / max(abs(original), abs(again))
