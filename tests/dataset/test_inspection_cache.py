"""What is kept changes its name with all that it depends on, and goes when the room is needed."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from remote_agent.contract.data_report import RowPair, StepReport
from remote_agent.contract.data_steps import AugmentStep, DeduplicateStep, DropStep, NormaliseStep
from remote_agent.contract.job_spec import DataSpec, JobSpec, with_value
from remote_agent.dataset.corpus import DataPaths, Plan
from remote_agent.dataset.data_error import DataError, NotThereError
from remote_agent.dataset.findings import Found
from remote_agent.dataset.inspection_cache import InspectionCache, Keys, keys_of
from remote_agent.dataset.inspection_inputs import Inputs
from tests.support.tiny import GENERATION_TEMPLATE, tiny_rows, tiny_tokenizer_files

JOB = JobSpec()
DAY_S = 86_400.0


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_tokenizer_files(tmp_path_factory.mktemp("model"))


def keys(model: Path, job: JobSpec) -> Keys:
    return keys_of(Inputs(job, model, DataPaths((Path("rows.json"),))))


def with_steps(*steps: Any, **fields: Any) -> JobSpec:
    return dataclasses.replace(JOB, data=DataSpec(steps=steps, **fields))


def changed(before: Keys, after: Keys) -> set[str]:
    return {name for name in Keys._fields if getattr(before, name) != getattr(after, name)}


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("data.system_prompt", "Be brief.", {"tokens", "plan", "report"}),
        ("data.train_on", "last", {"tokens", "plan", "report"}),
        ("data.chat_template", "builtin:chatml", {"tokens", "plan", "report"}),
        ("data.columns.prompt", "question", {"tokens", "plan", "report"}),
        ("data.max_rows", 5, {"tokens", "plan", "report"}),
        ("data.held_out_fraction", 0.5, {"plan", "report"}),
        ("data.weight", 2.0, {"plan", "report"}),
        ("seed", 9, {"plan", "report"}),
        ("data.max_length", 64, {"report"}),
        ("data.over_length", "split", {"report"}),
        ("data.packing", False, {"report"}),
        ("batch.epochs", 9.0, {"report"}),
        ("data.path", "/elsewhere", set()),
    ],
)
def test_that_a_field_changes_the_names_of_what_depends_on_it(
    model: Path, path: str, value: object, expected: set[str]
) -> None:
    assert changed(keys(model, JOB), keys(model, with_value(JOB, path, value))) == expected


def test_that_steps_change_tokens_only_where_they_change_rows(model: Path, tmp_path: Path) -> None:
    plain = keys(model, JOB)
    assert changed(plain, keys(model, with_steps(DeduplicateStep()))) == {"plan", "report"}
    assert changed(plain, keys(model, with_steps(NormaliseStep()))) == {"tokens", "plan", "report"}
    short, long = (keys(model, with_steps(DropStep(finding="over_length"), max_length=size)) for size in (64, 128))
    assert changed(short, long) == {"plan", "report"}
    makes = Inputs(with_steps(AugmentStep()), model, DataPaths((Path("rows.json"),)))
    (tmp_path / "made.jsonl").touch()
    assert changed(keys_of(makes), keys_of(makes, tmp_path / "made.jsonl")) == {"tokens", "plan", "report"}
    other = tiny_tokenizer_files(tmp_path / "other", GENERATION_TEMPLATE)
    assert changed(plain, keys(other, JOB)) == {"tokens", "plan", "report"}
    with pytest.raises(NotThereError, match="no tokenizer"):
        keys(tmp_path, JOB)
    with pytest.raises(DataError, match="poem"):
        keys(model, with_value(JOB, "data.chat_template", "builtin:poem"))


def test_that_plan_and_findings_come_back_as_they_were_kept(model: Path, tmp_path: Path) -> None:
    cache = InspectionCache(tmp_path / "kept", DataPaths((tiny_rows(tmp_path),)))
    names = keys(model, JOB)
    assert cache.plan(names) is None and cache.found(names) is None
    kept = np.array([True, False, True])
    plan = Plan(3, kept, np.array([2, 0, 0], np.int32), ~kept, (StepReport("Drop.", dropped=1),), ("No group.",))
    cache.keep_plan(names, plan)
    again = cache.plan(names)
    assert again is not None
    for name in ("kept", "train", "held_out"):
        np.testing.assert_array_equal(getattr(again, name), getattr(plan, name))
    assert (again.rows, again.steps, again.problems, again.before) == (3, plan.steps, plan.problems, None)
    cache.keep_plan(names, plan._replace(before=np.array([1, 1, 0], np.int32)))
    mixed = cache.plan(names)
    assert mixed is not None and mixed.before is not None and mixed.before.tolist() == [1, 1, 0]
    found = (
        Found("duplicate", 2, np.array([3, 5]), (RowPair(3, 1, 1.0),)),
        Found("pad_is_end", 0, np.zeros(0, np.int64), detail="<|im_end|>"),
        Found("near_duplicate", 1, np.array([7]), threshold=0.8, figures=(4, 9), firsts=np.array([2])),
        Found("conflicting_answers", 2, np.array([1, 4]), answers=np.array([[1, 1], [1, 4]])),
        Found("near_leakage", 1, np.array([8]), threshold=0.8, likes=np.array([[8, 2], [8, 5]])),
    )
    cache.keep_found(names, found)
    for one, other in zip(found, cache.found(names) or (), strict=True):
        arrays = ("rows", "answers", "firsts", "likes")
        for name in arrays:
            assert getattr(one, name).tolist() == getattr(other, name).tolist()
        rest, again_rest = ({**each.__dict__, **dict.fromkeys(arrays)} for each in (one, other))
        assert rest == again_rest


def test_that_of_one_state_of_the_data_only_the_newest_things_are_kept(model: Path, tmp_path: Path) -> None:
    cache = InspectionCache(tmp_path / "kept", DataPaths((tiny_rows(tmp_path),)))
    nothing = np.zeros(0, np.int32)
    plan = Plan(0, nothing > 0, nothing, nothing > 0, ())
    several = [keys(model, with_value(JOB, "seed", seed)) for seed in range(6)]
    for age, names in zip(range(6, 0, -1), several, strict=True):
        cache.keep_plan(names, plan)
        folder = cache.folder / f"plan-{names.plan}"
        os.utime(folder, (folder.stat().st_mtime - age, folder.stat().st_mtime - age))
    assert [cache.plan(names) is not None for names in several] == [False, False, True, True, True, True]
    cache.keep_found_so_far(several[0], ())
    cache.keep_found(several[0], ())
    assert not list(cache.folder.glob(".*"))


def test_that_a_file_that_changes_has_a_cache_of_its_own(tmp_path: Path) -> None:
    data = tiny_rows(tmp_path)
    cache = InspectionCache(tmp_path / "kept", DataPaths((data,)))
    cache.check_files()
    state = data.stat()
    raw = data.read_bytes()
    data.write_bytes(raw.replace(b"cat", b"dog", 1))
    os.utime(data, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert data.stat().st_size == state.st_size
    # Even a change that size and times do not show is seen at the file's ends.
    assert InspectionCache(tmp_path / "kept", DataPaths((data,))).folder != cache.folder
    data.write_bytes(raw + b" ")
    with pytest.raises(DataError, match="the data changed"):
        cache.check_files()
    data.unlink()
    with pytest.raises(NotThereError):
        cache.check_files()


def test_that_what_is_about_a_file_that_changed_goes_once_nobody_uses_it(tmp_path: Path) -> None:
    data, other = tiny_rows(tmp_path), tiny_rows(tmp_path / "other", 7)
    before, away = (InspectionCache(tmp_path / "kept", DataPaths((path,))) for path in (data, other))
    (before.folder / "key.unpacked").write_bytes(b"rows")
    data.write_bytes(data.read_bytes() + b" ")
    other.unlink()
    now = InspectionCache(tmp_path / "kept", DataPaths((data,)))
    now.trim()
    assert before.folder.is_dir()
    for cache in (before, away, now):
        used_s = (cache.folder / "used").stat().st_mtime
        os.utime(cache.folder / "used", (used_s - DAY_S, used_s - DAY_S))
    now.trim()
    assert [cache.folder.is_dir() for cache in (before, away, now)] == [False, True, True]


def test_that_what_was_used_longest_ago_goes_first_and_nothing_in_use(tmp_path: Path) -> None:
    caches = []
    for number in range(4):
        cache = InspectionCache(tmp_path / "kept", DataPaths((tiny_rows(tmp_path / str(number), 5 + number),)))
        (cache.folder / "large").write_bytes(bytes(1_000_000))
        caches.append(cache)
    now = (caches[0].folder / "used").stat().st_mtime
    for cache, age in zip(caches, (0.0, 2 * DAY_S, DAY_S, 0.0), strict=True):
        os.utime(cache.folder / "used", (now - age, now - age))
    caches[0].trim(3_500_000)
    assert [cache.folder.is_dir() for cache in caches] == [True, False, True, True]
    caches[0].trim(1_000)
    assert [cache.folder.is_dir() for cache in caches] == [True, False, False, True]
