"""The files of an environment: taken from what the desktop sent, or fetched, resumed and verified by their hashes."""

from __future__ import annotations

import dataclasses
import hashlib
import http.client
import os
import shutil
import threading
import urllib.error
import urllib.request
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from typing import Dict, Optional
from urllib.parse import urlsplit

from remote_agent.contract.environment_lock import FETCH, EnvironmentLock, LockedFile
from remote_agent.contract.node_network import INDEX_NAME
from remote_agent.run_files.manifest import file_sha256
from remote_agent.supervisor.index_links import file_links
from remote_agent.supervisor.talk import CommandError, Talk

AT_ONCE = 4
TRIES = 3
TIMEOUT_S = 30.0
_TICK_S = 0.2
_CHUNK_BYTES = 1 << 18
_PART = ".part"


class EnvironmentFiles:
    """Brings the files of a lock into a folder. What is whole there is kept, and so is a beginning, for the next try.

    Args:
        talk: is told the progress in bytes; its cancel ends everything.
        lock: what is wanted.
        folder: where the files go, by their names.
        sent: a folder that the desktop sent, empty where the node fetches them itself.
    """

    def __init__(self, talk: Talk, lock: EnvironmentLock, folder: str, sent: str) -> None:
        self._talk, self._lock, self._folder, self._sent = talk, lock, folder, sent
        self._over = threading.Event()
        self._done: Dict[str, int] = {}

    def bring(self) -> Dict[str, str]:
        """Return the files' paths by their names. Raises CommandError, or OSError where the disk does not."""
        self._talk.when_aborted(self._over.set)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            left = {pool.submit(self._bring, file) for file in self._lock.files}
            try:
                while left:
                    ended, left = wait(left, _TICK_S, FIRST_COMPLETED)
                    self._talk.check()
                    self._tell()
                    for each in ended:
                        each.result()
            finally:
                self._over.set()
                for each in left:
                    each.cancel()
        self._tell()
        return {file.name: self._path(file) for file in self._lock.files}

    def _tell(self) -> None:
        self._talk.progress(FETCH, sum(self._done.values()), self._lock.size_bytes, "bytes")

    def _path(self, file: LockedFile) -> str:
        return os.path.join(self._folder, file.name)

    def _bring(self, file: LockedFile) -> None:
        path = self._path(file)
        given = os.path.join(self._sent, file.name) if self._sent else ""
        if not os.path.isfile(path):
            if given and os.path.isfile(given):
                self._take(given, path, file)
            else:
                self._fetch(file, path)
        self._done[file.name] = file.size_bytes

    def _take(self, given: str, path: str, file: LockedFile) -> None:
        if file_sha256(given) != file.sha256:
            raise CommandError("{} is not the file that the lock names; send it again.".format(file.name), "failed")
        try:
            os.link(given, path)
        except OSError:
            shutil.copyfile(given, path + _PART)
            os.replace(path + _PART, path)

    def _fetch(self, file: LockedFile, path: str) -> None:
        file = file if file.url else self._found_in_index(file)
        why = ""
        for number in range(TRIES):
            if self._over.wait(number * 1.0):
                return
            try:
                self._receive(file, path + _PART)
            except urllib.error.HTTPError as error:
                why = "the server answers {} {}".format(error.code, error.reason)
                if error.code < 500 and error.code != 416:
                    break
                continue
            except (http.client.HTTPException, OSError) as error:
                if getattr(error, "errno", None) is not None and not isinstance(error, ConnectionError):
                    raise  # of the disk, whose sentence is another
                why = str(getattr(error, "reason", "") or error or "no answer")
                continue
            if self._over.is_set():
                return
            if file_sha256(path + _PART) == file.sha256:
                os.replace(path + _PART, path)
                return
            os.unlink(path + _PART)
            why = "what arrives is not the file that the lock names"
        raise CommandError(
            "{} cannot be fetched from {}: {}. Where the node has no way out, let this computer fetch and send "
            "it.".format(file.name, file.url.split("/")[2], why),
            "hub_unreachable",
        )

    def _found_in_index(self, file: LockedFile) -> LockedFile:
        """Return a file with the address that the node's own package index has for it."""
        index = os.environ.get(INDEX_NAME, "")
        try:
            found = file_links(index, file.package).get(file.name, "")
        except (http.client.HTTPException, OSError, ValueError) as error:
            why = str(getattr(error, "reason", "") or error or "no answer")
            raise CommandError(
                "The package index at {} cannot be asked for {}: {}.".format(_host_of(index), file.package, why),
                "hub_unreachable",
            ) from None
        if not found:
            raise CommandError(
                "The package index at {} has no {}; use one that has it.".format(_host_of(index), file.name),
                "not_found",
            )
        return dataclasses.replace(file, url=found)

    def _receive(self, file: LockedFile, part: str) -> None:
        """Write what is missing of a file behind what an earlier try left."""
        have = os.path.getsize(part) if os.path.exists(part) else 0
        if have >= file.size_bytes:
            if have > file.size_bytes:
                os.unlink(part)
                have = 0
            else:
                return
        request = urllib.request.Request(file.url, headers={"Range": "bytes={}-".format(have)} if have else {})  # noqa: S310
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310 http and https alone, checked
            goes_on = answer.status == 206
            with open(part, "ab" if goes_on else "wb") as out:
                self._done[file.name] = have if goes_on else 0
                while not self._over.is_set():
                    data = answer.read(_CHUNK_BYTES)
                    if not data:
                        break
                    out.write(data)
                    self._done[file.name] += len(data)
                    if self._done[file.name] > file.size_bytes:
                        break


def _host_of(address: str) -> str:
    return urlsplit(address).hostname or "?"


def checked_lock(lock: EnvironmentLock) -> EnvironmentLock:
    """Return a lock whose names and addresses may be used; an address may lack where the node has an index of its own.

    Raises:
        CommandError: a name or an address could lead elsewhere, or the lock names nothing.
    """
    has_index = bool(os.environ.get(INDEX_NAME))
    problem: Optional[str] = None
    for file in lock.files:
        if "/" in file.name or not file.name.endswith((".whl", ".tar.gz")) or file.name.startswith((".", "-")):
            problem = file.name
        elif not file.url and has_index:
            continue
        elif not file.url.startswith(("https://", "http://")) or len(file.url.split("/")) < 4:
            problem = file.url
        elif len(file.sha256) != hashlib.sha256().digest_size * 2 or file.size_bytes < 0:
            problem = file.name
        if problem is not None:
            raise CommandError("{!r} has no place in a lock.".format(problem[:200]), "bad_request")
    if lock.over and not os.path.isabs(lock.over):
        raise CommandError("The Python to build on has to be a whole path.", "bad_request")
    if not lock.files or not all(part.isdigit() for part in lock.python.split(".")):
        raise CommandError("The lock names no files, or no Python.", "bad_request")
    return lock
