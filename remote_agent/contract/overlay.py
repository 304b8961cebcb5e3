"""Building on the torch that a node has already: which interpreter serves, and what a lock then leaves out."""

from __future__ import annotations

import dataclasses
from typing import Iterable, List, Optional, Tuple

from remote_agent.contract.environment_lock import EnvironmentLock, NoLockError, choose_lock, machine_of
from remote_agent.contract.node_report import Interpreter, NodeReport

_FAMILY = ("torch", "triton")
_FAMILY_PREFIXES = ("nvidia-", "cuda-")
NO_OVERLAY = "no_overlay"
"""The kind of the agent's error where what lies over an interpreter does not go together with it."""


def overlaid(lock: EnvironmentLock, interpreter: Interpreter) -> EnvironmentLock:
    """Return what a lock comes to over an interpreter: all but torch and what it brings along."""
    files = tuple(
        file for file in lock.files if file.package not in _FAMILY and not file.package.startswith(_FAMILY_PREFIXES)
    )
    return dataclasses.replace(
        lock, files=files, over=interpreter.path, over_torch=_version_of(interpreter), tried=False
    )


def choose_overlay(
    locks: Iterable[EnvironmentLock], node: NodeReport, not_over: Iterable[str] = ()
) -> Optional[EnvironmentLock]:
    """Return what to build over a Python that a probe found on the node, None where none of them serves.

    Its torch has to use the node's GPUs where there are any, and to be neither older nor newer than what the locks
    hold; its Python one that they are for. ``not_over`` are interpreters that were tried in vain.
    """
    if node.survey is None:
        return None
    fitting = [lock for lock in locks if lock.machine == machine_of(node) and bool(lock.cuda) == bool(node.gpus)]
    try:
        choose_lock(fitting, node)  # a driver that is too old for all of them is too old for torch
    except NoLockError:
        return None
    best: Optional[Tuple[Tuple[int, int], EnvironmentLock]] = None
    for found in node.survey.interpreters:
        torch, build = _minor(_version_of(found)), _version_of(found).partition("+")[2]
        of_python = [lock for lock in fitting if found.version.startswith(lock.python + ".")]
        held = [_torch_of(lock) for lock in of_python]
        if found.path in not_over or found.path.startswith(node.home.rstrip("/") + "/") or torch is None or not held:
            continue
        if not min(held) <= torch <= max(held) or (node.gpus and build.startswith("cpu")) or "rocm" in build:
            continue
        nearest = max((lock for lock in of_python if _torch_of(lock) <= torch), key=_torch_of)
        if best is None or torch > best[0]:
            best = torch, overlaid(nearest, found)
    return best[1] if best is not None else None


def _version_of(interpreter: Interpreter) -> str:
    return next((package.version for package in interpreter.packages if package.name == "torch"), "")


def _torch_of(lock: EnvironmentLock) -> Tuple[int, int]:
    return _minor(next((file.version for file in lock.files if file.package == "torch"), "")) or (0, 0)


def _minor(version: str) -> Optional[Tuple[int, int]]:
    parts: List[str] = version.split("+")[0].split(".")
    if len(parts) < 2 or not (parts[0].isdigit() and parts[1].isdigit()):
        return None
    return int(parts[0]), int(parts[1])
