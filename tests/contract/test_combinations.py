"""The table of what does not run together: its problems, their fixes, and what the README shows of it."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest

from remote_agent.contract.combination_table import table_markdown
from remote_agent.contract.combinations import (
    ABOVE_ONE,
    ABOVE_ZERO,
    COMBINATION_RULES,
    MODEL,
    NEW_GPU,
    NO_GPU,
    NODE,
    OLD_GPU,
    CombinationRule,
    combination_problems,
)
from remote_agent.contract.data_report import ModelReport
from remote_agent.contract.job_spec import JobSpec, with_value
from remote_agent.contract.knob import described_fields
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
    model = ModelReport("", {**LLAMA, "attention_dropout": 0.0}, "", "", 0, (), "") if MODEL in rule.when else None
    return Known(node=NODES[places[0]] if places else None, model=model)


def _specs(rule: CombinationRule) -> list[JobSpec]:
    """Return a job for each combination of values that the rule names, otherwise one that nothing speaks against."""
    paths = [path for path in rule.when if path not in (NODE, MODEL)]
    above: dict[Any, tuple[Any, ...]] = {ABOVE_ZERO: (0.5,), ABOVE_ONE: (4,)}
    values = [above.get(rule.when[path], rule.when[path]) for path in paths]
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


def _table(first: str) -> dict[str, dict[str, str]]:
    """Return the README's table whose head begins so: a row's first cell to its column's cells."""
    lines = table_markdown().splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith(f"| {first} |"))
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[start:]]
    end = next((number for number, row in enumerate(cells) if row == [""]), len(cells))
    return {row[0]: dict(zip(cells[0][1:], row[1:], strict=True)) for row in cells[2:end]}


def test_that_the_table_of_optimizers_says_what_the_problems_say_at_every_stage_offload_and_precision() -> None:
    stages = _table("Optimizer")
    places = {"ZeRO 1 to 3, states on the CPU": (1, True), "ZeRO 3, weights too": (3, True)}
    places |= {f"ZeRO {stage}": (stage, False) for stage in range(4)}
    kinds = next(one.knob.choices for one in described_fields(JobSpec) if one.path == "optimizer.kind")
    assert set(stages) == set(kinds)
    for kind, place in itertools.product(kinds, places):
        stage, offloaded = places[place]
        for precision in ("fp32", "bf16", "fp16"):
            changes = [("optimizer.kind", kind), ("strategy.precision", precision), ("strategy.zero_stage", stage)]
            changes += [("strategy.offload_optimizer", offloaded)]
            spec = _changed([*changes, ("strategy.offload_parameters", place.endswith("too"))])
            offered = not list(combination_problems(spec, Known()))
            on_cpus = not list(combination_problems(spec, Known(node=NODES[NO_GPU])))
            anywhere, _, on_gpus = stages[kind][place].partition("GPU:")
            assert (precision in anywhere, precision in on_gpus) == (on_cpus, offered and not on_cpus), (spec, place)


def test_that_the_tables_name_each_part_of_the_loss_by_layout_and_each_rule_with_its_reason() -> None:
    losses = _table("Part of the loss")
    assert losses["mixup"]["packed"] == losses["mixup"]["padded, micro batch of 1"] == "no"
    assert (losses["R-Drop"]["packed"], losses["R-Drop"]["padded, micro batch of 1"]) == ("no", "yes")
    assert losses["mixup"]["FlashAttention 2, not packed"] == losses["R-Drop"]["FlashAttention 2, not packed"] == "no"
    assert losses["R-Drop"]["the same, micro batch of 1"] == "GPU"
    assert set(losses["plain, lean kernel"].values()) == {"yes", "GPU"}
    assert set(losses["plain, Liger's kernel"].values()) == {"GPU"}
    lines = table_markdown().splitlines()
    assert all(any(rule.reason in line and rule.fix.label in line for line in lines) for rule in COMBINATION_RULES)


def test_that_the_readme_shows_the_table_as_it_is() -> None:
    text = README.read_text(encoding="utf-8")
    assert table_markdown().strip() in text.partition("<!-- combinations -->")[2]
