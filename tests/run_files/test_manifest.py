"""A checkpoint counts only with its manifest, and only while its files are what the manifest says."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from remote_agent.contract.run_dir import COMMITTED, checkpoint_folder, partial_checkpoint_folder
from remote_agent.run_files.manifest import Manifest, commit, committed_checkpoints, last_with_state, verify


def save(folder: Path, step: int, has_state: bool = False) -> Manifest:
    partial = folder / partial_checkpoint_folder(step)
    (partial / "state").mkdir(parents=True)
    (partial / "model.safetensors").write_bytes(b"weights %d" % step)
    (partial / "state" / "rank0.pt").write_bytes(b"moments")
    return commit(str(partial), str(folder / checkpoint_folder(step)), step, has_state, 2)


def test_that_a_commit_makes_a_checkpoint_with_sizes_and_hashes(tmp_path: Path) -> None:
    manifest = save(tmp_path, 40, has_state=True)
    assert [(entry.name, entry.size_bytes) for entry in manifest.files] == [
        ("model.safetensors", 10),
        ("state/rank0.pt", 7),
    ]
    assert committed_checkpoints(str(tmp_path)) == [(40, str(tmp_path / "step-40"), manifest)]
    assert verify(str(tmp_path / "step-40")) == []
    assert os.listdir(tmp_path) == ["step-40"]


def test_that_checkpoints_come_by_their_step_and_half_ones_do_not_count(tmp_path: Path) -> None:
    for step, has_state in ((100, False), (9, True), (20, True)):
        save(tmp_path, step, has_state)
    (tmp_path / "step-300").mkdir()
    (tmp_path / ".step-200.partial").mkdir()
    assert [step for step, _, _ in committed_checkpoints(str(tmp_path))] == [9, 20, 100]
    found = last_with_state(str(tmp_path))
    assert found is not None and found[0] == 20


@pytest.mark.parametrize("damage", ["short", "gone", "manifest"])
def test_that_a_damaged_checkpoint_gives_way_to_the_one_before(tmp_path: Path, damage: str) -> None:
    save(tmp_path, 10, has_state=True)
    save(tmp_path, 20, has_state=True)
    if damage == "short":
        os.truncate(tmp_path / "step-20" / "state" / "rank0.pt", 3)
    elif damage == "gone":
        (tmp_path / "step-20" / "model.safetensors").unlink()
    else:
        os.truncate(tmp_path / "step-20" / COMMITTED, 30)
    found = last_with_state(str(tmp_path))
    assert found is not None and found[0] == 10
    assert verify(str(tmp_path / "step-20"))


def test_that_a_changed_byte_is_found_by_its_hash(tmp_path: Path) -> None:
    save(tmp_path, 10)
    (tmp_path / "step-10" / "model.safetensors").write_bytes(b"Weights 10")
    assert verify(str(tmp_path / "step-10")) == ["model.safetensors has another content than when it was saved."]


def test_that_a_leftover_without_manifest_is_moved_aside(tmp_path: Path) -> None:
    (tmp_path / "step-10").mkdir()
    (tmp_path / "step-10" / "half").touch()
    save(tmp_path, 10)
    assert sorted(os.listdir(tmp_path)) == ["step-10", "step-10.broken0"]


def test_that_the_checkpoint_of_a_later_attempt_takes_the_place_of_the_earlier_one(tmp_path: Path) -> None:
    save(tmp_path, 10)
    again = save(tmp_path, 10, has_state=True)
    assert committed_checkpoints(str(tmp_path)) == [(10, str(tmp_path / "step-10"), again)]
    assert os.listdir(tmp_path) == ["step-10"]


def test_that_a_manifest_that_names_files_outside_is_refused(tmp_path: Path) -> None:
    save(tmp_path, 10)
    path = tmp_path / "step-10" / COMMITTED
    path.write_text(path.read_text().replace("state/rank0.pt", "../../etc/passwd"))
    assert committed_checkpoints(str(tmp_path)) == []
