"""Where the files of a lock are to be had: asked of the package index this computer uses, whichever that is.

A lock pins its files by name and SHA-256 and names no host, so that it serves with a mirror as well as without one.
"""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
import tempfile
import threading
import tomllib
from collections.abc import Iterator
from pathlib import Path

from remote_agent.contract.environment_lock import EnvironmentLock
from studio.remote.errors import Cancelled, RemoteError

TIMEOUT_S = 120.0
_TICK_S = 0.2


class NoAddress(RemoteError):
    """The package index does not answer, or has another file under a name."""


def addressed(lock: EnvironmentLock, cancelled: threading.Event | None = None) -> EnvironmentLock:
    """Return a lock whose every file has an address; those that have one are kept.

    Raises:
        NoAddress: the index cannot be asked, or lacks a file with that SHA-256.
        Cancelled: the event was set.
    """
    without = [file for file in lock.files if not file.url]
    if not without:
        return lock
    wanted = "".join(f"{file.package}=={file.version}\n" for file in without)
    found = dict(_files(_resolved(lock, wanted, cancelled)))
    lacking = [file.name for file in without if file.sha256 not in found]
    if lacking:
        raise NoAddress(
            f"The package index has no {lacking[0]} as the list of packages pins it"
            + (f", and {len(lacking) - 1} more are missing. " if lacking[1:] else ". ")
            + "Use an index that has it, or make an environment on the node and name its Python."
        )
    return dataclasses.replace(
        lock,
        files=tuple(file if file.url else dataclasses.replace(file, url=found[file.sha256]) for file in lock.files),
    )


def _resolved(lock: EnvironmentLock, wanted: str, cancelled: threading.Event | None) -> str:
    """Return the pylock that uv writes of exact versions, with what the index says of each file."""
    major, minor = lock.glibc.split(".")
    with tempfile.TemporaryDirectory() as folder:
        asked, answer = Path(folder, "requirements.in"), Path(folder, "pylock.toml")
        asked.write_text(wanted, encoding="utf-8")
        command = [
            sys.executable, "-m", "uv", "pip", "compile", str(asked), "-o", str(answer), "--format", "pylock.toml",
            "--no-deps", "--quiet", "--no-header", "--no-annotate", "--python-version", lock.python,
            "--python-platform", f"{lock.machine}-manylinux_{major}_{minor}",
        ]  # fmt: skip
        if any(file.version.endswith("+cpu") for file in lock.files):
            command += ["--torch-backend", "cpu"]  # its builds of torch are on an index of their own
        if "PIP_INDEX_URL" in os.environ and "UV_DEFAULT_INDEX" not in os.environ:
            command += ["--default-index", os.environ["PIP_INDEX_URL"]]
        complaint = _complaint_of(command, cancelled)
        if complaint is not None:
            raise NoAddress(
                "The package index cannot be asked where the packages are: "
                f"{complaint.splitlines()[-1].strip() if complaint.strip() else 'it does not answer'}. Check this "
                "computer's connection, or make an environment on the node and name its Python."
            )
        return answer.read_text(encoding="utf-8")


def _complaint_of(command: list[str], cancelled: threading.Event | None) -> str | None:
    """Run a command; return None where it worked, and what it said where it did not."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        for _ in range(round(TIMEOUT_S / _TICK_S)):
            if cancelled is not None and cancelled.is_set():
                raise Cancelled("Cancelled.")
            try:
                _, said = process.communicate(timeout=_TICK_S)
            except subprocess.TimeoutExpired:
                continue
            return None if process.returncode == 0 else said.decode("utf-8", "replace")
        return f"no answer within {TIMEOUT_S:.0f} s"
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()


def _files(pylock: str) -> Iterator[tuple[str, str]]:
    """Yield the SHA-256 and the address of every file on the web."""
    for package in tomllib.loads(pylock)["packages"]:
        for file in [*package.get("wheels", []), *([package["sdist"]] if "sdist" in package else [])]:
            url = str(file.get("url", ""))
            if url.startswith(("https://", "http://")):
                yield str(file["hashes"]["sha256"]), url
