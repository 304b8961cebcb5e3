"""The command `start`: the run directory, whole or not at all, and a supervisor that outlives the connection."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from typing import Any, Dict, Optional, Tuple

from remote_agent.contract.problems import blocking, problems
from remote_agent.contract.run_dir import LOG, RUNS, is_run_id
from remote_agent.contract.spec_json import spec_from_dict
from remote_agent.run_files.masking import is_secret_name
from remote_agent.supervisor import node_facts
from remote_agent.supervisor.environment import describe_environment
from remote_agent.supervisor.launch import own_agent_dir
from remote_agent.supervisor.lease import is_supervised
from remote_agent.supervisor.new_run import make_launch, make_run_dir
from remote_agent.supervisor.node_folders import checkpoints_root
from remote_agent.supervisor.talk import CommandError, Talk, group_argument, text_argument

READY_TIMEOUT_S = 30.0


def start(talk: Talk, home: str, arguments: Dict[str, Any]) -> Dict[str, Any]:
    """Answer ``{run_dir, created}``; a second start of the same id changes nothing and answers created: false.

    Raises:
        CommandError: the request is malformed, an input is missing, or no supervisor came up.
        SpecError: the job is none.
    """
    run_id = text_argument(arguments, "run_id")
    if not is_run_id(run_id):
        raise CommandError("{!r} is no run id.".format(run_id[:80]), "bad_request")
    run_dir = os.path.join(home, RUNS, run_id)
    secrets = secrets_argument(arguments)
    created = False
    if not os.path.isdir(run_dir):
        created = _commit(home, run_dir, arguments)
    ensure_supervised(run_dir, secrets)
    return {"run_dir": run_dir, "created": created}


def secrets_argument(arguments: Dict[str, Any]) -> Dict[str, str]:
    """Return the secrets for a child's environment; no other name gets in, since some change what a program does.

    Raises:
        CommandError: one has another name, or is no text.
    """
    secrets = group_argument(arguments, "secrets")
    for name, value in secrets.items():
        if not is_secret_name(name) or not isinstance(value, str) or "\0" in value:
            raise CommandError("{!r} is no secret that reaches the ranks.".format(name[:40]), "bad_request")
    return secrets


def _commit(home: str, run_dir: str, arguments: Dict[str, Any]) -> bool:
    """Make the run directory; say False where another start was first."""
    spec = spec_from_dict(arguments.get("job"))
    against = blocking(problems(spec))
    if against:
        raise CommandError(" ".join(problem.sentence for problem in against), "bad_request")
    python = os.path.abspath(os.path.expanduser(text_argument(arguments, "python")))
    model_path = os.path.abspath(os.path.expanduser(text_argument(arguments, "model_path")))
    data_folder = os.path.abspath(os.path.expanduser(text_argument(arguments, "data_folder")))
    for what, path in (("model", model_path), ("prepared data", data_folder)):
        if not os.path.isdir(path):
            raise CommandError("The {} {} is not on the node.".format(what, path), "not_found")
    environment = describe_environment(python)
    bundle, gpus = group_argument(arguments, "bundle"), gpus_argument(arguments, spec.strategy.ranks)
    launch = make_launch(home, spec, environment, model_path, data_folder, bundle, gpus)
    return make_run_dir(run_dir, spec, launch, environment, checkpoints_root(home))


def gpus_argument(arguments: Dict[str, Any], ranks: int) -> Tuple[str, ...]:
    """Return the UUIDs of the GPUs that a start names, none where it leaves them to the node.

    Raises:
        CommandError: they are not one a rank, or one is not on the node.
    """
    asked = arguments.get("gpus") or []
    if not isinstance(asked, list) or not all(isinstance(uuid, str) for uuid in asked):
        raise CommandError("The argument gpus has to be a list of UUIDs.", "bad_request")
    if not asked:
        return ()
    if len(set(asked)) != ranks or len(asked) != ranks:
        raise CommandError(
            "{} GPUs are chosen for {} processes; choose one for each.".format(len(set(asked)), ranks), "bad_request"
        )
    there = {gpu.uuid for gpu in node_facts.gpus()}
    missing = [uuid for uuid in asked if uuid not in there]
    if missing:
        raise CommandError(
            "The GPU {} is not on the node any more; ask the node again and choose another.".format(missing[0][:80]),
            "bad_request",
        )
    return tuple(asked)


def ensure_supervised(run_dir: str, secrets: Optional[Dict[str, str]] = None) -> None:
    """Start a supervisor unless one lives, and wait until it holds the run and has journalled.

    Two that start at once settle it by the lock. ``secrets`` reach the ranks' environment and nothing else.

    Raises:
        CommandError: it did not come up within 30 s, or said why it cannot.
    """
    if is_supervised(run_dir):
        return
    readable, writable = os.pipe()
    arguments = [
        sys.executable,
        "-I",
        "-B",
        os.path.join(own_agent_dir(), "remote_agent", "__main__.py"),
        "supervise",
        run_dir,
        str(writable),
    ]
    try:
        with open(os.path.join(run_dir, LOG, "supervisor.log"), "ab") as log:
            starter = subprocess.Popen(
                arguments,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                cwd=run_dir,
                pass_fds=(writable,),
                start_new_session=True,
            )
        os.close(writable)
        starter.communicate(json.dumps(secrets or {}).encode("utf-8"))
        told = _read_until_closed(readable)
    finally:
        os.close(readable)
    if told != "ready":
        raise CommandError("The run's supervisor did not start: {}".format(told or "it ended without a word."))


def _read_until_closed(descriptor: int) -> str:
    deadline = time.monotonic() + READY_TIMEOUT_S
    told = b""
    while True:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([descriptor], [], [], left)[0]:
            return "it did not answer within {:g} s.".format(READY_TIMEOUT_S)
        data = os.read(descriptor, 4096)
        if not data:
            return told.decode("utf-8", "replace").strip()
        told += data
