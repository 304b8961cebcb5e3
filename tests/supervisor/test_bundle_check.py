"""A rerun's losses are the original's bit for bit on like hardware, else within what the bundle allows."""

from __future__ import annotations

import dataclasses
import hashlib
import math
from pathlib import Path
from typing import Any

import pytest

from remote_agent.contract.bundle import Bundle, BundleInput, BundleLoss
from remote_agent.contract.data_report import FileEntry
from remote_agent.contract.job_spec import JobSpec, with_value
from remote_agent.supervisor.bundle_check import (
    BundleError,
    check_files,
    compare,
    find_input,
    is_like_hardware,
    with_ranks,
)

BUNDLE = Bundle(
    "job", "0.1.0", BundleInput("m", ""), BundleInput("d", ""), ranks=2, threads_per_rank=3, cpu="EPYC",
    packages={"torch": "2.13.0"}, deterministic=True,
)  # fmt: skip
HERE: dict[str, Any] = {
    "cpu": "EPYC",
    "gpus": [],
    "ranks": 2,
    "threads_per_rank": 3,
    "packages": {"torch": "2.13.0", "numpy": "2"},
}


def losses(*values: float) -> list[BundleLoss]:
    return [BundleLoss(step + 1, value.hex()) for step, value in enumerate(values)]


def test_that_equal_bits_are_equal_and_the_next_bit_is_not() -> None:
    value = 2.3456789
    assert compare(losses(value, math.nan), {1: value, 2: math.nan}, True, 0.0).equal
    result = compare(losses(value), {1: math.nextafter(value, 3)}, True, 0.5)
    assert not result.equal and result.first.startswith("step 1: ")
    assert compare(losses(value), {1: math.nextafter(value, 3)}, False, 1e-9).equal


def test_that_missing_steps_and_infinities_are_differences() -> None:
    assert not compare(losses(1.0, 2.0), {1: 1.0}, False, 0.1).equal
    assert not compare(losses(1.0), {1: math.inf}, False, 0.1).equal
    assert not compare(losses(1.0), {1: 1.2}, False, 0.1).equal
    assert not compare([], {}, False, 0.1).equal


@pytest.mark.parametrize(
    "change",
    [{"cpu": "Xeon"}, {"gpus": ["H100"]}, {"ranks": 1}, {"threads_per_rank": 2}, {"packages": {"torch": "2.12.0"}}],
)
def test_that_bits_are_compared_on_like_hardware_only(change: dict[str, Any]) -> None:
    assert is_like_hardware(BUNDLE, HERE)
    assert not is_like_hardware(BUNDLE, {**HERE, **change})
    assert not is_like_hardware(dataclasses.replace(BUNDLE, deterministic=False), HERE)


def test_that_another_number_of_ranks_keeps_the_global_batch() -> None:
    spec: Any = with_value(with_value(JobSpec(), "strategy.ranks", 2), "batch.accumulation", 3)
    kept = with_ranks(spec, BUNDLE, 0)
    assert (kept.strategy.ranks, kept.batch.accumulation, kept.strategy.threads_per_rank) == (2, 3, 3)
    changed = with_ranks(spec, BUNDLE, 6)
    assert (changed.strategy.ranks, changed.batch.accumulation, changed.strategy.threads_per_rank) == (6, 1, 0)
    with pytest.raises(BundleError, match="do not divide"):
        with_ranks(spec, BUNDLE, 4)


def test_that_inputs_are_found_and_their_hashes_checked(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    file = tmp_path / "model" / "config.json"
    file.write_bytes(b"{}")
    wanted = BundleInput(
        "/gone", "It is on the Hub.", "model", (FileEntry("config.json", 2, hashlib.sha256(b"{}").hexdigest()),)
    )
    path = find_input(str(tmp_path), "", wanted, "MODEL")
    assert path == str(tmp_path / "model")
    assert check_files(path, wanted) == []
    assert check_files(str(file), wanted) == []
    file.write_bytes(b"[]")
    assert "differs from the original's" in check_files(path, wanted)[0]
    file.unlink()
    assert "is missing" in check_files(path, wanted)[0]
    with pytest.raises(BundleError, match=r"set MODEL=/path. It is on the Hub\."):
        find_input(str(tmp_path), "", dataclasses.replace(wanted, packed=""), "MODEL")
