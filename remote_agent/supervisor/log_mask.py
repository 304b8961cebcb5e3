"""Strikes secrets out of a run's logs where they lie: whatever a rank or a library of it printed into them."""

from __future__ import annotations

import os
from typing import Dict, Mapping

from remote_agent.contract.run_dir import LOG
from remote_agent.run_files.masking import Mask, secret_values
from remote_agent.run_files.process import marked_processes

_READ_BYTES = 1 << 20


def environment_of(pid: int) -> Dict[str, str]:
    """Return the environment a process was started with, empty where it is gone or another user's."""
    try:
        with open("/proc/{}/environ".format(pid), "rb") as file:
            items = file.read().decode("utf-8", "surrogateescape").split("\0")
    except OSError:
        return {}
    return dict((name, value) for name, _, value in (item.partition("=") for item in items))


def secrets_of_run(run_id: str) -> Mask:
    """Return a mask for the secrets in the environments of a run's processes."""
    found = Mask()
    for identity in marked_processes(run_id):
        found.add(secret_values(environment_of(identity.pid)))
    return found


class LogMask:
    """Keeps the files of a run's log folder free of the secrets that its ranks were given."""

    def __init__(self, run_dir: str, environment: Mapping[str, str]) -> None:
        self._folder = os.path.join(run_dir, LOG)
        self._mask = Mask(secret_values(environment))
        self._done: Dict[str, int] = {}

    def learn(self, environment: Mapping[str, str]) -> None:
        """Strike out what another environment holds too, from the beginning of every file."""
        if self._mask.add(secret_values(environment)):
            self._done.clear()

    def look(self) -> None:
        """Strike secrets out of what was added; a file that is gone or is no file is passed over."""
        if not self._mask:
            return
        try:
            names = os.listdir(self._folder)
        except FileNotFoundError:
            return
        for name in names:
            try:
                self._strike(os.path.join(self._folder, name))
            except OSError:
                continue

    def _strike(self, path: str) -> None:
        done = self._done.get(path, 0)
        size = os.lstat(path).st_size
        if size == done:
            return
        log = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            at = min(done, size)
            while True:
                # a secret may have come in two pieces
                begin = max(0, at - self._mask.longest + 1)
                data = os.pread(log, _READ_BYTES, begin)
                for start, end in self._mask.places(data):
                    os.pwrite(log, b"*" * (end - start), begin + start)
                if begin + len(data) <= at:
                    break
                at = begin + len(data)
            self._done[path] = at
        finally:
            os.close(log)
