"""import, export and diff in a terminal."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from remote_agent.contract.job_spec import JobSpec, with_value
from remote_agent.contract.spec_json import spec_to_json
from studio import places
from studio.cli.main import main
from studio.exchange.job_schema import job_schema
from studio.job_file import read_job_file, write_job_file
from studio.store.library import Library
from studio.store.rows import RunRow
from tests.support.journals import RUN_ID

FIXTURES = Path(__file__).parents[1] / "exchange" / "fixtures"


@pytest.fixture
def job(tmp_path: Path) -> Path:
    spec = with_value(with_value(JobSpec(), "model.id", "/m"), "data.path", "/data/rows.json")
    write_job_file(tmp_path / "job.yaml", spec)
    return tmp_path / "job.yaml"


def _json(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def test_that_an_import_tells_all_and_writes_the_job(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, written = str(FIXTURES / "tutorial_training_arguments.json"), tmp_path / "job.yaml"
    assert main(["import", file, "-o", str(written)]) == 0
    said = capsys.readouterr().out
    assert "A configuration of transformers" in said
    assert "warmup_steps = 1000 -> schedule.warmup.amount = 1000.0" in said
    assert "The global batch is 2,048: 4 x 16 on 32 GPUs; 8 GPUs would give 512. Fix: Accumulate 4." in said
    assert read_job_file(written).strategy.ranks == 32
    assert main(["import", file, "-o", str(written)]) == 2
    assert "exists already" in capsys.readouterr().err


def test_that_an_import_as_json_has_the_account_and_the_job(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import", str(FIXTURES / "axolotl_full.yaml"), "--gpus", "8", "--json"]) == 0
    answer = _json(capsys)
    assert answer["origin"] == "Axolotl"
    assert answer["job"]["strategy"]["ranks"] == 8
    assert answer["findings"] == []
    dropped = {entry["their_key"] for entry in answer["dropped"]}
    assert "output_dir" in dropped and "wandb_project" not in dropped
    assert (answer["job"]["trackers"]["wandb"], answer["job"]["trackers"]["project"]) == ("offline", "llama")


def test_that_an_import_takes_rows_and_the_format_from_its_options(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.json").write_text('{"learning_rate": 1e-5, "save_steps": 500}', encoding="utf-8")
    words = ["import", str(tmp_path / "a.json"), "--from", "transformers", "--gpus", "2", "--rows", "160"]
    assert main(words) == 0
    assert "never comes in a run of 30" in capsys.readouterr().out
    assert main(["import", str(tmp_path / "none.yaml")]) == 2
    (tmp_path / "b.yaml").write_text("colour: red\n", encoding="utf-8")
    assert main(["import", str(tmp_path / "b.yaml")]) == 2
    assert "no key of it" in capsys.readouterr().err


def test_that_an_export_for_a_tool_comes_back_by_import(
    job: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main(["export", str(job), str(out), "--format", "llamafactory"]) == 0
    told = capsys.readouterr()
    assert "llamafactory-cli train" in told.out
    assert "optimizer.decay_embeddings" in told.err
    assert main(["export", str(job), str(out), "--format", "llamafactory"]) == 2
    capsys.readouterr()
    assert main(["import", str(out / "llamafactory.yaml"), "--gpus", "1", "-o", str(tmp_path / "back.yaml")]) == 0
    back = read_job_file(tmp_path / "back.yaml")
    assert back.data.path == "/data/rows.json"
    assert back.optimizer.learning_rate == 2e-5


def test_that_the_schema_and_the_job_are_printed(job: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "--format", "json-schema"]) == 0
    assert _json(capsys) == job_schema()
    assert main(["export", str(job), "--format", "job-yaml"]) == 0
    assert "# Peak learning rate" in capsys.readouterr().out
    assert main(["export", "--format", "axolotl"]) == 2
    assert main(["export", str(job), "--format", "axolotl"]) == 2
    assert "into which folder" in capsys.readouterr().err


def test_that_jobs_bundles_and_runs_are_compared(job: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = with_value(read_job_file(job), "batch.accumulation", 8)
    (tmp_path / "bundle").mkdir()
    (tmp_path / "bundle" / "job.json").write_text(spec_to_json(other), encoding="utf-8")
    library = Library(places.library_path())
    library.save_run(RunRow(RUN_ID, "tiny", "box", spec_to_json(other), "running"))
    library.close()
    for second in (str(tmp_path / "bundle"), RUN_ID, str(tmp_path / "bundle" / "job.json")):
        assert main(["diff", str(job), second]) == 0
        said = "batch.accumulation  Accumulation: 1 micro batches -> 8 micro batches\n"
        assert capsys.readouterr().out == said
    assert main(["diff", str(job), str(job)]) == 0
    assert "the same" in capsys.readouterr().out
    assert main(["diff", str(job), RUN_ID, "--json"]) == 0
    assert _json(capsys)[0]["path"] == "batch.accumulation"
    assert main(["diff", str(job), "r-260101-000000-zzzzzz"]) == 2


def test_that_import_diff_and_export_need_neither_qt_nor_torch(job: Path, tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from studio.cli.main import main\n"
        f"assert main(['import', {str(FIXTURES / 'swift_full.yaml')!r}]) == 0\n"
        f"assert main(['diff', {str(job)!r}, {str(job)!r}]) == 0\n"
        f"assert main(['export', {str(job)!r}, {str(tmp_path / 'o')!r}, '--format', 'transformers']) == 0\n"
        "found = [name for name in ('PySide6', 'torch', 'transformers') if name in sys.modules]\n"
        "assert not found, found\n"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert answer.returncode == 0, answer.stderr
