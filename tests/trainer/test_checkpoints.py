"""What may be resumed from, and which checkpoints are thinned out."""

from __future__ import annotations

from pathlib import Path

import pytest

from remote_agent.contract.job_spec import with_value
from remote_agent.contract.reshaping import Shape
from remote_agent.run_files.manifest import commit
from remote_agent.trainer.checkpoints import ResumeError, _thin_out, resumable
from remote_agent.trainer.report import Report
from remote_agent.trainer.universal import place_to_resume
from tests.trainer.run_folder import job


def _committed(run_dir: Path, step: int, has_state: bool, world_size: int = 2) -> Path:
    partial = run_dir / "checkpoints" / f".step-{step}.partial"
    partial.mkdir(parents=True, exist_ok=True)
    (partial / "model.safetensors").write_bytes(b"weights")
    final = run_dir / "checkpoints" / f"step-{step}"
    commit(str(partial), str(final), step, has_state, world_size)
    return final


def test_that_only_a_whole_checkpoint_with_state_of_as_many_ranks_is_resumed(tmp_path: Path) -> None:
    final = _committed(tmp_path, 5, has_state=True)
    assert resumable(tmp_path, "step-5", 2) == (final, 5)
    with pytest.raises(ResumeError, match="written by 2 processes"):
        resumable(tmp_path, "step-5", 4)
    _committed(tmp_path, 6, has_state=False)
    with pytest.raises(ResumeError, match="weights only"):
        resumable(tmp_path, "step-6", 2)
    (tmp_path / "checkpoints" / "step-7").mkdir()
    for name in ("step-7", "step-8", "../elsewhere"):
        with pytest.raises(ResumeError, match="no committed checkpoint"):
            resumable(tmp_path, name, 2)
    (final / "model.safetensors").write_bytes(b"damaged")
    with pytest.raises(ResumeError, match="damaged"):
        resumable(tmp_path, "step-5", 2)


def test_that_a_state_that_cannot_be_brought_into_another_shape_is_refused_and_nothing_is_left(tmp_path: Path) -> None:
    engine = tmp_path / "checkpoints" / ".step-5.partial" / "state" / "engine"
    engine.mkdir(parents=True)
    (engine / "zero_pp_rank_0_mp_rank_00_optim_states.pt").write_bytes(b"no shard")
    final = _committed(tmp_path, 5, has_state=True)
    spec, own, report = job(strategy__zero_stage=2), Shape(2, 2), Report(tmp_path, 1)
    place = place_to_resume(tmp_path, "step-5", 2, with_value(spec, "strategy.ranks", 2), own, report)
    assert place == (final, 5, 2, None)
    lion = with_value(spec, "optimizer.kind", "lion")
    with pytest.raises(ResumeError, match="the optimizer is lion"):
        place_to_resume(tmp_path, "step-5", 2, lion, own, report)
    with pytest.raises(ResumeError, match=r"could not be converted for 1 ranks \(exit code 1\)"):
        place_to_resume(tmp_path, "step-5", 2, spec, own, report)
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["step-5"]
    report.close()


def test_that_the_oldest_go_first_but_never_the_last_that_can_be_resumed(tmp_path: Path) -> None:
    for step, has_state in ((2, True), (4, True), (6, False), (8, False), (10, False)):
        _committed(tmp_path, step, has_state)
    (tmp_path / "checkpoints" / ".step-12.partial").mkdir()
    _thin_out(tmp_path / "checkpoints", 2)
    left = sorted(path.name for path in (tmp_path / "checkpoints").iterdir())
    assert left == [".step-12.partial", "step-10", "step-4", "step-8"]
