"""The command `command`: what is asked of a run goes into its inbox, once."""

from __future__ import annotations

import os
from typing import Any, Dict

from remote_agent.contract.events import ENDED
from remote_agent.contract.run_dir import INBOX, RUNS, is_run_id
from remote_agent.run_files.inbox import Command, put_command
from remote_agent.supervisor.run_record import read_record
from remote_agent.supervisor.start import ensure_supervised
from remote_agent.supervisor.talk import CommandError, Talk, group_argument, text_argument


def send_command(talk: Talk, home: str, arguments: Dict[str, Any]) -> Dict[str, Any]:
    """Answer ``{}`` once the command is in the inbox; the journal tells what became of it.

    Raises:
        CommandError: there is no such run, it has ended, or the id may not be a file name.
    """
    run_dir = run_folder(home, arguments)
    command = Command(
        text_argument(arguments, "command_id"), text_argument(arguments, "verb"), group_argument(arguments, "arguments")
    )
    record = read_record(run_dir)
    if record.state in ENDED:
        if command.command_id in record.seen:
            return {}
        raise CommandError("The run has ended; it is {}.".format(record.state), "bad_request")
    try:
        put_command(os.path.join(run_dir, INBOX), command)
    except ValueError as error:
        raise CommandError(str(error), "bad_request") from None
    ensure_supervised(run_dir)
    return {}


def run_folder(home: str, arguments: Dict[str, Any]) -> str:
    """Return the folder of the run that the arguments name. Raises CommandError where there is none."""
    run_id = text_argument(arguments, "run_id")
    run_dir = os.path.join(home, RUNS, run_id)
    if not is_run_id(run_id) or not os.path.isdir(run_dir):
        raise CommandError("There is no run {} on the node.".format(run_id[:80]), "not_found")
    return run_dir
