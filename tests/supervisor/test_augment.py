"""Rows in other words, from the agent's command to the prepared data, by seq2seq models of one layer."""

from __future__ import annotations

import dataclasses
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from remote_agent.contract.data_steps import AugmentStep
from remote_agent.contract.frames import FrameReader
from remote_agent.contract.job_spec import DataSpec, JobSpec
from remote_agent.contract.spec_json import spec_to_dict
from remote_agent.dataset.answers import Answer
from remote_agent.dataset.corpus import DataPaths
from remote_agent.dataset.encoding import row_fingerprint
from remote_agent.dataset.inspection_inputs import Inputs
from remote_agent.dataset.prepare import prepare
from remote_agent.dataset.prepared import Part, open_prepared
from remote_agent.supervisor.inspect import INSPECTED
from tests.support.agent_call import agent_call
from tests.support.data_session import SessionClient
from tests.support.tiny import tiny_rows, tiny_seq2seq, tiny_tokenizer_files

ROWS = 20


@pytest.fixture(scope="module")
def writers(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    folder = tmp_path_factory.mktemp("writers")
    return str(tiny_seq2seq(folder / "there", seed=5)), str(tiny_seq2seq(folder / "back", seed=6))


@pytest.fixture
def inputs(writers: tuple[str, str], tmp_path: Path) -> Inputs:
    writer, back = writers
    anything: dict[str, Any] = {"shortest": 0.0, "longest": 10.0, "same_language": False, "max_tokens": 8}
    steps = (
        AugmentStep(model=writer, prefix="paraphrase: ", share=0.5, **anything),
        AugmentStep("back_translation", writer, back, role="assistant", **anything),
    )
    data = DataSpec(max_length=256, held_out_fraction=0.2, steps=steps)
    model = tiny_tokenizer_files(tmp_path / "model")
    return Inputs(JobSpec(data=data), model, DataPaths((tiny_rows(tmp_path, ROWS),)))


def request(inputs: Inputs) -> dict[str, Any]:
    return {
        "what": "augment",
        "job": spec_to_dict(inputs.job),
        "model_path": str(inputs.model_path),
        "data_paths": [str(path) for path in inputs.paths.data],
        "held_out_path": "",
    }


def made_again(inputs: Inputs, home: Path) -> list[Any]:
    """Make the rows here, and return how many texts it was told each time that there are to make."""
    from remote_agent.trainer.augment import augment

    told = io.BytesIO()
    augment({**request(inputs), "cache_root": str(home / INSPECTED)}, Answer(told), lambda: False)
    frames = FrameReader().feed(told.getvalue())
    return [frame.head["total"] for frame in frames if frame.head.get("phase") == "augment"]


def fingerprints(part: Part) -> dict[int, str]:
    """Return the fingerprint of each row of a part that is no longer than a sequence, by its index."""
    found = {}
    for number in range(len(part)):
        sequence = part.sequence(number)
        starts = [*np.flatnonzero(sequence.positions == 0).tolist(), len(sequence.ids)]
        for row, start, end in zip(sequence.row_ids.tolist(), starts[:-1], starts[1:], strict=True):
            values = (values[start:end] for values in (sequence.ids, sequence.labels, sequence.positions))
            found[row] = row_fingerprint(*values)
    return found


def test_that_made_rows_are_shown_as_they_are_trained_and_are_made_once(inputs: Inputs, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(0o700)
    with SessionClient(inputs.job, inputs.model_path, inputs.paths.data, home / INSPECTED) as session:
        before = session.report()
    assert [step.sentence for step in before.steps] == ["Add rows in other words: none has been made yet."] * 2
    made = agent_call("inspect", home, request(inputs), timeout_s=120).result
    assert made["rows"] == 24 and made["rejected"] == {}, made
    written_ns = Path(made["path"]).stat().st_mtime_ns
    texts = {path: path.read_bytes() for path in (home / "augmented" / "texts").iterdir()}
    assert len(texts) == 2 and set(made_again(inputs, home)) == {0}
    assert {path: path.read_bytes() for path in texts} == texts
    assert Path(made["path"]).stat().st_mtime_ns == written_ns

    with SessionClient(inputs.job, inputs.model_path, inputs.paths.data, home / INSPECTED) as session:
        report = session.report()
        page = session.page(count=ROWS + 24)
        views = [session.row(row.index) for row in page.rows]
    held_out = {view.index for view in views if view.part == "held_out"}
    assert len(held_out) == 4 and held_out <= set(range(ROWS))
    assert [step.added for step in report.steps] == [8, 16] and report.steps[0].rows[0] == ROWS
    assert (report.rows, report.train_rows, report.held_out_rows) == (ROWS, 16 + 24, 4)
    assert report.total.count == ROWS + 24 and sum(report.total.histogram) == ROWS + 24
    origins = [view.origin for view in views]
    assert origins[:ROWS] == [""] * ROWS
    assert [one.split(" of ")[0] for one in origins[ROWS:]] == ["Paraphrase"] * 8 + ["Back-translation"] * 16
    assert not held_out & {int(one.rpartition(" ")[2]) - 1 for one in origins[ROWS:]}
    assert all(row.tokens > 0 and row.part == "train" and row.origin for row in page.rows[ROWS:])

    home_path = inputs.augmented(home)
    _, folder = prepare(inputs.job, inputs.model_path, inputs.paths, home / "data", augmented=home_path)
    prepared = open_prepared(folder)
    trained, aside = fingerprints(prepared.train), fingerprints(prepared.held_out)
    assert set(aside) == held_out and not set(aside) & set(trained)
    assert trained == {view.index: view.fingerprint for view in views if view.part == "train"}

    job = dataclasses.replace(inputs.job, seed=inputs.job.seed + 1)  # other rows are held out, other rows are made
    with SessionClient(job, inputs.model_path, inputs.paths.data, home / INSPECTED) as session:
        assert [step.added for step in session.report().steps] == [0, 0]
