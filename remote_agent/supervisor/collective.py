"""The command `collective`: the ranks of a job find each other and sum for some seconds, before a run needs it."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
from typing import Any, Dict, List, Optional

from remote_agent.contract.node_report import CollectiveReport
from remote_agent.contract.run_dir import UPLOADS
from remote_agent.contract.wire import from_wire, to_wire
from remote_agent.supervisor import node_facts
from remote_agent.supervisor.child import LastWords, die_with_parent, kill_session
from remote_agent.supervisor.inspect import chosen_python
from remote_agent.supervisor.launch import Launch, own_agent_dir, rank_environment, threads_per_rank
from remote_agent.supervisor.start import gpus_argument
from remote_agent.supervisor.talk import CommandError, Talk, text_argument, whole_argument

PHASE = "collective"
SECONDS = 5
JOIN_S = 60.0
"""How long the ranks may take to find each other, beside the test itself; starting torch is most of it."""

MOST_RANKS = 64
_MARK = "LUTHIER-COLLECTIVE"
_TICK_S = 0.2


def collective(talk: Talk, home: str, arguments: Dict[str, Any]) -> Dict[str, Any]:
    """Answer a `CollectiveReport` of ``ranks`` on the ``gpus`` named, or on the CPU where the node has none.

    Raises:
        CommandError: they did not find each other, a rank ended early, a sum was wrong, or the client cancelled.
    """
    ranks = whole_argument(arguments, "ranks")
    if not 1 <= ranks <= MOST_RANKS:
        raise CommandError("The test takes 1 to {} processes.".format(MOST_RANKS), "bad_request")
    seconds = whole_argument(arguments, "seconds", SECONDS)
    python = chosen_python(home, text_argument(arguments, "python", ""))
    use_gpu = bool(node_facts.gpus())
    launch = Launch(
        python, own_agent_dir(), "", "", home, ranks, threads_per_rank(0, node_facts.cores(), ranks), "", use_gpu, {},
        gpus=gpus_argument(arguments, ranks),
    )  # fmt: skip
    scratch = tempfile.mkdtemp(prefix=".collective-", dir=os.path.join(home, UPLOADS))
    try:
        return dict(to_wire(_measure(talk, launch, scratch, seconds)))
    finally:
        shutil.rmtree(scratch)


def _measure(talk: Talk, launch: Launch, scratch: str, seconds: int) -> CollectiveReport:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    children = [_start(launch, scratch, rank, port, seconds) for rank in range(launch.ranks)]
    words = [LastWords(child.stdout.fileno()) for child in children if child.stdout is not None]
    for child in children:
        talk.when_aborted(functools.partial(kill_session, child))
    begun, problem = time.monotonic(), ""
    try:
        while not problem and any(child.poll() is None for child in children) and not talk.aborted.wait(_TICK_S):
            passed = time.monotonic() - begun
            talk.progress(PHASE, round(passed, 1), 0.0, "s")
            problem = _failed(children)
            if passed > seconds + JOIN_S:
                problem = "The {} processes did not get through within {:.0f} s.".format(launch.ranks, passed)
    finally:
        _end(children, words)
    talk.check()
    problem = problem or _failed(children)
    found = _report(words[0].text(40))
    if problem or found is None:
        said = next((each.text(6) for each in words if each.text(6)), "")
        raise CommandError("The processes cannot work together. {}\n{}".format(problem, said).strip(), "failed")
    return found


def _failed(children: "List[subprocess.Popen[bytes]]") -> str:
    """Return a sentence on the first rank that ended with an error, "" where none has."""
    for rank, child in enumerate(children):
        if child.poll():
            return "Process {} ended with code {}.".format(rank, child.returncode)
    return ""


def _end(children: "List[subprocess.Popen[bytes]]", words: List[LastWords]) -> None:
    for child in children:
        kill_session(child)
        child.wait()
    for each in words:
        each.join()
    for child in children:
        if child.stdout is not None:
            child.stdout.close()


def _start(launch: Launch, scratch: str, rank: int, port: int, seconds: int) -> "subprocess.Popen[bytes]":
    environment = rank_environment(launch, scratch)
    environment.update(
        RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE=str(launch.ranks), MASTER_ADDR="127.0.0.1",
        MASTER_PORT=str(port),
    )  # fmt: skip
    program = os.path.join(launch.agent_dir, "remote_agent", "trainer", "collective_rank.py")
    command: List[str] = [launch.python, "-B", program, str(seconds), "gpu" if launch.use_gpu else "cpu"]
    try:
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment,
            cwd=scratch, start_new_session=True, preexec_fn=die_with_parent,
        )  # fmt: skip
    except OSError as error:
        raise CommandError("{} cannot be started: {}.".format(launch.python, error.strerror), "no_python") from None


def _report(printed: str) -> Optional[CollectiveReport]:
    for line in printed.splitlines():
        mark, _, text = line.partition(" ")
        if mark == _MARK:
            with contextlib.suppress(ValueError):
                return from_wire(CollectiveReport, json.loads(text))
    return None
