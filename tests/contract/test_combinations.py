"""The table of what does not run together: its problems, their fixes, and what the README shows of it."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest

from remote_agent.contract.combinations import (
    ABOVE_ZERO,
    COMBINATION_RULES,
    NEW_GPU,
    NO_GPU,
    NODE,
    OLD_GPU,
    CombinationRule,
    combination_problems,
    table_markdown,
)
from remote_agent.contract.data_report import ModelReport
from remote_agent.contract.job_spec import JobSpec, with_value
from remote_agent.contract.node_report import Gpu, NodeReport
from remote_agent.contract.problem import Known, Problem

README = Path(__file__).resolve().parents[2] / "README.md"
LLAMA = {
    "model_type": "llama", "vocab_size": 96, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2,
    "num_attention_heads": 4,
}  # fmt: skip


def _node(*capabilities: str) -> NodeReport:
    gpus = tuple(Gpu(i, str(i), "Tesla T4", 16 << 30, 0, 0.0, 0.0, 0.0, one) for i, one in enumerate(capabilities))
    return NodeReport("box", "me", "Linux", "/h", "3.11", 8, 1, 1, 1, gpus, None, "", "", "b", 0.0)


NODES = {NO_GPU: _node(), OLD_GPU: _node("8.0", "7.5"), NEW_GPU: _node("9.0", "")}


def _changed(changes: Any) -> JobSpec:
    spec = JobSpec()
    for path, value in changes:
        spec = with_value(spec, path, value)
    return spec


def _known(rule: CombinationRule) -> Known:
    places = rule.when.get(NODE, ())
    return Known(node=NODES[places[0]]) if places else Known()


def _specs(rule: CombinationRule) -> list[JobSpec]:
    """Return a job for each combination of values that the rule names, otherwise one that nothing speaks against."""
    paths = [path for path in rule.when if path != NODE]
    values = [(0.5,) if rule.when[path] == ABOVE_ZERO else rule.when[path] for path in paths]
    base = _changed([("strategy.precision", "fp32" if rule.when.get(NODE) == (NO_GPU,) else "fp16")])
    found = []
    for chosen in itertools.product(*values):
        spec = base
        for path, value in zip(paths, chosen, strict=True):
            spec = with_value(spec, path, value)
        found.append(spec)
    return found


@pytest.mark.parametrize("rule", COMBINATION_RULES, ids=lambda rule: rule.sentence[:50])
def test_that_each_rule_speaks_and_its_fix_silences_it(rule: CombinationRule) -> None:
    for spec in _specs(rule):
        found = {problem.field: problem for problem in combination_problems(spec, _known(rule))}
        problem = found[rule.field]
        assert "{" not in problem.sentence and problem.sentence.endswith(".")
        assert problem.fix is not None
        mended = spec
        for path, value in problem.fix.changes:
            mended = with_value(mended, path, value)
        again = [one.sentence for one in combination_problems(mended, _known(rule))]
        assert problem.sentence not in again


def test_that_the_default_job_runs_on_new_gpus_and_says_what_to_change_elsewhere() -> None:
    def fixes(place: str) -> list[Any]:
        found = list(combination_problems(JobSpec(), Known(node=NODES[place])))
        return [problem.fix.changes for problem in found if problem.fix]

    assert fixes(NEW_GPU) == []
    assert fixes(OLD_GPU) == [(("strategy.precision", "fp16"),)]
    assert fixes(NO_GPU) == [(("strategy.precision", "fp32"),)]
    (old,) = combination_problems(JobSpec(), Known(node=NODES[OLD_GPU]))
    assert old.sentence == "Tesla T4 (compute capability 7.5) has no fast bf16."


def _frozen(*patterns: str, kind: str = "adamw") -> list[Problem]:
    model = ModelReport("", LLAMA, "", "", 0, (), "")
    spec = _changed([("optimizer.frozen", patterns), ("optimizer.kind", kind), ("strategy.zero_stage", 0)])
    return list(combination_problems(spec, Known(model=model)))


def test_that_a_frozen_pattern_has_to_match_something_and_to_leave_something() -> None:
    assert _frozen("model.layers.0.*") == []
    (problem,) = _frozen("model.layers.0.*", "model.layer.1.mlp.up_proj.weight")
    assert "model.layers.*.mlp.up_proj.weight" in problem.sentence
    assert problem.fix is not None and problem.fix.changes == (("optimizer.frozen", ("model.layers.0.*",)),)
    (problem,) = _frozen("*")
    assert "Every parameter" in problem.sentence
    (problem,) = _frozen("model.layers.*", kind="muon")
    assert problem.severity == "warning" and "AdamW" in problem.sentence


def test_that_nothing_is_said_of_frozen_parts_of_a_model_that_is_not_known() -> None:
    spec = _changed([("optimizer.frozen", ("nothing",))])
    assert list(combination_problems(spec, Known())) == []
    unknown = ModelReport("", {"model_type": "mamba"}, "", "", 0, (), "")
    assert list(combination_problems(spec, Known(model=unknown))) == []


def test_that_the_table_names_each_optimizer_and_each_rule_with_its_reason() -> None:
    lines = table_markdown().splitlines()
    assert "| adamw | yes | yes | yes | yes | yes |" in lines
    assert "| muon | yes | no | no | no | no |" in lines
    assert "| adafactor | yes | no | no | no | no |" in lines
    assert "| adamw_8bit | GPU | GPU | GPU | GPU | no |" in lines
    assert all(any(rule.reason in line and rule.label in line for line in lines) for rule in COMBINATION_RULES)


def test_that_the_readme_shows_the_table_as_it_is() -> None:
    text = README.read_text(encoding="utf-8")
    assert table_markdown().strip() in text.partition("<!-- combinations -->")[2]
