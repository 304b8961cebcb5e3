"""The agent itself, as it is shipped, over both transports: what it answers and what it leaves on the node."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from remote_agent.contract.job_spec import JobSpec, with_value
from studio.demo.private_sshd import PrivateSshd
from studio.remote.agent import Agent, DataInputs, Progress
from studio.remote.deploy import agent_archive
from studio.remote.errors import AgentFailed
from studio.remote.transport import LocalTransport, Transport
from tests.support.model_folder import write_model
from tests.support.sshd import make_known, node_address
from tests.support.tiny import tiny_rows

NO_RUN = "r-260101-000000-aaaaaa"


@pytest.fixture(params=["local", "ssh"])
def transport(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Transport]:
    transport: Transport
    if request.param == "local":
        transport = LocalTransport()
    else:
        from studio.remote.ssh import SshTransport

        sshd: PrivateSshd = request.getfixturevalue("sshd")
        known = make_known(sshd, tmp_path / "config" / "known_hosts")
        transport = SshTransport(node_address(sshd), known, tmp_path / "ssh_config")
    yield transport
    transport.close()


@pytest.fixture
def agent(transport: Transport, tmp_path: Path) -> Agent:
    return Agent(transport, str(tmp_path / "node"))


def test_that_a_probe_reports_the_node_and_leaves_the_agent_there(agent: Agent, tmp_path: Path) -> None:
    report = agent.probe()
    assert report.cores == os.cpu_count()
    assert report.home == str(tmp_path / "node")
    assert report.memory_total_bytes > 0
    assert [path.name for path in (tmp_path / "node" / "agent").iterdir()] == [agent_archive().sha256]


def test_that_the_agent_comes_compiled_and_adds_nothing_to_its_folder(agent: Agent, tmp_path: Path) -> None:
    agent.runs()
    (folder,) = (tmp_path / "node" / "agent").iterdir()
    before = sorted(folder.rglob("*"))
    compiled = {path.relative_to(folder).parts[1] for path in before if path.suffix == ".pyc"}
    assert compiled == {"contract", "run_files", "supervisor"}
    agent.probe()
    assert sorted(folder.rglob("*")) == before


def test_that_folders_are_browsed(agent: Agent, tmp_path: Path) -> None:
    (tmp_path / "shown").mkdir()
    (tmp_path / "shown" / "b.txt").write_bytes(b"12345")
    (tmp_path / "shown" / "a").mkdir()
    listing = agent.browse(str(tmp_path / "shown"))
    assert {(entry.name, entry.is_dir) for entry in listing.entries} == {("a", True), ("b.txt", False)}
    assert listing.parent == str(tmp_path)


def test_that_what_is_sent_arrives_whole_and_a_second_time_nothing_is_sent(agent: Agent, tmp_path: Path) -> None:
    source = tmp_path / "model"
    (source / "deep").mkdir(parents=True)
    (source / "weights.safetensors").write_bytes(os.urandom(3_000_000))
    (source / "deep" / "empty.txt").write_bytes(b"")
    (source / ".hidden").write_bytes(b"x")
    path = Path(agent.send_folder("models", source))
    sent = sorted(item.relative_to(path).as_posix() for item in path.rglob("*") if item.is_file())
    assert sent == ["deep/empty.txt", "weights.safetensors"]
    assert (path / "weights.safetensors").read_bytes() == (source / "weights.safetensors").read_bytes()
    seen: list[Progress] = []
    assert agent.send_folder("models", source, on_progress=seen.append) == str(path)
    assert {progress.phase for progress in seen} == {"hashing"} and seen[-1].done == 3_000_000
    assert not list((tmp_path / "node" / "uploads").iterdir())


def test_that_one_file_is_sent_and_named(agent: Agent, tmp_path: Path) -> None:
    source = tmp_path / "rows.jsonl"
    source.write_bytes(b'{"a": 1}\n' * 1000)
    assert Path(agent.send_file("data", source)).read_bytes() == source.read_bytes()


def test_that_a_run_that_is_not_there_is_gone_from_an_attach(agent: Agent) -> None:
    stream = agent.attach({NO_RUN: {"cursors": {}, "logs": {}}}, follow=False)
    assert [frame.kind for frame in stream] == ["gone", "result"]
    stream.close()
    assert agent.runs() == ()


def test_that_a_run_that_is_not_there_has_no_files_and_takes_no_command(agent: Agent, tmp_path: Path) -> None:
    with pytest.raises(AgentFailed) as caught:
        agent.fetch(NO_RUN, ["job.json"], tmp_path / "into")
    assert caught.value.kind == "not_found"
    with pytest.raises(AgentFailed) as caught:
        agent.command(NO_RUN, "stop", {"save": True})
    assert caught.value.kind == "not_found"


def test_that_a_session_reports_on_data_and_answers_while_it_lasts(agent: Agent, tmp_path: Path) -> None:
    model, rows = write_model(tmp_path / "model"), tiny_rows(tmp_path, 30)
    spec = with_value(with_value(JobSpec(), "data.path", str(rows)), "data.max_length", 128)
    stream = agent.data_session(DataInputs(spec, sys.executable, str(model), (str(rows),)))
    try:
        page = stream.answer("table", {"query": {}, "start": 5, "count": 2})
        assert [row["index"] for row in page["rows"]] == [5, 6]
        assert stream.whole_report().rows == 30
        assert stream.answer("row", {"index": 29})["tokens"]
    finally:
        stream.finish()
    assert agent.inspect_data(DataInputs(spec, sys.executable, str(model), (str(rows),))).rows == 30
