"""`luthier inspect`: everything of the report in a terminal, for a program, and as a file to send on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from remote_agent.contract.data_spec import SourceSpec
from remote_agent.contract.data_steps import DropStep
from remote_agent.contract.job_spec import JobSpec, with_value
from studio.cli.main import main
from studio.job_file import write_job_file
from tests.support.model_folder import write_model
from tests.support.tiny import tiny_rows

HOSTILE = "[bold red]x[/] \x1b[31m red \x07"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_rows(tmp_path_factory.mktemp("rows"))


def _rows_of(folder: Path, *answers: str | None) -> Path:
    path = folder / "rows.json"
    pairs = [{"instruction": f"Say the number {number}.", "output": answer} for number, answer in enumerate(answers)]
    path.write_text(json.dumps(pairs), encoding="utf-8")
    return path


def _json(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def test_that_a_program_reads_rows_shape_tokens_findings_and_packing(
    model: Path, rows: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["inspect", str(rows), "--model", str(model), "--length", "128", "--json"]) == 0
    answer = _json(capsys)
    assert answer["rows"] == 40
    assert answer["shape"] == "alpaca"
    assert answer["shape_reason"]
    for part in ("prompt", "response", "total"):
        counts = answer["tokens"][part]
        assert counts["count"] == sum(counts["histogram"]) == 40
        assert len(counts["edges"]) == len(counts["histogram"]) + 1
        assert counts["min"] <= counts["median"] <= counts["max"]
        assert counts["mean"] == pytest.approx(counts["total"] / 40)
    assert answer["packing"]["length"] == 128
    assert answer["packing"]["sequences"] > 0
    assert 0 < answer["packing"]["efficiency"] <= 1
    for finding in answer["findings"]:
        assert {"kind", "severity", "count", "rows"} <= set(finding)


def test_that_a_person_reads_the_same_as_tables(model: Path, rows: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", str(rows), "--model", str(model), "--length", "128"]) == 0
    said = capsys.readouterr()
    for words in (
        "40 rows, read as alpaca.", "Tokens a row", "Median", "together", "Whole rows, by their tokens", "█",
        "Sequences of 128 tokens", "Packed", "Padding", "trained on",
    ):  # fmt: skip
        assert words in said.out
    assert max(len(line) for line in said.out.splitlines()) <= 110
    assert "Traceback" not in said.err


def test_that_several_files_and_a_held_out_one_are_looked_at_together(
    model: Path, rows: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    more, apart = tiny_rows(tmp_path / "more", 25), tiny_rows(tmp_path / "apart", 7)
    words = ["inspect", str(rows), str(more), "--held-out", str(apart), "--model", str(model), "--length", "128"]
    main([*words, "--json"])
    answer = _json(capsys)
    assert [(source["path"], source["rows"]) for source in answer["sources"]][:2] == [(str(rows), 40), (str(more), 25)]
    assert answer["held_out_rows"] == 7


def test_that_a_job_brings_its_data_its_model_and_its_steps(
    model: Path, rows: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec: Any = JobSpec()
    for path, value in (
        ("model.id", str(model)), ("data.path", str(rows)), ("data.max_length", 128),
        ("data.steps", (DropStep(rows=(0, 1, 2)),)), ("data.held_out_fraction", 0.0),
    ):  # fmt: skip
        spec = with_value(spec, path, value)
    write_job_file(tmp_path / "job.yaml", spec)
    assert main(["inspect", "--job", str(tmp_path / "job.yaml"), "--json"]) == 0
    answer = _json(capsys)
    assert (answer["rows"], answer["train_rows"]) == (40, 37)
    assert answer["steps"][0]["dropped"] == 3


def test_that_an_error_among_the_findings_is_2_and_stands_first_with_its_fix(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = _rows_of(tmp_path, *["Good."] * 12, None)
    assert main(["inspect", str(bad), "--model", str(model), "--length", "128", "--json"]) == 2
    errors = [finding for finding in _json(capsys)["findings"] if finding["severity"] == "error"]
    assert [(finding["count"], finding["rows"]) for finding in errors] == [(1, [12])]
    assert main(["inspect", str(bad), "--model", str(model), "--length", "128"]) == 2
    lines = capsys.readouterr().out.split("Findings (")[1].splitlines()
    assert lines[1].strip().startswith("error: ")
    assert any(line.strip().startswith("Fix: ") for line in lines)
    assert any(line.strip() == "Rows: 13" for line in lines)


def test_that_the_report_is_written_for_a_colleague(
    model: Path, rows: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "report.html"
    words = ["inspect", str(rows), "--model", str(model), "--length", "128"]
    assert main([*words, "--html", str(page)]) == 0
    assert str(page) in capsys.readouterr().err
    text = page.read_text(encoding="utf-8")
    assert text.startswith("<!doctype html>")
    assert "Rows as they are trained" in text
    assert ">&lt;|im_start|&gt;</span>" in text
    assert main([*words, "--html", str(tmp_path / "no" / "report.html")]) == 2
    assert "there is no folder" in capsys.readouterr().err


def test_that_text_of_the_data_neither_steers_the_terminal_nor_is_markup(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "rows.csv"
    lines = [f"text,{HOSTILE}label", *(f"word {number},{HOSTILE}" for number in range(12))]
    path.write_text("\n".join(lines), encoding="utf-8")
    job = with_value(JobSpec(), "data.more", (SourceSpec(path=str(path)),))
    write_job_file(tmp_path / "job.yaml", job)
    main(["inspect", str(path), "--model", str(model), "--length", "128", "--shape", "text"])
    said = capsys.readouterr()
    assert "\x1b" not in said.out
    assert "\x07" not in said.out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["none.json", "--model", "MODEL"], "none.json is not on this computer"),
        (["ROWS", "--model", "none"], "none is not on this computer"),
        (["ROWS"], "No model is named"),
        (["--model", "MODEL"], "No data is named"),
        (["empty.json", "--model", "MODEL"], "empty"),
        (["binary.json", "--model", "MODEL"], "binary.json"),
        (["ROWS", "--model", "MODEL", "--held-out", "none.json"], "none.json is not on this computer"),
        (["ROWS", "--model", "ROWS"], "rows.json"),
        (["ROWS", "--job", "none.yaml"], "none.yaml: No such file or directory"),
    ],
)
def test_that_bad_input_is_a_sentence_and_2(
    model: Path, rows: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    words: list[str], sentence: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty.json").write_bytes(b"")
    (tmp_path / "binary.json").write_bytes(bytes(range(256)) * 9)
    named = {"MODEL": str(model), "ROWS": str(rows)}
    assert main(["inspect", *(named.get(word, word) for word in words)]) == 2
    said = capsys.readouterr()
    assert sentence in said.err
    assert "Traceback" not in said.err + said.out
