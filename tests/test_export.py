"""The bundle that reruns a job: equal texts, exact losses, hashes, and nothing half written."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import os
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from remote_agent.contract import bundle as names
from remote_agent.contract.bundle import Bundle, BundleAmendment, BundleInput
from remote_agent.contract.data_report import FileEntry
from remote_agent.contract.data_spec import SourceSpec
from remote_agent.contract.deepspeed_config import deepspeed_config
from remote_agent.contract.events import Amended, Evaluated, TrainingEnded
from remote_agent.contract.job_spec import JobSpec, with_value
from remote_agent.contract.spec_json import spec_from_json, spec_to_json
from remote_agent.contract.wire import from_wire, to_wire
from remote_agent.supervisor.bundle_check import read_bundle
from studio.export import ExportError, export, export_job, export_run
from studio.job_file import read_job_file, write_job_file
from studio.remote.deploy import agent_archive
from studio.store.library import Library
from studio.store.rows import Block, RunRow
from tests.support.journals import INCARNATION, RUN_ID, event_lines, header_line, step_event

_LOSSES = (6.023548603057861, 5.1, 0.1 + 0.2)


@pytest.fixture
def spec(tmp_path: Path) -> JobSpec:
    model = tmp_path / "model"
    model.mkdir()
    (model / "config.json").write_text("{}", encoding="utf-8")
    (model / "model.safetensors").write_bytes(b"weights")
    (model / "notes.md").write_text("not hashed", encoding="utf-8")
    (tmp_path / "rows.json").write_text("[]", encoding="utf-8")
    spec = with_value(JobSpec(), "model.id", str(model))
    job: JobSpec = with_value(spec, "data.path", str(tmp_path / "rows.json"))
    return job


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    library = Library(tmp_path / "library.sqlite3")
    yield library
    library.close()


def _run(library: Library, spec: JobSpec) -> RunRow:
    """Keep a run of three updates, of which the second attempt repeated the last two."""
    kept = {
        "model": to_wire(BundleInput(spec.model.id, "", "", (FileEntry("model.safetensors", 7, "ab"),))),
        "data": to_wire(BundleInput(spec.data.path, "", "", (), "content")),
        "held_out": None,
        "environment": {"cpu": "EPYC", "gpus": [], "threads_per_rank": 2, "packages": {"torch": "2.13.0+cpu"}},
    }
    row = RunRow(RUN_ID, "tiny", "box", spec_to_json(spec), "finished", bundle=json.dumps(kept))
    library.save_run(row)
    body = header_line() + event_lines(
        [
            Evaluated(1, 0, 7.5, 1.0, 10, 2, 0.1),
            step_event(1, loss=_LOSSES[0]),
            step_event(2, loss=99.0),
            step_event(3, loss=99.0),
            step_event(2, attempt=2, loss=_LOSSES[1]),
            step_event(3, attempt=2, loss=_LOSSES[2]),
            Evaluated(2, 3, 5.25, 1.0, 10, 2, 0.1),
            TrainingEnded(2, 3, True),
        ]
    )
    library.store_blocks(RUN_ID, [Block("rank0", 0, INCARNATION, 0, body)])
    return row


def test_that_the_yaml_for_people_is_the_json_that_the_rerun_uses(
    spec: JobSpec, library: Library, tmp_path: Path
) -> None:
    spec = with_value(spec, "evaluation.sample_prompts", ("one: 1", "two\nlines"))
    export_run(_run(library, spec), tmp_path / "out", library)
    text = (tmp_path / "out" / names.JOB).read_text(encoding="utf-8")
    assert read_job_file(tmp_path / "out" / names.JOB_YAML) == spec_from_json(text) == spec
    assert text == spec_to_json(spec)
    assert json.loads((tmp_path / "out" / names.DS_CONFIG).read_text()) == deepspeed_config(spec)


def test_that_what_was_changed_while_the_run_went_on_is_exported_in_order(
    spec: JobSpec, library: Library, tmp_path: Path
) -> None:
    row = _run(library, spec)
    at_start = event_lines([Amended(2, 1, "optimizer.learning_rate", 1e-5, at_start=True)])
    live = event_lines([Amended(1, 2, "batch.max_steps", 9.0)])
    library.store_blocks(RUN_ID, [Block("supervisor", 0, INCARNATION, 0, header_line() + at_start)])
    library.store_blocks(RUN_ID, [Block("extra", 0, INCARNATION, 0, header_line() + live)])
    made = export_run(row, tmp_path / "out", library)
    assert made.amendments == (
        BundleAmendment(2, "batch.max_steps", 9.0), BundleAmendment(1, "optimizer.learning_rate", 1e-5),
    )  # fmt: skip
    assert read_bundle(str(tmp_path / "out"))[0].amendments == made.amendments
    assert "`batch.max_steps` = 9 from update 2 on" in (tmp_path / "out" / names.README).read_text(encoding="utf-8")


def test_that_losses_are_exact_and_of_the_newest_attempt(spec: JobSpec, library: Library, tmp_path: Path) -> None:
    made = export_run(_run(library, spec), tmp_path / "out", library)
    assert [(loss.step, float.fromhex(loss.value)) for loss in made.losses] == list(enumerate(_LOSSES, 1))
    assert [(loss.step, float.fromhex(loss.value)) for loss in made.held_out_losses] == [(0, 7.5), (3, 5.25)]
    assert made.complete


def test_that_the_bundle_tells_hardware_hashes_and_packages(spec: JobSpec, library: Library, tmp_path: Path) -> None:
    export_run(_run(library, spec), tmp_path / "out", library)
    read = from_wire(Bundle, json.loads((tmp_path / "out" / names.BUNDLE).read_text()))
    assert (read.cpu, read.gpus, read.threads_per_rank, read.run_id) == ("EPYC", (), 2, RUN_ID)
    assert read.deterministic
    assert read.model.files[0].sha256 == "ab"
    assert read.data.content_hash == "content"
    lock = (tmp_path / "out" / names.REQUIREMENTS).read_text()
    assert "torch==2.13.0  # the original ran 2.13.0+cpu\n" in lock


def test_that_the_agent_inside_is_the_one_that_is_deployed(spec: JobSpec, library: Library, tmp_path: Path) -> None:
    export_job(spec, tmp_path / "out")
    data = (tmp_path / "out" / names.AGENT).read_bytes()
    assert data == agent_archive().data
    assert "remote_agent/supervisor/rerun.py" in zipfile.ZipFile(io.BytesIO(data)).namelist()


def test_that_a_job_that_was_not_run_names_its_inputs_with_their_hashes(spec: JobSpec, tmp_path: Path) -> None:
    made = export_job(spec, tmp_path / "out")
    assert {entry.name for entry in made.model.files} == {"config.json", "model.safetensors"}
    assert made.data.files[0].sha256 == hashlib.sha256(b"[]").hexdigest()
    assert made.losses == ()
    assert made.packages["torch"] == "2.13.0"
    assert "holds no losses" in (tmp_path / "out" / names.README).read_text()


def test_that_packed_inputs_lie_inside(spec: JobSpec, tmp_path: Path) -> None:
    made = export_job(spec, tmp_path / "out", pack=True)
    assert (tmp_path / "out" / made.model.packed / "model.safetensors").read_bytes() == b"weights"
    assert (tmp_path / "out" / made.data.packed).read_text() == "[]"


def _with_more(spec: JobSpec, folder: Path) -> JobSpec:
    (folder / "more").mkdir()
    (folder / "more" / "rows.jsonl").write_text("{}", encoding="utf-8")
    (folder / "apart.json").write_text("[1]", encoding="utf-8")
    sources = (SourceSpec(path=str(folder / "more")), SourceSpec(source="node", path="/srv/rows.csv"))
    spec = with_value(with_value(spec, "data.more", sources), "data.held_out_path", str(folder / "apart.json"))
    assert isinstance(spec, JobSpec)
    return spec


def test_that_every_source_is_named_with_its_hashes_and_its_variable(spec: JobSpec, tmp_path: Path) -> None:
    sources = (*_with_more(spec, tmp_path).data.more, SourceSpec(source="hub", path="org/rows", revision="abc"))
    spec = with_value(spec, "data.more", sources)
    made = export_job(spec, tmp_path / "out")
    assert [one.path for one in made.more_data] == [str(tmp_path / "more"), "/srv/rows.csv", "org/rows"]
    assert made.more_data[0].files[0].sha256 == hashlib.sha256(b"{}").hexdigest()
    assert "hf download --repo-type dataset org/rows --revision abc" in made.more_data[2].how
    readme = (tmp_path / "out" / names.README).read_text(encoding="utf-8")
    assert all(f"**DATA_{number}**" in readme for number in (2, 3, 4))


def test_that_packed_sources_lie_each_in_a_folder_of_its_own(spec: JobSpec, tmp_path: Path) -> None:
    spec = _with_more(spec, tmp_path)
    spec = with_value(spec, "data.more", spec.data.more[:1])
    made = export_job(spec, tmp_path / "out", pack=True)
    packed = [made.data.packed, *(one.packed for one in made.more_data), made.held_out.packed if made.held_out else ""]
    assert packed == ["data/rows.json", "data-2", "held-out/apart.json"]
    assert (tmp_path / "out" / "data-2" / "rows.jsonl").read_text() == "{}"


def test_that_the_sources_of_a_run_are_those_that_its_launch_kept(
    spec: JobSpec, library: Library, tmp_path: Path
) -> None:
    row = _run(library, spec)
    kept = {**json.loads(row.bundle), "more_data": [to_wire(BundleInput("/srv/b.json", "It lies on the node."))]}
    made = export_run(dataclasses.replace(row, bundle=json.dumps(kept)), tmp_path / "out", library)
    assert [one.path for one in made.more_data] == ["/srv/b.json"]


def test_that_an_input_that_is_not_here_cannot_be_packed_and_nothing_is_left(spec: JobSpec, tmp_path: Path) -> None:
    before = sorted(tmp_path.iterdir())
    with pytest.raises(ExportError, match="cannot be packed"):
        export_job(
            with_value(with_value(spec, "data.source", "node"), "data.path", "/node/rows"), tmp_path / "out", True
        )
    with pytest.raises(ExportError, match="choose it in the job"):
        export_job(with_value(spec, "model.id", ""), tmp_path / "out")
    assert sorted(tmp_path.iterdir()) == before


def test_that_a_folder_with_something_in_it_is_left_alone(spec: JobSpec, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    export_job(spec, tmp_path / "out")
    with pytest.raises(ExportError, match="not empty"):
        export_job(spec, tmp_path / "out")


def test_that_a_run_or_a_file_is_exported_by_its_name(spec: JobSpec, library: Library, tmp_path: Path) -> None:
    _run(library, spec)
    write_job_file(tmp_path / "job.yaml", spec)
    assert export(RUN_ID, tmp_path / "one", library).run_id == RUN_ID
    assert export(str(tmp_path / "job.yaml"), tmp_path / "two", library).run_id == ""
    with pytest.raises(ExportError, match="luthier runs"):
        export("r-000000-000000-aaaaaa", tmp_path / "three", library)


def test_that_run_sh_hands_over_its_variables_word_by_word(spec: JobSpec, tmp_path: Path) -> None:
    export_job(spec, tmp_path / "a folder")
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\nfor word in "$@"; do echo "[$word]"; done\n', encoding="utf-8")
    python.chmod(0o755)
    environment = {
        "PATH": os.environ["PATH"], "PYTHON": str(python), "MODEL": "/m o", "NPROC": "2", "OUT": str(tmp_path / "o"),
        "DATA_2": "/d 2", "DATA_10": "/ten", "DATA_DIR": "/not ours", "DATA_3": "",
    }  # fmt: skip
    script = tmp_path / "a folder" / names.RUN_SCRIPT
    answer = subprocess.run(
        ["bash", script, "--verify"], capture_output=True, text=True, env=environment, check=True, timeout=30
    )
    words = answer.stdout.split("\n")
    assert "[rerun]" in words
    for option, value in (
        ("--model", "/m o"), ("--nproc", "2"), ("--bundle", str(script.parent)), ("--data-2", "/d 2"),
        ("--data-10", "/ten"),
    ):  # fmt: skip
        assert words[words.index(f"[{option}]") + 1] == f"[{value}]"
    assert not {"[--data]", "[--data-3]", "[--data-DIR]"} & set(words)
    assert "[--verify]" in words


def test_that_run_sh_without_a_python_says_so(spec: JobSpec, tmp_path: Path) -> None:
    export_job(spec, tmp_path / "out")
    answer = subprocess.run(
        ["bash", tmp_path / "out" / names.RUN_SCRIPT],
        capture_output=True,
        text=True,
        env={"PATH": os.environ["PATH"], "PYTHON": "/no/such/python"},
        timeout=30,
    )
    assert answer.returncode == 2
    assert "/no/such/python" in answer.stderr
