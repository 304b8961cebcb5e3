"""What an environment for the trainer is built of: files pinned by hash, and which lock fits a node."""

from __future__ import annotations

import dataclasses
import hashlib
from typing import Iterable, Optional, Sequence, Tuple

from remote_agent.contract.node_report import NodeReport

UV = "uv"
"""The package that installs the others; it is used as a program and is no part of the environment."""

INSTALLED_PER_FETCHED = 3.5
"""Bytes on disk for each byte fetched while an environment is built: the file, what is unpacked of it, bytecode."""

FETCH, INSTALL = "environment files", "environment"
"""The phases of a build's progress."""


@dataclasses.dataclass(frozen=True)
class LockedFile:
    """One wheel or source archive. ``name`` is its file name, ``package`` the normalised name of what is in it.

    ``url`` is empty in a lock that pins files and names no host; it is asked for before a build.
    """

    package: str
    version: str
    name: str
    url: str
    size_bytes: int
    sha256: str

    @property
    def is_wheel(self) -> bool:
        """Say whether it is installed as it is, without being built."""
        return self.name.endswith(".whl")


@dataclasses.dataclass(frozen=True)
class EnvironmentLock:
    """All files of one environment, read from a pylock.toml (PEP 751).

    ``python`` is a minor version such as "3.11"; ``cuda`` the CUDA that torch is built for, empty for the CPU alone;
    ``driver`` the oldest major version of NVIDIA's driver that serves it; ``glibc`` the oldest C library of the
    files; ``tried`` says whether this very set was built and run by the makers of the lock. ``over`` is the
    interpreter whose packages, its ``over_torch`` among them, the environment is built on; empty for one of its own.
    """

    name: str
    python: str
    machine: str
    glibc: str
    files: Tuple[LockedFile, ...]
    cuda: str = ""
    driver: int = 0
    tried: bool = False
    over: str = ""
    over_torch: str = ""

    @property
    def key(self) -> str:
        """Return 16 hex digits that stand for what is in it: equal files and Python give the same folder."""
        lines = sorted("{}  {}\n".format(file.sha256, file.name) for file in self.files)
        told = "{} {}\n{}".format(self.python, self.machine, "".join(lines))
        if self.over:
            told += "over {} {}\n".format(self.over, self.over_torch)
        return hashlib.sha256(told.encode("utf-8")).hexdigest()[:16]

    @property
    def size_bytes(self) -> int:
        """Return how much is fetched."""
        return sum(file.size_bytes for file in self.files)


@dataclasses.dataclass(frozen=True)
class BuiltEnvironment:
    """An environment that lies on the node: ``path`` is its interpreter, ``made`` whether it was made just now.

    ``over`` is the interpreter that it was built on, ``fetched_bytes`` what its own files come to.
    """

    path: str
    key: str
    lock: str
    python_version: str
    packages: int
    made: bool = True
    took_s: float = 0.0
    over: str = ""
    fetched_bytes: int = 0

    def at(self, path: str, made: bool) -> "BuiltEnvironment":
        """Return the same with its interpreter's path."""
        return dataclasses.replace(self, path=path, made=made)


class NoLockError(ValueError):
    """No lock fits the node; the text is a sentence that says why."""


def choose_lock(locks: Iterable[EnvironmentLock], node: NodeReport) -> EnvironmentLock:
    """Return the lock for a node: its machine, the newest CUDA that its driver serves, a Python that is there.

    A Python that the node lacks is brought along, so that any lock of the right CUDA serves.

    Raises:
        NoLockError: the machine or the driver is of a kind for which there is none.
    """
    machine = machine_of(node)
    fitting = [lock for lock in locks if lock.machine == machine]
    if not fitting:
        raise NoLockError(
            "There is no ready list of packages for {} machines; make an environment there and name its "
            "Python in the node's settings.".format(machine or "such")
        )
    driver = node.survey.driver.partition(".")[0] if node.survey is not None else ""
    if node.gpus:
        served = [lock for lock in fitting if lock.cuda and (not driver.isdigit() or lock.driver <= int(driver))]
        if not served:
            raise NoLockError(
                "The node's NVIDIA driver is {}; the oldest that a ready list of packages works with is {}. "
                "Update the driver, or make an environment there and name its Python.".format(
                    driver or "unknown", min((lock.driver for lock in fitting if lock.cuda), default="unknown")
                )
            )
        newest = max(lock.driver for lock in served)
        fitting = [lock for lock in served if lock.driver == newest]
    else:
        fitting = [lock for lock in fitting if not lock.cuda]
        if not fitting:
            raise NoLockError("There is no ready list of packages for {} machines without GPUs.".format(machine))
    return _of_python(fitting, _pythons(node))


def machine_of(node: NodeReport) -> str:
    """Return the processor's kind as the node's system names it, such as x86_64."""
    return node.system.replace(",", " ").split()[-1] if node.system.strip() else ""


def total_needed_bytes(lock: EnvironmentLock) -> int:
    """Return about how much disk a build takes while it goes on."""
    return round(lock.size_bytes * INSTALLED_PER_FETCHED)


def _pythons(node: NodeReport) -> Sequence[str]:
    """Return the minor versions of the Pythons that the node is known to have."""
    versions = [node.interpreter.version] if node.interpreter is not None else []
    versions.append(node.python_version)
    return [".".join(version.split(".")[:2]) for version in versions]


def _of_python(locks: Sequence[EnvironmentLock], there: Sequence[str]) -> EnvironmentLock:
    found: Optional[EnvironmentLock] = next((lock for lock in locks if lock.python in there), None)
    # what the node lacks is brought along; of those, the one that has been out for a while
    return found or next((lock for lock in locks if lock.python == "3.12"), locks[0])
