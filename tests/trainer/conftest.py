"""The runs that the trainer's slow tests look at, done once a session."""

from __future__ import annotations

import fcntl
import shutil

import pytest
from tqdm import tqdm

from tests.trainer.launches import Launches, do_launches

tqdm.monitor_interval = 0  # else the first progress bar of a process starts a thread that stays


@pytest.fixture(scope="session")
def launches(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Launches:
    """Do all runs, then let the tests look at their journals; of several test processes the first one does them."""
    if worker_id == "master":
        return do_launches(tmp_path_factory.mktemp("launches"))
    shared = tmp_path_factory.getbasetemp().parent
    root, done = shared / "launches", shared / "launches.done"
    with (shared / "launches.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            shutil.rmtree(root, ignore_errors=True)  # what another process began and could not end
            root.mkdir()
            do_launches(root)
            done.touch()
    return Launches(root)
