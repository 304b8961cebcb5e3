"""The terminal's range test: a real run on this computer, its curve, the suggested peak written into a job."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from remote_agent.contract.job_spec import JobSpec, with_value
from remote_agent.contract.range_test import is_range_test, suggestion
from remote_agent.contract.spec_json import spec_from_json
from studio import places
from studio.cli.main import main
from studio.job_file import read_job_file, write_job_file
from studio.store.library import Library
from tests.support.agent_home import with_shared_operators
from tests.support.tiny import tiny_model, tiny_rows


@pytest.fixture(scope="module")
def spec(tmp_path_factory: pytest.TempPathFactory) -> JobSpec:
    folder, spec = tmp_path_factory.mktemp("inputs"), JobSpec(name="tiny")
    for path, value in (
        ("model.id", str(tiny_model(folder / "model"))), ("data.path", str(tiny_rows(folder / "rows"))),
        ("data.max_length", 128), ("strategy.precision", "fp32"), ("batch.micro_batch", 2), ("batch.accumulation", 1),
        ("schedule.divergence_factor", 0.0),
    ):  # fmt: skip
        spec = with_value(spec, path, value)
    return spec


@pytest.mark.slow
def test_that_a_range_test_shows_its_curve_and_writes_the_job_with_the_suggested_peak(
    spec: JobSpec, tmp_path: Path, luthier_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with_shared_operators(luthier_home / "agent-home")
    suggested = tmp_path / "suggested.yaml"
    write_job_file(tmp_path / "job.yaml", spec)
    words = ["range-test", str(tmp_path / "job.yaml"), "--low", "1e-5", "--high", "1e-1", "--updates", "24"]
    assert main([*words, "-o", str(suggested), "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    steps = [line for line in lines if line.get("k") == "step"]
    rates, losses = [step["learning_rate"] for step in steps], [step["loss"] for step in steps]
    assert rates == pytest.approx([1e-5 * 1e4 ** (number / 23) for number in range(24)], rel=1e-9)
    expected = suggestion(rates, losses)
    assert expected is not None
    assert lines[-1]["suggestion"] == expected._asdict()
    assert read_job_file(suggested) == with_value(spec, "optimizer.learning_rate", expected.peak)
    library = Library(places.library_path())
    row = library.run(lines[-1]["run_id"])
    library.close()
    assert row is not None and is_range_test(spec_from_json(row.job))
    assert read_job_file(tmp_path / "job.yaml") == spec


@pytest.mark.parametrize(
    "words, sentence",
    [
        (["--low", "1e-2", "--high", "1e-5"], "has to rise"),
        (["--updates", "9"], "needs 10 updates or more"),
        ([], "No model is chosen."),
    ],
)
def test_that_what_cannot_be_tested_is_told_with_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], sentence: str
) -> None:
    write_job_file(tmp_path / "job.yaml", JobSpec())
    assert main(["range-test", str(tmp_path / "job.yaml"), *words]) == 2
    assert sentence in capsys.readouterr().err
