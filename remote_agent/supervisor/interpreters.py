"""The Pythons on the node that may run the trainer, and what is installed in each."""

from __future__ import annotations

import glob
import json
import os
import shutil
import subprocess
from typing import Any, Dict, List, Optional, Tuple

from remote_agent.contract.node_report import OPTIONAL_PACKAGES, TRAINER_PACKAGES, Interpreter, PackageVersion
from remote_agent.contract.run_dir import ENVIRONMENTS

LOOK_TIMEOUT_S = 30.0
MOST_ENVIRONMENTS = 8
INDEX_TIMEOUT_S = 1.0

# where images, conda, uv, pyenv and people put environments; each stands for its prefix
_PREFIXES = (
    "/opt/conda", "/opt/conda/envs/*", "/opt/venv", "/opt/*/venv", "/venv", "/venv/*", "/workspace/*venv*",
    "/usr/local", "/usr", "~/*conda*", "~/*conda*/envs/*", "~/mambaforge/envs/*", "~/venv", "~/.venv", "~/*venv*",
    "~/venvs/*", "~/.venvs/*", "~/envs/*", "~/.virtualenvs/*", "~/.pyenv/versions/*", "~/*/.venv", "~/*/venv",
)  # fmt: skip

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
            [python, "-I", "-B", "-c", _LOOK, json.dumps(TRAINER_PACKAGES + OPTIONAL_PACKAGES)],
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
        versions, extras = (
            tuple(PackageVersion(name, str(packages.get(name, ""))) for name in names)
            for names in (TRAINER_PACKAGES, OPTIONAL_PACKAGES)
        )
        return Interpreter(python, str(found["version"]), versions, extras)
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


def environments_with_torch(home: str) -> Tuple[Interpreter, ...]:
    """Return the Pythons in the usual places that hold torch, those that lack least first, at most eight.

    What they hold is first told by the names of their folders, so that only those worth it are started.
    """
    prefixes = [os.path.join(home, ENVIRONMENTS, "*"), *_PREFIXES]
    active = [os.environ[name] for name in ("VIRTUAL_ENV", "CONDA_PREFIX") if os.environ.get(name)]
    folders = active + [path for prefix in prefixes for path in sorted(glob.glob(os.path.expanduser(prefix)))]
    pythons = []
    for folder in dict.fromkeys(os.path.realpath(each) for each in folders):
        python = os.path.join(folder, "bin", "python3")
        if os.access(python, os.X_OK) and glob.glob(
            os.path.join(glob.escape(folder), "lib", "python3*", "*-packages", "torch-*")
        ):
            pythons.append(python)
    if not pythons:
        return ()
    from concurrent.futures import ThreadPoolExecutor  # the supervisor, which never looks, stays small

    with ThreadPoolExecutor(MOST_ENVIRONMENTS) as pool:
        found = [each for each in pool.map(look_at, pythons[:MOST_ENVIRONMENTS]) if each is not None]
    return tuple(sorted(found, key=lambda each: len(each.missing)))


# pip knows the index it would ask, from its settings or its own code
_INDEX = """
import os, subprocess, sys
from pip._internal.models.index import PyPI
told = [os.environ.get(name, "") for name in ("PIP_INDEX_URL", "UV_INDEX_URL", "UV_DEFAULT_INDEX")]
if not any(told):
    from pip._internal.configuration import Configuration
    settings = Configuration(isolated=False)
    settings.load()
    told = [value for name, value in settings.items() if name.endswith(".index-url")]
print("\\nLUTHIER-INDEX " + (([each for each in told if each] or [PyPI.simple_url])[0]))
"""


def package_index(python: str) -> str:
    """Return the address of the package index that an interpreter's pip would ask, empty where it has no pip."""
    if not python:
        return ""
    try:
        done = subprocess.run(
            [python, "-I", "-B", "-c", _INDEX],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=INDEX_TIMEOUT_S,
        )
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return ""
    for line in done.stdout.decode("utf-8", "replace").splitlines():
        mark, _, text = line.partition(" ")
        if mark == "LUTHIER-INDEX":
            return text.strip()
    return ""
