"""The command `probe`: one look at the node, and what stands against any run there."""

from __future__ import annotations

import dataclasses
import os
import platform
import pwd
import shutil
import socket
import sys
import time
from typing import Any, Dict, List, Optional

from remote_agent.contract.node_report import Interpreter, NodeReport
from remote_agent.contract.wire import to_wire
from remote_agent.run_files.process import boot_id
from remote_agent.supervisor import node_facts
from remote_agent.supervisor.interpreters import best_interpreter, look_at
from remote_agent.supervisor.node_folders import folder_problems, placed_folders
from remote_agent.supervisor.node_survey import survey
from remote_agent.supervisor.talk import Talk, text_argument

LEAST_FREE_BYTES = 1 << 30
LEAST_TRAINER_PYTHON = (3, 10)


def probe(talk: Talk, home: str, arguments: Dict[str, Any]) -> Dict[str, Any]:
    """Answer ``{report: NodeReport}``; ``python`` names the interpreter to look at, empty for the best there is.

    The survey waits for nobody longer than a second; ``wide`` is what a launch does without, see `survey`.
    """
    wanted = text_argument(arguments, "python", "")
    interpreter = look_at(os.path.expanduser(wanted)) if wanted else best_interpreter(home, sys.executable)
    python, wide = interpreter.path if interpreter else sys.executable, arguments.get("wide") is True
    seen = survey(home, shutil.which("nvidia-smi") is not None, python, wide)
    if not wanted and (interpreter is None or interpreter.missing):
        # an environment of the image that lacks nothing is used as it is
        interpreter = next((each for each in seen.interpreters if not each.missing), interpreter)
    report = node_report(home, wanted, interpreter)
    return {"report": to_wire(dataclasses.replace(report, survey=seen, time_s=time.time()))}


def node_report(home: str, wanted: str, interpreter: Optional[Interpreter]) -> NodeReport:
    """Return the report on this node; ``wanted`` is the interpreter that was asked for, empty for any."""
    total, available = node_facts.memory_bytes()
    gpus = node_facts.gpus()
    free = node_facts.disk_free_bytes(home)
    placed = placed_folders(home)
    compiler, ninja = find_compiler(), find_ninja(interpreter.path if interpreter else "")
    problems = _interpreter_problems(wanted, interpreter)
    if not gpus:
        problems += _build_problems(compiler, ninja)
    problems += folder_problems(placed)
    if free < LEAST_FREE_BYTES:
        problems.append("The disk of {} has {} MiB left; a run needs at least 1 GiB.".format(home, free >> 20))
    return NodeReport(
        hostname=socket.gethostname(),
        user=user_name(),
        system=node_facts.system_name(),
        home=home,
        python_version=platform.python_version(),
        cores=node_facts.cores(),
        memory_total_bytes=total,
        memory_available_bytes=available,
        disk_free_bytes=free,
        gpus=gpus,
        interpreter=interpreter,
        compiler=compiler,
        ninja=ninja,
        boot_id=boot_id(),
        time_s=time.time(),
        problems=tuple(problems),
        folders=placed,
    )


def find_compiler() -> str:
    """Return the path of a C++ compiler, empty where there is none."""
    for name in (os.environ.get("CXX", ""), "c++", "g++", "clang++"):
        found = shutil.which(name) if name else None
        if found:
            return found
    return ""


def find_ninja(python: str) -> str:
    """Return the path of ninja, beside the interpreter or on the PATH; empty where there is none."""
    beside = os.path.join(os.path.dirname(python), "ninja")
    if python and os.access(beside, os.X_OK):
        return beside
    return shutil.which("ninja") or ""


def user_name() -> str:
    """Return the name of the user the agent runs as, its number where it has none."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


def _interpreter_problems(wanted: str, interpreter: Optional[Interpreter]) -> List[str]:
    if interpreter is None:
        return ["{} is no Python 3.8 or later that answers.".format(wanted) if wanted else "No Python was found."]
    problems = []
    version = tuple(int(part) for part in interpreter.version.split(".")[:2] if part.isdigit())
    if version < LEAST_TRAINER_PYTHON:
        problems.append(
            "{} is Python {}; the trainer needs 3.10 or later.".format(interpreter.path, interpreter.version)
        )
    if interpreter.missing:
        problems.append(
            "{path} lacks {names}; install them with: {path} -m pip install {packages}".format(
                path=interpreter.path, names=", ".join(interpreter.missing), packages=" ".join(interpreter.missing)
            )
        )
    return problems


def _build_problems(compiler: str, ninja: str) -> List[str]:
    problems = []
    if not compiler:
        problems.append("There is no C++ compiler, which DeepSpeed needs on a node without GPUs; install g++.")
    if not ninja:
        problems.append("There is no ninja, which DeepSpeed needs on a node without GPUs; install it with pip or apt.")
    return problems
