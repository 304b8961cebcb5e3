"""A call over this computer's transports: noise, crashes, silence, cancelling, and what it says of each."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from studio.remote.agent import Agent, Patience, Progress
from studio.remote.deploy import AgentArchive
from studio.remote.errors import AgentFailed, Cancelled, LinkError, NodeRefused
from studio.remote.transport import LocalTransport

SHORT = Patience(start_s=20.0, ping_every_s=0.2, dead_after_s=0.8)


@pytest.fixture(params=[False, True], ids=["sockets", "pipes"])
def transport(request: pytest.FixtureRequest) -> Iterator[LocalTransport]:
    transport = LocalTransport(pipes=request.param)
    yield transport
    transport.close()


@pytest.fixture
def agent(transport: LocalTransport, tmp_path: Path, archive: AgentArchive) -> Agent:
    return Agent(transport, str(tmp_path / "home"), archive)


def test_that_a_result_and_the_progress_before_it_arrive(agent: Agent) -> None:
    progress: list[Progress] = []
    assert agent.probe(on_progress=progress.append).cores == 1
    assert progress == [Progress("looking", 1.0, 2.0, "things")]


def test_that_a_folder_is_listed(agent: Agent) -> None:
    listing = agent.browse("/some/where")
    assert listing.path == "/some/where"
    assert [(entry.name, entry.is_dir) for entry in listing.entries] == [("a", True)]


def test_that_an_error_frame_carries_sentence_and_kind(agent: Agent) -> None:
    with pytest.raises(AgentFailed, match=r"There is no such folder\.") as caught:
        agent.browse("error")
    assert caught.value.kind == "not_found"


def test_that_a_crash_is_told_with_the_last_words_and_the_exit_code(agent: Agent) -> None:
    with pytest.raises(AgentFailed, match=r"exit code 7.*it broke"):
        agent.browse("crash")


def test_that_bytes_that_are_no_frames_end_the_call(agent: Agent) -> None:
    with pytest.raises(LinkError, match="not the agent's language"):
        agent.browse("noise")


def test_that_eight_megabytes_of_complaints_stop_nothing(agent: Agent) -> None:
    assert agent.browse("flood").path == "flood"


def test_that_an_agent_that_says_nothing_is_given_up(
    transport: LocalTransport, tmp_path: Path, archive: AgentArchive
) -> None:
    agent = Agent(transport, str(tmp_path / "home"), archive, SHORT)
    began = time.monotonic()
    with pytest.raises(LinkError, match="has not answered"):
        agent.browse("silent")
    assert time.monotonic() - began < 5.0


def test_that_a_busy_agent_that_answers_pings_is_waited_for_until_cancelled(
    transport: LocalTransport, tmp_path: Path, archive: AgentArchive
) -> None:
    agent = Agent(transport, str(tmp_path / "home"), archive, SHORT)
    cancelled = threading.Event()
    timer = threading.Timer(2.5, cancelled.set)
    timer.start()
    began = time.monotonic()
    with pytest.raises(Cancelled):
        agent.browse("busy", cancelled=cancelled)
    timer.join()
    assert 2.4 < time.monotonic() - began < 5.0


def test_that_a_call_that_is_cancelled_before_it_begins_starts_nothing(agent: Agent, tmp_path: Path) -> None:
    cancelled = threading.Event()
    cancelled.set()
    with pytest.raises(Cancelled):
        agent.probe(cancelled=cancelled)
    assert not (tmp_path / "home").exists()


def test_that_a_refused_home_is_the_nodes_refusal(agent: Agent, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir(mode=0o755)
    (tmp_path / "home").chmod(0o755)
    with pytest.raises(NodeRefused, match=r"this computer: .*chmod 700"):
        agent.probe()


def test_that_files_of_a_run_arrive_whole_and_missing_ones_are_named(agent: Agent, tmp_path: Path) -> None:
    missing = agent.fetch("r", ["checkpoints/step-1/model", "missing"], tmp_path / "into")
    assert missing == ["missing"]
    assert (tmp_path / "into" / "checkpoints" / "step-1" / "model").read_bytes() == b"half of it!"
    assert [path.name for path in (tmp_path / "into").rglob("*") if path.is_file()] == ["model"]


def test_that_an_agent_cannot_write_outside_the_folder(agent: Agent, tmp_path: Path) -> None:
    with pytest.raises(AgentFailed, match="nobody asked for"):
        agent.fetch("hostile", ["a"], tmp_path / "into")
    assert not (tmp_path / "escaped").exists()


@pytest.mark.parametrize("name", ["../up", "/etc/passwd", "a\\b", "c:x", "a//b", "", "."])
def test_that_a_name_that_leads_out_of_a_run_is_refused_here(name: str, agent: Agent, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not the name of a file"):
        agent.fetch("r", [name], tmp_path)


def test_that_json_in_the_home_folder_is_not_imported(
    transport: LocalTransport, tmp_path: Path, archive: AgentArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    user_home = tmp_path / "user"
    user_home.mkdir()
    (user_home / "json.py").write_text("raise SystemExit('planted')", encoding="ascii")
    monkeypatch.setenv("HOME", str(user_home))
    monkeypatch.setenv("PYTHONPATH", str(user_home))
    hostname = Agent(transport, "~/.luthier", archive).probe().hostname
    assert f'"cwd": "{user_home}"' in hostname
    assert "/json/__init__.py" in hostname


def test_that_a_folder_of_a_run_arrives_with_what_is_in_it(agent: Agent, tmp_path: Path) -> None:
    assert agent.fetch("folder", ["journal"], tmp_path / "into") == []
    names = sorted(path.relative_to(tmp_path / "into").as_posix() for path in (tmp_path / "into").rglob("*.jsonl"))
    assert names == ["journal/a.jsonl", "journal/deep/b.jsonl"]
