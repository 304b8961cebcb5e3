"""The command `resume`: a run that has ended goes on from its last checkpoint, as its next attempt."""

from __future__ import annotations

import os
import time
from typing import Any, Dict, Tuple

from remote_agent.contract.events import RESTING
from remote_agent.contract.run_dir import INBOX, JOB
from remote_agent.contract.spec_json import spec_from_json
from remote_agent.run_files.inbox import Command, list_commands, put_command
from remote_agent.supervisor.attempt_shape import SHAPE_ARGUMENTS, asked_launch, launch_of_attempt
from remote_agent.supervisor.command import run_folder
from remote_agent.supervisor.launch import Launch, extensions_dir, read_launch
from remote_agent.supervisor.lease import is_supervised
from remote_agent.supervisor.prepare import prepare_environment
from remote_agent.supervisor.resumption import VERB, check_ended, choose_checkpoint, readable_job
from remote_agent.supervisor.run_record import RunRecord, read_record
from remote_agent.supervisor.start import ensure_supervised, secrets_argument
from remote_agent.supervisor.talk import CommandError, Talk, text_argument, whole_argument

TAKEN_TIMEOUT_S = 60.0
_POLL_S = 0.05


def resume(talk: Talk, home: str, arguments: Dict[str, Any]) -> Dict[str, Any]:
    """Answer ``{run_dir, attempt, step}`` once the supervisor has journalled that the run goes on from that step.

    A repeat with the same ``command_id`` starts nothing more. ``python`` names another interpreter for the ranks,
    empty for the run's own. ``max_steps`` gives the run another end, ``factor`` multiplies its learning rate, ``ranks``
    and ``zero_stage`` spread it over another number of ranks or at another stage, with the same global batch.

    Raises:
        CommandError: the run goes on, is complete, or has no checkpoint with its full state; an input is gone.
    """
    run_dir = run_folder(home, arguments)
    command_id = text_argument(arguments, "command_id")
    secrets = secrets_argument(arguments)
    if not _is_sent(run_dir, command_id):
        try:
            check_ended(run_dir, _settled(run_dir), whole_argument(arguments, "max_steps", 0))
        except CommandError:
            # the same command, sent twice at once, may have been taken a moment ago
            if not _is_sent(run_dir, command_id):
                raise
        else:
            _send(run_dir, command_id, _checked(talk, home, run_dir, arguments))
    record = _taken(talk, run_dir, command_id, secrets)
    if command_id in record.refused:
        raise CommandError(record.refused[command_id], "bad_request")
    return {"run_dir": run_dir, "attempt": record.attempt, "step": record.resume_step}


def _is_sent(run_dir: str, command_id: str) -> bool:
    """Say whether the command lies in the inbox or was taken: in this order, since it leaves once it was taken."""
    if any(command.command_id == command_id for command in list_commands(os.path.join(run_dir, INBOX))[0]):
        return True
    return command_id in read_record(run_dir).seen


def _send(run_dir: str, command_id: str, asked: Dict[str, Any]) -> None:
    try:
        put_command(os.path.join(run_dir, INBOX), Command(command_id, VERB, asked))
    except ValueError as error:
        raise CommandError(str(error), "bad_request") from None


def _settled(run_dir: str) -> RunRecord:
    """Return the run's record; one whose supervisor was killed gets a new one first, which says how it ended."""
    record = read_record(run_dir)
    if record.state in RESTING:
        return record
    ensure_supervised(run_dir)
    return read_record(run_dir)


def _checked(talk: Talk, home: str, run_dir: str, arguments: Dict[str, Any]) -> Dict[str, Any]:
    """Return the arguments of the command for the inbox. Raises CommandError."""
    shape = {name: whole_argument(arguments, name) for name in SHAPE_ARGUMENTS if arguments.get(name) is not None}
    launch, python = read_launch(run_dir), text_argument(arguments, "python", "")
    launch = asked_launch(launch_of_attempt(launch, read_record(run_dir)), readable_job(run_dir), shape)
    name, note = choose_checkpoint(talk, run_dir, launch, whole_argument(arguments, "max_steps", 0))
    for what, path in (
        ("model", launch.model_path), ("prepared data", launch.data_folder), ("agent that began it", launch.agent_dir),
    ):  # fmt: skip
        if not os.path.isdir(path):
            raise CommandError("The run's {} is not on the node any more: {}.".format(what, path), "not_found")
    asked: Dict[str, Any] = {"checkpoint": name, "note": note, **shape}
    asked.update({key: arguments[key] for key in ("max_steps", "factor") if arguments.get(key)})
    python = os.path.abspath(os.path.expanduser(python)) if python else launch.python
    if python != launch.python:
        asked["python"], asked["extensions_dir"] = _other_environment(talk, home, run_dir, python)
        asked["note"] = " ".join(part for part in (note, _other_python(launch, python)) if part)
    elif not os.access(python, os.X_OK):
        raise CommandError("The run's interpreter {} is gone; name another one.".format(python), "no_python")
    return asked


def _other_environment(talk: Talk, home: str, run_dir: str, python: str) -> Tuple[str, str]:
    with open(os.path.join(run_dir, JOB), encoding="utf-8") as file:
        spec = spec_from_json(file.read())
    environment = prepare_environment(talk, home, spec, python)
    return environment["python"], extensions_dir(home, environment["python"], environment["packages"])


def _other_python(launch: Launch, python: str) -> str:
    return "The run began with {} and goes on with {}; other versions there give other numbers.".format(
        launch.python, python
    )


def _taken(talk: Talk, run_dir: str, command_id: str, secrets: Dict[str, str]) -> RunRecord:
    """Return the record that holds the supervisor's answer. The one before may be about to leave: then wait for it."""
    deadline = time.monotonic() + TAKEN_TIMEOUT_S
    while True:
        record = read_record(run_dir)
        if command_id in record.seen:
            return record
        if time.monotonic() > deadline:
            raise CommandError("The run's supervisor has not answered within a minute; try again.")
        if not is_supervised(run_dir):
            ensure_supervised(run_dir, secrets)
        else:
            time.sleep(_POLL_S)
