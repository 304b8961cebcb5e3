"""The terminal's estimate: a job against a GPU, what fits, and a table of published peaks."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from remote_agent.contract.job_spec import JobSpec, ModelSpec, with_value
from remote_agent.contract.memory import FITS, estimate_memory, setup_of_job
from remote_agent.contract.memory.gpu_kinds import gpu_kind
from studio.cli.estimate_command import ADDED_COLUMNS, shipped_gpus
from studio.cli.main import main
from studio.job_file import write_job_file
from tests.support.samples import published_memory

EIGHT_B = {
    "model_type": "llama", "vocab_size": 128256, "hidden_size": 4096, "intermediate_size": 14336,
    "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 8, "max_position_embeddings": 8192,
}  # fmt: skip


@pytest.fixture
def spec(tmp_path: Path) -> JobSpec:
    model = tmp_path / "model"
    model.mkdir()
    (model / "config.json").write_text(json.dumps(EIGHT_B), encoding="utf-8")
    made = JobSpec(model=ModelSpec(id=str(model)))
    for path, value in (("strategy.ranks", 8), ("batch.accumulation", 8), ("strategy.zero_stage", 3)):
        made = with_value(made, path, value)
    return made


@pytest.fixture
def job(tmp_path: Path, spec: JobSpec) -> str:
    write_job_file(tmp_path / "job.yaml", spec)
    return str(tmp_path / "job.yaml")


def _json(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def test_that_a_job_is_estimated_by_phase_and_term(job: str, spec: JobSpec, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["estimate", job, "--gpu", "h100-80gb", "--json"]) == 0
    answer = _json(capsys)
    expected = estimate_memory(setup_of_job(spec, EIGHT_B).setup)
    assert answer["card_bytes"] == expected.card._asdict()
    assert answer["binding_phase"] == expected.binding
    assert answer["phases"][expected.binding] == dict(expected.bound.terms)
    assert answer["verdict"] == FITS
    assert main(["estimate", job, "--gpus", "64", "--json"]) == 0
    assert _json(capsys)["card_bytes"]["likely"] < expected.card.likely
    assert main(["estimate", job]) == 0
    assert "<- binds" in capsys.readouterr().out


def test_that_time_cost_and_energy_are_told_as_intervals(job: str, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["estimate", job, "--gpu", "H100-80GB", "--updates", "1000"]
    assert main([*command, "--price", "2", "--json"]) == 0
    found = _json(capsys)["outlay"]
    assert found["hours"]["low"] < found["hours"]["likely"] < found["hours"]["high"]
    assert found["cost"]["likely"] == pytest.approx(found["hours"]["likely"] * 8 * 2)
    assert found["flops_per_token"] == pytest.approx(6 * 7.5e9, rel=0.1)
    assert main([*command, "--json"]) == 0
    assert "2026" in _json(capsys)["outlay"]["price_source"]
    assert main(command) == 0
    assert "kWh" in capsys.readouterr().out
    assert main(["estimate", job, "--gpu", "L4-24GB", "--updates", "9"]) == 0
    assert "--price" in capsys.readouterr().out
    assert main(["estimate", job, "--gpu", "V100-32GB"]) == 0
    assert "no bf16 peak" in capsys.readouterr().out
    for price in ("0", "nan", "much", "-1"):
        with pytest.raises(SystemExit):
            main([*command, "--price", price])


def test_that_the_worked_examples_are_said_with_their_sums(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["estimate", "--examples"]) == 0
    said = capsys.readouterr().out
    for figure in ("1,128.9 GB", "141.1 GB", "17.6 GB", "12.7 GB", "36.4 GB", "70,553,706,496 x 16 bytes / 64"):
        assert figure in said
    assert main(["estimate", "--examples", "--json"]) == 0
    assert [kind["kind"] for kind in _json(capsys)["kinds"]] == ["full", "lora", "qlora"]


def test_that_what_fits_keeps_the_global_batch(job: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["estimate", job, "--fit", "--gpu", "RTX-4090-24GB", "--json"]) == 0
    found = _json(capsys)
    assert found and found[0]["relative_time"] >= 1.0
    for each in found:
        changes = {"batch.micro_batch": 1, "batch.accumulation": 8, **each["changes"]}
        assert changes["batch.micro_batch"] * changes["batch.accumulation"] == 8
    assert main(["estimate", job, "--fit", "--gpu", "A100-80GB"]) == 0
    assert "fastest first" in capsys.readouterr().out
    assert main(["estimate", job, "--fit"]) == 2
    assert main(["estimate", job, "--gpu", "H1000"]) == 2
    assert "H100-80GB" in capsys.readouterr().err


def test_that_the_shipped_gpus_are_forty_and_whole() -> None:
    kinds = shipped_gpus()
    assert len(kinds) >= 40
    assert len({kind.name for kind in kinds}) == len(kinds)
    assert all(kind.memory_bytes > 0 and kind.bandwidth > 0 and kind.source for kind in kinds)
    assert gpu_kind(kinds, "h100-80gb").memory_bytes / (1 << 30) == pytest.approx(79.6, abs=0.1)


def test_that_a_table_is_compared_and_written_with_the_predictions(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table, out = published_memory("measured.csv"), tmp_path / "out.csv"
    assert main(["estimate", "--table", str(table), "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert "fitted to the other sources" in said
    with table.open(newline="", encoding="utf-8") as file:
        before = list(csv.DictReader(file))
    with out.open(newline="", encoding="utf-8") as file:
        after = list(csv.DictReader(file))
    assert [{key: row[key] for key in before[0]} for row in after] == before
    assert all(float(row[name]) > 0 for row in after for name in ADDED_COLUMNS[:3])
    assert all(row["binding_phase"] for row in after)
    assert main(["estimate", "--table", str(table), "--json"]) == 0
    answer = _json(capsys)
    assert answer["rows"] == len(before)
    assert answer["as shipped"]["allocated"]["within_10"] >= 0.9


def test_that_a_bad_row_is_named_and_the_others_are_compared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "table.csv"
    columns = "id,source,params,gpus,strategy,zero_stage,model_state_precision,measured_gib,metric\n"
    table.write_text(
        columns + "a,me,7000000000,8,zero,3,bf16+fp32_master,20,reserved\nb,me,,8,zero,3,all_bf16,1,reserved\n",
        encoding="utf-8",
    )
    assert main(["estimate", "--table", str(table)]) == 2
    assert "row 2 (b): params is empty" in capsys.readouterr().out
    table.write_text(columns, encoding="utf-8")
    assert main(["estimate", "--table", str(table)]) == 2
    assert main(["estimate"]) == 2
    assert "--table" in capsys.readouterr().err


def test_that_a_model_without_a_formula_is_traced_and_the_trace_stands_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = {"model_type": "stablelm", "vocab_size": 512, "hidden_size": 64, "intermediate_size": 128,
              "num_hidden_layers": 1, "num_attention_heads": 4, "num_key_value_heads": 4}  # fmt: skip
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    spec = with_value(JobSpec(model=ModelSpec(id=str(tmp_path))), "data.max_length", 32)
    write_job_file(tmp_path / "job.yaml", spec)
    assert main(["estimate", str(tmp_path / "job.yaml"), "--trace", "--json"]) == 0
    said = capsys.readouterr()
    found = json.loads(said.out)
    assert found["estimated"] is None and found["peak"] > found["terms"]["Optstate"] > 0
    assert "stablelm" in said.err and "stands alone" in said.err
    assert main(["estimate", str(tmp_path / "job.yaml")]) == 2
    assert "stablelm" in capsys.readouterr().err
