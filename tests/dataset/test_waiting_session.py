"""A session that waits has read all it needs: it is told its inputs, and then it is as any other."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from remote_agent.contract.job_spec import DataSpec, JobSpec, with_value
from remote_agent.contract.spec_json import spec_to_dict
from remote_agent.dataset.corpus import DataPaths
from remote_agent.dataset.data_inspection import inspect_data
from remote_agent.dataset.inspection_inputs import Inputs
from tests.support.data_session import SessionClient
from tests.support.tiny import tiny_rows, tiny_tokenizer_files

JOB = JobSpec(data=DataSpec(max_length=128))


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_tokenizer_files(tmp_path_factory.mktemp("model"))


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "inspected"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tiny_rows(tmp_path, 60)


def test_that_a_session_that_waits_is_told_its_inputs_and_then_is_as_any_other(
    model: Path, data: Path, cache: Path
) -> None:
    with SessionClient(JOB, model, [data], cache, waits=True) as session:
        refused = session.answer_to(session.begin("table", query={}, start=0, count=5))
        assert (refused.kind, refused.head["kind"]) == ("failed", "bad_request")
        assert [frame.kind for frame in session.frames] == ["failed"]
        assert not cache.exists(), "nothing is looked at yet"
        told, page = session.begin("job", **session.inputs), session.begin("table", query={}, start=0, count=5)
        assert session.answer_to(told).head["value"] == {}
        rows = session.answer_to(page).head["value"]["rows"]
        assert [row["index"] for row in rows] == [0, 1, 2, 3, 4]
        report = session.report()
        shorter = with_value(JOB, "data.max_length", 48)
        assert session.ask("job", job=spec_to_dict(shorter), version=1) == {}
        assert session.report(1) == inspect_data(Inputs(shorter, model, DataPaths((data,))))
    assert report == inspect_data(Inputs(JOB, model, DataPaths((data,))))


def test_that_a_session_that_waits_ends_with_a_word_where_its_inputs_are_not_there(
    model: Path, data: Path, cache: Path
) -> None:
    with SessionClient(JOB, model, [data.with_name("gone.jsonl")], cache, waits=True) as session:
        session.begin("job", **session.inputs)
        last = session.to_end()
        assert (last.kind, last.head["kind"]) == ("error", "not_found")
    with SessionClient(JOB, model, [data], cache, waits=True) as session:
        session.begin("job", **{**session.inputs, "job": {"seeed": 1}})
        assert "did you mean seed" in session.to_end().head["sentence"]


@pytest.mark.parametrize("end", ["end of input", "cancel", "terminate"])
def test_that_a_session_that_waits_ends_with_its_client(model: Path, data: Path, cache: Path, end: str) -> None:
    with SessionClient(JOB, model, [data], cache, waits=True) as session:
        session.answer_to(session.begin("row", index=0))
        if end == "end of input":
            assert session.process.stdin
            session.process.stdin.close()
        elif end == "cancel":
            session.send({"frame": "cancel"})
        else:
            session.process.terminate()
        assert session.process.wait(30) == (-signal.SIGTERM if end == "terminate" else 0)
