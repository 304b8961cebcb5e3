"""A run's end is told from exit code and journal together, and success is never made up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from remote_agent.contract.events import FAILED, FINISHED, STOPPED, TrainingEnded
from remote_agent.supervisor.verdict import (
    Ending,
    Exit,
    RankFailure,
    exit_from_code,
    failure_in_log,
    first_failure,
    last_lines,
    verdict,
)

COMPLETE, PART = TrainingEnded(1, 9, True), TrainingEnded(1, 4, False)
KILLED = RankFailure(1, 4321, Exit(-9, 9))
WELL = Exit(0, 0)

# printed by torch 2.13's torch.distributed.run
LAUNCHER_LOG = """\
W1124 04:53:20.462000 12347 torch/distributed/elastic/multiprocessing/api.py:1028] Sending process 12350 closing signal
torch.distributed.elastic.multiprocessing.errors.ChildFailedError:
=======================================================
f.py FAILED
-------------------------------------------------------
Failures:
[1]:
  time      : 2026-11-24_04:53:20
  host      : localhost
  rank      : 0 (local_rank: 0)
  exitcode  : -15 (pid: 12350)  (SIGTERM)
  error_file: <N/A>
  traceback : Signal 15 (SIGTERM) received by PID 12350
-------------------------------------------------------
Root Cause (first observed failure):
[0]:
  time      : 2026-11-24_04:53:20
  host      : localhost
  rank      : 1 (local_rank: 1)
  exitcode  : -9 (pid: 12351)  (SIGKILL)
  error_file: <N/A>
  traceback : Signal 9 (SIGKILL) received by PID 12351
=======================================================
"""


def ending(**known: Any) -> Ending:
    facts: dict[str, Any] = {
        "launcher": None, "ended": None, "failure": None, "stopping": False, "by_force": False, "out_of_memory": False,
    }  # fmt: skip
    return Ending(**{**facts, **known})


@pytest.mark.parametrize(
    ("known", "state", "words"),
    [
        ({"launcher": WELL, "ended": COMPLETE}, FINISHED, ""),
        ({"launcher": WELL, "ended": COMPLETE, "stopping": True}, FINISHED, ""),
        ({"launcher": WELL, "ended": TrainingEnded(1, 4, True, "Stopped early.")}, FINISHED, "Stopped early."),
        ({"ended": COMPLETE}, FINISHED, "exit code is not known"),
        ({"launcher": WELL, "ended": PART, "stopping": True}, STOPPED, ""),
        ({"launcher": Exit(1, 0), "stopping": True, "by_force": True}, STOPPED, "were killed"),
        ({"launcher": WELL}, FAILED, "did not report the end"),
        ({"launcher": WELL, "ended": PART}, FAILED, "did not report the end"),
        ({"launcher": Exit(1, 0), "ended": COMPLETE}, FAILED, "exit code 1"),
        ({"launcher": Exit(-11, 11)}, FAILED, "signal 11 (SIGSEGV)"),
        ({"launcher": Exit(1, 0), "failure": KILLED}, FAILED, "Rank 1 was killed by signal 9 (SIGKILL)."),
        ({"launcher": Exit(1, 0), "failure": KILLED, "out_of_memory": True}, FAILED, "ran out of memory"),
        ({"ended": COMPLETE, "failure": KILLED}, FAILED, "Rank 1"),
        ({}, FAILED, "the supervisor had been killed"),
    ],
)
def test_that_each_ending_has_its_state_and_its_reason(known: dict[str, Any], state: str, words: str) -> None:
    found, reason = verdict(ending(**known))
    assert found == state
    assert words in reason and bool(words) == bool(reason)


def test_that_the_root_cause_is_read_from_what_the_launcher_printed(tmp_path: Path) -> None:
    (tmp_path / "log").mkdir()
    assert failure_in_log(str(tmp_path)) is None
    (tmp_path / "log" / "launcher.log").write_text(LAUNCHER_LOG)
    assert failure_in_log(str(tmp_path)) == RankFailure(1, 12351, Exit(-9, 9))


def test_that_a_rank_that_was_told_to_end_is_no_first_failure() -> None:
    exits = {10: (0, exit_from_code(-15)), 11: (1, exit_from_code(1)), 12: (2, exit_from_code(-6)), 13: (3, WELL)}
    assert first_failure(exits) == RankFailure(2, 12, Exit(-6, 6))
    assert first_failure({10: (0, exit_from_code(-15))}) is None


def test_that_the_last_lines_are_few_and_short(tmp_path: Path) -> None:
    (tmp_path / "log").mkdir()
    (tmp_path / "log" / "rank0.log").write_text("\n".join(["early"] * 100 + ["x" * 5000, "", "last"]))
    lines = last_lines(str(tmp_path), 0)
    assert len(lines) == 20 and lines[-1] == "last"
    assert max(map(len, lines)) == 1000
    assert last_lines(str(tmp_path), 5) == ()
