"""One home seen by several machines, as network mounts have it: a namespace with a name and a boot of its own."""

from __future__ import annotations

import os
import secrets
import shlex
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from remote_agent.contract.events import AttemptStarted
from remote_agent.supervisor.lease import BEAT_S, STILL_BEATS, read_lease
from tests.supervisor.conftest import Node, Run, wait_until
from tests.support.agent_call import AgentProcess

ALONE = ("unshare", "--uts", "--pid", "--fork", "--mount-proc")


@pytest.fixture
def elsewhere(tmp_path: Path) -> str:
    """Give what runs Python on another machine: it has its own name, boot and processes, and the same files."""
    if sys.platform != "linux" or subprocess.run([*ALONE, "true"], capture_output=True).returncode:
        pytest.skip("a namespace of its own needs Linux and root")
    (tmp_path / "boot").write_text("00000000-0000-4000-8000-000000000000\n")
    script = tmp_path / "elsewhere"
    script.write_text(
        f"""#!/bin/sh
if [ "$1" != there ]; then exec {shlex.join(ALONE)} "$0" there "$@"; fi
shift
hostname elsewhere
mount --bind {shlex.quote(str(tmp_path / "boot"))} /proc/sys/kernel/random/boot_id
exec {shlex.quote(sys.executable)} "$@"
"""
    )
    script.chmod(0o700)
    return str(script)


def ask(run: Run, python: str, command: str, **arguments: Any) -> AgentProcess:
    return AgentProcess(command, run.node.home, arguments, run.node.agent_dir, python)


def test_that_a_run_is_seen_and_stopped_from_another_machine_and_supervised_by_none_there(
    node: Node, elsewhere: str
) -> None:
    run = node.start(ranks=2, steps=100_000)
    run.wait_for("running")
    with ask(run, elsewhere, "runs") as agent:
        (listed,) = agent.answer().result["runs"]
    assert (listed["state"], listed["alive"]) == ("running", True)
    wanted: dict[str, Any] = {run.folder.name: {}}
    with ask(run, elsewhere, "attach", runs=wanted, follow=True, overview=False) as agent:
        assert agent.receive() is not None
        stop = {"run_id": run.folder.name, "command_id": secrets.token_hex(8), "verb": "stop"}
        with ask(run, elsewhere, "command", **stop, arguments={"save": False}) as other:
            assert other.answer().result == {}
        run.wait_for("stopped")
    lease = read_lease(str(run.folder))
    assert lease is not None and lease.epoch == 1 and len(run.of(AttemptStarted)) == 1


def test_that_another_machine_does_not_claim_that_ranks_it_cannot_see_are_gone(node: Node, elsewhere: str) -> None:
    run = node.start(ranks=1, steps=100_000)
    run.wait_for("running")
    ranks = run.ranks()
    run.kill_supervisor()
    with ask(run, elsewhere, "runs") as agent:
        assert agent.answer().result["runs"][0]["alive"]  # it may have beaten a moment ago, for all they know there
    long_ago = time.time() - (STILL_BEATS + 1) * BEAT_S
    os.utime(run.folder / "supervisor.json", (long_ago, long_ago))
    with ask(run, elsewhere, "attach", runs={run.folder.name: {}}, follow=True, overview=False):
        wait_until(lambda: run.states()[-1] == "interrupted")
    here = os.uname().nodename
    said = run.wait_for("interrupted")
    assert (
        said
        == f"Its supervisor on {here} is silent; whether its ranks still run on {here} cannot be seen from elsewhere."
    )
    assert run.ranks() == ranks and len(run.of(AttemptStarted)) == 1
