"""What environment.json says of a run: everything on the node that can change its numbers."""

from __future__ import annotations

from typing import Any, Dict

from remote_agent.supervisor import node_facts
from remote_agent.supervisor.interpreters import look_at
from remote_agent.supervisor.talk import CommandError


def describe_environment(python: str) -> Dict[str, Any]:
    """Return interpreter, package versions, cores, processor, GPUs, driver and system; a run adds ranks and threads.

    Raises:
        CommandError: the interpreter does not answer.
    """
    interpreter = look_at(python)
    if interpreter is None:
        raise CommandError("{} is no Python 3.8 or later that answers.".format(python), "no_python")
    return {
        "python": interpreter.path,
        "python_version": interpreter.version,
        "packages": {package.name: package.version for package in interpreter.packages if package.version},
        "cores": node_facts.cores(),
        "cpu": node_facts.cpu_model(),
        "gpus": [gpu.name for gpu in node_facts.gpus()],
        "driver": node_facts.driver_version(),
        "system": node_facts.system_name(),
    }
