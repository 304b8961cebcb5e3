"""The command `prepare`: the environment's compiled operators, then the data, before any process group exists."""

from __future__ import annotations

import os
from typing import Any, Dict

from remote_agent.contract.data_steps import AugmentStep
from remote_agent.contract.job_spec import JobSpec
from remote_agent.contract.run_dir import DATA
from remote_agent.contract.spec_json import spec_from_dict
from remote_agent.supervisor.child import child_environment
from remote_agent.supervisor.environment import describe_environment
from remote_agent.supervisor.inspect import AUGMENT, INSPECTED, ask_module, chosen_python
from remote_agent.supervisor.launch import extensions_dir, threads_per_rank
from remote_agent.supervisor.operators import PHASE, build_operators, operators_needed
from remote_agent.supervisor.probe import find_compiler, find_ninja
from remote_agent.supervisor.talk import CommandError, Talk, text_argument


def prepare(talk: Talk, home: str, arguments: Dict[str, Any]) -> Dict[str, Any]:
    """Answer ``{prepared, data_folder, environment}``, with progress in the phases "environment" and the data's own.

    Raises:
        CommandError: an input is missing, something cannot be compiled, or the client cancelled.
        SpecError: the job is none.
    """
    spec = spec_from_dict(arguments.get("job"))
    python = chosen_python(home, text_argument(arguments, "python", ""))
    environment = prepare_environment(talk, home, spec, python)
    answer = prepare_data(talk, home, python, arguments)
    return {"prepared": answer["prepared"], "data_folder": answer["data_folder"], "environment": environment}


def prepare_environment(talk: Talk, home: str, spec: JobSpec, python: str) -> Dict[str, Any]:
    """Compile what the run needs and return what environment.json will say. Raises CommandError."""
    talk.progress(PHASE, 0, 0)
    environment = describe_environment(python)
    for name in ("torch", "transformers", "deepspeed"):
        if name not in environment["packages"]:
            raise CommandError("{} has no {}; install it there with pip.".format(python, name), "no_python")
    needed = operators_needed(spec, bool(environment["gpus"]))
    if needed and not (find_compiler() and find_ninja(python)):
        raise CommandError("DeepSpeed needs a C++ compiler and ninja on this node; install g++ and ninja.", "no_python")
    path = os.pathsep.join([os.path.dirname(python), os.environ.get("PATH", os.defpath)])
    folder = extensions_dir(home, python, environment["packages"])
    build_operators(talk, python, folder, child_environment({"PATH": path}), needed)
    ranks = spec.strategy.ranks
    environment.update(
        ranks=ranks,
        threads_per_rank=threads_per_rank(spec.strategy.threads_per_rank, environment["cores"], ranks),
    )
    return environment


def prepare_data(talk: Talk, home: str, python: str, arguments: Dict[str, Any]) -> Dict[str, Any]:
    """Have the dataset zone write the data folder and return its answer. Raises CommandError."""
    names = ("job", "model_path", "data_paths", "held_out_path")
    asked = {name: arguments[name] for name in names if name in arguments}
    if any(isinstance(step, AugmentStep) for step in spec_from_dict(arguments.get("job")).data.steps):
        # quick where the rows were made before
        making = dict(asked, what="augment", cache_root=os.path.join(home, INSPECTED))
        ask_module(talk, python, making, AUGMENT)
    return ask_module(talk, python, dict(asked, what="prepare", data_root=os.path.join(home, DATA)))
