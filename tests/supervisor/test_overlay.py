"""An environment over a Python that holds torch: torch is not fetched again, and is the very one that trains."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest

from remote_agent.contract.environment_lock import EnvironmentLock, LockedFile
from remote_agent.contract.overlay import overlaid
from remote_agent.contract.wire import to_wire
from remote_agent.supervisor.environment import describe_environment
from remote_agent.supervisor.interpreters import look_at
from tests.support.agent_call import agent_call
from tests.support.small_lock import SmallLock, python_with_torch, serve_small_lock

NOWHERE = "http://127.0.0.1:9/packages/"
SAME = ("numpy", "transformers", "deepspeed")


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallLock]:
    served = serve_small_lock(tmp_path_factory.mktemp("lock") / "files")
    try:
        yield served
    finally:
        served.server.shutdown()
        served.server.server_close()


def over(small: SmallLock, python: str, *more: LockedFile) -> EnvironmentLock:
    """Return the small lock, a torch and further files over an interpreter."""
    torch = LockedFile("torch", "2.13.0", "torch-2.13.0-cp311-none.whl", NOWHERE + "t", 1 << 30, "0" * 64)
    seen = look_at(python)
    assert seen is not None
    return overlaid(dataclasses.replace(small.lock, files=(torch, *more, *small.lock.files)), seen)


def test_that_a_real_torch_is_built_on_and_what_lies_there_in_the_same_version_is_not_fetched(
    small: SmallLock, tmp_path: Path
) -> None:
    there = tuple(
        LockedFile(name, metadata.version(name), f"{name}-1-py3-none-any.whl", NOWHERE + name, 1 << 20, "0" * 64)
        for name in SAME
    )
    lock, home = over(small, sys.executable, *there), tmp_path / "home"
    assert "torch" not in {file.package for file in lock.files}
    built = agent_call("environment", home, {"lock": to_wire(lock)}, timeout_s=180).result
    assert (built["made"], built["packages"], built["over"]) == (True, 2, sys.executable)
    assert built["fetched_bytes"] == small.lock.size_bytes
    code = (
        "import json, os, sys, torch, small, from_source\n"
        "print(json.dumps([torch.__version__, torch.__file__, small.__file__, from_source.VALUE, sys.prefix]))"
    )
    told = subprocess.run([built["path"], "-I", "-c", code], capture_output=True, check=True)
    version, torch_file, small_file, value, prefix = json.loads(told.stdout)
    assert version == metadata.version("torch") and torch_file.startswith(sys.prefix)
    assert prefix == str(home / "envs" / lock.key) and small_file.startswith(prefix) and value == 42
    own = sum(path.lstat().st_size for path in Path(prefix).rglob("*") if path.is_file())
    assert own < 10 << 20, "a gigabyte of torch and what it needs stayed where it was"
    seen = look_at(built["path"])
    assert seen is not None and not seen.missing
    described = describe_environment(built["path"])
    assert described["built"] == {"lock": "small", "key": lock.key, "over": sys.executable}
    again = agent_call("environment", home, {"lock": to_wire(lock)}).result
    assert again["path"] == built["path"] and again["made"] is False


def test_that_packages_that_do_not_go_together_leave_nothing_and_say_so(small: SmallLock, tmp_path: Path) -> None:
    python = python_with_torch(tmp_path / "image", "raise ImportError('libcudart.so.11 is not there')\n")
    home = tmp_path / "home"
    lock = over(small, python)
    answer = agent_call("environment", home, {"lock": to_wire(lock)}, timeout_s=60)
    assert answer.kind == "no_overlay"
    assert answer.error.startswith(f"The packages do not go together with those of {python}; build an environment of")
    assert "libcudart.so.11 is not there" in answer.error
    assert not [path.name for path in (home / "envs").iterdir() if not path.name.startswith((".files-", ".cache-"))]
    other = dataclasses.replace(lock, over=str(tmp_path / "gone" / "python"))
    assert agent_call("environment", home, {"lock": to_wire(other)}).kind == "no_python"
    assert lock.key != other.key != small.lock.key
