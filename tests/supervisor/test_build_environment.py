"""Building an environment from a lock: fetched or sent, aside, by hash, and there as a whole or not at all."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from remote_agent.contract.environment_lock import EnvironmentLock
from remote_agent.contract.wire import to_wire
from remote_agent.supervisor.environment import describe_environment
from tests.support.agent_call import AgentProcess, Answer, agent_call
from tests.support.small_lock import SmallLock, serve_small_lock


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallLock]:
    small = serve_small_lock(tmp_path_factory.mktemp("lock") / "files")
    try:
        yield small
    finally:
        small.server.go.set()
        small.server.shutdown()
        small.server.server_close()


@pytest.fixture
def small(served: SmallLock) -> SmallLock:
    served.server.asked.clear()
    served.server.stall = ""
    served.server.go.clear()
    served.server.stalled.clear()
    return served


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def build(home: Path, lock: EnvironmentLock, **more: Any) -> Answer:
    return agent_call("environment", home, {"lock": to_wire(lock), **more})


def environments(home: Path) -> list[str]:
    return sorted(each.name for each in (home / "envs").iterdir())


def value_of(python: str) -> str:
    told = subprocess.run(
        [python, "-c", "import from_source; print(from_source.VALUE)"], capture_output=True, check=True
    )
    return told.stdout.decode().strip()


def test_that_an_environment_is_built_of_a_lock_and_found_the_next_time(home: Path, small: SmallLock) -> None:
    first = build(home, small.lock)
    python = first.result["path"]
    assert value_of(python) == "42"
    assert environments(home) == [small.lock.key]  # nothing aside is left, nor what was fetched
    assert first.result["packages"] == 2 and first.result["made"] is True
    phases = [(frame.head["phase"], frame.head["unit"]) for frame in first.of_kind("progress")]
    assert ("environment files", "bytes") in phases and ("environment", "packages") in phases
    fetched = [frame.head for frame in first.of_kind("progress") if frame.head["unit"] == "bytes"]
    assert fetched[-1]["done"] == fetched[-1]["total"] == small.lock.size_bytes
    asked = len(small.server.asked)
    again = build(home, small.lock)
    assert again.result["path"] == python and again.result["made"] is False
    assert len(small.server.asked) == asked == 3
    assert describe_environment(python)["built"] == {"lock": "small", "key": small.lock.key}


def test_that_what_was_sent_is_enough_where_the_node_has_no_way_out(
    home: Path, small: SmallLock, tmp_path: Path
) -> None:
    away = dataclasses.replace(
        small.lock, files=tuple(dataclasses.replace(file, url="http://127.0.0.1:9/x/y") for file in small.lock.files)
    )
    assert build(home, away, sent=str(small.folder)).result["packages"] == 2
    assert small.server.asked == []
    refused = build(tmp_path / "other", away)
    assert refused.kind == "hub_unreachable" and "let this computer fetch and send it" in refused.error


def test_that_a_file_that_is_not_the_locks_never_gets_in(home: Path, small: SmallLock, tmp_path: Path) -> None:
    first, *rest = small.lock.files
    other = dataclasses.replace(small.lock, files=(dataclasses.replace(first, sha256="0" * 64), *rest))
    answer = build(home, other)
    assert answer.value is None and "not the file that the lock names" in answer.error
    assert other.key not in environments(home)
    sent = tmp_path / "sent"
    sent.mkdir()
    (sent / first.name).write_bytes(b"x" * first.size_bytes)
    answer = build(home, small.lock, sent=str(sent))
    assert answer.value is None and first.name in answer.error


def test_that_a_cancelled_build_keeps_what_it_fetched(home: Path, small: SmallLock) -> None:
    uv = next(file for file in small.lock.files if file.package == "uv")
    small.server.stall = uv.name
    with AgentProcess("environment", home, {"lock": to_wire(small.lock)}) as agent:
        assert small.server.stalled.wait(20)
        part = home / "envs" / f".files-{small.lock.key}" / f"{uv.name}.part"
        while not (part.exists() and part.stat().st_size > 0):
            assert agent.receive() is not None
        agent.send("cancel")
        small.server.go.set()
        assert agent.answer().kind == "interrupted"
    kept = part.stat().st_size
    assert kept > 0 and small.lock.key not in environments(home)
    small.server.stall = ""
    small.server.asked.clear()
    assert build(home, small.lock).result["made"] is True
    assert small.server.asked == [(uv.name, f"bytes={kept}-")]


def test_that_a_package_that_does_not_install_leaves_no_environment(
    home: Path, small: SmallLock, tmp_path: Path
) -> None:
    broken = small.lock.files[0]
    bad = b"no zip at all"
    sent = tmp_path / "sent"
    sent.mkdir()
    (sent / broken.name).write_bytes(bad)
    for file in small.lock.files[1:]:
        os.link(small.folder / file.name, sent / file.name)
    lock = dataclasses.replace(
        small.lock,
        files=(
            dataclasses.replace(broken, sha256=hashlib.sha256(bad).hexdigest(), size_bytes=len(bad)),
            *small.lock.files[1:],
        ),
    )
    answer = build(home, lock, sent=str(sent))
    assert "could not be built" in answer.error and "small" in answer.error
    assert not [name for name in environments(home) if not name.startswith((".files-", ".cache-"))]


def test_that_a_lock_for_another_machine_or_system_is_refused_before_any_download(home: Path, small: SmallLock) -> None:
    elsewhere = dataclasses.replace(small.lock, machine="riscv64"), dataclasses.replace(small.lock, glibc="9.0")
    for wrong, said in zip(elsewhere, ("riscv64", "glibc 9.0"), strict=True):
        answer = build(home, wrong)
        assert answer.kind == "bad_request" and said in answer.error
    assert small.server.asked == []


@pytest.mark.parametrize(
    "change",
    [
        {"name": "../../evil.whl"},
        {"name": ".hidden.whl"},
        {"url": "file:///etc/passwd"},
        {"sha256": "ab"},
        {"name": "x"},
    ],
)
def test_that_names_and_addresses_of_a_lock_cannot_lead_elsewhere(
    home: Path, small: SmallLock, change: dict[str, str]
) -> None:
    first, *rest = small.lock.files
    answer = build(home, dataclasses.replace(small.lock, files=(dataclasses.replace(first, **change), *rest)))  # type: ignore[arg-type]
    assert answer.kind == "bad_request" and small.server.asked == []
