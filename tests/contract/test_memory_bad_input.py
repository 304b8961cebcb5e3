"""Bad input: a sentence that names the key or the field, never a figure that is none."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remote_agent.contract.flops import flops_of
from remote_agent.contract.job_spec import JobSpec, with_value
from remote_agent.contract.memory import disk, estimate_memory, host_memory, setup_of_job
from remote_agent.contract.memory.from_table import RowError, setup_of_row
from remote_agent.contract.model_facts import UnknownModelError
from remote_agent.contract.problems import problems

CONFIG: dict[str, Any] = {
    "model_type": "llama", "vocab_size": 128256, "hidden_size": 4096, "intermediate_size": 14336,
    "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 8, "max_position_embeddings": 8192,
}  # fmt: skip
_ODD = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 3), st.integers(10**6, 10**12), st.floats(), st.text(max_size=5),
    st.lists(st.integers(), max_size=2),
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(["llama", "gpt2", "mixtral", "qwen3_moe", "falcon", "gemma2", "phi3", "mamba", "", None, 7, [1]]),
    st.dictionaries(st.sampled_from([key for key in CONFIG if key != "num_hidden_layers"]), _ODD, max_size=3),
    st.sampled_from([None, 0, -1, "x", 1, 48]),
)
def test_that_any_config_gives_a_sentence_or_finite_figures(kind: Any, odd: dict[str, Any], layers: Any) -> None:
    config = {**CONFIG, **odd, "model_type": kind, "num_hidden_layers": layers}
    try:
        setup = setup_of_job(JobSpec(), config).setup
    except UnknownModelError as error:
        assert len(str(error)) > 20 and str(error).endswith(".")
        return
    found = estimate_memory(setup)
    figures = (*found.allocated, *found.reserved, *found.card, *host_memory(setup).used, disk(setup, 2, True).total)
    assert all(math.isfinite(figure) and figure >= 0 for figure in figures)
    assert math.isfinite(flops_of(setup).computed) and flops_of(setup).model >= 0


@pytest.mark.parametrize(
    ("path", "value"),
    [("strategy.ranks", 0), ("strategy.ranks", -4), ("data.max_length", 0), ("batch.micro_batch", 0),
     ("batch.accumulation", -1), ("strategy.zero_stage", 7)],
)  # fmt: skip
def test_that_a_job_that_cannot_be_has_a_problem_at_its_field(path: str, value: int) -> None:
    spec = with_value(JobSpec(), path, value)
    assert any(problem.field == path and problem.sentence for problem in problems(spec))
    found = estimate_memory(setup_of_job(spec, CONFIG).setup) if path != "strategy.zero_stage" else None
    assert found is None or (found.card.likely > 0 and math.isfinite(found.card.high))


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(
    st.sampled_from(["params", "gpus", "layers", "hidden", "heads", "vocab", "seq_len", "micro_batch", "intermediate"]),
    st.sampled_from(["", "0", "-1", "nan", "inf", "1e400", "x", "1e12", "3.7"]), max_size=4,
))  # fmt: skip
def test_that_any_row_gives_a_sentence_or_finite_figures(odd: dict[str, str]) -> None:
    row = {"params": "8000000000", "gpus": "8", "strategy": "zero", "zero_stage": "3", "layers": "32", "hidden": "4096",
           "heads": "32", "intermediate": "14336", "vocab": "128256", "model_state_precision": "bf16+fp32_master",
           **odd}  # fmt: skip
    try:
        setup = setup_of_row(row)
    except RowError as error:
        assert str(error).endswith(".")
        return
    found = estimate_memory(setup)
    assert 0 < found.card.likely < math.inf
