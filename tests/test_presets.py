"""Presets: every file is sound and sourced, applying one is one undoable change, and it shows what it changes first."""

from __future__ import annotations

from pathlib import Path

import pytest

from remote_agent.contract.batch_arithmetic import batch_for, batch_plan
from remote_agent.contract.job_spec import JobSpec, value_at, with_value
from remote_agent.contract.problem import Known
from remote_agent.contract.usual_ranges import usual_range_problems
from studio import places
from studio.presets import load_presets, read_preset
from studio.state.draft import Draft
from studio.state.preset import GLOBAL_BATCH, Preset, differences, preset_values

PRESETS = load_presets(places.resources_dir() / "presets")


def applied(spec: JobSpec, values: dict[str, object]) -> JobSpec:
    for path, value in values.items():
        spec = with_value(spec, path, value)
    return spec


def test_that_the_presets_of_every_common_case_are_there() -> None:
    assert [preset.key.partition("-")[2] for preset in PRESETS] == [
        "classic", "conservative", "seven-to-thirteen-b", "seventy-b-offload", "continued-pretraining", "small-data",
        "classification",
    ]  # fmt: skip
    assert len({preset.name for preset in PRESETS}) == len(PRESETS)


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.key)
def test_that_a_preset_names_papers_and_stays_in_the_usual_ranges(preset: Preset) -> None:
    assert preset.sources and any("arXiv:" in source for source in preset.sources.values())
    assert "optimizer.learning_rate" in preset.sources
    assert (GLOBAL_BATCH in preset.sources) == bool(preset.global_batch)
    spec = applied(JobSpec(), preset_values(preset, JobSpec()))
    assert list(usual_range_problems(spec, Known())) == []


def test_that_the_classic_preset_is_the_recipe_it_says() -> None:
    classic = PRESETS[0]
    spec = applied(JobSpec(), preset_values(classic, JobSpec()))
    optimizer, schedule = spec.optimizer, spec.schedule
    assert (optimizer.kind, optimizer.learning_rate, optimizer.beta1, optimizer.beta2) == ("adamw", 2e-5, 0.9, 0.95)
    assert (optimizer.weight_decay, spec.regularization.clip_norm, spec.batch.epochs) == (0.01, 1.0, 3.0)
    assert (schedule.shape, schedule.warmup.amount, schedule.warmup.unit) == ("cosine", 10.0, "percent")
    assert optimizer.learning_rate * schedule.minimum_factor == pytest.approx(1e-6, rel=1e-12)
    assert batch_plan(spec, 46_584).global_batch == 512


@pytest.mark.parametrize("ranks", [1, 2, 3, 7, 8, 32])
def test_that_a_preset_keeps_its_global_batch_on_any_number_of_gpus(ranks: int) -> None:
    spec = with_value(with_value(JobSpec(), "strategy.ranks", ranks), "batch.micro_batch", 4)
    classic = PRESETS[0]
    after = applied(spec, preset_values(classic, spec))
    assert abs(batch_plan(after, 0).global_batch - 512) < ranks
    assert after.batch.micro_batch <= 4 and after.strategy.ranks == ranks


def test_that_micro_batch_and_accumulation_always_come_out_whole() -> None:
    for global_batch in range(1, 65):
        for micro in (1, 2, 3, 4, 8, 100):
            for ranks in (rank for rank in range(1, 9) if global_batch % rank == 0):
                size, accumulation = batch_for(global_batch, micro, ranks)
                assert size * accumulation * ranks == global_batch and 1 <= size <= micro
    with pytest.raises(ValueError, match="does not divide"):
        batch_for(10, 1, 3)


def test_that_the_difference_names_exactly_the_fields_that_would_change() -> None:
    spec = JobSpec()
    for preset in PRESETS:
        shown = differences(preset, spec)
        after = applied(spec, preset_values(preset, spec))
        assert all(value_at(spec, each.path) == each.now != each.then == value_at(after, each.path) for each in shown)
        assert applied(spec, {each.path: each.then for each in shown}) == after
        assert differences(preset, after) == ()


def test_that_applying_a_preset_is_one_step_of_the_undo() -> None:
    draft = Draft()
    draft.set_value("optimizer.weight_decay", 0.05)
    before = draft.spec
    draft.apply_preset(PRESETS[0].name, preset_values(PRESETS[0], draft.spec))
    assert draft.spec.optimizer.weight_decay == 0.01
    assert draft.preset == "Classic chat"
    assert draft.reference_value("optimizer.weight_decay", 0.1) == 0.01
    draft.undo()
    assert draft.spec == before and draft.preset == ""
    assert draft.reference_value("optimizer.weight_decay", 0.1) == 0.1
    draft.redo()
    assert draft.spec.optimizer.weight_decay == 0.01 and draft.preset == "Classic chat"


def test_that_a_preset_the_job_holds_already_still_becomes_what_fields_are_compared_with() -> None:
    draft = Draft()
    draft.apply_preset("same", {"optimizer.weight_decay": draft.spec.optimizer.weight_decay})
    assert draft.preset == "same" and draft.can_undo
    draft.undo()
    assert draft.preset == ""


def test_that_another_job_is_compared_with_the_defaults_again() -> None:
    draft = Draft()
    draft.apply_preset(PRESETS[0].name, preset_values(PRESETS[0], draft.spec))
    draft.replace_spec(JobSpec())
    assert draft.preset == "" and draft.reference_value("optimizer.beta2", 0.95) == 0.95


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name: A\nabout: b\nvalues: {optimizer.speed: 1}\n", "there is no field optimizer.speed"),
        ("name: A\nabout: b\nvalues: {optimizer.kind: 3}\n", "its kind is str"),
        ("name: A\nabout: b\nvalues: {optimizer.beta1: 2}\n", "the most is 0.9999"),
        ("name: A\nabout: b\nvalues: {}\nsources: {optimizer.beta1: x}\n", "has a source and no value"),
        ("name: A\nvalues: {}\n", "a preset has name, about"),
        ("- 1\n", "a preset has name, about"),
    ],
)
def test_that_a_wrong_preset_is_refused_with_its_file_and_field(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=said) as caught:
        read_preset(path)
    assert str(caught.value).startswith("mine.yaml")
