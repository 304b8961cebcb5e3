"""A node for tests: an agent whose trainer is a few lines long, and an environment that claims to have everything."""

from __future__ import annotations

import json
import os
import secrets
import shlex
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from remote_agent.contract.events import Event, StateChanged
from remote_agent.contract.job_spec import JobSpec, with_value
from remote_agent.contract.node_report import TRAINER_PACKAGES
from remote_agent.contract.run_dir import run_id
from remote_agent.contract.spec_json import spec_to_dict
from remote_agent.run_files.journal_segments import read_events
from remote_agent.run_files.process import marked_processes, send_signal
from remote_agent.supervisor.lease import read_lease
from tests.support.agent_call import SOURCE_TREE, AgentProcess, Answer

HERE = Path(__file__).parent

# answers the look at its packages by itself, so that a test needs no torch and no second of imports
_PYTHON = """#!/bin/sh
case "$*" in
*torch.distributed.run*) exec {python} -I -S -B {launcher} "$@" ;;
*build_operators.py*)
    echo $$ > {folder}/build-pid
    for name in "$@"; do :; done
    echo "$name" >> {folder}/builds
    if [ -e {folder}/build ]; then . {folder}/build; fi ;;
*importlib*metadata*) echo 'LUTHIER-PYTHON {packages}' ;;
*) exec {python} "$@" ;;
esac
"""


def wait_until(condition: Callable[[], Any], timeout_s: float = 30.0) -> Any:
    """Return the condition's first true value."""
    deadline = time.monotonic() + timeout_s
    while not (value := condition()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)
    return value


# a stand-in for the dataset zone that finds its data prepared
_DATASET = """import json, os, sys
from remote_agent.contract.frames import Frame, FrameReader, encode_frame
reader, frames = FrameReader(), []
while not frames:
    frames = reader.feed(os.read(0, 1 << 16))
assert frames[0].head["arguments"]["data_root"]
with open(os.path.join({folder!r}, "asked.json"), "w") as asked:
    json.dump(frames[0].head["arguments"], asked)
value = {{"prepared": {{"content_hash": "c" * 64, "held_out_content_hash": ""}}, "data_folder": {folder!r}}}
for head in ({{"frame": "progress", "phase": "data", "done": 1, "total": 1}}, {{"frame": "result", "value": value}}):
    os.write(1, encode_frame(Frame(head)))
"""


def preparing_dataset(node: Node) -> None:
    """Give a node a dataset zone that answers `prepare` at once."""
    package = node.agent_dir / "remote_agent" / "dataset"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "__main__.py").write_text(_DATASET.format(folder=str(node.folder / "prepared")))


class Node:
    """A node with an agent, driven through its commands."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self.agent_dir = folder / "agent"
        package = self.agent_dir / "remote_agent"
        package.mkdir(parents=True)
        for name in ("__init__.py", "__main__.py", "contract", "run_files", "supervisor", "trackers"):
            (package / name).symlink_to(SOURCE_TREE / "remote_agent" / name)
        (package / "trainer").mkdir()
        shutil.copy(HERE / "fake_trainer.py", package / "trainer" / "__main__.py")
        (package / "trainer" / "to_universal.py").touch()
        answering = Path("remote_agent", "trainer", "stacks_on_request.py")
        (self.agent_dir / answering).symlink_to(SOURCE_TREE / answering)
        self.python = folder / "env" / "bin" / "python"
        self.python.parent.mkdir(parents=True)
        found = json.dumps({"version": "3.11.7", "packages": dict.fromkeys(TRAINER_PACKAGES, "1.0")})
        launcher = shlex.quote(str(HERE / "fake_launcher.py"))
        self.python.write_text(
            _PYTHON.format(
                python=shlex.quote(sys.executable), launcher=launcher, packages=found, folder=shlex.quote(str(folder))
            )
        )
        self.python.chmod(0o700)
        for name in ("model", "prepared"):
            (folder / name).mkdir()
        self.folder = folder
        self.runs: list[Path] = []

    def ask(self, command: str, arguments: dict[str, Any] | None = None) -> Answer:
        with self.talk(command, arguments) as agent:
            return agent.answer()

    def talk(self, command: str, arguments: dict[str, Any] | None = None) -> AgentProcess:
        return AgentProcess(command, self.home, arguments or {}, self.agent_dir)

    def start_arguments(self, plan: dict[str, Any], ranks: int = 2) -> dict[str, Any]:
        spec: Any = JobSpec()
        wanted = {"name": "a fake", "model.id": "m", "data.path": "d", "strategy.ranks": ranks, **plan.pop("job", {})}
        for path, value in wanted.items():
            spec = with_value(spec, path, value)
        return {
            "run_id": run_id("260101-000000", secrets.token_bytes(8)),
            "job": spec_to_dict(spec),
            "python": str(self.python),
            "model_path": str(self.folder / "model"),
            "data_folder": str(self.folder / "prepared"),
            "bundle": plan,
        }

    def start(self, ranks: int = 2, **plan: Any) -> Run:
        arguments = self.start_arguments(plan, ranks)
        assert self.ask("start", arguments).result["created"] is True
        return self.run(arguments["run_id"])

    def run(self, name: str) -> Run:
        run = Run(self, self.home / "runs" / name)
        self.runs.append(run.folder)
        return run

    def end(self) -> None:
        for folder in self.runs:
            shutil.rmtree(folder / "notify", ignore_errors=True)  # a sender ends where nothing waits
            lease = read_lease(str(folder))
            if lease is not None:
                send_signal(lease.identity, signal.SIGKILL)
            while left := marked_processes(folder.name):
                for identity in left:
                    send_signal(identity, signal.SIGKILL)


class Run:
    """A run on that node, seen through its files."""

    def __init__(self, node: Node, folder: Path) -> None:
        self.node = node
        self.folder = folder

    def events(self, writer: str = "supervisor") -> list[Event]:
        return [stamped.event for stamped in read_events(str(self.folder / "journal"), writer)]

    def of(self, kind: type, writer: str = "supervisor") -> list[Any]:
        return [event for event in self.events(writer) if isinstance(event, kind)]

    def states(self) -> list[str]:
        return [event.state for event in self.of(StateChanged)]

    def wait_for(self, state: str, timeout_s: float = 30.0) -> str:
        """Wait for a state and return its reason."""
        wait_until(lambda: state in self.states(), timeout_s)
        return str(next(event.reason for event in reversed(self.of(StateChanged)) if event.state == state))

    def command(self, verb: str, **arguments: Any) -> str:
        command_id = secrets.token_hex(8)
        asked = {"run_id": self.folder.name, "command_id": command_id, "verb": verb, "arguments": arguments}
        assert self.node.ask("command", asked).result == {}
        return command_id

    def processes(self) -> list[int]:
        return [identity.pid for identity in marked_processes(self.folder.name)]

    def launcher(self) -> int:
        (found,) = set(self.processes()) - set(self.ranks())
        return found

    def ranks(self) -> list[int]:
        """Return the process ids of the ranks that have begun, in their order."""
        found = {}
        for pid in self.processes():
            try:
                items = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
            except OSError:
                continue
            rank = next((item for item in items if item.startswith(b"RANK=")), b"")
            if rank:
                found[int(rank[5:])] = pid
        return [found[rank] for rank in sorted(found)]

    def kill_supervisor(self) -> None:
        lease = read_lease(str(self.folder))
        assert lease is not None
        os.kill(lease.pid, signal.SIGKILL)
        wait_until(lambda: not Path(f"/proc/{lease.pid}/environ").exists() or is_dead(lease.pid))

    def supervisor_is_gone(self) -> bool:
        lease = read_lease(str(self.folder))
        return lease is not None and is_dead(lease.pid)


def is_dead(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    made = Node(tmp_path)
    yield made
    made.end()
