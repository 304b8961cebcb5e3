"""The processes that feed a run's trackers, one a tracker: started beside the ranks, ended with the run."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
from typing import Any, Dict, List, Mapping

from remote_agent.contract.job_spec import JobSpec
from remote_agent.contract.run_dir import JOB, JOURNAL, LOG, SCRATCH, TRACKERS
from remote_agent.contract.spec_json import spec_from_json
from remote_agent.contract.tracker_spec import KEY_NAMES, Tracker, recipe_of, trackers_of
from remote_agent.supervisor.launch import Launch, own_agent_dir, rank_environment


def start_feeds(run_dir: str, launch: Launch, secrets: Mapping[str, str], waits: bool) -> List[str]:
    """Start a process for each tracker of the run's job; return what went wrong, in sentences.

    A tracker that is being fed already is left to its process; with ``waits`` the new one follows it, for a run that
    goes on while the last of its attempt before is still being sent.
    """
    try:
        with open(os.path.join(run_dir, JOB), encoding="utf-8") as file:
            spec = spec_from_json(file.read())
    except (OSError, ValueError):
        return []  # the alerts complain about it
    problems = []
    for tracker in trackers_of(spec):
        try:
            _start(run_dir, launch, _request(run_dir, spec, tracker, secrets, waits))
        except OSError as error:
            problems.append("The tracker {} cannot be fed: {}.".format(tracker.kind, error.strerror))
    return problems


def _request(run_dir: str, spec: JobSpec, tracker: Tracker, secrets: Mapping[str, str], waits: bool) -> Dict[str, Any]:
    return {
        "tracker": tracker._asdict(),
        "run_id": os.path.basename(run_dir),
        "folder": os.path.join(run_dir, TRACKERS, tracker.kind),
        "recipe": recipe_of(spec),
        "journal": os.path.join(run_dir, JOURNAL),
        "waits": waits,
        "secrets": {name: secrets[name] for name in KEY_NAMES[tracker.kind] if tracker.online and name in secrets},
    }


def _start(run_dir: str, launch: Launch, request: Dict[str, Any]) -> None:
    kind = request["tracker"]["kind"]
    arguments = [
        launch.python, "-I", "-B", os.path.join(own_agent_dir(), "remote_agent", "trackers", "__main__.py"), kind,
    ]  # fmt: skip
    with open(os.path.join(run_dir, LOG, "tracker-{}.log".format(kind)), "ab") as log:
        child = subprocess.Popen(
            arguments, stdin=subprocess.PIPE, stdout=log, stderr=log, cwd=run_dir,
            env=_environment(run_dir, launch), start_new_session=True,
        )  # fmt: skip
    assert child.stdin is not None
    try:
        child.stdin.write(json.dumps(request).encode("utf-8") + b"\n")
        child.stdin.close()
    except BrokenPipeError:
        pass  # it ended at once; its log says why


def _environment(run_dir: str, launch: Launch) -> Dict[str, str]:
    # without the run's mark: the sweep after the ranks ends everything that carries it
    environment = rank_environment(dataclasses.replace(launch, threads_per_rank=1), os.path.join(run_dir, SCRATCH))
    environment.pop("HF_HUB_OFFLINE", None)
    return environment
