"""Runs from folders: a run directory as a node's, and the scalars of TensorBoard's and W&B's offline files."""

from __future__ import annotations

import json
import math
import struct
from pathlib import Path

import pytest

from remote_agent.contract.events import Evaluated, StateChanged
from remote_agent.contract.job_spec import JobSpec
from remote_agent.contract.run_dir import JOURNAL, segment_file
from remote_agent.contract.spec_json import spec_to_json
from remote_agent.contract.tensorboard_events import scalars_record, version_record
from studio.cli.main import main
from studio.session.run_import import NODE, NothingToImportError, import_run
from studio.state.run import RunState
from studio.store.library import Library
from studio.store.replay import replay
from tests.support.journals import RUN_ID, event_lines, header_line, step_event, step_segments


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(tmp_path / "library" / "library.db")


def folded(library: Library, run_id: str) -> RunState:
    run = RunState(run_id, "imported", NODE, JobSpec())
    for batch, _ in replay(library, run_id):
        run.fold_batch(batch)
    return run


def run_directory(folder: Path, steps: int) -> Path:
    """Write a run directory whose last line was cut off by a copy."""
    path = folder / RUN_ID
    (path / JOURNAL).mkdir(parents=True)
    (path / "log").mkdir()
    (path / "job.json").write_text(spec_to_json(JobSpec(name="copied")))
    (path / JOURNAL / segment_file("rank0", 0)).write_bytes(b"".join(step_segments(steps)) + b"00000000 9 {half")
    states = [StateChanged("running", 1), StateChanged("finished", 1)]
    told = header_line(writer="supervisor") + event_lines([*states, Evaluated(1, 40, 1.5, 4.5, 10, 2, 0.5)])
    (path / JOURNAL / segment_file("supervisor", 0)).write_bytes(told)
    (path / "log" / "rank0.log").write_bytes(b"hello\n")
    return path


def test_that_a_run_directory_comes_with_all_its_metrics_and_only_once(library: Library, tmp_path: Path) -> None:
    path = run_directory(tmp_path, 40)
    row = import_run(path, library)
    assert (row.run_id, row.name, row.state, row.step) == (RUN_ID, "copied", "finished", 40)
    assert row.best_held_out == 1.5 and len(row.losses) > 10 and row.node == NODE
    run = folded(library, RUN_ID)
    assert run.series("loss")[1].tolist() == [step_event(step).loss for step in range(1, 41)] and run.damaged == 0
    assert list(run.log) == [(0, "hello")]
    assert import_run(path, library) == row and len(library.runs()) == 1


def test_that_tensorboards_scalars_become_curves_under_transformers_names(library: Library, tmp_path: Path) -> None:
    records = [version_record(5.0)]
    for step in (10, 20, 30):
        values = {
            "train/loss": 2.0 / step,
            "train/learning_rate": 1e-5,
            "train/grad_norm": 0.5,
            "train/epoch": step / 30,
        }
        records += [scalars_record(100.0 + step, step, {name: value}) for name, value in values.items()]
    records.append(scalars_record(130.0, 30, {"eval/loss": 0.75, "other": 1.0}))
    folder = tmp_path / "old-run" / "runs"
    folder.mkdir(parents=True)
    (folder / "events.out.tfevents.1.host").write_bytes(b"".join(records) + b"cut")
    row = import_run(tmp_path / "old-run", library)
    assert (row.name, row.state, row.step, row.total_steps, row.best_held_out) == ("old-run", "finished", 30, 30, 0.75)
    run = folded(library, row.run_id)
    assert run.series("loss")[0].tolist() == [10.0, 20.0, 30.0]
    assert run.series("loss")[1].tolist() == pytest.approx([0.2, 0.1, 2.0 / 30])
    assert run.series("learning_rate")[1].tolist() == pytest.approx([1e-5] * 3)
    assert run.series("held_out_loss")[1].tolist() == [0.75]
    assert run.series("step_time_s")[1].tolist()[1:] == pytest.approx([1.0, 1.0])


def field(number: int, data: bytes) -> bytes:
    assert len(data) < 2**14
    size = bytes([len(data)]) if len(data) < 128 else bytes([len(data) & 127 | 128, len(data) >> 7])
    key = number << 3 | 2
    return (bytes([key]) if key < 128 else bytes([key & 127 | 128, key >> 7])) + size + data


def wandb_file(histories: list[dict[str, object]]) -> bytes:
    """Return an offline file as wandb 0.2x writes it: nested keys, records split where a block of 32 KiB ends."""
    out = bytearray(b":W&B\x17\xee\x00")
    for history in histories:
        items = b"".join(
            field(1, field(2, name.encode()) + field(16, json.dumps(value).encode())) for name, value in history.items()
        )
        left, first = field(2, items), True
        while left or first:
            room = 32_768 - len(out) % 32_768
            if room < 7:
                out += bytes(room)
                continue
            piece, left = left[: room - 7], left[room - 7 :]
            kind = (1 if not left else 2) if first else (4 if not left else 3)
            out += bytes(4) + struct.pack("<HB", len(piece), kind) + piece
            first = False
    return bytes(out)


def test_that_an_offline_run_of_wandb_is_read_over_its_blocks(library: Library, tmp_path: Path) -> None:
    histories: list[dict[str, object]] = [
        {"_step": 2 * step, "_timestamp": 100.0 + step, "train/global_step": step, "note": "x" * 300,
         "train/loss": "NaN" if step == 7 else 2.0 / step, "train/learning_rate": 1e-5}
        for step in range(1, 201)
    ]  # fmt: skip
    folder = tmp_path / "offline-run-1"
    folder.mkdir()
    (folder / "run-abc.wandb").write_bytes(wandb_file([*histories, {"_step": 401, "eval/loss": 1.25}]))
    row = import_run(folder, library)
    assert (row.name, row.state) == ("offline-run-1", "finished")
    steps, losses = folded(library, row.run_id).series("loss")
    assert steps.tolist() == list(range(1, 201)) and math.isnan(losses[6]) and losses[199] == 0.01
    assert row.best_held_out == 1.25


def test_that_a_folder_without_a_run_is_refused_in_a_sentence(library: Library, tmp_path: Path) -> None:
    with pytest.raises(NothingToImportError, match="holds no run"):
        import_run(tmp_path, library)
    (tmp_path / JOURNAL).mkdir()
    with pytest.raises(NothingToImportError, match=r"job\.json cannot be read"):
        import_run(tmp_path, library)


def test_that_the_terminal_imports_what_it_can_and_says_the_rest(
    luthier_home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = run_directory(tmp_path, 5)
    assert main(["import-run", str(tmp_path / "nothing"), str(path), "--json"]) != 0
    said = capsys.readouterr()
    assert json.loads(said.out)["run_id"] == RUN_ID and "holds no run" in said.err
