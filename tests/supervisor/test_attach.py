"""What a client sees of runs: everything once, from any cursor, across segments, incarnations and broken talks."""

from __future__ import annotations

import json
import os
import secrets
import select
import time
from pathlib import Path
from typing import Any

import pytest

from remote_agent.contract.events import StateChanged, StepCompleted, TrainingStarted
from remote_agent.contract.frames import Frame
from remote_agent.contract.journal_line import parse_line
from remote_agent.contract.run_dir import run_id
from remote_agent.run_files.journal import JournalWriter
from tests.supervisor.conftest import Node, wait_until
from tests.support.agent_call import AgentProcess, agent_call


def output_is_full(agent: AgentProcess) -> bool:
    """Say whether the pipe to the client takes no more, since the client does not read."""
    pipe = os.open(f"/proc/{agent.process.pid}/fd/1", os.O_WRONLY | os.O_NONBLOCK)
    try:
        return not select.select([], [pipe], [], 0)[1]
    finally:
        os.close(pipe)


class Quiet:
    """A run that has ended, whose journals the test writes itself."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.id = run_id("260101-000000", secrets.token_bytes(8))
        self.folder = home / "runs" / self.id
        for name in ("journal", "log", "inbox"):
            (self.folder / name).mkdir(parents=True, mode=0o700)
        os.chmod(home, 0o700)
        with self.writer("supervisor") as journal:
            journal.write(StateChanged("finished", 1))

    def writer(self, name: str, segment_bytes: int = 32 << 20) -> JournalWriter:
        return JournalWriter(str(self.folder / "journal"), name, self.id, lambda: 1.0, segment_bytes)

    def write_steps(self, *numbers: int, segment_bytes: int = 32 << 20) -> None:
        with self.writer("rank0", segment_bytes) as journal:
            for number in numbers:
                journal.write(step(number))

    def attach(self, **cursors: Any) -> list[Frame]:
        asked = {"runs": {self.id: {"cursors": cursors, "logs": {}}}, "follow": False, "overview": False}
        answer = agent_call("attach", self.home, asked)
        assert answer.result == {}
        return answer.frames


def step(number: int) -> StepCompleted:
    return StepCompleted(1, number, 2.5, 1e-4, 1.0, 512, 300, 900.0, 0.5, 1 << 20, number / 10)


class Client:
    """Keeps what arrives as the studio does: a body counts only where it begins at the cursor."""

    def __init__(self) -> None:
        self.cursors: dict[str, list[Any]] = {}
        self.steps: list[int] = []
        self.bytes = 0

    def take(self, frames: list[Frame]) -> None:
        for frame in frames:
            self.bytes += len(frame.body)
            if frame.kind != "journal":
                continue
            head = frame.head
            place = self.cursors.get(head["writer"], [0, "", 0])
            if [head["segment"], head["incarnation"]] == place[:2]:
                assert head["offset"] == place[2]
            else:
                assert head["offset"] == 0
            assert frame.body.endswith(b"\n")
            self.cursors[head["writer"]] = [head["segment"], head["incarnation"], head["offset"] + len(frame.body)]
            if head["writer"] == "rank0":
                self.steps += steps_in(frame.body)


def steps_in(body: bytes) -> list[int]:
    lines = [parse_line(line) for line in body.split(b"\n")[:-1]]
    bodies = [json.loads(line.body) for line in lines if line]
    assert len(bodies) == body.count(b"\n")
    return [found["step"] for found in bodies if found["k"] == "step"]


@pytest.fixture
def quiet(tmp_path: Path) -> Quiet:
    return Quiet(tmp_path / "home")


def test_that_a_cursor_gets_what_came_after_it_across_segments_and_incarnations(quiet: Quiet) -> None:
    client = Client()
    quiet.write_steps(*range(10), segment_bytes=900)
    client.take(quiet.attach())
    assert client.steps == list(range(10))
    quiet.write_steps(*range(10, 30), segment_bytes=900)
    client.take(quiet.attach(**client.cursors))
    assert client.steps == list(range(30))
    client.take(quiet.attach(**client.cursors))
    assert client.steps == list(range(30))


def test_that_a_cursor_of_an_unknown_incarnation_begins_its_segment_again(quiet: Quiet) -> None:
    quiet.write_steps(1, 2)
    client = Client()
    client.take(quiet.attach(rank0=[0, "f" * 32, 5000]))
    assert client.steps == [1, 2]


def test_that_a_cursor_beyond_the_end_of_a_file_that_lost_its_tail_goes_on_with_the_next(quiet: Quiet) -> None:
    quiet.write_steps(1, 2, 3)
    client = Client()
    client.take(quiet.attach())
    path = quiet.folder / "journal" / "rank0.000000.jsonl"
    os.truncate(path, path.stat().st_size - 200)
    quiet.write_steps(3, 4)
    client.take(quiet.attach(**client.cursors))
    assert client.steps == [1, 2, 3, 3, 4]


def test_that_half_a_line_waits_until_it_is_whole(quiet: Quiet) -> None:
    quiet.write_steps(1, 2)
    path = quiet.folder / "journal" / "rank0.000000.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole[:-30])
    client = Client()
    client.take(quiet.attach())
    assert client.steps == [1]
    path.write_bytes(whole)
    client.take(quiet.attach(**client.cursors))
    assert client.steps == [1, 2]


@pytest.mark.parametrize("cursor", [None, 7, [], ["a", 1, 2], [0, "x", -1], [99, "x", 4], [True, "x", 0.5]])
def test_that_a_cursor_that_is_none_begins_at_the_start(quiet: Quiet, cursor: Any) -> None:
    quiet.write_steps(1, 2)
    client = Client()
    client.take(quiet.attach(rank0=cursor))
    assert client.steps == ([] if isinstance(cursor, list) and cursor[:1] == [99] else [1, 2])


def test_that_logs_come_after_the_journals_and_from_their_offset(quiet: Quiet) -> None:
    quiet.write_steps(*range(100))
    (quiet.folder / "log" / "rank0.log").write_bytes(b"0123456789")
    (quiet.folder / "log" / "rank12.log").write_bytes(b"x" * 200_000)
    asked = {"runs": {quiet.id: {"cursors": {}, "logs": {"0": 4}}}, "follow": False}
    frames = agent_call("attach", quiet.home, asked).frames
    kinds = [frame.kind for frame in frames]
    assert kinds.index("log") > max(index for index, kind in enumerate(kinds) if kind == "journal")
    logs = [frame for frame in frames if frame.kind == "log"]
    assert [(frame.head["offset"], frame.body) for frame in logs if frame.head["rank"] == 0] == [(4, b"456789")]
    assert b"".join(frame.body for frame in logs if frame.head["rank"] == 12) == b"x" * 200_000
    assert kinds[-2:] == ["caught_up", "result"]


def test_that_a_run_that_is_not_there_is_gone(quiet: Quiet) -> None:
    asked = {"runs": {"r-260101-000000-aaaaaa": {}, "../../etc": {}, quiet.id: {}}, "follow": False}
    answer = agent_call("attach", quiet.home, asked)
    assert [frame.head["run"] for frame in answer.of_kind("gone")] == ["r-260101-000000-aaaaaa", "../../etc"]
    assert [frame.head["run"] for frame in answer.of_kind("caught_up")] == [quiet.id]


def test_that_no_more_than_4_mib_are_sent_without_an_acknowledgement(quiet: Quiet) -> None:
    quiet.write_steps(*range(22_000))
    client = Client()
    asked = {"runs": {quiet.id: {}}, "follow": True, "overview": False}
    with AgentProcess("attach", quiet.home, asked) as agent:
        client.take([frame for frame in [agent.receive()] if frame])
        with pytest.raises(TimeoutError):
            while True:
                client.take([frame for frame in [agent.receive(2.0)] if frame])
        assert 3 << 20 < client.bytes <= 4 << 20
        agent.send("ping", id=7)
        assert agent.receive() == Frame({"id": 7, "frame": "pong"})
        while len(client.steps) < 22_000:
            agent.send("ack", bytes=client.bytes)
            frame = agent.receive()
            assert frame is not None
            client.take([frame])
    assert client.steps == list(range(22_000))


def test_that_a_long_journal_begins_with_an_overview(quiet: Quiet) -> None:
    quiet.write_steps(*range(40_000), segment_bytes=5 << 20)
    asked = {"runs": {quiet.id: {}}, "follow": True, "overview": True}
    begun = time.monotonic()
    with AgentProcess("attach", quiet.home, asked) as agent:
        first = agent.receive()
        assert first is not None and first.kind == "overview"
        assert time.monotonic() - begun < 2.0
        steps = steps_in(first.body)
        assert 1500 < len(steps) <= 2000
        assert steps == sorted(steps)
        assert steps[0] < 100 and steps[-1] > 39_900
        assert abs(first.head["lines"] - 40_000) < 3_000
        following = agent.receive()
        assert following is not None and following.head["offset"] == 0


def test_that_following_shows_a_line_soon_and_ends_with_the_client(quiet: Quiet) -> None:
    asked = {"runs": {quiet.id: {}}, "follow": True, "overview": True}
    with AgentProcess("attach", quiet.home, asked) as agent:
        agent.until("caught_up")
        with quiet.writer("rank0") as journal:
            journal.write(TrainingStarted(1, 0, 9, 9, 1, 1, 1, 1))
            frames = agent.until("journal", 2.0)
            assert b'"k":"training"' in frames[-1].body
        agent.close_input()
        assert agent.process.wait(5) == 0


def test_that_attaching_replaces_a_killed_supervisor_though_the_client_reads_no_more(node: Node) -> None:
    run = node.start(steps=1_000_000, step_s=0.001)
    run.wait_for("running")
    asked = {"runs": {run.folder.name: {}}, "follow": True, "overview": False}
    with node.talk("attach", asked) as agent:
        agent.until("caught_up")
        wait_until(lambda: output_is_full(agent))
        run.kill_supervisor()
        wait_until(lambda: not run.supervisor_is_gone())
    run.command("stop", save=False)
    run.wait_for("stopped")
