"""The collective test really sums over ranks of the real torch, and tells why where they cannot work together."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.supervisor.conftest import wait_until
from tests.support.agent_call import AgentProcess, agent_call


def _ranks_of(home: Path) -> list[Path]:
    """Return the processes that a collective test of that home has started."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words, place = (process / "cmdline").read_bytes(), (process / "environ").read_bytes()
        except OSError:
            continue
        if b"collective_rank.py" in words and str(home).encode() in place:
            found.append(process)
    return found


def test_that_two_ranks_sum_and_the_bandwidth_is_told_and_nothing_is_left(tmp_path: Path) -> None:
    home = tmp_path / "home"
    answer = agent_call("collective", home, {"ranks": 2, "python": sys.executable, "seconds": 1}, timeout_s=90)
    told = answer.result
    assert (told["ranks"], told["backend"], told["message_bytes"]) == (2, "gloo", 4 << 20)
    assert told["sums"] >= 5 and told["bus_bytes_per_s"] > 1e6 and told["took_s"] > 0
    # of two ranks, the bus carries each message once
    assert abs(told["bus_bytes_per_s"] / (told["message_bytes"] * told["sums"] / told["took_s"]) - 1) < 0.01
    assert not list((home / "uploads").iterdir()) and not _ranks_of(home)


def test_that_a_cancelled_test_leaves_no_rank_behind(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with AgentProcess("collective", home, {"ranks": 2, "python": sys.executable, "seconds": 60}) as agent:
        wait_until(lambda: len(_ranks_of(home)) == 2)
        agent.send("cancel")
        assert agent.answer().kind == "interrupted"
    assert not _ranks_of(home) and not list((home / "uploads").iterdir())


def test_that_a_python_without_torch_is_quoted(tmp_path: Path) -> None:
    bare = tmp_path / "python"
    bare.write_text(f'#!/bin/sh\nexec {sys.executable} -S "$@"\n')
    bare.chmod(0o700)
    answer = agent_call("collective", tmp_path / "home", {"ranks": 1, "python": str(bare), "seconds": 1})
    assert answer.kind == "failed" and "No module named 'torch'" in answer.error
    assert agent_call("collective", tmp_path / "home", {"ranks": 0}).kind == "bad_request"
