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
from remote_agent.supervisor.interpreters import look_at
from studio import places
from studio.session.environment_locks import read_lock, shipped_locks
from studio.session.reach import LOCAL_NODE
from studio.session.session import Session
from studio.state.node import READY
from tests.support.reports import cpu_report, gpu_report
from tests.support.small_lock import SmallLock, python_with_torch, serve_small_lock
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
    assert report is not None and report.survey is not None
    # a busy machine may not have told in time whether it gets outside
    outside = dataclasses.replace(report.survey, reached=(Reached("index", "index.example"),))
    session.hosts.update(name, report=dataclasses.replace(report, survey=outside))
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


def test_that_a_node_with_an_index_of_its_own_is_told_no_addresses(
    session: Session, qtbot: QtBot, small: SmallLock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hostless = tuple(dataclasses.replace(file, url="") for file in small.lock.files)
    lock = dataclasses.replace(small.lock, files=hostless)
    monkeypatch.setattr("studio.session.environments.shipped_locks", lambda: (lock,))
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://127.0.0.1:9/simple/")  # this computer's own knows nothing of them
    with running_sshd(tmp_path / "server") as server:
        home, index = tmp_path / "node-home", small.server.address("").replace("/packages/", "/simple/")
        make_known(server, places.known_hosts_path())
        session.add_node(dataclasses.replace(node_address(server), name="box", home=str(home), index=index))
        qtbot.waitUntil(lambda: session.hosts["box"].link == READY, timeout=_LONG_MS)
        probed(session, qtbot, "box")
        assert built(session, qtbot, "box").startswith(str(home))
        assert [step.key for step in session.environments.steps] == ["get", "build"]
        assert len(small.server.asked) == 3


def test_that_a_torch_that_was_built_on_in_vain_gives_way_to_an_environment_of_its_own(
    session: Session, qtbot: QtBot, small: SmallLock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch = dataclasses.replace(small.lock.files[0], package="torch", version="2.13.0", sha256="0" * 64)
    whole = dataclasses.replace(small.lock, files=(torch, *small.lock.files))
    monkeypatch.setattr("studio.session.environments.shipped_locks", lambda: (whole,))
    probed(session, qtbot, LOCAL_NODE)
    report = session.hosts[LOCAL_NODE].report
    assert report is not None and report.survey is not None
    image = look_at(python_with_torch(tmp_path / "image", "import libcudart_of_another_driver\n"))
    assert image is not None
    report = dataclasses.replace(report, survey=dataclasses.replace(report.survey, interpreters=(image,)))
    session.hosts.update(LOCAL_NODE, report=report)
    planned = session.environments.plan(report)
    assert planned is not None and planned.lock is not None and planned.lock.over == image.path
    session.environments.build(LOCAL_NODE)
    qtbot.waitUntil(lambda: not session.environments.is_building, timeout=_LONG_MS)
    failed = next(step for step in session.environments.steps if step.state == "failed")
    assert "do not go together with those of" in failed.detail and "libcudart_of_another_driver" in failed.detail
    again = session.environments.plan(report)
    assert again is not None and again.lock == whole


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

    def chosen(driver: str, python: str, machine: str = "x86_64") -> str:
        node = dataclasses.replace(
            gpu_report(), system=f"Ubuntu 24.04, {machine}", python_version=python, interpreter=None,
            survey=Survey(driver=driver),
        )  # fmt: skip
        return choose_lock(locks, node).name

    assert chosen("580.65.06", "3.12.3") == "cu130-py312"
    assert chosen("550.54.15", "3.11.9") == "cu128-py311"
    assert chosen("580.1", "3.8.10") == "cu130-py312"  # that Python is brought along
    assert choose_lock(locks, dataclasses.replace(cpu_report(), system="Debian 12, x86_64")).name == "cpu-py311"
    with pytest.raises(NoLockError, match=r"470.*525"):
        chosen("470.42", "3.11.9")
    assert chosen("580.65.06", "3.12.3", "aarch64") == "cu130-arm-py312"
    arm = dataclasses.replace(cpu_report(), system="Ubuntu 24.04, aarch64", interpreter=None, python_version="3.13.1")
    assert choose_lock(locks, arm).name == "cpu-arm-py313"
    for lock in locks:
        other = "aarch64" if lock.machine == "x86_64" else "x86_64"
        assert not [file.name for file in lock.files if f"_{other}" in file.name], lock.name
        assert lock.cuda or not [file.name for file in lock.files if file.package.startswith("nvidia-")], lock.name
    with pytest.raises(NoLockError, match="riscv64"):
        choose_lock(locks, dataclasses.replace(cpu_report(), system="Debian 12, riscv64"))
    wrong = tmp_path / "pylock.wrong.toml"
    wrong.write_text('lock-version = "1.0"\n', encoding="utf-8")
    with pytest.raises(ValueError, match="no lock of an environment"):
        read_lock(wrong)
