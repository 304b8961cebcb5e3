"""The locks that the studio ships: pylock.toml files (PEP 751), one a CUDA and Python."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from remote_agent.contract.environment_lock import EnvironmentLock, LockedFile
from studio import places

_PREFIX, _SUFFIX = "pylock.", ".toml"


def shipped_locks() -> tuple[EnvironmentLock, ...]:
    """Return all locks of the resources. Raises FileNotFoundError where the installation lacks the resources."""
    folder = places.resources_dir() / "locks"
    return tuple(read_lock(path) for path in sorted(folder.glob(f"{_PREFIX}*{_SUFFIX}")))


def read_lock(path: Path) -> EnvironmentLock:
    """Return a lock; what else a pylock may hold is passed over.

    Raises:
        ValueError: the file is no lock, or a package has not just one file with a size and a SHA-256.
        OSError: it cannot be read.
    """
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8"))
        about = told["tool"]["luthier"]
        return EnvironmentLock(
            name=path.name.removeprefix(_PREFIX).removesuffix(_SUFFIX),
            python=str(about["python"]),
            machine=str(about["machine"]),
            glibc=str(about["glibc"]),
            files=tuple(_file(package) for package in told["packages"]),
            cuda=str(about.get("cuda", "")),
            driver=int(about.get("driver", 0)),
            tried=about.get("tried") is True,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is no lock of an environment: {error}.") from None


def _file(package: dict[str, Any]) -> LockedFile:
    found = [*package.get("wheels", []), *([package["sdist"]] if "sdist" in package else [])]
    if len(found) != 1:
        raise ValueError(f"{package['name']} has {len(found)} files, not one")
    url = str(found[0].get("url", ""))
    name = unquote((url or str(found[0]["path"])).rsplit("/", 1)[-1])
    return LockedFile(
        str(package["name"]), str(package["version"]), name, url, int(found[0]["size"]),
        str(found[0]["hashes"]["sha256"]),
    )  # fmt: skip
