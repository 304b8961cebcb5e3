"""The command `remove`: delete an ended run's folder with its checkpoints."""

from __future__ import annotations

import os
import shutil
from typing import Any, Dict

from remote_agent.contract.events import ENDED
from remote_agent.contract.run_dir import CHECKPOINTS
from remote_agent.supervisor.command import run_folder
from remote_agent.supervisor.lease import is_supervised
from remote_agent.supervisor.run_list import folder_bytes
from remote_agent.supervisor.run_record import read_record
from remote_agent.supervisor.talk import CommandError, Talk


def remove(talk: Talk, home: str, arguments: Dict[str, Any]) -> Dict[str, Any]:
    """Answer ``{freed_bytes}`` once the run's folder is gone.

    The folder is renamed first: a removal that is cut off leaves no half of a run that looks like one.

    Raises:
        CommandError: there is no such run, or it goes on.
        OSError: something of it cannot be deleted.
    """
    run_dir = run_folder(home, arguments)
    state = read_record(run_dir).state
    if state not in ENDED or is_supervised(run_dir):
        raise CommandError("The run is {}; stop it before it is deleted.".format(state or "queued"), "bad_request")
    apart = os.path.realpath(os.path.join(run_dir, CHECKPOINTS))
    # only what a start made: a folder elsewhere that has the run's own name
    is_apart = os.path.islink(os.path.join(run_dir, CHECKPOINTS)) and os.path.basename(apart) == arguments["run_id"]
    size = folder_bytes(run_dir) + (folder_bytes(apart) if is_apart else 0)
    doomed = os.path.join(os.path.dirname(run_dir), ".removed-" + os.path.basename(run_dir))
    os.rename(run_dir, doomed)
    if is_apart and os.path.isdir(apart):
        shutil.rmtree(apart)
    shutil.rmtree(doomed)
    return {"freed_bytes": size}
