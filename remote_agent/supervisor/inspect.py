"""The command `inspect`: a look at a model or a data set, taken by the dataset zone in the environment's Python."""

from __future__ import annotations

import os
import sys
from typing import Any, Dict, List

from remote_agent.supervisor.child import child_environment, framed_child
from remote_agent.supervisor.interpreters import best_interpreter
from remote_agent.supervisor.launch import own_agent_dir
from remote_agent.supervisor.talk import CommandError, Talk, text_argument

WHAT = ("model", "data", "session", "losses", "augment", "trace")
INSPECTED = "inspected"
"""The folder of the agent's home that keeps what inspections found, so that a second look costs nothing."""

DATASET, AUGMENT = "remote_agent.dataset", "remote_agent.trainer.augment"
_ZONES = {
    "losses": "remote_agent.trainer.row_losses",
    "augment": AUGMENT,
    "trace": "remote_agent.trainer.trace_child",
}

# under -I neither a script's folder nor -m finds the agent, which lies in no site-packages
_RUN_MODULE = "import runpy, sys; sys.path.insert(0, sys.argv[1]); runpy.run_module(sys.argv[2], run_name='__main__')"


def inspect(talk: Talk, home: str, arguments: Dict[str, Any]) -> Dict[str, Any]:
    """Answer what the child process answers to the same arguments; ``what`` is one of `WHAT`.

    A "session" serves the client's ``ask`` frames until the client ends it; the others answer once.

    Raises:
        CommandError: the request is malformed, no interpreter is there, or what the child says.
    """
    what = text_argument(arguments, "what")
    if what not in WHAT:
        raise CommandError("{!r} cannot be inspected; known are {}.".format(what[:40], ", ".join(WHAT)), "bad_request")
    python = chosen_python(home, text_argument(arguments, "python", ""))
    asked = dict(arguments)
    if what != "model":
        asked["cache_root"] = os.path.join(home, INSPECTED)
    return ask_module(talk, python, asked, _ZONES.get(what, DATASET), hears_client=what == "session")


def ask_module(
    talk: Talk, python: str, arguments: Dict[str, Any], module: str = DATASET, hears_client: bool = False
) -> Dict[str, Any]:
    """Run a zone's module on arguments, pass its frames on, and return its result. Raises CommandError."""
    asked = {name: value for name, value in arguments.items() if name != "python"}
    value = framed_child(talk, module_command(python, module), child_environment(), asked, hears_client)
    if not isinstance(value, dict):
        raise CommandError("The process of {} answered without a value.".format(module))
    return value


def module_command(python: str, module: str) -> List[str]:
    """Return the command that runs a module of the agent."""
    return [python, "-I", "-B", "-c", _RUN_MODULE, own_agent_dir(), module]


def chosen_python(home: str, wanted: str) -> str:
    """Return the interpreter to use: the one that was asked for, else the best on the node. Raises CommandError."""
    if wanted:
        path = os.path.abspath(os.path.expanduser(wanted))
        if not os.access(path, os.X_OK):
            raise CommandError("There is no interpreter {} on the node.".format(path), "no_python")
        return path
    best = best_interpreter(home, sys.executable)
    if best is None:
        raise CommandError("There is no Python on the node that has the trainer's packages.", "no_python")
    return best.path
