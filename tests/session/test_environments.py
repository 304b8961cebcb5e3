"""Building an environment with the real session and real agents: here, and on a node that cannot reach any index."""

from __future__ import annotations

import dataclasses
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from remote_agent.contract.environment_lock import NoLockError, choose_lock
from remote_agent.contract.node_report import Reached, Survey
from studio import places
from studio.session.environment_locks import read_lock, shipped_locks
from studio.session.reach import LOCAL_NODE
from studio.session.session import Session
from studio.state.node import READY
from tests.support.reports import cpu_report, gpu_report
from tests.support.small_lock import SmallLock, serve_small_lock
from tests.support.sshd import make_known, node_address, running_sshd

_LONG_MS = 60_000


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SmallLock]:
    served = serve_small_lock(tmp_path / "files")
    monkeypatch.setattr("studio.session.environments.shipped_locks", lambda: (served.lock,))
    try:
        yield served
    finally:
        served.server.go.set()
        served.server.shutdown()
        served.server.server_close()


def probed(session: Session, qtbot: QtBot, name: str) -> None:
    session.probe_node(name)
    qtbot.waitUntil(lambda: session.hosts[name].link == READY, timeout=_LONG_MS)
    report = session.hosts[name].report
    assert report is not None
    qtbot.waitUntil(lambda: session.environments.plan(report) is not None)


def built(session: Session, qtbot: QtBot, name: str) -> str:
    """Build and return the interpreter that the node then trains with."""
    states: list[tuple[tuple[str, str], ...]] = []
    session.environments.changed.connect(
        lambda: states.append(tuple((step.key, step.state) for step in session.environments.steps))
    )
    session.environments.build(name)
    assert session.environments.is_building
    qtbot.waitUntil(lambda: not session.environments.is_building, timeout=_LONG_MS)
    steps = session.environments.steps
    assert [step.state for step in steps] == ["done"] * len(steps), steps
    qtbot.waitUntil(lambda: session.hosts[name].link == READY, timeout=_LONG_MS)
    report = session.hosts[name].report
    assert report is not None and report.interpreter is not None
    return report.interpreter.path


def test_that_a_built_environment_becomes_the_nodes_own(session: Session, qtbot: QtBot, small: SmallLock) -> None:
    probed(session, qtbot, LOCAL_NODE)
    python = built(session, qtbot, LOCAL_NODE)
    assert f"/envs/{small.lock.key}/" in python
    told = subprocess.run(
        [python, "-c", "import from_source; print(from_source.VALUE)"], capture_output=True, check=True
    )
    assert told.stdout.strip() == b"42"
    assert [step.key for step in session.environments.steps] == ["get", "build"]


def test_that_this_computer_fetches_and_sends_where_the_node_reaches_no_index(
    session: Session, qtbot: QtBot, small: SmallLock, tmp_path: Path
) -> None:
    with running_sshd(tmp_path / "server") as server:
        home = tmp_path / "node-home"
        make_known(server, places.known_hosts_path())
        session.add_node(dataclasses.replace(node_address(server), name="box", home=str(home)))
        qtbot.waitUntil(lambda: session.hosts["box"].link == READY, timeout=_LONG_MS)
        report = session.hosts["box"].report
        assert report is not None and report.survey is not None
        cut_off = dataclasses.replace(report.survey, reached=(Reached("index", "index.example", "no answer"),))
        session.hosts.update("box", report=dataclasses.replace(report, survey=cut_off))
        qtbot.waitUntil(lambda: session.environments.plan(report) is not None)
        python = built(session, qtbot, "box")
        assert python.startswith(str(home))
        assert [step.key for step in session.environments.steps] == ["collect", "send", "build"]
        assert len(small.server.asked) == 3  # by this computer alone
        assert sorted(each.name for each in (home / "envs").iterdir()) == [small.lock.key]


def test_that_a_cancelled_build_says_what_is_kept(session: Session, qtbot: QtBot, small: SmallLock) -> None:
    probed(session, qtbot, LOCAL_NODE)
    small.server.stall = "uv-1.0-py3-none-any.whl"
    session.environments.build(LOCAL_NODE)
    qtbot.waitUntil(small.server.stalled.is_set, timeout=_LONG_MS)
    session.environments.cancel()
    small.server.go.set()
    qtbot.waitUntil(lambda: not session.environments.is_building, timeout=_LONG_MS)
    assert session.environments.steps[0].detail == "Cancelled; what was fetched is kept."


def test_that_the_shipped_locks_are_chosen_by_driver_and_python(tmp_path: Path) -> None:
    locks = shipped_locks()
    assert all(len(file.sha256) == 64 and file.size_bytes > 0 for lock in locks for file in lock.files)
    assert all({"torch", "deepspeed", "transformers", "uv"} <= {file.package for file in lock.files} for lock in locks)

    def chosen(driver: str, python: str) -> str:
        node = dataclasses.replace(
            gpu_report(), system="Ubuntu 24.04, x86_64", python_version=python, interpreter=None,
            survey=Survey(driver=driver),
        )  # fmt: skip
        return choose_lock(locks, node).name

    assert chosen("580.65.06", "3.12.3") == "cu130-py312"
    assert chosen("550.54.15", "3.11.9") == "cu128-py311"
    assert chosen("580.1", "3.8.10") == "cu130-py312"  # that Python is brought along
    assert choose_lock(locks, dataclasses.replace(cpu_report(), system="Debian 12, x86_64")).name == "cpu-py311"
    with pytest.raises(NoLockError, match=r"470.*525"):
        chosen("470.42", "3.11.9")
    with pytest.raises(NoLockError, match="riscv64"):
        choose_lock(locks, dataclasses.replace(cpu_report(), system="Debian 12, riscv64"))
    wrong = tmp_path / "pylock.wrong.toml"
    wrong.write_text('lock-version = "1.0"\n', encoding="utf-8")
    with pytest.raises(ValueError, match="no lock of an environment"):
        read_lock(wrong)
