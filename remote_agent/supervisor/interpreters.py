"""The Pythons on the node that may run the trainer, and what is installed in each."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from typing import Any, Dict, List, Optional

from remote_agent.contract.node_report import TRAINER_PACKAGES, Interpreter, PackageVersion
from remote_agent.contract.run_dir import ENVIRONMENTS

LOOK_TIMEOUT_S = 30.0

# printed as one line with a prefix, since a site's start-up file may print anything
_LOOK = """
import json, platform, sys
from importlib import metadata
found = {}
for name in json.loads(sys.argv[1]):
    try:
        found[name] = metadata.version(name)
    except metadata.PackageNotFoundError:
        found[name] = ""
print("\\nLUTHIER-PYTHON " + json.dumps({"version": platform.python_version(), "packages": found}))
"""


def look_at(python: str) -> Optional[Interpreter]:
    """Return what an interpreter holds, None where it is none or does not answer within 30 s."""
    try:
        done = subprocess.run(
            [python, "-I", "-B", "-c", _LOOK, json.dumps(TRAINER_PACKAGES)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=LOOK_TIMEOUT_S,
        )
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None
    for line in done.stdout.decode("utf-8", "replace").splitlines():
        mark, _, text = line.partition(" ")
        if mark == "LUTHIER-PYTHON":
            return _interpreter(python, text)
    return None


def _interpreter(python: str, text: str) -> Optional[Interpreter]:
    try:
        found: Any = json.loads(text)
        packages: Dict[str, str] = found["packages"]
        versions = tuple(PackageVersion(name, str(packages.get(name, ""))) for name in TRAINER_PACKAGES)
        return Interpreter(python, str(found["version"]), versions)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def candidates(home: str, own: str) -> List[str]:
    """Return the interpreters worth a look, the likeliest first, each once.

    Args:
        home: the agent's home.
        own: the agent's own interpreter.
    """
    active = os.environ.get("VIRTUAL_ENV", "")
    paths = [os.path.join(active, "bin", "python")] if active else []
    environments = os.path.join(home, ENVIRONMENTS)
    if os.path.isdir(environments):
        paths += [os.path.join(environments, name, "bin", "python") for name in sorted(os.listdir(environments))]
    paths += [shutil.which("python3") or "", own]
    return list(dict.fromkeys(path for path in paths if path and os.access(path, os.X_OK)))


def best_interpreter(home: str, own: str) -> Optional[Interpreter]:
    """Return the first interpreter that lacks nothing, else the one that lacks least, else None."""
    best: Optional[Interpreter] = None
    for path in candidates(home, own):
        found = look_at(path)
        if found is None:
            continue
        if not found.missing:
            return found
        if best is None or len(found.missing) < len(best.missing):
            best = found
    return best
