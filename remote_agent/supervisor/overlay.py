"""An environment that lies over an interpreter's packages: what that has already, and how it is seen from the new."""

from __future__ import annotations

import dataclasses
import glob
import json
import os
import subprocess
from typing import Any, Dict, List, NamedTuple, Tuple

from remote_agent.contract.environment_lock import UV, EnvironmentLock
from remote_agent.contract.node_report import TRAINER_PACKAGES
from remote_agent.supervisor.talk import CommandError

LOOK_TIMEOUT_S = 60.0
_PATHS = "luthier-base.pth"

_LOOK = """
import json, re, site, sys
from importlib import metadata
found = {}
for each in metadata.distributions():
    name = re.sub(r"[-_.]+", "-", each.metadata["Name"] or "").lower()
    found.setdefault(name, each.version)
print("\\nLUTHIER-BASE " + json.dumps({"folders": site.getsitepackages(), "packages": found}))
"""

# a torch for CUDA that finds no device would train on the CPU without a word
_TRY = """
import importlib, sys
from importlib import metadata
wants_cuda, names = sys.argv[1] == "cuda", sys.argv[2:]
for name in names:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        continue
    importlib.import_module(name)
if wants_cuda:
    import torch
    if not torch.cuda.is_available():
        sys.exit("its torch {} finds no GPU".format(torch.__version__))
"""


class Base(NamedTuple):
    """The interpreter below: the folders of its packages, and their versions by their normalised names."""

    python: str
    folders: Tuple[str, ...]
    packages: Dict[str, str]


def read_base(python: str) -> Base:
    """Return what an interpreter holds. Raises CommandError where it does not answer or holds no torch."""
    try:
        done = subprocess.run(
            [python, "-I", "-B", "-c", _LOOK],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=LOOK_TIMEOUT_S,
        )
    except (OSError, ValueError, subprocess.TimeoutExpired):
        raise CommandError("{} does not answer; name another Python.".format(python), "no_python") from None
    for line in done.stdout.decode("utf-8", "replace").splitlines():
        mark, _, text = line.partition(" ")
        if mark == "LUTHIER-BASE":
            told: Dict[str, Any] = json.loads(text)
            folders = tuple(str(each) for each in told["folders"] if os.path.isdir(str(each)))
            packages = {str(name): str(version) for name, version in told["packages"].items()}
            if "torch" in packages:
                return Base(python, folders, packages)
    raise CommandError("{} holds no torch to build on; name another Python.".format(python), "no_python")


def lacking(lock: EnvironmentLock, base: Base) -> EnvironmentLock:
    """Return the lock without the packages that lie below in the same version."""
    files = tuple(file for file in lock.files if file.package == UV or base.packages.get(file.package) != file.version)
    return dataclasses.replace(lock, files=files)


def lay_over(environment: str, base: Base) -> None:
    """Let an environment see what lies below, behind its own packages; the folders' own .pth files count too."""
    (packages,) = glob.glob(os.path.join(glob.escape(environment), "lib", "python3*", "site-packages"))
    with open(os.path.join(packages, _PATHS), "w", encoding="utf-8") as file:
        file.writelines("import site; site.addsitedir({!r})\n".format(folder) for folder in base.folders)


def trial(python: str, wants_cuda: bool) -> List[str]:
    """Return the command that imports what training needs in an environment, as far as it is there."""
    return [python, "-I", "-B", "-c", _TRY, "cuda" if wants_cuda else "cpu", *TRAINER_PACKAGES]
