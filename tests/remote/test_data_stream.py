"""The session with a child that looks at data: reports, questions, and its end, over both transports."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from remote_agent.contract.job_spec import JobSpec
from studio.demo.private_sshd import PrivateSshd
from studio.remote.agent import Agent, DataInputs
from studio.remote.call import Patience, Progress
from studio.remote.data_stream import DataStream, LookFailed, Reported, Told
from studio.remote.deploy import AgentArchive
from studio.remote.errors import AgentFailed, Cancelled, LinkError, RemoteError
from studio.remote.transport import LocalTransport, Transport
from tests.support.sshd import make_known, node_address

Open = Callable[..., DataStream]


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
def agent(transport: Transport, archive: AgentArchive, tmp_path: Path) -> Agent:
    return Agent(transport, str(tmp_path / "node"), archive, Patience(start_s=20.0, ping_every_s=0.2, dead_after_s=1.0))


@pytest.fixture
def open_stream(agent: Agent) -> Iterator[Open]:
    opened: list[DataStream] = []

    def make(script: str = "rows.json", cancelled: threading.Event | None = None) -> DataStream:
        opened.append(agent.data_session(_inputs(script), cancelled))
        return opened[-1]

    yield make
    for stream in opened:
        stream.finish()


def _inputs(script: str) -> DataInputs:
    return DataInputs(JobSpec(), "", "/model", (script,))


class _Heard:
    """What a question was answered, and on which thread."""

    def __init__(self) -> None:
        self.answers: list[dict[str, Any]] = []
        self.failures: list[RemoteError] = []
        self.threads: set[int] = set()

    def on_answer(self, value: dict[str, Any]) -> None:
        self.answers.append(value)
        self.threads.add(threading.get_ident())

    def on_failed(self, error: RemoteError) -> None:
        self.failures.append(error)
        self.threads.add(threading.get_ident())


def _reports(stream: DataStream, count: int) -> list[Reported]:
    found: list[Reported] = []
    while len(found) < count:
        found += [told for told in stream.receive(5.0) if isinstance(told, Reported)]
    return found


def test_that_reports_come_partial_first_with_the_progress_between(open_stream: Open) -> None:
    stream = open_stream()
    told: list[Told] = []
    while len(told) < 4:
        told += stream.receive(5.0)
    kinds = [type(one) for one in told]
    assert kinds == [Progress, Reported, Progress, Reported]
    reports = [one for one in told if isinstance(one, Reported)]
    assert [(one.version, one.report.complete, one.report.rows) for one in reports] == [(0, False, 7), (0, True, 7)]


def test_that_another_job_is_told_and_its_report_carries_its_version(open_stream: Open) -> None:
    stream = open_stream()
    _reports(stream, 2)
    heard = _Heard()
    stream.ask("job", {"job": {}, "version": 3}, heard.on_answer, heard.on_failed)
    (reported,) = _reports(stream, 1)
    assert (reported.version, reported.report.rows) == (3, 10)
    assert heard.answers == [{}]


def test_that_many_threads_ask_at_once_and_each_gets_its_own_answer_on_the_receiving_one(open_stream: Open) -> None:
    stream = open_stream()
    heard = {index: _Heard() for index in range(40)}

    def ask(first: int) -> None:
        for index in range(first, first + 10):
            stream.ask("row", {"index": index}, heard[index].on_answer, heard[index].on_failed)

    threads = [threading.Thread(target=ask, args=(first,)) for first in (0, 10, 20, 30)]
    for thread in threads:
        thread.start()
    while not all(one.answers for one in heard.values()):
        stream.receive(5.0)
    for thread in threads:
        thread.join()
    assert {index: one.answers[0]["index"] for index, one in heard.items()} == {index: index for index in range(40)}
    assert set().union(*(one.threads for one in heard.values())) == {threading.get_ident()}


def test_that_a_question_that_fails_leaves_the_session_open(open_stream: Open) -> None:
    stream = open_stream()
    with pytest.raises(AgentFailed, match=r"There is no row 100\.") as caught:
        stream.answer("row", {"index": 99})
    assert caught.value.kind == "not_found"
    assert stream.answer("row", {"index": 5}) == {"what": "row", "index": 5}


def test_that_a_look_that_fails_midway_is_told_and_questions_are_still_answered(open_stream: Open) -> None:
    stream = open_stream()
    _reports(stream, 2)
    heard = _Heard()
    stream.ask("break the look", {}, heard.on_answer, heard.on_failed)
    (told,) = stream.receive(5.0)
    assert isinstance(told, LookFailed)
    assert told.error.sentence == "rows.json vanished."
    assert stream.answer("row", {"index": 1})["index"] == 1


def test_that_data_that_cannot_be_looked_at_ends_the_session_with_its_sentence(open_stream: Open) -> None:
    stream = open_stream("unusable")
    heard = _Heard()
    stream.ask("row", {"index": 1}, heard.on_answer, heard.on_failed)
    with pytest.raises(AgentFailed, match="the file is empty"):
        _reports(stream, 1)
    assert [error.sentence for error in heard.failures] == ["rows.json: the file is empty."]
    assert stream.is_over


def test_that_an_agent_that_dies_fails_every_open_question_once_and_later_ones_at_once(open_stream: Open) -> None:
    stream = open_stream()
    _reports(stream, 2)
    heard = _Heard()
    for what in ("die", "row", "table"):
        stream.ask(what, {"index": 1}, heard.on_answer, heard.on_failed)
    with pytest.raises(RemoteError):
        while True:
            stream.receive(5.0)
    assert len(heard.failures) == 3
    stream.ask("row", {"index": 1}, heard.on_answer, heard.on_failed)
    assert len(heard.failures) == 4
    assert not heard.answers


def test_that_an_agent_that_falls_silent_is_given_up(open_stream: Open) -> None:
    stream = open_stream()
    _reports(stream, 2)
    heard = _Heard()
    stream.ask("silence", {}, heard.on_answer, heard.on_failed)
    began = time.monotonic()
    with pytest.raises(LinkError, match="has not answered for"):
        while time.monotonic() - began < 30.0:
            stream.receive(1.0)
    assert len(heard.failures) == 1


@pytest.mark.parametrize("how", ["cancelled", "closed"])
def test_that_an_end_from_another_thread_is_seen_within_a_second(open_stream: Open, how: str) -> None:
    cancelled = threading.Event()
    stream = open_stream(cancelled=cancelled)
    _reports(stream, 2)
    heard = _Heard()
    ended: list[tuple[float, RemoteError]] = []

    def receive() -> None:
        try:
            while True:
                stream.receive(5.0)
        except RemoteError as error:
            ended.append((time.monotonic(), error))

    thread = threading.Thread(target=receive)
    thread.start()
    began = time.monotonic()
    if how == "cancelled":
        cancelled.set()
    else:
        stream.close()
    thread.join(20.0)
    (at_s, error) = ended[0]
    assert at_s - began < 1.0
    assert isinstance(error, Cancelled if how == "cancelled" else LinkError)
    stream.ask("row", {"index": 1}, heard.on_answer, heard.on_failed)
    assert len(heard.failures) == 1


def test_that_losses_come_as_a_file_and_an_agent_that_sends_none_is_told(agent: Agent, tmp_path: Path) -> None:
    seen: list[Progress] = []
    into = tmp_path / "here"
    into.mkdir()
    assert agent.take_losses(_inputs("rows.json"), into, on_progress=seen.append) == "/node/row_losses.npz"
    assert (into / "row_losses.npz").read_bytes() == b"numbers"
    assert [(one.phase, one.done) for one in seen] == [("losses", 1.0)]
    with pytest.raises(AgentFailed, match="sent none"):
        agent.take_losses(_inputs("sends nothing"), into)
