"""The heartbeat: the desktop's half is in the tests of calls; here an agent leaves a desktop that is gone."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from remote_agent.contract.frames import Frame, encode_frame

ROOT = Path(__file__).parents[2]
PROGRAM = """
import sys, time
from remote_agent.supervisor.talk import Talk
talk = Talk()
talk.start()
talk.leave_when_silent(1.5)
while True:
    talk.send("journal", b"x" * int(sys.argv[1]))
    time.sleep(0.02)
"""


@pytest.fixture(params=[10, 1 << 20], ids=["read", "unread"])
def agent(request: pytest.FixtureRequest) -> Iterator[subprocess.Popen[bytes]]:
    """Run what talks on; the second one's output is never read, so that its write hangs."""
    words = [sys.executable, "-c", PROGRAM, str(request.param)]
    out = subprocess.DEVNULL if request.param == 10 else subprocess.PIPE
    process = subprocess.Popen(words, cwd=ROOT, stdin=subprocess.PIPE, stdout=out)
    yield process
    process.kill()
    process.wait()
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            stream.close()


def test_that_an_agent_stays_while_it_is_pinged_and_leaves_when_it_is_not(agent: subprocess.Popen[bytes]) -> None:
    assert agent.stdin is not None
    began = time.monotonic()
    while time.monotonic() - began < 3.0:
        agent.stdin.write(encode_frame(Frame({"frame": "ping", "id": 1})))
        agent.stdin.flush()
        threading.Event().wait(0.2)
        if agent.stdout is not None:
            break  # its pong cannot be sent; the ping was heard all the same
    assert agent.poll() is None
    assert agent.wait(10.0) == 1
