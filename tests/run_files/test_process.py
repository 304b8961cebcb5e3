"""A process is known by boot, id and start, so that a reused id is never signalled."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from remote_agent.run_files.process import ProcessIdentity, identify, is_alive, marked_processes, send_signal


@pytest.fixture
def marked() -> Iterator[subprocess.Popen[bytes]]:
    environment = {**os.environ, "LUTHIER_RUN": "r-260101-000000-marked/1"}
    with subprocess.Popen(
        [sys.executable, "-S", "-c", "input()"], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        yield child
        child.kill()


def test_that_a_marked_process_is_found_by_its_run_and_ended(marked: subprocess.Popen[bytes]) -> None:
    (found,) = marked_processes("r-260101-000000-marked")
    assert found.pid == marked.pid and is_alive(found)
    assert marked_processes("r-260101-000000-mark") == []
    assert send_signal(found, signal.SIGKILL)
    marked.wait()
    assert not is_alive(found)
    assert not send_signal(found, signal.SIGKILL)


def test_that_a_process_of_another_start_or_boot_is_never_signalled() -> None:
    own = identify(os.getpid())
    assert own is not None and is_alive(own)
    for other in (own._replace(start_ticks=own.start_ticks - 1), own._replace(boot_id="another")):
        assert not send_signal(other, signal.SIGKILL)


def test_that_a_zombie_is_no_living_process() -> None:
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    assert identify(pid) is None
    os.waitpid(pid, 0)
    assert not is_alive(ProcessIdentity("", pid, 0))
