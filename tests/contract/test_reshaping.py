"""A job on other ranks or at another stage trains the same sequences in every update, or says why it cannot."""

from __future__ import annotations

from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remote_agent.contract.job_spec import JobSpec, with_value
from remote_agent.contract.reshaping import Shape, readable_shapes, reshape_problem, reshaped, shape_of
from remote_agent.dataset.order import step_sequences


def _job(micro: int = 1, accumulation: int = 1, ranks: int = 1, **more: object) -> JobSpec:
    spec = JobSpec()
    settings: dict[str, object] = {
        "batch.micro_batch": micro, "batch.accumulation": accumulation, "strategy.ranks": ranks,
        "strategy.zero_stage": 2, **{path.replace("__", "."): value for path, value in more.items()},
    }  # fmt: skip
    for path, value in settings.items():
        spec = with_value(spec, path, value)
    return spec


def _rows(spec: JobSpec, step: int) -> list[int]:
    batch = spec.batch
    found = step_sequences(7, step, 101, batch.micro_batch, batch.accumulation, spec.strategy.ranks)
    return list(chain.from_iterable(chain.from_iterable(found)))


@given(
    st.integers(1, 6), st.integers(1, 6), st.integers(1, 6), st.integers(1, 8), st.integers(1, 3), st.integers(0, 40)
)
def test_that_every_update_trains_the_same_sequences_or_the_shape_is_refused(
    micro: int, accumulation: int, ranks: int, wanted: int, stage: int, step: int
) -> None:
    spec = _job(micro, accumulation, ranks)
    if micro * accumulation * ranks % wanted:
        with pytest.raises(ValueError, match="does not divide among"):
            reshaped(spec, Shape(wanted, stage))
        return
    other = reshaped(spec, Shape(wanted, stage))
    assert shape_of(other) == Shape(wanted, stage)
    assert other.batch.micro_batch <= micro
    assert _rows(other, step) == _rows(spec, step)
    assert reshaped(other, shape_of(other)) == other


def test_that_accumulation_makes_up_for_the_ranks_before_the_micro_batch_has_to() -> None:
    fewer, more = reshaped(_job(4, 3, 2), Shape(1, 2)), reshaped(_job(8, 1, 1), Shape(2, 2))
    assert (fewer.batch.micro_batch, fewer.batch.accumulation) == (4, 6)
    assert (more.batch.micro_batch, more.batch.accumulation) == (4, 1)


@pytest.mark.parametrize(
    ("more", "wanted", "said"),
    [
        ({"optimizer__kind": "lion"}, Shape(1, 2), "the optimizer is lion"),
        ({"regularization__averaging": "ema"}, Shape(1, 2), "averaged weights"),
        ({"strategy__precision": "fp16"}, Shape(1, 2), "the precision is fp16"),
        ({}, Shape(2, 0), "at ZeRO stage 0 the optimizer's state is not divided"),
        ({"strategy__offload_optimizer": True}, Shape(2, 0), "needs a ZeRO stage from 1 on"),
        ({"strategy__zero_stage": 3, "strategy__offload_parameters": True}, Shape(2, 2), "needs ZeRO stage 3"),
        ({}, Shape(3, 2), "global batch of 4 sequences does not divide among 3 ranks"),
        ({}, Shape(0, 2), "at least one rank"),
    ],
)
def test_that_what_cannot_be_divided_anew_is_said(more: dict[str, object], wanted: Shape, said: str) -> None:
    spec = _job(2, 1, 2, **more)
    assert said in reshape_problem(spec, shape_of(spec), wanted)
    assert reshape_problem(spec, shape_of(spec), shape_of(spec)) == ""


def test_that_adamw_in_bf16_goes_on_in_any_shape_from_stage_1_on() -> None:
    spec = _job(2, 2, 2)
    for wanted in (Shape(1, 1), Shape(4, 2), Shape(8, 3)):
        assert reshape_problem(spec, shape_of(spec), wanted) == ""


@given(st.integers(1, 6), st.integers(1, 6), st.integers(1, 8), st.integers(0, 3), st.integers(1, 40))
def test_that_the_shapes_on_offer_are_just_those_that_can_be_read_and_the_one_that_was_saved(
    micro: int, accumulation: int, ranks: int, stage: int, most: int
) -> None:
    spec = _job(micro, accumulation, ranks)
    saved = Shape(ranks, stage)
    offered = readable_shapes(spec, saved, most)
    every = {Shape(count, at) for count in range(1, most + 1) for at in range(4)} | {saved}
    assert set(offered) == {shape for shape in every if not reshape_problem(spec, saved, shape)}
    assert list(offered) == sorted(offered) and saved in offered
