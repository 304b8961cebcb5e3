"""What environment.json says of a run: everything on the node that can change its numbers."""

from __future__ import annotations

import json
import os
from typing import Any, Dict

from remote_agent.supervisor import node_facts
from remote_agent.supervisor.interpreters import look_at
from remote_agent.supervisor.talk import CommandError

BUILT_FROM = "luthier-environment.json"
"""The file, in an environment that the agent built, that says of which lock."""


def describe_environment(python: str) -> Dict[str, Any]:
    """Return interpreter, package versions, cores, processor, GPUs, driver and system; a run adds ranks and threads.

    ``built`` names the lock where the agent built the environment, which pins every package of it.

    Raises:
        CommandError: the interpreter does not answer.
    """
    interpreter = look_at(python)
    if interpreter is None:
        raise CommandError("{} is no Python 3.8 or later that answers.".format(python), "no_python")
    described = {
        "python": interpreter.path,
        "python_version": interpreter.version,
        "packages": {package.name: package.version for package in interpreter.packages if package.version},
        "cores": node_facts.cores(),
        "cpu": node_facts.cpu_model(),
        "gpus": [gpu.name for gpu in node_facts.gpus()],
        "driver": node_facts.driver_version(),
        "system": node_facts.system_name(),
    }
    built = _built_from(python)
    if built:
        described["built"] = built
    return described


def _built_from(python: str) -> Dict[str, Any]:
    """Return lock and key of an environment that the agent built, and what it was built on; {} for any other."""
    try:
        with open(os.path.join(os.path.dirname(os.path.dirname(python)), BUILT_FROM), encoding="utf-8") as file:
            told = json.load(file)
    except (OSError, ValueError):
        return {}
    return {name: told[name] for name in ("lock", "key", "over") if told.get(name)} if isinstance(told, dict) else {}
